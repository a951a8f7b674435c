"""The format of a study: which arrays there are, their sizes, and which models have them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitpanel.core.metrics import CLASSES, CLS, metrics
from vitpanel.core.patterns import n_top, offset_shape, pooled_side
from vitpanel.core.spec import ViTSpec
from vitpanel.core.trust import turned_off
from vitpanel.study.metric_arrays import (
    FIRST_LAYOUT,
    all_image_layouts,
    arrays_of,
    later_arrays,
    layout_array,
    mean_array,
    stand_in,
)

FORMAT_VERSION = 2
HEADS, LATENTS, LAYOUT, MODES, MEANS = "heads", "latents", "layout", "modes", "means"
STAGES = (HEADS, LATENTS, LAYOUT)
# Computed only when they are asked for, with what it means that they were not.
OPTIONAL_STAGES = {
    MODES: "Pruning modes of all heads were not computed beforehand (--modes); the live model computes them.",
    MEANS: "Means over all images were not estimated ahead of the exact ones (--fast-means).",
}
N_MODES = 6
N_TOP_CLASSES = 5

NO_CLS = "The model has no CLS token."
NO_CLASSES = "The model has no class head."

# Added after the first studies were made, as is what belongs to a metric of which `is_optional` says so, and all but
# the first layout of images: a study may lack them and is read all the same.
_OPTIONAL = frozenset({"distance", "patterns/offset", "layout/offset"})
_NEEDS_CLS = ("patterns/cls", "layout/cls")
_NEEDS_CLASSES = ("probabilities", "modes/top_class", "modes/top_probability", "means/unpruned", "means/estimate")
_PER_HEAD = ("image", "layer", "head")


@dataclass(frozen=True)
class ArraySpec:
    """One array of the format.

    Parameters
    ----------
    name
        Path inside ``arrays.zarr``.
    dims
        Name of each axis.
    shape
        Length of each axis.
    dtype
        numpy's name of the type.
    stage
        The stage that computes it.
    """

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    stage: str

    @property
    def is_per_block(self) -> bool:
        """Whether rows come block by block, or the array is written in one piece."""
        return self.stage != LAYOUT

    @property
    def is_optional(self) -> bool:
        """Whether a study made by an older version lacks it and is whole nonetheless."""
        return self.name in _OPTIONAL or self.name in later_arrays()

    @property
    def may_be_nan(self) -> bool:
        """Whether NaN has a meaning: no attention among patches, a mode that a model lacks, an image not sampled."""
        return self.name == "entropy" or self.stage == MODES or self.name.startswith("means/sample")

    def chunks(self, block_size: int) -> tuple[int, ...]:
        """Shape of one file: a block's rows, or everything."""
        rows = min(block_size, self.shape[0]) if self.is_per_block else self.shape[0]
        return (rows, *self.shape[1:])


def array_specs(
    spec: ViTSpec, n_images: int, *, latent_dim: int, checks: Mapping[str, Any] | None = None
) -> dict[str, ArraySpec]:
    """Arrays that a model can have, by name, in the order of the format.

    Parameters
    ----------
    checks
        The manifest's; what failed checks turn off is left out.
    """
    per_head = (n_images, spec.n_layers, spec.n_heads)
    per_mode, mode_dims = (*per_head, N_MODES), (*_PER_HEAD, "mode")
    n_top_classes = min(N_TOP_CLASSES, spec.n_classes)
    n_cells = pooled_side(spec.grid)[0] * pooled_side(spec.grid)[1]
    more = [
        ("strength", "hop", spec.grid.n_hops, "float32", HEADS),
        ("patterns/cls", "value", 2 * spec.grid.size + 1, "float16", HEADS),
        ("patterns/patch_top", "top", n_top(n_cells), "uint16", HEADS),
        ("patterns/offset", "offset", offset_shape(spec.grid)[0] * offset_shape(spec.grid)[1], "float16", HEADS),
        ("latents", "latent", latent_dim, "float32", LATENTS),
        ("layout/cls", "axis", 2, "float32", LAYOUT),
        ("layout/patch", "axis", 2, "float32", LAYOUT),
        ("layout/offset", "axis", 2, "float32", LAYOUT),
    ]
    everything = [
        ArraySpec("probabilities", ("image", "class"), (n_images, spec.n_classes), "float32", HEADS),
        *(ArraySpec(f"importance/{metric.key}", _PER_HEAD, per_head, "float32", HEADS) for metric in metrics()),
        ArraySpec("entropy", _PER_HEAD, per_head, "float32", HEADS),
        ArraySpec("distance", _PER_HEAD, per_head, "float32", HEADS),
        *(ArraySpec(name, (*_PER_HEAD, dim), (*per_head, size), *rest) for name, dim, size, *rest in more),
        *(
            ArraySpec(name, ("image", "axis"), (n_images, 2), "float32", LAYOUT)
            for name in all_image_layouts().values()
        ),
        *(ArraySpec(f"modes/{metric.key}", mode_dims, per_mode, "float32", MODES) for metric in metrics()),
        ArraySpec("modes/top_class", (*mode_dims, "rank"), (*per_mode, n_top_classes), "uint16", MODES),
        ArraySpec("modes/top_probability", (*mode_dims, "rank"), (*per_mode, n_top_classes), "float32", MODES),
        ArraySpec("means/unpruned", ("image",), (n_images,), "float32", MEANS),
        ArraySpec("means/estimate", _PER_HEAD, per_head, "float32", MEANS),
        *(ArraySpec(mean_array(metric), _PER_HEAD, per_head, "float32", MEANS) for metric in metrics()),
    ]
    absent = absent_arrays(spec, checks=checks)
    return {array.name: array for array in everything if array.name not in absent}


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
    absent = {name: missing[CLS] for name in _NEEDS_CLS if CLS in missing}
    absent |= {name: missing[CLASSES] for name in _NEEDS_CLASSES if CLASSES in missing}
    for metric in metrics():
        if metric.needs in missing:
            absent |= dict.fromkeys(arrays_of(metric), missing[metric.needs])
        elif CLASSES in missing:
            # Without classes all metrics come with one forward.
            absent[mean_array(metric)] = missing[CLASSES]
    if CLASSES in missing:
        absent[layout_array(stand_in())] = missing[CLASSES]
        absent.pop(FIRST_LAYOUT, None)
    return absent | off


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
