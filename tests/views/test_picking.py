from types import SimpleNamespace

import numpy as np
import pytest
from bokeh.models import Range1d

from vitpanel.views.figures.picking import nearest_point, padded_range


@pytest.fixture
def wide_figure():
    """One unit of x is 100 pixels, one of y is 10."""
    return SimpleNamespace(x_range=Range1d(0, 4), y_range=Range1d(0, 20), inner_width=400, inner_height=200)


def test_nearest_point_is_nearest_on_the_screen(wide_figure):
    points = (np.array([1.0, 1.1]), np.array([1.5, 1.0]))
    assert nearest_point(wide_figure, (1.0, 1.0), points) == 0


def test_nearest_point_takes_the_nearest_of_overlapping_ones(wide_figure):
    points = (np.array([1.0, 1.01, 1.02]), np.array([1.0, 1.0, 1.0]))
    assert nearest_point(wide_figure, (1.012, 1.0), points) == 1


@pytest.mark.parametrize("points", [([1.0], [1.0]), ([np.nan], [10.0]), ([], [])])
def test_nearest_point_of_a_click_beside_all_points_is_none(wide_figure, points):
    assert nearest_point(wide_figure, (3.0, 10.0), tuple(map(np.array, points))) is None


def test_padded_range_holds_all_values():
    limits = padded_range(np.array([1.0, np.nan, 3.0]), padding=0.1)
    assert (limits.start, limits.end) == pytest.approx((0.8, 3.2))


@pytest.mark.parametrize("values", [[np.nan], [2.0]])
def test_padded_range_is_never_empty(values):
    limits = padded_range(np.array(values))
    assert limits.end > limits.start
