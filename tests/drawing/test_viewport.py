import pytest

from vitpanel.drawing.viewport import Viewport, are_bounds, bounds_of, fitted_viewport, home_viewport


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


@pytest.mark.parametrize(("width", "height"), [(100, 100), (300, 120), (90, 400)])
def test_bounds_come_back_from_a_frame_of_the_same_size_and_fit_in_any(width: int, height: int):
    seen = home_viewport(((-1 / 3, 30), (5, 15)), width=width, height=height)
    bounds = bounds_of(seen)
    assert bounds is not None
    again = fitted_viewport((bounds[:2], bounds[2:]), width=width, height=height)
    assert (*again.x, *again.y) == pytest.approx(bounds)
    other = fitted_viewport((bounds[:2], bounds[2:]), width=height, height=width)
    assert other.scale[0] == pytest.approx(other.scale[1])
    air = 1e-6 * (bounds[1] - bounds[0])
    assert other.x[0] <= bounds[0] + air
    assert other.x[1] >= bounds[1] - air
    assert other.y[0] <= bounds[2] + air
    assert other.y[1] >= bounds[3] - air


@pytest.mark.parametrize(
    "values",
    [(), (0, 1, 0), (1, 0, 0, 1), (0, 0, 0, 1), (0, float("nan"), 0, 1), (0, float("inf"), 0, 1), (0, "1", 0, 1),
     (0, True, 0, 1), (0, 1e300, 0, 1), (0, 1e-300, 0, 1), (0, 1, 0, 10**400)],
)  # fmt: skip
def test_what_is_no_part_of_a_map(values: tuple[object, ...]):
    assert not are_bounds(values)
    assert are_bounds((0, 1, -2.5, 3))
