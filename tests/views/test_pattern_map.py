"""Pictures of many points."""

from collections.abc import Callable

import numpy as np
import pytest

from vitpanel.views.figures.pattern_map import View2D, density_picture, home_ranges, scatter_picture
from vitpanel.views.palette import layer_colours

VIEW = View2D((0.0, 10.0), (0.0, 5.0), 100, 50)


def colour(pixel: int):
    return "#" + bytes([pixel & 255, pixel >> 8 & 255, pixel >> 16 & 255]).hex()


def test_scale_is_pixels_per_unit():
    assert VIEW.scale == (10, 10)


def test_home_shows_all_points_with_a_margin(rng: np.random.Generator):
    x, y = rng.normal(size=(2, 30)).astype(np.float32)
    for values, (low, high) in zip((x, y), home_ranges(x, y), strict=True):
        assert low < values.min() < values.max() < high
    assert home_ranges(np.zeros(1), np.zeros(1)) == ((-1, 1), (-1, 1))
    assert home_ranges(np.empty(0), np.empty(0))[0][0] < 0


def test_density_is_highest_where_the_points_are():
    x, y = np.array([2.05, 2.05, 8.05], np.float32), np.array([1.05, 1.05, 4.05], np.float32)
    alpha = density_picture(x, y, VIEW) >> 24
    assert alpha.shape == (50, 100)
    assert np.unravel_index(alpha.argmax(), alpha.shape) == (10, 20)
    assert alpha[10, 20] > alpha[40, 80] > alpha[25, 50] == 0


def test_points_have_the_colour_of_their_layer():
    x, y = np.array([2.05, 8.05, 8.05], np.float32), np.array([1.05, 4.05, 4.05], np.float32)
    pixels = scatter_picture(x, y, VIEW, layer=np.array([0, 1, 2], np.float32), n_layers=3)
    colours = layer_colours(3)
    assert colour(int(pixels[10, 20])) == colours[0].lower()[:7]
    assert colour(int(pixels[40, 80])) == colours[2].lower()[:7]
    assert np.count_nonzero(pixels) == 2 * 9


def test_points_out_of_sight_are_left_out():
    x = np.array([-5, 10.5, 3], np.float32)
    pixels = scatter_picture(x, x, VIEW, layer=np.zeros(3, np.float32), n_layers=1)
    assert np.count_nonzero(pixels) == 9


@pytest.mark.parametrize("draw", [density_picture, lambda *a: scatter_picture(*a, layer=np.empty(0), n_layers=2)])
def test_nothing_in_sight_is_a_clear_picture(draw: Callable[..., np.ndarray]):
    nothing = np.empty(0, np.float32)
    assert not (draw(nothing, nothing, VIEW) >> 24).any()
