"""Datashader's counts against counting points one by one, and the picture that HoloViews draws of them."""

from typing import Any

import numpy as np
import pytest
from holoviews.streams import Stream
from hypothesis import given
from hypothesis import strategies as st

from vitpanel.drawing import point_grid
from vitpanel.drawing.point_grid import PointGrid, Points
from vitpanel.drawing.viewport import Viewport
from vitpanel.elements.density import (
    LOOK,
    LivePicture,
    Picture,
    counted,
    density_of,
    draw_plot,
    follow_viewport,
    ranked,
    raster_of,
    rgb_element,
)

VIEWPORT = Viewport((-3.0, 9.0), (-5.0, 11.0), 37, 23)


def cloud(n: int, *, seed: int = 0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(5, 2)) * 8
    x, y = (centres[rng.integers(0, 5, n)] + rng.normal(size=(n, 2)) * rng.choice([0.3, 3], (n, 1))).T
    return x.astype(np.float32), y.astype(np.float32)


def one_by_one(points: Points, viewport: Viewport):
    """Counts and highest ranks of pixels, from a look at each point."""
    counts, top = np.zeros((viewport.height, viewport.width), int), np.full((viewport.height, viewport.width), -1)
    weights = np.ones(len(points), int) if points.weight is None else points.weight
    for x, y, rank, weight in zip(points.x, points.y, points.rank, weights, strict=True):
        col, row = (float(x) - viewport.x[0]) * viewport.scale[0], (float(y) - viewport.y[0]) * viewport.scale[1]
        if 0 <= col < viewport.width and 0 <= row < viewport.height:
            counts[int(row), int(col)] += weight
            top[int(row), int(col)] = max(top[int(row), int(col)], rank)
    return counts, top


def is_clear_of_edges(points: Points, viewport: Viewport):
    """Which points no rounding moves to another pixel."""
    at = (points.x.astype(float) - viewport.x[0]) * viewport.scale[0], (points.y - viewport.y[0]) * viewport.scale[1]
    return np.all([np.abs(a - np.round(a)) > 1e-6 for a in at], axis=0)


@given(
    st.integers(0, 300), st.sampled_from([1, 5]), st.tuples(st.integers(1, 40), st.integers(1, 40)), st.floats(0.01, 60)
)
def test_pixels_are_counted_as_one_by_one(n: int, weight_of: int, size: tuple[int, int], width: float):
    x, y = cloud(n)
    rank = np.random.default_rng(1).permutation(n).astype(np.int32)
    weight = np.arange(n, dtype=np.int32) % weight_of + 1 if weight_of > 1 else None
    viewport = Viewport((-width / 2, width / 2), (-9.0, 7.5), *size)
    points = Points(x, y, rank, weight)
    clear = is_clear_of_edges(points, viewport)
    points = Points(x[clear], y[clear], rank[clear], None if weight is None else weight[clear])
    counts, top = one_by_one(points, viewport)
    found = ranked(points, viewport)
    assert np.array_equal(found.counts, counts)
    assert np.array_equal(found.top, top)
    assert np.array_equal(counted(points, viewport), counts)
    assert found.counts.dtype == found.top.dtype == np.int32


def test_ranks_of_millions_are_exact():
    at, rank = np.full(3, 0.5, np.float32), np.array([2**24, 2**24 + 1, 2**24 - 1], np.int32)
    assert ranked(Points(at, at, rank), Viewport((0, 1), (0, 1), 1, 1)).top[0, 0] == 2**24 + 1


def test_points_on_top_are_named():
    x, y = cloud(500)
    found = raster_of(PointGrid(x, y), VIEWPORT)
    row, col = np.nonzero(found.counts)
    top = found.top[row, col]
    assert np.array_equal(np.floor((x[top] - VIEWPORT.x[0]) * VIEWPORT.scale[0]), col)
    assert np.array_equal(np.floor((y[top] - VIEWPORT.y[0]) * VIEWPORT.scale[1]), row)
    assert np.array_equal(found.top >= 0, found.counts > 0)


def test_of_points_on_one_pixel_the_same_one_is_on_top_at_every_scale():
    x, y = cloud(300)
    grid, everything = PointGrid(x, y), Viewport((-40, 40), (-40, 40), 1, 1)
    top = int(raster_of(grid, everything).top[0, 0])
    near = everything.around((float(x[top]), float(y[top])), pixels=0.1)
    assert raster_of(grid, near).top.max() == top
    twice = PointGrid(np.r_[x, x], np.r_[y, y])
    other = raster_of(twice, Viewport((-40, 40), (-40, 40), 16, 16)).top
    assert (other >= 300).any()
    assert ((other >= 0) & (other < 300)).any()


