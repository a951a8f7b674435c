"""Where a set of tokens is in the pictures of an attention matrix."""

import numpy as np

from vitpanel.core.grid import Grid
from vitpanel.core.pooling import cell_of_patch
from vitpanel.drawing.display import axis_edges, display_grid, pooling_step

SEGMENTS = ("x0", "y0", "x1", "y1")


def patch_outline(grid: Grid, tokens: np.ndarray) -> dict[str, np.ndarray]:
    """Lines around patches of a set, each as long as it goes, in patches from the upper left.

    Parameters
    ----------
    tokens
        The set, bool ``(n_tokens,)``.

    Returns
    -------
    The columns `SEGMENTS`; a line is where a patch of the set meets one that is not in it, or the edge of the image.
    """
    inside = np.pad(tokens[grid.patches].reshape(grid.rows, grid.cols), 1)
    row, left, right = _straight(inside[1:, 1:-1] != inside[:-1, 1:-1])
    col, top, bottom = _straight((inside[1:-1, 1:] != inside[1:-1, :-1]).T)
    columns = ((left, col), (row, top), (right, col), (row, bottom))
    return {name: np.concatenate(pair) for name, pair in zip(SEGMENTS, columns, strict=True)}


def axis_runs(grid: Grid, tokens: np.ndarray, *, with_extra: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Where each run of neighbours in a set begins and ends on an axis of tokens, as `axis_edges` has it."""
    return _runs(grid, tokens, with_extra=with_extra)


def cell_runs(grid: Grid, tokens: np.ndarray, *, with_extra: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """The same on an axis of the cells of `display_grid`; a cell is in the set if one of its tokens is."""
    cells = display_grid(grid)
    marked = np.zeros(cells.n_tokens, bool)
    marked[cells_of_tokens(grid)[tokens]] = True
    return _runs(cells, marked, with_extra=with_extra)


def cells_of_tokens(grid: Grid) -> np.ndarray:
    """Number of the cell of `display_grid` in which each token is, ``(n_tokens,)``."""
    return np.concatenate([np.arange(grid.n_prefix), grid.n_prefix + cell_of_patch(grid, pooling_step(grid))])


def _straight(is_side: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lines of sides that follow each other, bool ``(n_lines, n_sides)``: which line, and from where to where."""
    change = np.diff(np.pad(is_side, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    line, start = np.nonzero(change > 0)
    return line, start, np.nonzero(change < 0)[1]


def _runs(grid: Grid, tokens: np.ndarray, *, with_extra: bool) -> tuple[np.ndarray, np.ndarray]:
    edges = np.array(axis_edges(grid, with_extra=with_extra))
    # What has no width is not in sight.
    _, start, end = _straight((tokens & (np.diff(edges) > 0))[None])
    return edges[start], edges[end]
