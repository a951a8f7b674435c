"""What of D2 to D4 shows which tokens are brushed, and which tokens a drag over them means."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, Quad, Segment

from vitpanel.core.grid import Grid
from vitpanel.drawing.display import token_kinds
from vitpanel.drawing.token_sets import SEGMENTS, axis_runs, cell_runs, cells_of_tokens, patch_outline
from vitpanel.theme.palette import BRUSH, OVER_IMAGE
from vitpanel.views.figures.glyphs import add_glyph, create_sources
from vitpanel.views.figures.head_pictures import HeadPictures
from vitpanel.views.figures.token_lines import SOURCES, TARGETS

SIDES = ("left", "right", "top", "bottom")
# Of the lines around patches, the one below and the one upon it, in pixels.
WIDTHS = (5, 2.5)
# Height of a mark upon a token, and pixels of one along an edge of the heatmap; half of it lies outside of the frame.
MARK_HEIGHT, EDGE_WIDTH = 0.06, 6


class TokenMarks:
    """Marks of the brushed tokens: lines around patches, tokens on their rows, edges of the heatmap, and their links.

    Parameters
    ----------
    pictures
        What they are drawn in, once there are any.
    grid
        The tokens.
    """

    def __init__(self, pictures: HeadPictures, grid: Grid) -> None:
        self._pictures, self._grid = pictures, grid
        self.sources: dict[str, ColumnDataSource] = {}

    def draw(self, tokens: np.ndarray, *, with_extra: bool) -> None:
        """Mark the tokens of a mask, bool ``(n_tokens,)``; without any, the figures have no models for marks."""
        if not self.sources and not tokens.any():
            return
        if not self.sources:
            self._create()
        self.sources["patches"].data = patch_outline(self._grid, tokens)
        self.sources["tokens"].data = axis_columns(self._grid, tokens, with_extra=with_extra)
        self.sources["cells"].data = edge_columns(self._grid, tokens, with_extra=with_extra)

    def _create(self) -> None:
        pictures, columns = self._pictures, (SEGMENTS, SIDES, SEGMENTS)
        self.sources = dict(zip(("patches", "tokens", "cells"), create_sources(*columns), strict=True))
        ends: dict[str, Any] = {name: name for name in SEGMENTS}
        for fig in pictures.masks.figures.values():
            for colour, width in zip(OVER_IMAGE, WIDTHS, strict=True):
                line = Segment(**ends, line_color=colour, line_width=width, line_cap="square")
                add_glyph(fig, line, self.sources["patches"], level="overlay")
        lines, heatmap = pictures.lines.figure, pictures.heatmap.figure
        mark = Quad(**{name: name for name in SIDES}, fill_color=BRUSH, line_color=BRUSH)
        add_glyph(lines, mark, self.sources["tokens"], level="overlay")
        link = Segment(x0="x0", y0=SOURCES, x1="x1", y1=TARGETS, line_color=BRUSH)
        add_glyph(lines, link, pictures.brushed_links, level="overlay")
        edge = Segment(**ends, line_color=BRUSH, line_width=EDGE_WIDTH)
        add_glyph(heatmap, edge, self.sources["cells"], level="overlay")


def axis_columns(grid: Grid, tokens: np.ndarray, *, with_extra: bool) -> dict[str, np.ndarray]:
    """Marks of the brushed tokens on the row of sources and on that of targets, a run of neighbours as one."""
    left, right = axis_runs(grid, tokens, with_extra=with_extra)
    tops = np.repeat([SOURCES + MARK_HEIGHT, TARGETS], len(left))
    return {"left": np.tile(left, 2), "right": np.tile(right, 2), "top": tops, "bottom": tops - MARK_HEIGHT}


def edge_columns(grid: Grid, tokens: np.ndarray, *, with_extra: bool) -> dict[str, np.ndarray]:
    """Marks along the left and the upper edge of the heatmap, at the cells in which a brushed token is."""
    start, end = cell_runs(grid, tokens, with_extra=with_extra)
    zero = np.zeros(len(start))
    places = ((zero, start), (start, zero), (zero, end), (end, zero))
    return {name: np.concatenate(pair) for name, pair in zip(SEGMENTS, places, strict=True)}


def dragged_tokens(grid: Grid, kind: str, *, x: Sequence[int], y: Sequence[int], with_extra: bool) -> np.ndarray:
    """Tokens that a drag means, ascending; what the browser says is taken as far as there are such tokens.

    Parameters
    ----------
    kind
        ``"patches"`` from one corner to another, ``"tokens"`` on their row, or ``"rows"`` or ``"columns"`` of cells of
        the heatmap.
    x, y
        First and last column and row of patches; ``x`` alone is the first and last token, or cell.
    with_extra
        Whether tokens that are neither CLS nor patch are in sight, so that they can be meant.
    """
    tokens = np.arange(grid.n_tokens)
    if kind == "patches":
        row, col = np.divmod(tokens - grid.n_prefix, grid.cols)
        is_meant = (tokens >= grid.n_prefix) & _within(row, y) & _within(col, x)
    elif kind == "tokens":
        is_meant = _within(tokens, x)
    else:
        is_meant = _within(cells_of_tokens(grid), x)
    if not with_extra:
        is_meant &= token_kinds(grid) != 1
    return tokens[is_meant]


def _within(places: np.ndarray, ends: Sequence[int]) -> np.ndarray:
    first, last = ends
    return (places >= first) & (places <= last)
