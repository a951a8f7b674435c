"""Head importance, Eq. 3 to 6."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vitpanel.core.importance import (
    cosine_distance,
    jensen_shannon,
    of_class,
    ranked_by_importance,
    reference_class,
)

weights = arrays(np.float64, 6, elements=st.floats(0, 1)).filter(lambda w: w.sum() > 0)
distributions = weights.map(lambda w: w / w.sum())
vectors = arrays(np.float64, 4, elements=st.floats(-100, 100))


def slow_jsd(p: np.ndarray, q: np.ndarray) -> float:
    """Eq. 4 term by term, in bits."""
    total = 0.0
    for a, b in zip(p, q, strict=True):
        middle = (a + b) / 2
        total += (a * math.log2(a / middle) if a and middle else 0) / 2
        total += (b * math.log2(b / middle) if b and middle else 0) / 2
    return total


def slow_cosine_distance(a: np.ndarray, b: np.ndarray) -> float:
    """One minus the cosine, sum by sum."""
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    norms = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(y * y for y in b))
    return 1 - dot / norms if norms else 1.0


@given(distributions, distributions)
def test_jsd_is_eq_4_symmetric_and_in_bits(p: np.ndarray, q: np.ndarray):
    divergence = jensen_shannon(p, q)
    assert divergence == pytest.approx(slow_jsd(p, q), abs=1e-12)
    assert divergence == pytest.approx(jensen_shannon(q, p), abs=1e-12)
    assert 0 <= divergence <= 1


@given(distributions)
def test_jsd_of_equal_distributions_is_zero(p: np.ndarray):
    assert jensen_shannon(p, p) == 0


def test_jsd_of_the_smallest_numbers_is_finite():
    tiny = np.array([1.0, 5e-324])
    assert jensen_shannon(np.array([1.0, 0.0]), tiny) == pytest.approx(0, abs=1e-12)


def test_jsd_worked_by_hand():
    assert jensen_shannon(np.array([1.0, 0]), np.array([0, 1.0])) == 1
    expected = (math.log2(4 / 3) + 0.5 * math.log2(2 / 3) + 0.5 * math.log2(2)) / 2
    assert jensen_shannon(np.array([1.0, 0]), np.array([0.5, 0.5])) == pytest.approx(expected)


def test_jsd_broadcasts_one_distribution_against_many(rng: np.random.Generator):
    many = rng.dirichlet(np.ones(5), size=(3, 4))
    one = rng.dirichlet(np.ones(5))
    expected = [[slow_jsd(one, many[i, j]) for j in range(4)] for i in range(3)]
    np.testing.assert_allclose(jensen_shannon(one, many), expected, atol=1e-12)
    np.testing.assert_allclose(jensen_shannon(one.astype(np.float32), many), expected, atol=1e-7)


@given(vectors, vectors)
def test_cosine_distance_is_within_0_and_2(a: np.ndarray, b: np.ndarray):
    distance = cosine_distance(a, b)
    assert 0 <= distance <= 2
    if np.linalg.norm(a) * np.linalg.norm(b) > 1e-100:
        assert distance == pytest.approx(slow_cosine_distance(a, b), abs=1e-9)


def test_cosine_distance_worked_by_hand():
    east, north = np.array([2.0, 0]), np.array([0, 3.0])
    assert cosine_distance(east, 5 * east) == 0
    assert cosine_distance(east, north) == 1
    assert cosine_distance(east, -east) == 2
    assert cosine_distance(east, 0 * east) == 1
    assert cosine_distance(0 * east, 0 * east) == 1


def test_cosine_distance_is_over_the_last_axis(rng: np.random.Generator):
    a, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 4))
    expected = [[slow_cosine_distance(a[i, j], b[i, j]) for j in range(3)] for i in range(2)]
    np.testing.assert_allclose(cosine_distance(a, b), expected, atol=1e-12)


def test_the_top_class_stands_in_for_a_missing_label():
    probabilities = np.array([[0.1, 0.9], [0.1, 0.9], [0.6, 0.4]])
    assert reference_class(probabilities, np.array([0, -1, -1])).tolist() == [0, 1, 0]


def test_ranking_puts_nan_last_and_keeps_the_order_of_equals():
    importance = np.array([[0.1, np.nan, 0.7], [0.1, -0.2, np.nan]])
    assert ranked_by_importance(importance).tolist() == [2, 0, 3, 4, 1, 5]


def test_the_probability_of_a_class_is_taken_row_by_row(rng: np.random.Generator):
    probabilities = rng.dirichlet(np.ones(4), size=(2, 3))
    expected = [[probabilities[i, j, k] for j in range(3)] for i, k in enumerate((3, 1))]
    np.testing.assert_array_equal(of_class(probabilities, np.array([[3], [1]])), expected)
