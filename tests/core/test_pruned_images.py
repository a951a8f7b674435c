"""What sets of heads do to images, against one image after the other."""

import numpy as np
import pytest
from scipy import stats

from vitpanel.core.importance import jensen_shannon
from vitpanel.core.pruned_images import FEWEST, PrunedImages, paired_interval, pruned_images, set_effect
from vitpanel.core.stats import student_95

N, K, CLASSES = 40, 3, 5


@pytest.fixture
def chances(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities without pruning and with each set."""
    return rng.dirichlet(np.ones(CLASSES), N), rng.dirichlet(np.ones(CLASSES), (N, K))


def told(chances: tuple[np.ndarray, np.ndarray], labels: np.ndarray) -> PrunedImages:
    unpruned, pruned = chances
    singly = np.arange(N * K).reshape(N, K) / 100
    return pruned_images(np.arange(N) + 7, labels, unpruned, pruned=pruned, singly=singly)


@pytest.mark.parametrize("labelled", ["all", "some", "none"])
def test_an_effect_is_what_counting_image_by_image_gives(rng, chances, labelled):
    labels = rng.integers(0, CLASSES, N)
    labels = {"all": labels, "some": np.where(np.arange(N) < 15, -1, labels), "none": np.full(N, -1)}[labelled]
    found, (unpruned, pruned) = told(chances, labels), chances
    for at in range(K):
        rows, fates = [], {"changed": 0, "mended": 0, "broken": 0}
        for image, label in enumerate(labels.tolist()):
            before, after = unpruned[image], pruned[image, at]
            reference = label if label >= 0 else before.argmax()
            assert found.before[image] == pytest.approx(before[reference])
            assert found.after[image, at] == pytest.approx(after[reference])
            assert found.jsd[image, at] == pytest.approx(jensen_shannon(before, after))
            was, now = before.argmax(), after.argmax()
            fates["changed"] += was != now
            fates["mended"] += label >= 0 and was != label and now == label
            fates["broken"] += label >= 0 and was == label and now != label
            if label >= 0 or labelled == "none":
                rows.append((before[reference], after[reference], was == label, now == label, found.singly[image, at]))
        effect, table = set_effect(found, at), np.array(rows, float)
        assert (effect.n_images, effect.n_judged) == (N, len(rows))
        assert (effect.n_changed, effect.n_mended, effect.n_broken) == tuple(fates.values())
        assert effect.has_labels == (labelled != "none")
        assert [effect.before, effect.after, effect.singly] == pytest.approx(table.mean(0)[[0, 1, 4]])
        if effect.has_labels:
            assert [effect.accuracy_before, effect.accuracy_after] == pytest.approx(table.mean(0)[[2, 3]])
        else:
            assert np.isnan([effect.accuracy_before, effect.accuracy_after]).all()
        difference = table[:, 1] - table[:, 0]
        assert effect.change == pytest.approx(difference.mean())
        expected = stats.t.interval(0.95, len(rows) - 1, difference.mean(), stats.sem(difference))
        assert (effect.low, effect.high) == pytest.approx(expected, rel=2e-3)


def test_the_quantile_is_students_from_five_degrees_on():
    for freedom in (5, 6, 9, 20, 63, 1000):
        assert student_95(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=2e-3)


def test_few_images_have_no_interval_and_none_have_no_numbers():
    assert np.isnan(paired_interval(np.arange(FEWEST - 1.0))).all()
    assert not np.isnan(paired_interval(np.arange(float(FEWEST)))).any()
    effect = set_effect(PrunedImages.none(2), 1)
    assert (effect.n_images, effect.n_changed) == (0, 0)
    assert np.isnan([effect.before, effect.after, effect.accuracy_after]).all()


def test_parts_that_are_joined_are_the_whole(chances):
    labels = np.arange(N) % CLASSES
    whole, parts = told(chances, labels), PrunedImages.none(K)
    for rows in np.array_split(np.arange(N), 7):
        unpruned, pruned = chances[0][rows], chances[1][rows]
        more = pruned_images(whole.images[rows], labels[rows], unpruned, pruned=pruned, singly=whole.singly[rows])
        parts = parts.joined(more)
    assert len(parts) == len(whole) == N
    assert parts.nbytes == whole.nbytes
    for name in ("images", "labels", "reference", "before", "predicted_before", "after", "predicted", "jsd", "singly"):
        assert np.array_equal(getattr(parts, name), getattr(whole, name))
