"""The format of a study: which arrays there are, their sizes, and which models have them."""

from collections.abc import Iterator, Mapping
from typing import Any

from vitpanel.core.metrics import CLASSES, CLS, metrics
from vitpanel.core.spec import ViTSpec
from vitpanel.core.trust import turned_off
from vitpanel.study.metric_arrays import FIRST_LAYOUT, all_image_layouts, stand_in
from vitpanel.study.stage import ArraySpec, Sizes
from vitpanel.study.stages import arrays_of, stages

FORMAT_VERSION = 2

NO_CLS = "The model has no CLS token."
NO_CLASSES = "The model has no class head."


def array_specs(
    spec: ViTSpec, n_images: int, *, latent_dim: int, checks: Mapping[str, Any] | None = None
) -> dict[str, ArraySpec]:
    """Arrays that a model can have, by name, in the order of the format.

    Parameters
    ----------
    checks
        The manifest's; what failed checks turn off is left out.
    """
    absent = absent_arrays(spec, checks=checks)
    found = _all_arrays(Sizes(spec, n_images, latent_dim))
    return {array.name: array for array in found if array.name not in absent}


def absent_arrays(spec: ViTSpec, *, checks: Mapping[str, Any] | None = None) -> dict[str, str]:
    """What a model cannot have, with the reason as a sentence: arrays of the format, and ``"attention"``, the live one.

    Parameters
    ----------
    checks
        The manifest's; those that failed give the reason.
    """
    off = turned_off(checks or {})
    missing = {} if spec.grid.cls is not None else {CLS: NO_CLS}
    if spec.n_classes == 0:
        missing[CLASSES] = off.get("probabilities", NO_CLASSES)
    absent = {
        array.name: next(missing[need] for need in array.needs if need in missing)
        for array in _all_arrays(Sizes(spec, 1, 1))
        if not missing.keys().isdisjoint(array.needs)
    }
    return absent | off


def _all_arrays(sizes: Sizes) -> Iterator[ArraySpec]:
    """Arrays of all stages, whether the model has them or not."""
    for stage in stages():
        yield from arrays_of(stage, sizes)


def image_layouts(spec: ViTSpec) -> dict[str, str]:
    """Arrays in which a model's images are laid out, by the name of what their vectors are; the first is the usual one.

    ``"drop"`` is the probability lost without each head, the importance of Eq. 3; ``"probability"`` what is left of it;
    the others are metrics. ``layout/images`` is of the patch metric for a model without a class head.
    """
    absent = absent_arrays(spec)
    layouts = all_image_layouts()
    if spec.n_classes == 0:
        first = stand_in()
        drops = {metric.key for metric in metrics() if not metric.higher_is_more_important}
        others = {name: array for name, array in layouts.items() if name not in {first.key, *drops}}
        layouts = {first.key: FIRST_LAYOUT} | others
    return {name: array for name, array in layouts.items() if array not in absent}
