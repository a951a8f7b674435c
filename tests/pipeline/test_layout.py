"""t-SNE layouts."""

import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.core.neighbours import neighbours_kept
from vitpanel.pipeline.layout import (
    N_ITERATIONS,
    N_PLACING,
    lay_out_heads,
    lay_out_images,
    pca_start,
    quality,
    tsne,
)
from vitpanel.pipeline.sampling import sampled_rows
from vitpanel.study.reader import Study, open_study


def laid_out(vectors: np.ndarray, *, seed: int = 0) -> np.ndarray:
    return tsne(vectors, seed=seed, on_step=lambda _: None).coordinates


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
    places = tsne(vectors, seed=0, on_step=lambda n: steps.append(n) or True).coordinates
    assert sum(steps) == N_ITERATIONS
    assert np.array_equal(places, laid_out(vectors))


def test_further_vectors_go_to_the_median_of_their_nearest(rng: np.random.Generator):
    vectors, others = rng.normal(size=(60, 5)), rng.normal(size=(20, 5)).astype(np.float16)
    layout = tsne(vectors, seed=0, on_step=lambda _: None)
    placed = layout.place(others)
    for other, place in zip(others.astype(np.float32), placed, strict=True):
        nearest = np.argsort(((vectors.astype(np.float32) - other) ** 2).sum(1))[:N_PLACING]
        np.testing.assert_allclose(place, np.median(layout.coordinates[nearest], axis=0), atol=1e-6)


def test_further_vectors_have_a_place_among_a_handful():
    assert np.isfinite(tsne(np.eye(3), seed=0, on_step=lambda _: None).place(np.eye(3)[:2])).all()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return a study of 12 images and 72 heads in three blocks."""
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("layout") / "a.study"))


def test_all_heads_are_laid_out_where_the_sample_is_large_enough(study: Study):
    places, measured = lay_out_heads(study, "latents", sample=72, seed=2, on_step=lambda _: None)
    vectors = study["latents"].reshape(72, -1)
    np.testing.assert_array_equal(places.reshape(72, 2), laid_out(vectors, seed=2))
    assert measured == quality(vectors, places.reshape(72, 2), seed=2)


@pytest.mark.parametrize(("name", "sample"), [("latents", 40), ("patterns/cls", 30), ("latents", 3)])
def test_a_sample_is_laid_out_and_the_rest_placed_in_it(study: Study, name: str, sample: int):
    places, measured = lay_out_heads(study, name, sample=sample, seed=2, on_step=lambda _: None)
    assert places.shape == (12, 2, 3, 2)
    assert places.dtype == np.float32
    vectors, flat = study[name].reshape(72, -1), places.reshape(72, 2)
    rows = sampled_rows(72, n_most=sample, seed=2)
    layout = tsne(vectors[rows], seed=2, on_step=lambda _: None)
    np.testing.assert_array_equal(flat[rows], layout.coordinates)
    others = np.setdiff1d(np.arange(72), rows)
    np.testing.assert_allclose(flat[others], layout.place(vectors[others]), atol=1e-6)
    assert measured["n"] == sample


def test_images_are_laid_out_by_all_their_heads(study: Study):
    places, measured = lay_out_images(study["importance/jsd"], seed=1, on_step=lambda _: None)
    np.testing.assert_array_equal(places, laid_out(study["importance/jsd"].reshape(12, 6), seed=1))
    assert measured == {"kept": None, "by_chance": None, "n": 12}


def test_quality_is_the_share_of_neighbours_kept(rng: np.random.Generator):
    vectors, places = rng.normal(size=(60, 4)), rng.normal(size=(60, 2))
    measured = quality(vectors, places, seed=0)
    assert measured["kept"] == pytest.approx(neighbours_kept(vectors, places, np.arange(60)), abs=1e-4)
    assert measured["by_chance"] == pytest.approx(10 / 59, abs=1e-6)
    assert quality(places, places, seed=0)["kept"] == 1