def test_cells_and_points_agree_on_what_is_in_sight(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(point_grid, "POINTS_PER_CELL", 1e-3)
    x, y = cloud(400)
    viewport = Viewport((-40, 40), (-40, 40), 20, 20)
    by_points = raster_of(PointGrid(x, y), viewport)
    monkeypatch.setattr(point_grid, "MOST_POINTS", -1)
    by_cells = raster_of(PointGrid(x, y), viewport)
    assert by_cells.counts.sum() == by_points.counts.sum() == 400
    # A cell is at most half a pixel: only points within a quarter of one from an edge are counted beyond it.
    at = np.stack([x, y], 1).astype(float) / 4
    n_at_edges = (np.abs(at - np.round(at)) <= 0.25).any(1).sum()
    assert 0 < np.abs(by_cells.counts - by_points.counts).sum() / 2 <= n_at_edges < 400
    everything = Viewport((-40, 40), (-40, 40), 1, 1)
    grid = PointGrid(x, y)
    assert raster_of(grid, everything).top[0, 0] == grid.by_rank[399]
    assert np.array_equal(density_of(PointGrid(x, y), viewport), by_cells.counts)


def test_zoomed_in_every_point_is_its_own_again():
    x, y = cloud(2000)
    grid = PointGrid(x, y)
    middle = (float(np.median(x)), float(np.median(y)))
    viewport = Viewport((-40, 40), (-40, 40), 400, 400).around(middle, pixels=3)
    near = Viewport(viewport.x, viewport.y, 400, 400)
    inside = (x >= near.x[0]) & (x < near.x[1]) & (y >= near.y[0]) & (y < near.y[1])
    found = raster_of(grid, near)
    assert found.counts.sum() == inside.sum() > 1
    assert set(found.top[found.top >= 0].tolist()) <= set(np.flatnonzero(inside).tolist())


PIXELS = np.array([[0xFF030201, 0], [0x80FFFFFF, 0xFF0000FF], [1, 2]], np.uint32)
PICTURE = Picture(Viewport((1.0, 3.0), (10.0, 16.0), 2, 3), PIXELS)


def drawn(plot):
    """What the source of a plot shows."""
    data = plot.handles["source"].data
    return data["image"][0], [float(data[name][0]) for name in ("x", "y", "dw", "dh")]


def test_holoviews_draws_the_picture_the_right_way_up():
    element: Any = rgb_element(PICTURE)
    assert element.bounds.lbrt() == (1, 10, 3, 16)
    # The lowest row comes first: red, green and blue of its first pixel are 1, 2 and 3.
    assert [int(element.dimension_values(name, flat=False)[0, 0]) for name in "RGBA"] == [1, 2, 3, 255]
    pixels, place = drawn(draw_plot(element))
    assert np.array_equal(pixels, PIXELS)
    assert place == [1, 10, 2, 6]


def test_plots_of_a_page_are_painted_without_webgl():
    assert draw_plot(rgb_element(PICTURE)).state.output_backend == "canvas"


def test_a_live_picture_is_drawn_and_moved_in_the_same_plot():
    live = LivePicture(**LOOK)
    plot = draw_plot(live.element)
    source, span = plot.handles["source"], plot.state.x_range
    span.update(start=-5, end=5)
    live.draw(PICTURE)
    assert np.array_equal(drawn(plot)[0], PIXELS)
    moved = Picture(Viewport((2.0, 3.0), (10.0, 13.0), 2, 3), PIXELS + 1)
    live.move(moved)
    assert np.array_equal(drawn(plot)[0], PIXELS + 1)
    assert drawn(plot)[1] == [2, 10, 1, 3]
    live.draw(PICTURE)
    assert drawn(plot)[1] == [1, 10, 2, 6]
    assert plot.handles["source"] is source
    assert (span.start, span.end) == (-5, 5)


def test_in_a_notebook_what_comes_into_sight_is_painted_for_its_pixels():
    live, asked = LivePicture(**LOOK), []
    plot = draw_plot(live.element)

    def paint(viewport: Viewport):
        asked.append(viewport)
        return Picture(viewport, np.full((viewport.height, viewport.width), 7, np.uint32))

    follow_viewport(live, paint)
    ranges, size = (stream for stream in Stream.registry[live.element] if stream.__class__.__name__ != "Pipe")
    ranges.event(x_range=(0.0, 4.0), y_range=(1.0, 3.0))
    assert asked == []
    size.event(width=40, height=20)
    assert asked == [Viewport((0.0, 4.0), (1.0, 3.0), 40, 20)]
    assert drawn(plot)[0].shape == (20, 40)
    assert drawn(plot)[1] == [0, 1, 4, 2]
