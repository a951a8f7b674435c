"""The format of a study: which arrays there are, their sizes, and which models have them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from vitpanel.core.patterns import n_top, offset_shape, pooled_side
from vitpanel.core.spec import ViTSpec
from vitpanel.core.trust import turned_off

FORMAT_VERSION = 1
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

# Added after the first studies were made: a study may lack them and is read all the same.
OPTIONAL = (
    "distance",
    "patterns/offset",
    "layout/offset",
    "layout/images_drop",
    "layout/images_jsd",
    "layout/images_cls",
    "layout/images_patch",
)

_NEEDS_CLS: tuple[str, ...] = (
    "importance/cls",
    "patterns/cls",
    "layout/cls",
    "layout/images_cls",
    "modes/cls",
    "means/cls",
)
_NEEDS_CLASSES: tuple[str, ...] = (
    "probabilities",
    "importance/probability",
    "importance/jsd",
    "layout/images_drop",
    "layout/images_jsd",
    "layout/images_patch",
    "modes/probability",
    "modes/jsd",
    "modes/top_class",
    "modes/top_probability",
    "means/unpruned",
    "means/estimate",
    "means/sample_probability",
    "means/sample_jsd",
    "means/cls",
    "means/patch",
)
_METRICS = ("probability", "jsd", "cls", "patch")
# By what images are laid out: the probability that a head's loss costs, what is left of it, and the other metrics.
IMAGE_LAYOUTS = {
    "drop": "layout/images_drop",
    "probability": "layout/images",
    "jsd": "layout/images_jsd",
    "cls": "layout/images_cls",
    "patch": "layout/images_patch",
}
_PER_HEAD = ("image", "layer", "head")
_OF_MEANS = ("estimate", "sample_probability", "sample_jsd", "cls", "patch")


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
    is_ragged
        Whether layers have different numbers of heads: then there is NaN, or 0, in the place of those that are not.
    """

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    stage: str
    is_ragged: bool = field(default=False, kw_only=True)

    @property
    def is_per_block(self) -> bool:
        """Whether rows come block by block, or the array is written in one piece."""
        return self.stage != LAYOUT

    @property
    def is_optional(self) -> bool:
        """Whether a study made by an older version lacks it and is whole nonetheless."""
        return self.name in OPTIONAL

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
    importance = [ArraySpec(f"importance/{metric}", _PER_HEAD, per_head, "float32", HEADS) for metric in _METRICS]
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
        *importance,
        ArraySpec("entropy", _PER_HEAD, per_head, "float32", HEADS),
        ArraySpec("distance", _PER_HEAD, per_head, "float32", HEADS),
        *(ArraySpec(name, (*_PER_HEAD, dim), (*per_head, size), *rest) for name, dim, size, *rest in more),
        *(ArraySpec(name, ("image", "axis"), (n_images, 2), "float32", LAYOUT) for name in IMAGE_LAYOUTS.values()),
        *(ArraySpec(f"modes/{metric}", mode_dims, per_mode, "float32", MODES) for metric in _METRICS),
        ArraySpec("modes/top_class", (*mode_dims, "rank"), (*per_mode, n_top_classes), "uint16", MODES),
        ArraySpec("modes/top_probability", (*mode_dims, "rank"), (*per_mode, n_top_classes), "float32", MODES),
        ArraySpec("means/unpruned", ("image",), (n_images,), "float32", MEANS),
        *(ArraySpec(f"means/{name}", _PER_HEAD, per_head, "float32", MEANS) for name in _OF_MEANS),
    ]
    absent = absent_arrays(spec, checks=checks)
    return {
        array.name: replace(array, is_ragged=bool(spec.heads) and "head" in array.dims)
        for array in everything
        if array.name not in absent
    }


def absent_arrays(spec: ViTSpec, *, checks: Mapping[str, Any] | None = None) -> dict[str, str]:
    """What a model cannot have, with the reason as a sentence: arrays of the format, and ``"attention"``, the live one.

    Parameters
    ----------
    checks
        The manifest's; those that failed give the reason.
    """
    absent: dict[str, str] = {}
    off = turned_off(checks or {})
    if spec.grid.cls is None:
        absent |= dict.fromkeys(_NEEDS_CLS, NO_CLS)
    if spec.n_classes == 0:
        absent |= dict.fromkeys(_NEEDS_CLASSES, off.get("probabilities", NO_CLASSES))
    return absent | off


def image_layouts(spec: ViTSpec) -> dict[str, str]:
    """Arrays in which a model's images are laid out, by the name of what their vectors are; the first is the usual one.

    ``"drop"`` is the probability lost without each head, the importance of Eq. 3; ``"probability"`` what is left of it;
    the others are metrics. ``layout/images`` is of the patch metric for a model without a class head.
    """
    absent = absent_arrays(spec)
    if "importance/probability" in absent:
        first, others = {"patch": "layout/images"}, {"cls": IMAGE_LAYOUTS["cls"]}
    else:
        first, others = {}, IMAGE_LAYOUTS
    return first | {metric: name for metric, name in others.items() if name not in absent}
