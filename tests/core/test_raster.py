"""Rasters of points, against counting them one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitpanel.core import raster
from vitpanel.core.raster import PointGrid, Window


def cloud(n: int, *, seed: int = 0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(5, 2)) * 8
    x, y = (centres[rng.integers(0, 5, n)] + rng.normal(size=(n, 2)) * rng.choice([0.3, 3], (n, 1))).T
    return x.astype(np.float32), y.astype(np.float32)


def counted(x: np.ndarray, y: np.ndarray, window: Window):
    """Points on each pixel, looked at one by one."""
    counts = np.zeros((window.height, window.width), int)
    for at, up in zip(x.astype(float), y.astype(float), strict=True):
        if window.x[0] <= at < window.x[1] and window.y[0] <= up < window.y[1]:
            counts[int((up - window.y[0]) * window.scale[1]), int((at - window.x[0]) * window.scale[0])] += 1
    return counts


def pixels_of(x: np.ndarray, y: np.ndarray, window: Window):
    return np.floor((x - window.x[0]) * window.scale[0]), np.floor((y - window.y[0]) * window.scale[1])


windows = st.builds(
    lambda x, y, width, height, size: Window((x, x + width), (y, y + height), *size),
    st.floats(-20, 20),
    st.floats(-20, 20),
    st.floats(0.01, 60),
    st.floats(0.01, 60),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
)


@given(windows, st.integers(0, 400))
def test_counts_are_those_of_the_points_in_sight(window: Window, n: int):
    x, y = cloud(n)
    found = PointGrid(x, y).raster(window)
    inside = (x >= window.x[0]) & (x < window.x[1]) & (y >= window.y[0]) & (y < window.y[1])
    assert found.counts.sum() == inside.sum()
    assert np.array_equal(found.top >= 0, found.counts > 0)
    assert inside[found.top[found.top >= 0]].all()


def test_every_point_is_on_its_pixel():
    x, y = cloud(500)
    window = Window((-3, 9), (-5, 11), 37, 23)
    found = PointGrid(x, y).raster(window)
    assert np.array_equal(found.counts, counted(x, y, window))
    row, col = np.nonzero(found.counts)
    on_top = found.top[row, col]
    assert np.array_equal(np.stack(pixels_of(x[on_top], y[on_top], window)), [col, row])


def test_of_points_on_one_pixel_the_same_one_is_on_top_at_every_scale():
    x, y = cloud(300)
    grid, everything = PointGrid(x, y), Window((-40, 40), (-40, 40), 1, 1)
    top = int(grid.raster(everything).top[0, 0])
    near = everything.around((float(x[top]), float(y[top])), pixels=0.1)
    assert grid.raster(near).top.max() == top
    other = PointGrid(np.r_[x, x], np.r_[y, y]).raster(Window((-40, 40), (-40, 40), 16, 16)).top
    assert (other >= 300).any()
    assert ((other >= 0) & (other < 300)).any()


@pytest.fixture
def prefers_cells(monkeypatch: pytest.MonkeyPatch):
    """Take counts from the pyramid however few points there are, on a grid finer than a pixel."""
    monkeypatch.setattr(raster, "MOST_POINTS", -1)
    monkeypatch.setattr(raster, "POINTS_PER_CELL", 1e-3)


@pytest.mark.parametrize("side", [100, 30, 7])
def test_whole_cells_go_to_the_pixel_of_their_centre(prefers_cells: None, side: int):
    x, y = cloud(400)
    grid = PointGrid(x, y)
    low, high = min(x.min(), y.min()) - 1, max(x.max(), y.max()) + 1
    window = Window((float(low), float(high)), (float(low), float(high)), side, side)
    level = grid._level(window)
    assert level is not None
    sizes = [cell * 2**level for cell in grid._cell]
    assert max(size * scale for size, scale in zip(sizes, window.scale, strict=True)) <= 0.5
    centres = [
        origin + (np.clip(((v.astype(float) - origin) / size).astype(int), 0, grid.side // 2**level - 1) + 0.5) * size
        for v, origin, size in zip((x, y), grid._origin, sizes, strict=True)
    ]
    found = grid.raster(window)
    assert np.array_equal(found.counts, counted(centres[0], centres[1], window))
    assert found.counts.sum() == 400
    row, col = np.nonzero(found.counts)
    on_top = found.top[row, col]
    assert np.array_equal(np.stack(pixels_of(centres[0][on_top], centres[1][on_top], window)), [col, row])


def test_cells_and_points_agree_on_what_is_on_top(prefers_cells: None, monkeypatch: pytest.MonkeyPatch):
    x, y = cloud(400)
    window = Window((-40, 40), (-40, 40), 1, 1)
    by_cells = PointGrid(x, y).raster(window)
    monkeypatch.setattr(raster, "MOST_POINTS", 1000)
    by_points = PointGrid(x, y).raster(window)
    assert (by_cells.counts, by_cells.top) == (by_points.counts, by_points.top)


@given(st.floats(-20, 20), st.floats(-20, 20), st.floats(0.1, 40))
def test_cells_in_part_of_the_map_hold_at_most_the_points_around_it(x0: float, y0: float, size: float):
    x, y = cloud(300)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raster, "MOST_POINTS", -1)
        patch.setattr(raster, "POINTS_PER_CELL", 1e-3)
        grid, window = PointGrid(x, y), Window((x0, x0 + size), (y0, y0 + size), 5, 5)
        n = grid.raster(window).counts.sum()
    margin = 2 * max(grid._cell) * 2 ** (grid._level(window) or 0)

    def inside(by: float):
        across, up = ((v >= at[0] - by) & (v < at[1] + by) for v, at in zip((x, y), (window.x, window.y), strict=True))
        return (across & up).sum()

    assert inside(-margin) <= n <= inside(margin)


@pytest.mark.parametrize("chunk", [1 << 17, 7])
def test_long_and_short_slices_are_the_same(monkeypatch: pytest.MonkeyPatch, chunk: int):
    monkeypatch.setattr(raster, "CHUNK", chunk)
    x, y = cloud(200)
    window = Window((-9.0, 8.0), (-3.0, 30.0), 11, 13)
    assert np.array_equal(PointGrid(x, y).raster(window).counts, counted(x, y, window))


def test_points_of_a_window():
    x, y = cloud(200)
    found = PointGrid(x, y).within(Window((-2, 5), (-4, 4), 1, 1))
    inside = np.flatnonzero((x >= -2) & (x < 5) & (y >= -4) & (y < 4))
    order = np.argsort(found[2])
    assert np.array_equal(found[2][order], inside)
    assert np.array_equal(found[0][order], x[inside])
    assert np.array_equal(found[1][order], y[inside])


def test_no_points_and_one_point():
    nothing = np.empty(0, np.float32)
    window = Window((0, 1), (0, 1), 4, 3)
    assert not PointGrid(nothing, nothing).raster(window).counts.any()
    assert (PointGrid(nothing, nothing).raster(window).top == -1).all()
    half = np.array([0.5], np.float32)
    assert PointGrid(half, half).raster(window).top.max() == 0
