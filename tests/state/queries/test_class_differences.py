"""Heads that differ between classes by more than chance."""

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.state.queries.class_differences import COLUMNS, class_test, class_test_table
from vitpanel.study.reader import Study, open_study


def slow_f(values: np.ndarray, codes: np.ndarray) -> float:
    """Variance between groups over that within them, of the values that are known."""
    groups = [values[(codes == code) & ~np.isnan(values)] for code in sorted(set(codes) - {-1})]
    groups = [group.astype(float) for group in groups if len(group)]
    n, middle = sum(map(len, groups)), np.concatenate(groups).mean()
    between = sum(len(group) * (group.mean() - middle) ** 2 for group in groups) / (len(groups) - 1)
    within = sum(((group - group.mean()) ** 2).sum() for group in groups) / (n - len(groups))
    return between / within


@pytest.mark.parametrize("gaps", [0, 0.2])
def test_f_by_its_definition(gaps: float):
    rng = np.random.default_rng(0)
    values, codes = rng.beta(1, 6, (90, 5)).astype(np.float32), rng.integers(-1, 4, 90)
    values[rng.random(values.shape) < gaps] = np.nan
    found = class_test(values, codes, n_permutations=1)
    assert found.f == pytest.approx([slow_f(column, codes) for column in values.T])


def test_p_is_the_share_of_all_permutations_that_are_as_large():
    rng = np.random.default_rng(1)
    values, codes = rng.normal(size=(7, 2)), np.array([0, 0, 0, 1, 1, 2, 2])
    values[codes == 2, 1] += 1.5
    everything = np.array([[slow_f(column, np.array(order)) for column in values.T] for order in permutations(codes)])
    f = everything[0]
    is_as_large = everything >= f * (1 - 1e-9)
    largest_is = everything.max(1)[:, None] >= f * (1 - 1e-9)
    found = class_test(values, codes, n_permutations=2000)
    assert found.p == pytest.approx(is_as_large.mean(0), abs=0.04)
    assert found.p_corrected == pytest.approx(largest_is.mean(0), abs=0.04)
    assert (found.p_corrected >= found.p).all()


def test_the_correction_keeps_false_alarms_rare():
    """Of twenty tables of noise in 40 heads, about one is expected to have a head below 0.05; uncorrected most have."""
    rng = np.random.default_rng(2)
    codes = np.repeat(np.arange(3), 10)
    alarms = np.zeros(2, int)
    for _ in range(20):
        found = class_test(rng.normal(size=(30, 40)), codes, n_permutations=99)
        alarms += (found.p.min() <= 0.05, found.p_corrected.min() <= 0.05)
    assert alarms[0] >= 15
    assert alarms[1] <= 4


def test_a_head_that_tells_classes_apart_is_found_among_many():
    rng = np.random.default_rng(3)
    values, codes = rng.normal(size=(60, 40)), rng.integers(0, 3, 60)
    values[codes == 1, 17] += 2
    found = class_test(values, codes, n_permutations=199)
    assert found.p_corrected[17] == pytest.approx(1 / 200)
    assert np.delete(found.p_corrected, 17).min() > 0.05


def test_what_has_no_spread_is_not_tested_and_what_has_none_within_classes_is_beyond_all():
    codes = np.repeat([0, 1], 6)
    values = np.stack([np.full(12, 0.1), np.where(codes == 0, 0.1, 0.7), np.full(12, np.nan)], axis=1)
    found = class_test(values.astype(np.float32), codes, n_permutations=99)
    assert np.isnan(found.f).tolist() == np.isnan(found.p).tolist() == np.isnan(found.p_corrected).tolist()
    assert np.isnan(found.f).tolist() == [True, False, True]
    assert np.isinf(found.f[1])
    assert found.p[1] < 0.05


@pytest.mark.parametrize("codes", [np.full(8, -1), np.zeros(8, int), np.arange(8)])
def test_nothing_to_compare(codes: np.ndarray):
    found = class_test(np.random.default_rng(0).normal(size=(8, 3)), codes, n_permutations=3)
    assert np.isnan([found.f, found.p, found.p_corrected]).all()


@pytest.mark.parametrize("array", ["importance/probability", "entropy"])
def test_each_head_of_a_study(study: Study, array: str):
    table = class_test_table(study, array, n_permutations=49, seed=1)
    assert tuple(table) == COLUMNS
    codes = study.images["label"].to_numpy()
    for row in table.to_dict("records"):
        assert row["f"] == pytest.approx(slow_f(study[array][:, row["layer"], row["head"]], codes))
        assert 1 / 50 <= row["p"] <= row["p_corrected"] <= 1
    assert table.equals(class_test_table(study, array, n_permutations=49, seed=1))


def test_images_that_are_not_done_do_not_count(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", n_images=32, finished=False))
    table = class_test_table(study, "entropy", n_permutations=9)
    codes = np.where(study.done_images, study.images["label"], -1)
    expected = [slow_f(study["entropy"][:, layer, head], codes) for layer, head in np.ndindex(2, 3)]
    assert table["f"].to_numpy() == pytest.approx(expected)


def test_whoever_waits_hears_of_every_permutation_and_can_stop(study: Study):
    heard: list[int] = []
    class_test_table(study, "entropy", n_permutations=5, on_step=heard.append)
    assert heard == [0, 1, 2, 3, 4]
    with pytest.raises(IndexError):
        class_test_table(study, "entropy", n_permutations=5, on_step=[0, 1].__getitem__)
