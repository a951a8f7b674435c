import numpy as np

from vitpanel.core.raster import Window
from vitpanel.views.figures.points_picture import points_picture, rgba

WINDOW = Window((0.0, 10.0), (0.0, 5.0), 100, 50)


def test_colours_are_as_bokeh_wants_them():
    assert rgba(["#010203"], alpha=255).tolist() == [0xFF030201]


def test_points_are_where_they_belong():
    places = np.array([[2.05, 1.05], [9.95, 4.95], [30, 2], [np.nan, np.nan]])
    pixels = points_picture(places, np.arange(1, 5, dtype=np.uint32), WINDOW)
    assert pixels.shape == (50, 100)
    assert pixels[10, 20] == 1
    assert pixels[49, 99] == 2
    assert set(np.unique(pixels)) == {0, 1, 2}
    assert (pixels == 1).sum() == 21


def test_what_stands_out_is_on_top_and_the_rest_is_faint():
    places, lit = np.full((9, 2), 2.5), np.arange(9) == 4
    colours = rgba(["#0000ff"] * 4 + ["#ff0000"] + ["#0000ff"] * 4)
    pixels = points_picture(places, colours, WINDOW, lit=lit)
    assert set(np.unique(pixels)) == {0, colours[4]}
    far = places + np.arange(9)[:, None] * [0.5, 0]
    assert sorted(set((np.unique(points_picture(far, colours, WINDOW, lit=lit)) >> 24).tolist())) == [0, 40, 230]


def test_no_group_is_always_on_top():
    places = np.repeat(np.random.default_rng(0).uniform(0, 5, (500, 2)), 2, axis=0)
    pixels = points_picture(places, np.tile(np.array([1, 2], np.uint32), 500), WINDOW)
    first, second = (pixels == 1).sum(), (pixels == 2).sum()
    assert 0.7 < first / second < 1.4
