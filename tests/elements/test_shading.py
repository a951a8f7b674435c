"""Pictures of many points."""

from typing import Any

import numpy as np
import pytest

from vitpanel.drawing.point_grid import PointGrid
from vitpanel.drawing.viewport import Viewport
from vitpanel.elements.density import Raster, raster_of
from vitpanel.elements.shading import (
    Density,
    colour_index,
    colour_palette,
    density_picture,
    fitting_radius,
    point_picture,
    thickened,
    thinned,
)
from vitpanel.state.patterns import MapColours
from vitpanel.theme.palette import MUTED, class_colours, layer_colours

VIEW = Viewport((0.0, 10.0), (0.0, 5.0), 100, 50)
LAYERS = MapColours("layer", "layer", ("0", "1", "2"))


def raster_with(*places: tuple[float, float]):
    x, y = np.array(places, np.float32).reshape(-1, 2).T
    return raster_of(PointGrid(x, y), VIEW)


def colour(pixel: Any):
    return "#" + bytes([int(pixel) & 255, int(pixel) >> 8 & 255, int(pixel) >> 16 & 255]).hex()


def test_density_is_highest_where_the_points_are():
    density = Density.of_counts(raster_with((2.05, 1.05), (2.05, 1.05), (8.05, 4.05)).counts)
    assert density.heights[10, 20] == pytest.approx(2 * density.heights[40, 80], rel=0.01)
    assert density.heights[40, 80] == pytest.approx(density.single, rel=0.02)
    alpha = density_picture(density) >> 24
    assert alpha.shape == (50, 100)
    assert alpha[10, 20] > alpha[40, 80] > alpha[25, 50] == 0


def test_density_in_colours_ends_with_the_last():
    pixels = density_picture(Density.of_counts(raster_with((5, 2), (5, 2)).counts), palette=("#000000", "#102030"))
    assert colour(pixels[20, 50]) == "#102030"


def test_points_have_the_colour_of_the_topmost():
    raster = raster_with((2.05, 1.05), (8.05, 4.05), (5, 5.5))
    palette = colour_palette(LAYERS, n_layers=3)
    values = np.array([0, 2], np.float32)  # of the lower pixel, then of the higher
    pixels = point_picture(raster, colour_index(values, LAYERS, 3), palette)
    assert palette == layer_colours(3)
    assert colour(pixels[10, 20]) == palette[0].lower()
    assert colour(pixels[40, 80]) == palette[2].lower()
    assert np.count_nonzero(pixels) == 2


def test_more_points_on_a_pixel_are_less_transparent():
    raster = raster_with((2.05, 1.05), *[(8.05, 4.05)] * 5)
    pixels = point_picture(raster, np.zeros(2, int), ("#102030",))
    assert pixels[40, 80] >> 24 > pixels[10, 20] >> 24 > 0


def test_few_points_cover_their_neighbourhood():
    counts, top = np.zeros((9, 12), np.int32), np.full((9, 12), -1, np.int32)
    for place, row in [((4, 4), 3), ((4, 6), 5), ((0, 11), 1)]:
        counts[place], top[place] = 1, row
    thick = thickened(Raster(counts, top), 3)
    for row, col in np.ndindex(9, 12):
        near = [r for (y, x), r in [((4, 4), 3), ((4, 6), 5), ((0, 11), 1)] if np.hypot(row - y, col - x) < 3.5]
        assert thick.top[row, col] == max(near, default=-1)
        assert thick.counts[row, col] == bool(near)


def test_many_points_are_one_pixel_each_and_few_are_discs():
    counts = np.full((300, 300), 1, np.int32)
    raster = Raster(counts, counts)
    assert thickened(raster, fitting_radius(90_000)) is raster
    assert [fitting_radius(n) for n in (0, 400, 401, 60_000)] == [3, 3, 2, 1]


def test_values_find_their_colours():
    values = np.array([-5, 0, 0.5, 1, 7, np.nan], np.float32)
    assert colour_index(values, MapColours("importance", "", low=0, high=1), 11).tolist() == [0, 0, 5, 10, 10, 11]
    assert colour_index(np.array([2, np.nan], np.float32), LAYERS, 3).tolist() == [2, 3]
    classes = MapColours("class", "", ("a", "b"))
    assert colour_palette(classes, n_layers=3) == tuple(class_colours(("a", "b")).values())
    raster = raster_with((2.05, 1.05))
    assert colour(point_picture(raster, np.array([3]), ("#000000",) * 3)[10, 20]) == MUTED


def test_thinned_points_cover_the_same_squares(rng: np.random.Generator):
    x, y = rng.uniform(-2, 12, (2, 3000))
    few = thinned(x, y, VIEW)
    inside = (x >= 0) & (x < 10) & (y >= 0) & (y < 5)

    def squares(x: np.ndarray, y: np.ndarray):
        return set(zip((x * 10 // 2).tolist(), (y * 10 // 2).tolist(), strict=True))

    assert squares(*few) == squares(x[inside], y[inside])
    assert len(few[0]) == len(squares(*few)) < inside.sum()


@pytest.mark.parametrize("kind", ["density", "points"])
def test_nothing_in_sight_is_a_clear_picture(kind: str):
    raster = raster_with()
    density = Density.of_counts(raster.counts)
    index = np.zeros(0, int)
    pixels = density_picture(density) if kind == "density" else point_picture(raster, index, ("#000000",))
    assert not (pixels >> 24).any()
