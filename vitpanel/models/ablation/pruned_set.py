"""A set of heads pruned together while a model runs once."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from vitpanel.core.regions import PruningMode, is_defined, pruning_mask
from vitpanel.core.spec import ViTSpec, head_name
from vitpanel.errors import ChoiceError
from vitpanel.models.adapters.site import AttentionSite
from vitpanel.models.model import ViTModel
from vitpanel.models.probe import input_hook
from vitpanel.models.stopping import step


def check_set(spec: ViTSpec, heads: np.ndarray, mode: PruningMode) -> None:
    """Refuse heads and modes that a model does not have.

    Raises
    ------
    ChoiceError
        If ``heads`` is no mask over layers and heads, has a place without a head, or the mode prunes nothing here.
    """
    shape = (spec.n_layers, spec.n_heads)
    if heads.shape != shape or heads.dtype != np.bool_:
        message = f"A set of heads is a mask of the shape {shape} of booleans, not {heads.shape} of {heads.dtype}."
        raise ChoiceError(message, hint="It has a row for each layer and a column for each head.")
    absent = np.argwhere(heads & ~spec.is_there)
    if len(absent):
        message = f"There is no {head_name(*absent[0].tolist())}."
        raise ChoiceError(message, hint="Choose among the heads that the layer has.")
    if not is_defined(mode, spec.grid):
        message = f"Mode {int(mode)} prunes nothing of this model: it has no CLS token."
        raise ChoiceError(message, hint="Choose mode 1 or 5.")


@contextmanager
def without_set(model: ViTModel, heads: np.ndarray, mode: PruningMode) -> Iterator[None]:
    """Let a model run without parts of some heads; each layer is a step that can be stopped.

    Parameters
    ----------
    heads
        The set, bool ``(n_layers, n_heads)``, for which `check_set` holds.
    mode
        What of their A is set to 0, after the softmax and not renormalised.
    """
    mask = pruning_mask(model.spec.grid, mode.regions)
    with ExitStack() as hooks:
        for layer, site in enumerate(model.sites):
            hooks.enter_context(input_hook(site.module, lambda _input: step()))
            places = np.flatnonzero(heads[layer]).tolist()
            if not places or not mask.any():
                continue
            if mask.all() and site.projection is not None:
                hooks.enter_context(_without_outputs(site.projection, places, model.spec.heads_of(layer)))
            else:
                hooks.enter_context(_without_entries(site, places, mask))
        yield


def makes_attention(model: ViTModel, mode: PruningMode) -> bool:
    """Whether pruning by a mode makes A, which takes memory, or only takes what whole heads give."""
    mask = pruning_mask(model.spec.grid, mode.regions)
    return bool(mask.any()) and not (mask.all() and all(site.projection is not None for site in model.sites))


@contextmanager
def _without_outputs(projection: nn.Linear, places: list[int], n_heads: int) -> Iterator[None]:
    """Set what whole heads give to 0, which it is when their A is 0."""

    def edit(_module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        outputs = args[0].clone()
        outputs.unflatten(-1, (n_heads, -1))[..., places, :] = 0
        return (outputs, *args[1:])

    handle = projection.register_forward_pre_hook(edit)
    try:
        yield
    finally:
        handle.remove()


def _without_entries(site: AttentionSite, places: list[int], mask: np.ndarray) -> AbstractContextManager[None]:
    """Set entries of A of some heads of a layer to 0."""
    entries = torch.from_numpy(mask)

    def edit(weights: Tensor) -> Tensor:
        weights, cut = weights.clone(), entries.to(weights.device)
        for place in places:
            weights[:, place].masked_fill_(cut, 0)
        return weights

    return site.weights_hook(edit)
