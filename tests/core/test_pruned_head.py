"""One head under the six pruning modes."""

import numpy as np
import pytest

from vitpanel.core.importance import jensen_shannon
from vitpanel.core.pruned_head import PrunedHead


@pytest.fixture
def layer(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Distances under each mode."""
    return {"cls": rng.random(6), "patch": rng.random(6)}


def test_a_pruned_head_has_every_metric_in_every_mode(rng: np.random.Generator, layer: dict[str, np.ndarray]):
    probabilities = rng.dirichlet(np.ones(4), size=6)
    head = PrunedHead(probabilities, layer)
    lost = [probabilities[0, 2] - probabilities[mode, 2] for mode in range(6)]
    np.testing.assert_allclose(head.importance("probability", 2), lost, atol=1e-7)
    np.testing.assert_allclose(head.drawn("probability", 2), probabilities[:, 2], atol=1e-7)
    divergence = [jensen_shannon(probabilities[0], p) for p in probabilities]
    for name, values in (("jsd", divergence), ("cls", layer["cls"]), ("patch", layer["patch"])):
        np.testing.assert_allclose(head.importance(name, 2), values, atol=1e-7)
        np.testing.assert_allclose(head.drawn(name, 2), values, atol=1e-7)


@pytest.mark.parametrize("metric", ["probability", "jsd"])
def test_metrics_of_the_class_head_are_nan_without_one(layer: dict[str, np.ndarray], metric: str):
    head = PrunedHead(None, layer)
    assert np.isnan(head.importance(metric, 0)).all()
    assert np.isnan(head.drawn(metric, 0)).all()


def test_what_is_known_comes_before_what_the_probabilities_would_give(layer: dict[str, np.ndarray]):
    probabilities, known = np.full((6, 3), np.nan), np.arange(6) / 10
    probabilities[0] = [0.2, 0.5, 0.3]
    head = PrunedHead(probabilities, layer, {"probability": known, "jsd": known})
    np.testing.assert_array_equal(head.importance("jsd", 1), known)
    np.testing.assert_allclose(head.drawn("probability", 1), 0.5 - known, atol=1e-12)


def test_a_mode_that_the_model_does_not_have_is_nan(rng: np.random.Generator, layer: dict[str, np.ndarray]):
    probabilities = rng.dirichlet(np.ones(4), size=6)
    probabilities[2:5] = np.nan
    for metric in ("probability", "jsd"):
        values = PrunedHead(probabilities, layer).importance(metric, 1)
        assert np.isnan(values).tolist() == [False, False, True, True, True, False]
