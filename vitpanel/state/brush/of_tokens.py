"""Brushes of tokens by where their patches are."""

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar

import numpy as np

from vitpanel.core.grid import Grid
from vitpanel.core.token_names import block_of
from vitpanel.errors import BrushError
from vitpanel.state.brush.base import TOKEN, Brush, mask_shape
from vitpanel.state.brush.predicates import Ids
from vitpanel.study.reader import Study


@dataclass(frozen=True)
class PatchBlock(Brush):
    """Patches in some rows and columns of the image, from the first to the last.

    Parameters
    ----------
    rows, columns
        First and last, from 0; those that a study does not have are no error.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    item: ClassVar[str] = TOKEN  # pyright: ignore[reportIncompatibleMethodOverride] - read as a property is

    def __post_init__(self) -> None:
        for span in (self.rows, self.columns):
            if len(span) != 2 or not all(isinstance(end, Integral) for end in span) or not 0 <= span[0] <= span[1]:  # noqa: PLR2004 - a pair
                message = f"{span!r} are not rows or columns of patches."
                raise BrushError(message, hint="Give the first and the last, both whole numbers from 0.")

    @property
    def words(self) -> str:
        """Name the rows and columns."""
        spans = (("row", self.rows), ("column", self.columns))
        named = [f"{noun} {a}" if a == b else f"{noun}s {a} to {b}" for noun, (a, b) in spans]
        return f"patches in {' and '.join(named)}"

    def to_mask(self, study: Study) -> np.ndarray:
        """Which patches lie there."""
        grid, mask = study.spec.grid, np.zeros(mask_shape(study, TOKEN), bool)
        row, column = np.divmod(np.arange(grid.size), grid.cols)
        ends = zip((row, column), (self.rows, self.columns), strict=True)
        mask[grid.patches] = np.all([(place >= first) & (place <= last) for place, (first, last) in ends], axis=0)
        return mask


def brush_of_tokens(grid: Grid, tokens: Iterable[int]) -> Brush:
    """Brush of some tokens, said by where their patches are if they fill a rectangle."""
    known = tuple(sorted(set(tokens)))
    block = block_of(grid, known)
    return Ids(known, TOKEN) if block is None or len(known) == 1 else PatchBlock(*block)
