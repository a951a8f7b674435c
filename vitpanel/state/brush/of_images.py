"""Brushes of images by what the model makes of them."""

from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar

import numpy as np

from vitpanel.core.spec import head_name
from vitpanel.errors import BrushError
from vitpanel.state.brush.base import IMAGE, INSTANCE, Brush, mask_shape
from vitpanel.state.brush.predicates import Ids, OfClass
from vitpanel.state.brush.ranges import is_within, range_words
from vitpanel.state.image_groups import RIGHT, WRONG, ImageGroups
from vitpanel.study.reader import Study


@dataclass(frozen=True)
class Predicted(Brush):
    """Images that are predicted right, or wrong; those without a label or without a prediction are neither."""

    right: bool = True
    item: ClassVar[str] = IMAGE  # pyright: ignore[reportIncompatibleMethodOverride] - read as a property is

    def __post_init__(self) -> None:
        if self.right not in {True, False}:
            message = f"Images are not predicted {self.right!r}."
            raise BrushError(message, hint="Give right=True or right=False.")

    @property
    def words(self) -> str:
        """Say which."""
        return f"images that are predicted {'right' if self.right else 'wrong'}"

    def to_mask(self, study: Study) -> np.ndarray:
        """Which are predicted so."""
        label, predicted = study.images["label"].to_numpy(), study.images["predicted"].to_numpy()
        return (label >= 0) & (predicted >= 0) & ((label == predicted) == self.right)


@dataclass(frozen=True)
class OfHead(Brush):
    """Images on which a number of one head lies in a range, ends included; NaN never does.

    Parameters
    ----------
    name
        Of an array over image, layer and head, as ``"importance/jsd"`` or ``"entropy"``.
    layer, head
        The head; one that a study does not have marks no image.
    low, high
        Ends of the range; None for no end.
    """

    name: str
    layer: int
    head: int
    low: float | None = None
    high: float | None = None
    item: ClassVar[str] = IMAGE  # pyright: ignore[reportIncompatibleMethodOverride] - read as a property is

    def __post_init__(self) -> None:
        if not (isinstance(self.layer, Integral) and isinstance(self.head, Integral)):
            message = f"{(self.layer, self.head)!r} is not a head."
            raise BrushError(message, hint="Give its layer and its index, both whole numbers from 0.")

    @property
    def words(self) -> str:
        """Name the head and the range."""
        name = head_name(self.layer, self.head)
        return f"images on which {self.name} of {name} is {range_words(self.low, self.high)}"

    def to_mask(self, study: Study) -> np.ndarray:
        """On which it lies in the range; raises as the study does if it has no such numbers."""
        values = study[self.name]
        if values.shape != mask_shape(study, INSTANCE):
            message = f"{self.name} has no number for each head on each image."
            raise BrushError(message, hint="Choose an importance, entropy or distance.")
        if not study.spec.has_head(self.layer, self.head):
            return np.zeros(study.n_images, bool)
        return is_within(values[:, self.layer, self.head], self.low, self.high)


def brush_of_group(groups: ImageGroups, group: int, colouring: str) -> Brush:
    """Brush of one of the groups that images are sorted into, said by what the group is where there are words for that.

    Parameters
    ----------
    group
        Its code.
    colouring
        What they are sorted by; see `image_groups`.
    """
    name = groups.names[group]
    if groups.kind == "class":
        return OfClass(name, colouring)
    if name in {RIGHT, WRONG}:
        return Predicted(right=name == RIGHT)
    return Ids(tuple(np.flatnonzero(groups.codes == group).tolist()))
