"""What cohesion is made of, against slow definitions."""

import numpy as np
import pytest

from vitpanel.core.cohesion import relative_spread, same_kind_share


def test_share_of_the_same_kind(rng: np.random.Generator):
    kinds, neighbours = rng.integers(0, 4, 60), rng.integers(0, 4, (60, 7))
    expected = []
    for kind in range(5):
        shares = [sum(n == kind for n in row) / 7 for own, row in zip(kinds, neighbours, strict=True) if own == kind]
        expected.append(sum(shares) / len(shares) if shares else np.nan)
    assert np.allclose(same_kind_share(kinds, neighbours, 5), expected, equal_nan=True)
    assert np.isnan(same_kind_share(kinds, np.empty((60, 0), int), 5)).all()


def test_spread_is_relative_to_all_points(rng: np.random.Generator):
    places, kinds = rng.normal(size=(60, 2)) + 1000, rng.integers(0, 4, 60)
    places[kinds == 2] = places[kinds == 2] / 100

    def spread(of: np.ndarray):
        return np.sqrt(np.mean([np.sum((place - of.mean(0)) ** 2) for place in of]))

    found = relative_spread(places, kinds, 5)
    for kind in range(4):
        assert found[kind] == pytest.approx(spread(places[kinds == kind]) / spread(places))
    assert np.isnan(found[4])
    assert np.isnan(relative_spread(np.zeros((3, 2)), np.zeros(3, int), 1)).all()
