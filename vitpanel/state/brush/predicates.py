"""Brushes that say by themselves what is in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from vitpanel.core.spec import head_name
from vitpanel.drawing.points import which_inside
from vitpanel.drawing.viewport import FARTHEST
from vitpanel.errors import BrushError
from vitpanel.state.brush.base import HEAD, IMAGE, INSTANCE, ITEMS, Brush, mask_shape
from vitpanel.state.brush.ranges import is_within, range_words
from vitpanel.state.image_groups import image_groups
from vitpanel.state.image_search import images_named
from vitpanel.study.metric_arrays import all_image_layouts
from vitpanel.study.reader import Study

_MOST_NAMED = 6


@dataclass(frozen=True)
class Ids(Brush):
    """Items by their numbers; those that a study does not have are no error.

    Parameters
    ----------
    ids
        Numbers of images or tokens; (layer, head) of heads; (image, layer, head) of instances.
    item
        What they are numbers of, one of `ITEMS`.
    """

    ids: tuple[Any, ...]
    item: str = IMAGE  # pyright: ignore[reportIncompatibleMethodOverride] - read as a property is

    def __post_init__(self) -> None:
        _check_item(self.item, tuple(ITEMS))
        n_numbers = {HEAD: 2, INSTANCE: 3}.get(self.item, 1)
        if not all(_are_numbers(number, n_numbers) for number in self.ids):
            message = f"{self.ids!r} are not {ITEMS[self.item]}."
            raise BrushError(message, hint=f"Give each by {n_numbers} whole number{'s'[: n_numbers - 1]} from 0.")

    @property
    def words(self) -> str:
        """Name the first of them."""
        named = [head_name(*number) if self.item == HEAD else str(number) for number in self.ids[:_MOST_NAMED]]
        more = len(self.ids) - len(named)
        return f"{ITEMS[self.item]} {', '.join(named)}" + (f" and {more} more" if more else "")

    def to_mask(self, study: Study) -> np.ndarray:
        """Which items are named."""
        mask = np.zeros(mask_shape(study, self.item), bool)
        places = np.array(self.ids, np.int64).reshape(len(self.ids), mask.ndim)
        mask[tuple(places[(places < mask.shape).all(axis=1)].T)] = True
        return mask


@dataclass(frozen=True)
class InPolygon(Brush):
    """Images, or heads on images, inside a closed line on one of the layouts.

    Parameters
    ----------
    layout
        Name of an array whose last axis is x and y, such as ``"layout/images"`` or ``"layout/offset"``.
    x, y
        Corners of the line, which is closed from the last to the first. Where it crosses itself, what it encloses
        twice is outside.
    """

    layout: str
    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        corners = np.array([*self.x, *self.y], float)
        if not self.x or len(self.x) != len(self.y) or not (np.abs(corners) <= FARTHEST).all():
            message = "A line needs x and y of each corner."
            raise BrushError(message, hint=f"Give as many numbers for x as for y, none beyond {FARTHEST:g}.")

    @property
    def item(self) -> str:
        """Images on their layouts, heads on images on the others."""
        return IMAGE if self.layout in all_image_layouts().values() else INSTANCE

    @property
    def words(self) -> str:
        """Name the layout."""
        return f"{ITEMS[self.item]} inside a line on {self.layout}"

    def to_mask(self, study: Study) -> np.ndarray:
        """Which lie inside; `StudyIncompleteError` if the study has no such layout."""
        coordinates = study[self.layout]
        inside = which_inside(coordinates.reshape(-1, 2), (np.array(self.x), np.array(self.y)))
        return inside.reshape(coordinates.shape[:-1])


@dataclass(frozen=True)
class InRange(Brush):
    """Items whose number lies in a range, ends included; NaN never does.

    Parameters
    ----------
    name
        For images a column of ``study.images`` or an array of the study over images; for heads on images an array over
        image, layer and head, as ``"entropy"``; for heads the mean of such an array over images.
    low, high
        Ends of the range; None for no end.
    item
        ``"image"``, ``"head"`` or ``"instance"``.
    """

    name: str
    low: float | None = None
    high: float | None = None
    item: str = INSTANCE  # pyright: ignore[reportIncompatibleMethodOverride] - read as a property is

    def __post_init__(self) -> None:
        _check_item(self.item, (IMAGE, HEAD, INSTANCE))

    @property
    def words(self) -> str:
        """Name the range."""
        return f"{ITEMS[self.item]} whose {self.name} is {range_words(self.low, self.high)}"

    def to_mask(self, study: Study) -> np.ndarray:
        """Which lie in the range; raises as the study does if it has no such numbers."""
        values = self._values(study)
        if values.shape != mask_shape(study, self.item):
            message = f"{self.name} has no number for each of the {ITEMS[self.item]}."
            raise BrushError(message, hint="Choose another name, or another item.")
        return is_within(values, self.low, self.high)

    def _values(self, study: Study) -> np.ndarray:
        if self.item == IMAGE and self.name in study.images.select_dtypes("number"):
            return study.images[self.name].to_numpy(np.float64)
        return study.mean(self.name) if self.item == HEAD else study[self.name]


@dataclass(frozen=True)
class OfClass(Brush):
    """Images of a class, by their label or by what the model predicts.

    Parameters
    ----------
    name
        Of the class, as `vitpanel.state.image_groups` has it.
    by
        ``"label"`` or ``"predicted"``.
    """

    name: str
    by: str = "label"
    item: ClassVar[str] = IMAGE  # pyright: ignore[reportIncompatibleMethodOverride] - read as a property is

    def __post_init__(self) -> None:
        if self.by not in {"label", "predicted"}:
            message = f"Images have no class by {self.by!r}."
            raise BrushError(message, hint="The ways are label and predicted.")
        if not isinstance(self.name, str):  # pyright: ignore[reportUnnecessaryIsInstance] - it may come from an address
            message = f"{self.name!r} is no name of a class."
            raise BrushError(message, hint="Give it as text.")

    @property
    def words(self) -> str:
        """Name the class."""
        return f"images {'of' if self.by == 'label' else 'predicted as'} {self.name}"

    def to_mask(self, study: Study) -> np.ndarray:
        """Which are of the class."""
        groups = image_groups(study, self.by)
        codes = [code for code, name in enumerate(groups.names) if name == self.name]
        return np.isin(groups.codes, codes)


@dataclass(frozen=True)
class Matches(Brush):
    """Images with a text in the name of their file or class, upper or lower case."""

    text: str
    item: ClassVar[str] = IMAGE  # pyright: ignore[reportIncompatibleMethodOverride] - read as a property is

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - it may come from an address
            message = f"{self.text!r} is not in any name."
            raise BrushError(message, hint="Give a text.")

    @property
    def words(self) -> str:
        """Name the text."""
        return f"images whose file or class has {self.text!r} in its name"

    def to_mask(self, study: Study) -> np.ndarray:
        """Which have the text."""
        return images_named(study.images, self.text)


@dataclass(frozen=True)
class Near(Brush):
    """An image, or a head on an image, and those that lie nearest to it on a layout.

    Parameters
    ----------
    layout
        As for `InPolygon`.
    middle
        The one that they are nearest to: (image,), or (image, layer, head).
    count
        How many in all, the middle included; fewer where the layout has fewer.
    """

    renamed: ClassVar[Mapping[str, str]] = {"place": "middle"}

    layout: str
    middle: tuple[int, ...]
    count: int

    def __post_init__(self) -> None:
        n_numbers = 1 if self.item == IMAGE else 3
        if not _are_numbers(self.middle, n_numbers) or not isinstance(self.count, Integral) or self.count < 1:
            message = f"{self.count!r} {ITEMS[self.item]} near {self.middle!r} are not a set."
            raise BrushError(message, hint="Give (image,) or (image, layer, head), as the layout has it, and a count.")

    @property
    def item(self) -> str:
        """Images on their layouts, heads on images on the others."""
        return IMAGE if self.layout in all_image_layouts().values() else INSTANCE

    @property
    def words(self) -> str:
        """Name the one in the middle."""
        image, *head = self.middle
        name = f"{head_name(*head)} on image {image}" if head else f"image {image}"
        return f"the {self.count} {ITEMS[self.item]} nearest to {name} on {self.layout}"

    def to_mask(self, study: Study) -> np.ndarray:
        """Which are the nearest; none if the one in the middle has no coordinates."""
        coordinates = study[self.layout]
        mask = np.zeros(coordinates.shape[:-1], bool)
        if any(index >= size for index, size in zip(self.middle, mask.shape, strict=True)):
            return mask
        distance = np.hypot(*(coordinates.astype(np.float64) - coordinates[self.middle]).reshape(-1, 2).T)
        known = np.flatnonzero(~np.isnan(distance))
        count = min(self.count, len(known))
        if count:
            mask.ravel()[known[np.argpartition(distance[known], count - 1)[:count]]] = True
        return mask


def _check_item(item: object, items: tuple[str, ...]) -> None:
    if item not in items:
        message = f"{item!r} cannot be brushed so."
        raise BrushError(message, hint=f"The items are {', '.join(items)}.")


def _are_numbers(number: Any, n_numbers: int) -> bool:
    """Whether it is as many whole numbers from 0 as an item has."""
    parts = number if isinstance(number, tuple) else (number,)
    return len(parts) == n_numbers and all(isinstance(part, Integral) and int(part) >= 0 for part in parts)
