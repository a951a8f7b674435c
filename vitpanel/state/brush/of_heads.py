"""Brushes of heads by their layer, and of images by what brushed heads do on them."""

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar

import numpy as np

from vitpanel.core.spec import ViTSpec
from vitpanel.core.stats import mean_over_heads
from vitpanel.errors import BrushError
from vitpanel.state.brush.base import HEAD, IMAGE, INSTANCE, ITEMS, Brush, mask_of, mask_shape
from vitpanel.state.brush.predicates import Ids
from vitpanel.state.brush.ranges import is_within, range_words
from vitpanel.study.reader import Study


@dataclass(frozen=True)
class OfLayers(Brush):
    """All heads of some layers that follow each other, from the first to the last, both included."""

    first: int
    last: int
    item: ClassVar[str] = HEAD  # pyright: ignore[reportIncompatibleMethodOverride] - read as a property is

    def __post_init__(self) -> None:
        if not all(isinstance(layer, Integral) and layer >= 0 for layer in (self.first, self.last)):
            message = f"{self.first!r} to {self.last!r} are no layers."
            raise BrushError(message, hint="Give the first and the last layer, both whole numbers from 0.")

    @property
    def words(self) -> str:
        """Name the layers."""
        return f"heads of layer {self.first}" + (f" to {self.last}" if self.last != self.first else "")

    def to_mask(self, study: Study) -> np.ndarray:
        """Which heads are there in these layers."""
        mask = study.spec.is_there.copy()
        mask[: self.first] = mask[self.last + 1 :] = False
        return mask


@dataclass(frozen=True)
class Holding(Brush):
    """Images of which so many heads are in a brush of heads on images; one that is not done never is.

    Parameters
    ----------
    part
        A brush of heads on images.
    low, high
        Least and largest number of heads; None for no end.
    """

    part: Brush
    low: float | None = None
    high: float | None = None
    item: ClassVar[str] = IMAGE  # pyright: ignore[reportIncompatibleMethodOverride] - read as a property is

    def __post_init__(self) -> None:
        _check_part(self.part, INSTANCE)

    @property
    def words(self) -> str:
        """Name the range and the brush."""
        return f"images whose number of heads among ({self.part.words}) is {range_words(self.low, self.high)}"

    def to_mask(self, study: Study) -> np.ndarray:
        """Which have so many."""
        n_heads = np.count_nonzero(mask_of(study, self.part), axis=(1, 2))
        return study.done_images & is_within(n_heads, self.low, self.high)


@dataclass(frozen=True)
class OfHeads(Brush):
    """Images on which the mean of a number over a brush of heads lies in a range, ends included; NaN never does.

    Parameters
    ----------
    name
        Of an array over image, layer and head, as ``"importance/jsd"`` or ``"entropy"``.
    part
        A brush of heads.
    low, high
        Ends of the range; None for no end.
    """

    name: str
    part: Brush
    low: float | None = None
    high: float | None = None
    item: ClassVar[str] = IMAGE  # pyright: ignore[reportIncompatibleMethodOverride] - read as a property is

    def __post_init__(self) -> None:
        _check_part(self.part, HEAD)

    @property
    def words(self) -> str:
        """Name the number, the heads and the range."""
        return f"images on which the mean {self.name} of ({self.part.words}) is {range_words(self.low, self.high)}"

    def to_mask(self, study: Study) -> np.ndarray:
        """On which it lies in the range; raises as the study does if it has no such numbers."""
        values = study[self.name]
        if values.shape != mask_shape(study, INSTANCE):
            message = f"{self.name} has no number for each head on each image."
            raise BrushError(message, hint="Choose an importance, entropy or distance.")
        return is_within(mean_over_heads(values, mask_of(study, self.part)), self.low, self.high)


def brush_of_heads(spec: ViTSpec, flat: Iterable[int]) -> Brush:
    """Brush of some heads, said by their layers where they are all heads of layers that follow each other.

    Parameters
    ----------
    flat
        Flat indices; those of heads that the model does not have are left out.
    """
    heads = sorted({divmod(int(index), spec.n_heads) for index in flat})
    heads = tuple(head for head in heads if spec.has_head(*head))
    layers = sorted({layer for layer, _ in heads})
    is_whole = len(heads) == sum(spec.heads_of(layer) for layer in layers)
    if layers and is_whole and layers == list(range(layers[0], layers[-1] + 1)):
        return OfLayers(layers[0], layers[-1])
    return Ids(heads, HEAD)


def _check_part(part: object, item: str) -> None:
    if not isinstance(part, Brush) or part.item != item:
        message = f"{part!r} is no brush of {ITEMS[item]}."
        raise BrushError(message, hint=f"Give a brush of {ITEMS[item]}.")
