"""Nearest neighbours, and what they say."""

import numpy as np
import pytest

from vitpanel.core.neighbours import nearest_neighbours, neighbours_kept


def slow_neighbours(vectors: np.ndarray, row: int, k: int) -> set[int]:
    """Sort all other vectors by their distance."""
    others = [other for other in range(len(vectors)) if other != row]
    return set(sorted(others, key=lambda other: ((vectors[other] - vectors[row]) ** 2).sum())[:k])


@pytest.mark.parametrize(("n", "d", "k"), [(4, 1, 3), (30, 5, 1), (700, 3, 10)])
def test_neighbours_are_the_nearest_others(rng: np.random.Generator, n: int, d: int, k: int):
    vectors = rng.normal(size=(n, d))
    rows = rng.permutation(n)[:300]
    found = nearest_neighbours(vectors, rows, k=k)
    assert [set(row) for row in found.tolist()] == [slow_neighbours(vectors, row, k) for row in rows]


def test_a_vector_is_not_its_own_neighbour_but_an_equal_one_is():
    vectors = np.array([[0, 0], [5, 5], [0, 0], [9, 9]], np.float16)
    assert nearest_neighbours(vectors, np.array([0, 2]), k=1).tolist() == [[2], [0]]


def test_what_a_layout_keeps(rng: np.random.Generator):
    places = rng.normal(size=(300, 2))
    rows = rng.permutation(300)[:100]
    turned = np.concatenate([-3 * places[:, ::-1], np.zeros((300, 4))], axis=1)
    assert neighbours_kept(turned, places, rows) == 1
    other = rng.normal(size=(300, 2))
    expected = [len(slow_neighbours(places, row, 7) & slow_neighbours(other, row, 7)) / 7 for row in rows]
    assert neighbours_kept(places, other, rows, k=7) == pytest.approx(np.mean(expected))
