import numpy as np

from vitpanel.state.results import top_predictions

NAMES = tuple("abcdefgh")
PRUNED = np.array([0.02, 0.3, 0.2, 0.1, 0.05, 0.25, 0.07, 0.01])
UNPRUNED = np.roll(PRUNED, 1)


def test_top_predictions_are_sorted():
    top = top_predictions(PRUNED, unpruned=UNPRUNED, label=2, names=NAMES)
    assert top.names == ("b", "f", "c", "d", "g")
    assert np.array_equal(top.probabilities, [0.3, 0.25, 0.2, 0.1, 0.07])
    assert np.array_equal(top.unpruned, UNPRUNED[[1, 5, 2, 3, 6]])
    assert list(top.is_true) == [False, False, True, False, False]


def test_top_predictions_add_the_true_class_last():
    top = top_predictions(PRUNED, unpruned=UNPRUNED, label=7, names=NAMES)
    assert top.names == ("b", "f", "c", "d", "g", "h")
    assert list(top.is_true) == [False] * 5 + [True]


def test_top_predictions_without_label_mark_nothing():
    assert not top_predictions(PRUNED, unpruned=UNPRUNED, label=-1, names=NAMES).is_true.any()


def test_top_predictions_of_a_few_classes():
    assert len(top_predictions(PRUNED[:3], unpruned=UNPRUNED[:3], label=0, names=NAMES).names) == 3
