"""Classes of images by what each head does for them."""

import math
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.errors import ChoiceError
from vitpanel.state.queries.class_statistics import (
    COLUMNS,
    class_codes,
    class_matrix,
    class_table,
    clustered_order,
    group_means,
)
from vitpanel.study.reader import Study, open_study


def test_means_of_groups_one_by_one():
    rng = np.random.default_rng(0)
    values = rng.beta(1, 6, (2500, 5)).astype(np.float32)
    values[rng.random(values.shape) < 0.1] = np.nan
    values[:, 4] = np.nan
    codes = rng.integers(-1, 4, 2500)
    codes[codes == 2] = 0
    mean, n = group_means(values, codes, 4)
    for group, column in np.ndindex(4, 5):
        known = [float(value) for value in values[codes == group, column] if not math.isnan(value)]
        assert n[group, column] == len(known)
        assert mean[group, column] == pytest.approx(np.mean(known) if known else np.nan, nan_ok=True)


@pytest.mark.parametrize("array", ["importance/probability", "importance/jsd", "entropy", "distance"])
def test_each_class_and_head_of_a_study_that_is_not_finished(tmp_path: Path, array: str):
    study = open_study(write_synthetic_study(tmp_path / "a.study", n_images=32, finished=False))
    labels, done = study.images["label_name"], study.done_images
    table = class_table(study, array)
    assert tuple(table) == COLUMNS
    assert len(table) == 3 * 6
    for row in table.to_dict("records"):
        values = study[array][(labels == row["class"]) & done, row["layer"], row["head"]].astype(float)
        assert row["n"] == len(values)
        assert row["mean"] == pytest.approx(values.mean())
    found = class_matrix(study, array)
    assert found.classes == tuple(study.class_names)
    in_order = table.sort_values(["class_place", "head_place"])["mean"].to_numpy().reshape(3, 6)
    assert in_order == pytest.approx(found.mean[found.class_order][:, found.head_order])


def test_images_without_a_label_are_of_no_class(study: Study):
    classes, codes = class_codes(study, "entropy")
    names = [classes[code] if code >= 0 else "" for code in codes]
    assert names == study.images["label_name"].tolist()


def test_a_study_without_labels_has_no_classes(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", n_classes=0))
    assert class_table(study, "entropy").empty
    with pytest.raises(ChoiceError, match="no number for each head"):
        class_matrix(study, "strength")


def path_length(rows: np.ndarray, order: tuple[int, ...] | np.ndarray) -> float:
    return sum(float(np.linalg.norm(rows[i] - rows[j])) for i, j in pairwise(order))


def test_alike_rows_are_side_by_side():
    rng = np.random.default_rng(0)
    middles, kind = 10 * rng.normal(size=(4, 6)), rng.integers(0, 4, 40)
    order = clustered_order(middles[kind] + 0.1 * rng.normal(size=(40, 6)))
    assert sorted(order) == list(range(40))
    assert np.count_nonzero(np.diff(kind[order])) == 3


def test_no_order_of_points_on_a_line_is_shorter():
    rows = np.random.default_rng(1).normal(size=(6, 1))
    shortest = min(path_length(rows, order) for order in permutations(range(6)))
    assert path_length(rows, clustered_order(rows)) == pytest.approx(shortest)


def test_rows_that_are_not_known_come_last_and_gaps_do_not_matter():
    rows = np.array([[9.0, 1, np.nan], [np.nan] * 3, [1, np.nan, np.nan], [9, 1, np.nan], [1, 1, np.nan]])
    order = clustered_order(rows).tolist()
    assert order[-1] == 1
    assert {frozenset(order[:2]), frozenset(order[2:4])} == {frozenset({0, 3}), frozenset({2, 4})}
    assert clustered_order(np.full((3, 2), np.nan)).tolist() == [0, 1, 2]
    assert clustered_order(np.empty((0, 4))).tolist() == []
