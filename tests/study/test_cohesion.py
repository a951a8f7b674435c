"""Whether the points of each head keep together, against slow definitions."""

from collections.abc import Iterable

import numpy as np
import pytest

from vitpanel.study import cohesion as module
from vitpanel.study.cohesion import cohesion, nearest_in_plane


@pytest.fixture
def layout(rng: np.random.Generator):
    return rng.normal(size=(9, 2, 3, 2)).astype(np.float32)


def share_of_own(layout: np.ndarray, layer: int, head: int, k: int, *, images: Iterable[int] = range(9)):
    """Cohesion of one head, from all distances of its points on some images."""
    shares = []
    for image in images:
        distance = np.linalg.norm(layout - layout[image, layer, head], axis=-1)
        distance[image, layer, head] = np.inf
        nearest = sorted(np.ndindex(distance.shape), key=lambda place: np.nan_to_num(distance[place], nan=np.inf))[:k]
        shares.append(sum(place[1:] == (layer, head) for place in nearest) / k)
    return np.mean(shares)


def test_cohesion_is_the_share_of_own_neighbours(layout: np.ndarray):
    layout[:, 1, 2] = layout[:, 1, 2] / 50 + 9
    found = cohesion(layout)
    assert found.n_nearest == 15
    for layer, head in np.ndindex(2, 3):
        assert found.share[layer, head] == pytest.approx(share_of_own(layout, layer, head, 15))
    assert found.share[1, 2] == pytest.approx(8 / 15)
    assert found.chance == pytest.approx(8 / 53)
    assert found.spread[1, 2] < 0.1 < found.spread[0, 0]
    assert found.n_asked == found.n_points == 54


def test_points_at_one_place_are_not_their_own_neighbours():
    found = cohesion(np.zeros((10, 1, 2, 2), np.float32))
    assert (found.share <= 1).all()
    assert found.n_nearest == 15
    alone = cohesion(np.zeros((1, 1, 1, 2), np.float32))
    assert np.isnan(alone.share).all()


def test_of_many_points_whole_images_are_asked(layout: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_ASKED", 20)
    found = cohesion(layout)
    assert (found.n_asked, found.n_points) == (18, 54)
    for layer, head in np.ndindex(2, 3):
        expected = share_of_own(layout, layer, head, 15, images=range(0, 9, 3))
        assert found.share[layer, head] == pytest.approx(expected)


def test_heads_without_a_place_are_left_out(layout: np.ndarray):
    layout[:, 1, 2] = np.nan
    layout[3] = np.nan
    found = cohesion(layout)
    assert found.n_points == 8 * 5
    assert np.isnan(found.share[1, 2])
    images = [image for image in range(9) if image != 3]
    assert found.share[0, 1] == pytest.approx(share_of_own(layout, 0, 1, 15, images=images))


@pytest.mark.parametrize(("n", "k"), [(4, 3), (60, 1), (60, 15)])
def test_neighbours_are_the_nearest_other_points(rng: np.random.Generator, n: int, k: int):
    places, rows = rng.normal(size=(n, 2)), rng.permutation(n)[: n // 2]
    found = nearest_in_plane(places, rows, k=k)
    for row, neighbours in zip(rows, found.tolist(), strict=True):
        others = [other for other in range(n) if other != row]
        expected = sorted(others, key=lambda other: float(((places[other] - places[row]) ** 2).sum()))[:k]
        assert set(neighbours) == set(expected)


def test_of_many_points_at_one_place_none_is_its_own_neighbour():
    found = nearest_in_plane(np.zeros((20, 2)), np.arange(20), k=4)
    assert found.shape == (20, 4)
    assert all(row not in neighbours for row, neighbours in enumerate(found.tolist()))
    assert nearest_in_plane(np.zeros((3, 2)), np.arange(3), k=0).shape == (3, 0)
