import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitpanel.core.grid import Grid
from vitpanel.drawing.display import axis_edges, display_grid
from vitpanel.drawing.token_sets import SEGMENTS, axis_runs, cell_runs, cells_of_tokens, patch_outline

GRID = Grid(3, 4, ("cls", "register"))


def unit_sides(outline: dict[str, np.ndarray]) -> list[tuple[int, ...]]:
    """The lines in parts as long as a patch, each from left or top."""
    sides = []
    for x0, y0, x1, y1 in zip(*(outline[name].tolist() for name in SEGMENTS), strict=True):
        n, across, down = max(x1 - x0, y1 - y0), int(x1 > x0), int(y1 > y0)
        sides += [(x0 + i * across, y0 + i * down, x0 + (i + 1) * across, y0 + (i + 1) * down) for i in range(n)]
    return sides


@given(st.sets(st.integers(0, GRID.n_tokens - 1)))
def test_a_line_is_where_a_patch_of_the_set_meets_one_that_is_not(tokens: set[int]):
    mask = np.isin(np.arange(GRID.n_tokens), list(tokens))
    inside = {GRID.position(token) for token in tokens}
    expected = []
    for row in range(GRID.rows + 1):
        expected += [
            (col, row, col + 1, row) for col in range(4) if ((row, col) in inside) != ((row - 1, col) in inside)
        ]
    for col in range(GRID.cols + 1):
        expected += [
            (col, row, col, row + 1) for row in range(3) if ((row, col) in inside) != ((row, col - 1) in inside)
        ]
    assert sorted(unit_sides(patch_outline(GRID, mask))) == sorted(expected)


def test_a_block_has_four_lines():
    mask = np.isin(np.arange(GRID.n_tokens), [2, 3, 6, 7])
    assert len(patch_outline(GRID, mask)["x0"]) == 4


def test_neighbours_on_an_axis_are_one_run_and_what_is_not_in_sight_is_in_none():
    mask, edges = np.isin(np.arange(GRID.n_tokens), [0, 1, 2, 5]), axis_edges(GRID)
    assert [side.tolist() for side in axis_runs(GRID, mask)] == [[edges[0], edges[5]], [edges[3], edges[6]]]
    few = axis_edges(GRID, with_extra=False)
    only = np.isin(np.arange(GRID.n_tokens), [1])
    assert [len(side) for side in axis_runs(GRID, only, with_extra=False)] == [0, 0]
    start, end = axis_runs(GRID, mask, with_extra=False)
    assert (end - start).sum() == pytest.approx(few[1] - few[0] + 2)


def test_a_pooled_cell_is_in_the_set_if_one_of_its_patches_is():
    grid = Grid(30, 30)
    cells = display_grid(grid)
    assert (cells.rows, cells.cols) == (15, 15)
    owner = cells_of_tokens(grid)
    for token in (0, 1, 2, 31, 32, 61, 900):
        place = grid.position(token)
        assert owner[token] == (0 if place is None else 1 + place[0] // 2 * 15 + place[1] // 2)
    mask = np.isin(np.arange(grid.n_tokens), [1 + 30 * 3 + 7])
    start, end = cell_runs(grid, mask)
    edges, cell = axis_edges(cells), 1 + 1 * 15 + 3
    assert (start.tolist(), end.tolist()) == ([edges[cell]], [edges[cell + 1]])
