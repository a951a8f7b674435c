"""The registry of metrics: what a record says and what it refuses."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.entry_points import Point, registry_for_a_test
from vitpanel.core import metrics as registry
from vitpanel.core.grid import Grid
from vitpanel.core.metrics import (
    CLASSES,
    Metric,
    class_metrics,
    importance_from_pruned,
    layer_metrics,
    metric_keys,
    metric_of,
    metrics,
    register,
)
from vitpanel.errors import VitpanelError


def margin(unpruned: np.ndarray, pruned: np.ndarray, _reference: np.ndarray) -> np.ndarray:
    return np.abs(unpruned - pruned).max(-1)


MARGIN = Metric("margin", "Margin", "margin", "largest change", "largest change", "It changes.", from_pruned=margin)


KEYS = ["probability", "jsd", "cls", "patch", "accuracy"]


def test_the_four_of_the_paper_are_there_in_its_order_and_the_accuracy():
    assert metric_keys() == KEYS
    assert [metric.key for metric in class_metrics()] == ["probability", "jsd", "accuracy"]
    assert [metric.key for metric in layer_metrics()] == ["cls", "patch"]
    assert [metric.key for metric in metrics() if metric.is_optional] == ["accuracy"]


def test_the_mean_accuracy_lost_is_the_difference_of_two_accuracies(rng: np.random.Generator):
    unpruned, pruned = rng.dirichlet(np.ones(4), (50, 1)), rng.dirichlet(np.ones(4), (50, 6))
    labels = rng.integers(0, 4, 50)
    found = importance_from_pruned(unpruned, pruned, labels[:, None])["accuracy"]
    assert set(np.unique(found)) == {-100, 0, 100}
    for head in range(6):
        n_right = [0, 0]
        for which, probabilities in enumerate((unpruned[:, 0], pruned[:, head])):
            for p, label in zip(probabilities, labels, strict=True):
                n_right[which] += max(range(4), key=p.__getitem__) == label
        assert found[:, head].mean() == pytest.approx(100 * (n_right[0] - n_right[1]) / 50)


def test_importance_is_high_where_a_head_matters(rng: np.random.Generator):
    unpruned, pruned = rng.dirichlet(np.ones(4), size=(3, 1, 1)), rng.dirichlet(np.ones(4), size=(3, 2, 2))
    reference = np.array([2, 0, 3])
    found = importance_from_pruned(unpruned, pruned, reference[:, None, None])
    for at in np.ndindex(3, 2, 2):
        p, q, label = unpruned[at[0], 0, 0], pruned[at], reference[at[0]]
        assert found["probability"][at] == pytest.approx(p[label] - q[label], abs=1e-7)
        assert found["jsd"][at] >= 0
    assert all(values.dtype == np.float32 for values in found.values())


def test_importance_without_known_probabilities_is_nan(rng: np.random.Generator):
    pruned = rng.dirichlet(np.ones(3), size=(2, 4))
    pruned[1, 2, 0] = np.nan
    found = importance_from_pruned(pruned[:, :1], pruned, np.zeros((2, 1), int))
    expected = np.zeros((2, 4), bool)
    expected[1, 2] = True
    assert all(np.array_equal(np.isnan(values), expected) for values in found.values())


def test_metrics_of_a_layer_take_the_distances_of_their_tokens(rng: np.random.Generator):
    grid, distances = Grid(2, 3, ("register", "cls")), rng.random((4, 8))
    cls, patch = (metric_of(key).from_distances for key in ("cls", "patch"))
    assert cls is not None
    assert patch is not None
    np.testing.assert_array_equal(cls(distances, grid), distances[:, 1])
    np.testing.assert_allclose(patch(distances, grid), [sum(row[2:]) / 6 for row in distances])


def test_what_is_left_is_within_one_rounding_of_what_the_model_gave(rng: np.random.Generator):
    unpruned, left = rng.random((2, 10_000)).astype(np.float32)
    left[:100] *= 1e-6
    left[100:200] = unpruned[100:200]
    drop = metric_of("probability")
    drawn = drop.drawn(unpruned - left, unpruned)
    assert drawn.dtype == np.float32
    # The drop is rounded once, by at most half of what separates it from the next number of its size.
    assert (np.abs(drawn.astype(np.float64) - left) <= np.spacing(np.maximum(unpruned, left))).all()
    assert ((drawn >= 0) & (drawn <= 1)).all()
    np.testing.assert_array_equal(drawn[100:200], left[100:200])


def test_charts_draw_what_is_left_of_a_drop_and_the_importance_of_all_others():
    importance = np.array([0.25, np.nan, -0.5], np.float32)
    for metric in metrics():
        is_drop = metric.key == "probability"
        expected = [0.5, np.nan, 1.0] if is_drop else importance
        np.testing.assert_array_equal(metric.drawn(importance, 0.75), expected)
        assert metric.is_signed == (is_drop or metric.key == "accuracy")
        assert metric.drawn_bounds == ((0.0, 1.0) if is_drop else metric.bounds)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"key": "Margin lost"}, "small letters"),
        ({"key": "jsd"}, "something else has its name"),
        ({"key": "estimate"}, "something else has its name"),
        ({"layout": "probability"}, "something else has its name"),
        ({"label": "JSD"}, "another metric has its label"),
        ({"key": "sample_jsd"}, "begins the names of means"),
        ({"from_pruned": None}, "either predictions or distances"),
        ({"from_distances": lambda distances, grid: distances}, "either predictions or distances"),
        ({"needs": ""}, "predictions need a class head"),
        ({"bounds": (1.0, 0.0)}, "bounds are empty"),
        ({"higher_is_more_important": False}, "a drop of the probability already"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(changes: dict[str, Any], said: str):
    with pytest.raises(VitpanelError, match=said):
        register(replace(MARGIN, **changes))
    assert metric_keys() == KEYS


def test_an_unknown_key_is_answered_with_the_known_ones():
    with pytest.raises(VitpanelError, match="no metric 'margin'") as caught:
        metric_of("margin")
    assert ", ".join(KEYS) in caught.value.hint
    assert MARGIN.needs == CLASSES


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Point]]:
    """Entry points of packages, to be filled before metrics are asked for."""
    with registry_for_a_test(registry.REGISTRY) as points:
        yield points


def test_a_package_brings_one_and_broken_ones_harm_nothing(packages: list[Point], caplog: pytest.LogCaptureFixture):
    taken = replace(MARGIN, key="jsd")
    packages += [Point("absent", ImportError("no such module")), Point("taken", taken), Point("margin", MARGIN)]
    assert metric_keys() == [*KEYS, "margin"]
    assert metric_of("margin") is MARGIN
    assert class_metrics()[-1] is MARGIN
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "The entry point absent of the group vitpanel.metrics is left out: ImportError: no such module.",
        "The entry point taken of the group vitpanel.metrics is left out: something else has its name.",
    ]
