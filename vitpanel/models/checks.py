"""Trust checks: figures that a person can hold against a model, measured on one image at load.

What they decide is off where they fail; a model of which nothing would be left is refused.
"""

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from vitpanel.core.metrics import class_metrics
from vitpanel.core.spec import ViTSpec
from vitpanel.core.trust import ATTENTION_ARRAYS, Check, class_arrays
from vitpanel.errors import UnsupportedModelError
from vitpanel.models.probe import attention_hook
from vitpanel.models.structure import Trace

ROW_SUM_LIMIT = 1e-4
FUSED_LIMIT = 1e-4  # of the largest output, or of 1 where all outputs are smaller
ALL_VIEWS = "all views"
PATTERN_VIEWS = "C, D: attention strength and patterns"


def trust_checks(
    module: nn.Module, traced: Trace, image: Tensor, *, name: str, class_check: Check
) -> tuple[Check, ...]:
    """Measure a model on one image ``(1, channels, height, width)``.

    Raises
    ------
    UnsupportedModelError
        If a check fails on which all views depend; the message has its figures.
    """
    spec, shapes, sums = traced.spec, [], []

    def note(weights: Tensor) -> None:
        shapes.append(tuple(weights.shape[1:]))
        sums.append(float((weights.float().sum(-1) - 1).abs().max()))

    with torch.inference_mode():
        fused = module(image).float()
        with ExitStack() as hooks:
            for attention in traced.attention:
                hooks.enter_context(attention_hook(attention, note))
            difference = float((fused - module(image).float()).abs().max())
    fired = _fired(len(shapes), _n_attention_modules(module))
    _refuse_failed(name, [fired])
    checks = (
        fired,
        _fused(difference, FUSED_LIMIT * max(1.0, float(fused.abs().max()))),
        _rows(max(sums)),
        _tokens(shapes, spec),
        _heads(shapes, traced.attention),
        class_check,
    )
    _refuse_failed(name, checks)
    return checks


def _refuse_failed(name: str, checks: Iterable[Check]) -> None:
    for check in checks:
        if check.views == ALL_VIEWS and not check.passed:
            message = f"{name} is not supported: {check.sentence}"
            raise UnsupportedModelError(message, hint="No view would show what this model computes.")


def _n_attention_modules(module: nn.Module) -> int:
    return sum(isinstance(getattr(part, "attn_drop", None), nn.Module) for part in module.modules())


def _fired(fired: int, expected: int) -> Check:
    sentence = f"{fired} of {expected} attention modules handed out their weights."
    return Check("attention_modules", fired, expected, fired == expected, sentence, ALL_VIEWS)


def _fused(difference: float, limit: float) -> Check:
    sentence = (
        f"The outputs differ by at most {difference:.1e} when attention is read instead of fused (limit {limit:.1e})."
    )
    return Check("fused_difference", difference, limit, difference <= limit, sentence, ALL_VIEWS)


def _rows(error: float) -> Check:
    passed = error <= ROW_SUM_LIMIT
    fact = f"differ from 1 by at most {error:.1e} (limit {ROW_SUM_LIMIT:.0e})"
    sentence = f"The sums of the rows of A {fact}" + ("." if passed else ": its weights are not shares of attention.")
    return Check("row_sum_error", error, ROW_SUM_LIMIT, passed, sentence, PATTERN_VIEWS, ATTENTION_ARRAYS)


def _tokens(shapes: list[Any], spec: ViTSpec) -> Check:
    grid, found = spec.grid, {size for shape in shapes for size in shape[1:]}
    sentence = (
        f"Attention covers {', '.join(map(str, sorted(found)))} tokens; {grid.n_prefix} before the patches and "
        f"{grid.rows} × {grid.cols} patches make {grid.n_tokens}."
    )
    return Check("tokens", max(found), grid.n_tokens, found == {grid.n_tokens}, sentence, ALL_VIEWS)


def _heads(shapes: list[Any], attention: tuple[nn.Module, ...]) -> Check:
    found = {shape[0] for shape in shapes}
    declared = {getattr(module, "num_heads", shape[0]) for module, shape in zip(attention, shapes, strict=True)}
    sentence = f"Each layer gives {', '.join(map(str, sorted(found)))} attention matrices for {max(declared)} heads."
    return Check("heads", max(found), max(declared), found == declared and len(found) == 1, sentence, ALL_VIEWS)


def class_check(n_outputs: int | None, n_classes: int, *, n_names: int, reason: str) -> Check:
    """Check that the class head is a classifier of as many classes as are named.

    Parameters
    ----------
    n_outputs
        Length of the model's output; None where it is not one vector an image.
    n_classes
        Classes of the model; 0 where its output is not classes.
    n_names
        Class names; 0 where nobody gave any.
    reason
        Why there are no classes, as a sentence; empty where there are.
    """
    passed = 0 < n_classes == n_outputs and n_names in {0, n_classes}
    sentence = reason or (
        f"The class head has {n_outputs} outputs for {n_names} named classes."
        if n_names
        else f"The class head has {n_outputs} outputs; its classes have no names."
    )
    views = f"B: {', '.join(metric.label for metric in class_metrics())} and predictions"
    return Check("class_head", n_outputs or 0, n_names or n_classes, passed, sentence, views, class_arrays())
