"""Sets of tokens as a person writes them."""

import re
from collections.abc import Iterable

import numpy as np

from vitpanel.core.grid import Grid

_SPAN = r"(\d+)(?:-(\d+))?"
_BLOCK = re.compile(rf"(?=[rc])(?:r{_SPAN})?\s*(?:c{_SPAN})?")
_RUN = re.compile(r"(?:patch(?:es)? )?(\d+)-(\d+)")


def tokens_named(grid: Grid, text: str) -> tuple[int, ...]:
    """Tokens that a text names, ascending; none where it names one that is not there.

    Parts stand between commas or semicolons: the name of a token, the number of a patch, a run of patches as ``12-20``,
    or rows and columns of patches as ``r3-5 c2-4``, of which one alone takes all of the other. Two numbers with a comma
    are the row and the column of one patch, as `Grid.find` has it.
    """
    single = grid.find(text)
    if single is not None:
        return (single,)
    parts = [" ".join(part.lower().split()) for part in re.split("[,;]", re.sub(r"\s*[-–]\s*", "-", text))]
    found = [_part(grid, part) for part in parts]
    is_place = ";" not in text and len(parts) == 2 and all(part.isdecimal() for part in parts)  # noqa: PLR2004 - a pair
    if is_place or not all(found):
        return ()
    return tuple(sorted({token for part in found for token in part}))


def words_of_tokens(grid: Grid, tokens: Iterable[int]) -> str:
    """Short text that `tokens_named` reads back as the same set; empty for none."""
    known = sorted(set(tokens))
    names = [grid.name(token) for token in known if token < grid.n_prefix]
    block = block_of(grid, known)
    if block is not None and len(known) > 1:
        (top, bottom), (left, right) = block
        return f"r{_span(top, bottom)} c{_span(left, right)}"
    patches = np.array([token - grid.n_prefix for token in known if token >= grid.n_prefix], int)
    runs = np.split(patches, np.flatnonzero(np.diff(patches) > 1) + 1)
    return "; ".join([*names, *(_span(int(run[0]), int(run[-1])) for run in runs if len(run))])


def block_of(grid: Grid, tokens: Iterable[int]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """First and last row, and first and last column, of patches that fill a rectangle; None for other tokens."""
    places = [grid.position(token) for token in sorted(set(tokens))]
    if not places or any(place is None for place in places):
        return None
    rows, cols = np.array(places).T
    (top, bottom), (left, right) = ((int(side.min()), int(side.max())) for side in (rows, cols))
    if len(places) < (bottom - top + 1) * (right - left + 1):
        return None
    return (top, bottom), (left, right)


def _part(grid: Grid, part: str) -> set[int]:
    """Tokens of one part; none where one of them is not there."""
    run, block, single = _RUN.fullmatch(part), _BLOCK.fullmatch(part), grid.find(part)
    if run is not None:
        patches = _numbers(run[1], run[2], grid.size)
        return {grid.n_prefix + patch for patch in patches}
    if single is None and block is not None:
        rows, cols = _numbers(block[1], block[2], grid.rows), _numbers(block[3], block[4], grid.cols)
        return {grid.n_prefix + row * grid.cols + col for row in rows for col in cols}
    return set() if single is None else {single}


def _numbers(first: str | None, last: str | None, size: int) -> range:
    """Numbers of a span, all for none; no numbers where one is beyond the size."""
    if first is None:
        return range(size)
    start, end = int(first), int(last or first)
    return range(start, end + 1) if end < size else range(0)


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
