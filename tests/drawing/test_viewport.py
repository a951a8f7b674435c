import pytest

from vitpanel.drawing.viewport import Viewport, home_viewport


@pytest.mark.parametrize(("width", "height"), [(300, 300), (500, 200), (100, 400)])
def test_home_shows_all_points_with_equal_units(width: int, height: int):
    viewport = home_viewport(((-10, 30), (5, 15)), width=width, height=height)
    assert viewport.scale[0] == pytest.approx(viewport.scale[1])
    assert viewport.x[0] < -10
    assert viewport.x[1] > 30
    assert viewport.y[0] < 5
    assert viewport.y[1] > 15
    single = home_viewport(((2, 2), (2, 2)), width=width, height=height)
    assert single.x[0] < 2 < single.x[1]


def test_zoom_keeps_the_aspect():
    viewport = Viewport((0, 10), (0, 4), 100, 40).zoomed((3, 1), 2)
    assert (viewport.x, viewport.y, viewport.width) == ((0.5, 5.5), (0, 2), 100)


def test_another_size_keeps_middle_and_scale():
    viewport = Viewport((0, 10), (0, 4), 100, 40)
    other = viewport.resized(width=50, height=80)
    assert (other.x, other.y, other.width, other.height) == ((2.5, 7.5), (-2, 6), 50, 80)
    assert other.scale == pytest.approx(viewport.scale)


def test_a_place_has_surroundings_at_the_same_scale():
    viewport = Viewport((0, 10), (0, 4), 100, 40)
    around = viewport.around((9.9, 2), pixels=5)
    assert (around.x, around.y, around.width) == ((9.4, 10.4), (1.5, 2.5), 10)
    assert around.scale == pytest.approx(viewport.scale)
