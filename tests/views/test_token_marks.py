"""Which tokens a drag means, and what is drawn of those that are brushed."""

from itertools import product

import numpy as np
import pytest

from vitpanel.core.grid import Grid
from vitpanel.drawing.token_sets import SEGMENTS, cells_of_tokens, patch_outline
from vitpanel.views.figures.head_pictures import create_head_pictures
from vitpanel.views.figures.token_marks import TokenMarks, axis_columns, dragged_tokens, edge_columns

GRIDS = [Grid(4, 6), Grid(3, 5, ()), Grid(4, 4, ("cls", "register", "register")), Grid(30, 25)]


@pytest.mark.parametrize("grid", GRIDS)
def test_a_drag_over_an_image_means_the_patches_of_its_rows_and_columns(grid: Grid):
    found = dragged_tokens(grid, "patches", x=[1, 3], y=[0, 2], with_extra=True)
    expected = {grid.n_prefix + row * grid.cols + col for row, col in product(range(3), (1, 2, 3))}
    assert set(found.tolist()) == expected


@pytest.mark.parametrize("grid", GRIDS)
def test_a_drag_along_tokens_or_cells_means_all_in_between(grid: Grid):
    tokens = dragged_tokens(grid, "tokens", x=[0, 4], y=[0, 0], with_extra=True)
    assert tokens.tolist() == [0, 1, 2, 3, 4]
    for kind in ("rows", "columns"):
        found = dragged_tokens(grid, kind, x=[2, 5], y=[0, 0], with_extra=True)
        owner = cells_of_tokens(grid)
        assert found.tolist() == [token for token in range(grid.n_tokens) if 2 <= owner[token] <= 5]


def test_tokens_that_are_not_in_sight_are_not_meant():
    grid = GRIDS[2]
    assert dragged_tokens(grid, "tokens", x=[0, 4], y=[0, 0], with_extra=False).tolist() == [0, 3, 4]


@pytest.mark.parametrize("x", [[-5, -1], [9000, 9999], [5, 2]])
def test_what_is_not_there_is_not_meant(x: list[int]):
    for grid, kind in product(GRIDS, ("patches", "tokens", "rows")):
        assert not len(dragged_tokens(grid, kind, x=x, y=[0, 1], with_extra=True))


@pytest.mark.parametrize("grid", GRIDS)
def test_figures_have_marks_once_there_is_a_brush(grid: Grid):
    pictures = create_head_pictures(grid)
    figures = [*pictures.masks.figures.values(), pictures.lines.figure, pictures.heatmap.figure]
    before = [len(figure.renderers) for figure in figures]
    marks, nothing = TokenMarks(pictures, grid), np.zeros(grid.n_tokens, bool)
    marks.draw(nothing, with_extra=True)
    assert [len(figure.renderers) for figure in figures] == before
    tokens = np.isin(np.arange(grid.n_tokens), [0, grid.n_prefix + 1, grid.n_prefix + 2])
    marks.draw(tokens, with_extra=True)
    after = [len(figure.renderers) for figure in figures]
    assert all(now > then for now, then in zip(after, before, strict=True))
    for name, expected in patch_outline(grid, tokens).items():
        assert np.array_equal(marks.sources["patches"].data[name], expected)
    assert set(marks.sources["tokens"].data) == set(axis_columns(grid, tokens, with_extra=True))
    assert tuple(edge_columns(grid, tokens, with_extra=True)) == SEGMENTS
    marks.draw(nothing, with_extra=True)
    assert [len(figure.renderers) for figure in figures] == after
    assert all(not len(column) for source in marks.sources.values() for column in source.data.values())
