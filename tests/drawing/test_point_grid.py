"""What is in sight of many points, against looking at each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitpanel.drawing import point_grid
from vitpanel.drawing.point_grid import PointGrid
from vitpanel.drawing.viewport import Viewport


def cloud(n: int, *, seed: int = 0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(5, 2)) * 8
    x, y = (centres[rng.integers(0, 5, n)] + rng.normal(size=(n, 2)) * rng.choice([0.3, 3], (n, 1))).T
    return x.astype(np.float32), y.astype(np.float32)


viewports = st.builds(
    lambda x, y, width, height, size: Viewport((x, x + width), (y, y + height), *size),
    st.floats(-20, 20),
    st.floats(-20, 20),
    st.floats(0.01, 60),
    st.floats(0.01, 60),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
)


@given(viewports, st.integers(0, 400))
def test_all_points_of_a_viewport_are_in_sight_with_their_rank(viewport: Viewport, n: int):
    x, y = cloud(n)
    grid = PointGrid(x, y)
    found = grid.in_sight(viewport)
    index = grid.by_rank[found.rank]
    assert len(set(index.tolist())) == len(index)
    assert np.array_equal(x[index], found.x)
    assert np.array_equal(y[index], found.y)
    inside = (x >= viewport.x[0]) & (x < viewport.x[1]) & (y >= viewport.y[0]) & (y < viewport.y[1])
    assert set(np.flatnonzero(inside)) <= set(index.tolist())
    assert set(grid.within(viewport)[2].tolist()) == set(np.flatnonzero(inside))


def test_far_from_a_small_viewport_nothing_is_read():
    x, y = cloud(4000)
    found = PointGrid(x, y).in_sight(Viewport((x[0] - 0.1, x[0] + 0.1), (y[0] - 0.1, y[0] + 0.1), 50, 50))
    assert 0 < len(found) < 400
    assert len(PointGrid(x, y).in_sight(Viewport((500, 501), (0, 1), 50, 50))) == 0


@pytest.fixture
def prefers_cells(monkeypatch: pytest.MonkeyPatch):
    """Take whole cells however few points there are, of a grid finer than a pixel."""
    monkeypatch.setattr(point_grid, "MOST_POINTS", -1)
    monkeypatch.setattr(point_grid, "POINTS_PER_CELL", 1e-3)


@pytest.mark.parametrize("side", [100, 30, 7])
def test_cells_stand_for_their_points(prefers_cells: None, side: int):
    x, y = cloud(400)
    grid = PointGrid(x, y)
    viewport = Viewport((-40.0, 40.0), (-40.0, 40.0), side, side)
    cells = grid.in_sight(viewport)
    assert cells.weight is not None
    assert cells.weight.sum() == 400
    at = np.stack([cells.x, cells.y], 1)
    nearest = np.abs(np.stack([x, y], 1)[:, None] - at).max(-1).argmin(1)
    # No point is farther from the middle of its cell than half a cell: a quarter of a pixel.
    assert np.abs(np.stack([x, y], 1) - at[nearest]).max() <= 80 / side / 4 + 1e-4
    assert (np.abs(np.bincount(nearest, minlength=len(cells)) - cells.weight) <= 1).all()
    top = grid.by_rank[cells.rank]
    assert np.abs(np.stack([x, y], 1)[top] - at).max() <= 80 / side / 4 + 1e-4


def test_cells_keep_the_highest_rank_of_all(prefers_cells: None):
    x, y = cloud(400)
    cells = PointGrid(x, y).in_sight(Viewport((-40, 40), (-40, 40), 1, 1))
    assert cells.rank.max() == 399


@given(st.floats(-20, 20), st.floats(-20, 20), st.floats(0.1, 40))
def test_rows_of_cells_in_sight_hold_all_that_is_in_the_viewport(x0: float, y0: float, size: float):
    x, y = cloud(300)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(point_grid, "MOST_POINTS", -1)
        patch.setattr(point_grid, "POINTS_PER_CELL", 1e-3)
        grid, viewport = PointGrid(x, y), Viewport((x0, x0 + size), (y0, y0 + size), 5, 5)
        cells = grid.in_sight(viewport)
    inside = (x >= x0) & (x < x0 + size) & (y >= y0) & (y < y0 + size)
    weight = np.ones(len(cells)) if cells.weight is None else cells.weight
    assert weight.sum() >= inside.sum()


def test_where_cells_are_coarser_than_half_a_pixel_points_are_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(point_grid, "MOST_POINTS", -1)
    x, y = cloud(400)
    found = PointGrid(x, y).in_sight(Viewport((-40, 40), (-40, 40), 100, 100))
    assert found.weight is None
    assert len(found) == 400


def test_points_of_a_viewport():
    x, y = cloud(200)
    found = PointGrid(x, y).within(Viewport((-2, 5), (-4, 4), 1, 1))
    inside = np.flatnonzero((x >= -2) & (x < 5) & (y >= -4) & (y < 4))
    order = np.argsort(found[2])
    assert np.array_equal(found[2][order], inside)
    assert np.array_equal(found[0][order], x[inside])
    assert np.array_equal(found[1][order], y[inside])


def test_no_points_and_one_point():
    nothing = np.empty(0, np.float32)
    viewport = Viewport((0, 1), (0, 1), 4, 3)
    assert len(PointGrid(nothing, nothing).in_sight(viewport)) == 0
    half = np.array([0.5], np.float32)
    assert PointGrid(half, half).in_sight(viewport).rank.tolist() == [0]
