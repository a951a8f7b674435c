"""Densities, outlines and islands of points, against slow definitions."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vitpanel.drawing import points
from vitpanel.drawing.points import is_inside, smoothed, spread_out, which_inside


def test_smoothing_is_a_gaussian_convolution(rng: np.random.Generator):
    counts = rng.integers(0, 5, (9, 12))
    sigma, reach = 1.2, 4
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    expected = np.zeros(counts.shape)
    for row in range(9):
        for col in range(12):
            for down in range(-reach, reach + 1):
                for right in range(-reach, reach + 1):
                    if 0 <= row + down < 9 and 0 <= col + right < 12:
                        weight = kernel[down + reach] * kernel[right + reach]
                        expected[row, col] += weight * counts[row + down, col + right]
    assert np.allclose(smoothed(counts, sigma), expected, atol=1e-5)


def crossings(x: float, y: float, line: list[tuple[float, float]]):
    """Edges that a ray from a point to the right meets."""
    count = 0
    for (x0, y0), (x1, y1) in zip(line, line[1:] + line[:1], strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
            count += 1
    return count


corner = st.tuples(st.floats(-2, 2), st.floats(-2, 2))


@given(st.lists(corner, min_size=1, max_size=9))
@example([(0.0, 2.2e-313), (1.0, 0.0)])
def test_inside_is_an_odd_number_of_crossings(line: list[tuple[float, float]]):
    x, y = np.random.default_rng(0).normal(size=(2, 40)).astype(np.float32)
    expected = [crossings(float(at), float(up), line) % 2 == 1 for at, up in zip(x, y, strict=True)]
    assert is_inside(x, y, tuple(np.array(line).T)).tolist() == expected


@pytest.mark.parametrize("size", [1e-6, 1e-3, 1.0, 50.0])
@pytest.mark.parametrize("offset", [0.0, 80.0])
def test_many_points_are_inside_as_few_are(size: float, offset: float):
    rng = np.random.default_rng(0)
    for n_corners in (1, 2, 3, 4, 7, 40):
        corners = offset + size * rng.normal(size=(n_corners, 2))
        points = (offset + 2 * size * rng.normal(size=(3000, 2))).astype(np.float32)
        points[:n_corners] = corners
        points[n_corners : n_corners + 100] = np.round(points[n_corners : n_corners + 100] / size) * size
        line = (corners[:, 0], corners[:, 1])
        x, y = points.T.astype(float)
        expected = is_inside(x, y, line)
        points[-1] = np.nan
        expected[-1] = False
        assert which_inside(points, line).tolist() == expected.tolist()


def test_inside_a_square_of_another_order():
    x, y = np.array([0.5, 1.5, -0.5, 0.5]), np.array([0.5, 0.5, 0.5, 2])
    square = np.array([1.0, 0, 0, 1]), np.array([0.0, 0, 1, 1])
    assert is_inside(x, y, square).tolist() == [True, False, False, False]


def test_spread_points_begin_in_the_middle_and_keep_apart(rng: np.random.Generator):
    x, y = rng.normal(size=(2, 50))
    chosen = spread_out(x, y, 6)
    assert len(set(chosen.tolist())) == 6
    places = np.stack([x, y], 1)
    assert chosen[0] == np.linalg.norm(places - places.mean(0), axis=1).argmin()
    for k in range(1, 6):
        distance = np.linalg.norm(places[:, None] - places[chosen[:k]], axis=-1).min(1)
        assert distance[chosen[k]] == distance.max()


def test_spread_points_of_few_and_of_many(monkeypatch: pytest.MonkeyPatch):
    assert spread_out(np.empty(0), np.empty(0), 6).tolist() == []
    assert sorted(spread_out(np.zeros(3), np.zeros(3), 6).tolist()) == [0, 1, 2]
    monkeypatch.setattr(points, "MOST_SPREAD", 10)
    assert (spread_out(np.arange(95.0), np.zeros(95), 4) % 10 == 0).all()
