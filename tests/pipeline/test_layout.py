"""t-SNE layouts."""

import numpy as np
import pytest

from vitpanel.pipeline.layout import N_ITERATIONS, pca_start, tsne


def laid_out(vectors: np.ndarray, *, seed: int = 0) -> np.ndarray:
    return tsne(vectors, seed=seed, on_step=lambda _: None)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_vectors_stand_apart_on_a_line(n: int):
    places = laid_out(np.ones((n, 5), np.float32))
    assert places.dtype == np.float32
    assert places.tolist() == [[i - (n - 1) / 2, 0] for i in range(n)]


@pytest.mark.parametrize("n", [4, 5, 30, 100])
def test_places_are_finite_and_centred(rng: np.random.Generator, n: int):
    places = laid_out(rng.normal(size=(n, 7)).astype(np.float16))
    assert places.shape == (n, 2)
    assert places.dtype == np.float32
    assert np.isfinite(places).all()
    assert np.allclose(places.mean(0), 0, atol=1e-3)
    assert places.std() > 0


def test_equal_vectors_and_one_dimension_still_get_finite_places(rng: np.random.Generator):
    assert np.isfinite(laid_out(np.zeros((12, 4)))).all()
    assert np.isfinite(laid_out(rng.normal(size=(12, 1)))).all()


def test_the_start_is_the_two_principal_axes(rng: np.random.Generator):
    vectors = (rng.normal(size=(50, 6)) @ np.diag([9, 4, 2, 1, 1, 1]) + 100).astype(np.float32)
    left, singular, right = np.linalg.svd(vectors.astype(np.float64) - vectors.mean(0, dtype=np.float64))
    signs = np.sign([row[np.abs(row).argmax()] for row in right[:2]])
    expected = left[:, :2] * singular[:2] * signs
    start = pca_start(vectors, seed=0)
    np.testing.assert_allclose(start, expected * (1e-4 / expected[:, 0].std()), atol=1e-5)
    np.testing.assert_allclose(start, pca_start(7 * vectors, seed=0), atol=1e-9)


@pytest.mark.parametrize("value", [0, 0.1, 1e6])
def test_equal_vectors_start_from_the_seed_alone(value: float):
    start = pca_start(np.full((30, 5), value, np.float32), seed=1)
    assert len(np.unique(start, axis=0)) == 30
    assert np.abs(start).max() < 1e-4
    assert np.array_equal(start, pca_start(np.zeros((30, 2), np.float32), seed=1))
    assert not np.array_equal(start, pca_start(np.zeros((30, 2), np.float32), seed=2))


def test_the_seed_decides(rng: np.random.Generator):
    vectors = rng.normal(size=(40, 6))
    first = laid_out(vectors, seed=3)
    assert np.array_equal(first, laid_out(vectors, seed=3))


def test_clusters_stay_apart(rng: np.random.Generator):
    labels = np.repeat(np.arange(3), 40)
    centres = 20 * np.eye(3, 10)
    places = laid_out(centres[labels] + rng.normal(size=(120, 10)))
    distance = np.linalg.norm(places[:, None] - places, axis=-1)
    np.fill_diagonal(distance, np.inf)
    assert (labels[distance.argmin(1)] == labels).all()
    means = np.stack([places[labels == label].mean(0) for label in range(3)])
    spread = max(np.linalg.norm(places[labels == label] - means[label], axis=-1).max() for label in range(3))
    gaps = np.linalg.norm(means[:, None] - means, axis=-1)[np.triu_indices(3, 1)]
    assert gaps.min() > spread


@pytest.mark.parametrize("n", [2, 10])
def test_progress_comes_to_its_end(rng: np.random.Generator, n: int):
    steps: list[int] = []
    tsne(rng.normal(size=(n, 3)), seed=0, on_step=steps.append)
    assert sum(steps) == N_ITERATIONS


def test_what_progress_answers_does_not_end_the_optimisation(rng: np.random.Generator):
    vectors, steps = rng.normal(size=(40, 3)), []
    places = tsne(vectors, seed=0, on_step=lambda n: steps.append(n) or True)
    assert sum(steps) == N_ITERATIONS
    assert np.array_equal(places, laid_out(vectors))
