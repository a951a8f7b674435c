"""Brushes made of others."""

from dataclasses import dataclass
from functools import reduce

import numpy as np

from vitpanel.errors import BrushError
from vitpanel.state.brush.base import IMAGE, INSTANCE, ITEMS, TOKEN, Brush, mask_of
from vitpanel.study.reader import Study


@dataclass(frozen=True)
class _OfParts:
    """Brushes that are combined; images and heads meet in heads on images."""

    parts: tuple[Brush, ...]

    def __post_init__(self) -> None:
        _check_parts(self.parts)

    @property
    def item(self) -> str:
        """The finest of its parts."""
        items = {part.item for part in self.parts}
        return items.pop() if len(items) == 1 else INSTANCE


class And(_OfParts, Brush):
    """What is in all of some brushes; images and heads meet in heads on images."""

    @property
    def words(self) -> str:
        """Join the words of its parts."""
        return " and also ".join(_bracketed(part) for part in self.parts)

    def to_mask(self, study: Study) -> np.ndarray:
        """Which are in all parts."""
        return reduce(np.logical_and, _masks_of(study, self.parts))


class Or(_OfParts, Brush):
    """What is in any of some brushes; images and heads meet in heads on images."""

    @property
    def words(self) -> str:
        """Join the words of its parts."""
        return " or ".join(_bracketed(part) for part in self.parts)

    def to_mask(self, study: Study) -> np.ndarray:
        """Which are in any part."""
        return reduce(np.logical_or, _masks_of(study, self.parts))


@dataclass(frozen=True)
class Not(Brush):
    """What is not in a brush."""

    part: Brush

    @property
    def item(self) -> str:
        """That of its part."""
        return self.part.item

    @property
    def words(self) -> str:
        """Say what is left out."""
        return f"all {ITEMS[self.item]} but {_bracketed(self.part)}"

    def to_mask(self, study: Study) -> np.ndarray:
        """Which are outside."""
        return ~self.part.to_mask(study)


def _check_parts(parts: tuple[object, ...]) -> None:
    if not parts or not all(isinstance(part, Brush) for part in parts):
        message = f"{parts!r} are not brushes."
        raise BrushError(message, hint="Combine at least one brush.")
    if len({part.item == TOKEN for part in parts if isinstance(part, Brush)}) > 1:
        message = "Tokens cannot be combined with images or heads."
        raise BrushError(message, hint="Combine brushes of tokens with one another.")


def _masks_of(study: Study, parts: tuple[Brush, ...]) -> list[np.ndarray]:
    """Masks of the parts, over the items of the finest."""
    is_mixed = len({part.item for part in parts}) > 1
    masks = [mask_of(study, part) for part in parts]
    # Masks over heads and over heads on images meet by themselves.
    return [m[:, None, None] if is_mixed and part.item == IMAGE else m for part, m in zip(parts, masks, strict=True)]


def _bracketed(part: Brush) -> str:
    return f"({part.words})" if isinstance(part, And | Or | Not) else part.words
