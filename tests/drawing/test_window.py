import pytest

from vitpanel.drawing.window import Window, home_window


@pytest.mark.parametrize(("width", "height"), [(300, 300), (500, 200), (100, 400)])
def test_home_shows_all_points_with_equal_units(width: int, height: int):
    window = home_window(((-10, 30), (5, 15)), width=width, height=height)
    assert window.scale[0] == pytest.approx(window.scale[1])
    assert window.x[0] < -10
    assert window.x[1] > 30
    assert window.y[0] < 5
    assert window.y[1] > 15
    single = home_window(((2, 2), (2, 2)), width=width, height=height)
    assert single.x[0] < 2 < single.x[1]


def test_zoom_keeps_the_aspect():
    window = Window((0, 10), (0, 4), 100, 40).zoomed((3, 1), 2)
    assert (window.x, window.y, window.width) == ((0.5, 5.5), (0, 2), 100)


def test_another_size_keeps_middle_and_scale():
    window = Window((0, 10), (0, 4), 100, 40)
    other = window.resized(width=50, height=80)
    assert (other.x, other.y, other.width, other.height) == ((2.5, 7.5), (-2, 6), 50, 80)
    assert other.scale == pytest.approx(window.scale)


def test_a_place_has_surroundings_at_the_same_scale():
    window = Window((0, 10), (0, 4), 100, 40)
    around = window.around((9.9, 2), pixels=5)
    assert (around.x, around.y, around.width) == ((9.4, 10.4), (1.5, 2.5), 10)
    assert around.scale == pytest.approx(window.scale)
