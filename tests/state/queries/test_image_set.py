"""A set of images against others."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.errors import ChoiceError, StudyError
from vitpanel.state.brush import Ids, OfClass, Predicted, mask_of
from vitpanel.state.queries.image_set import SET_COLUMNS, describe_set, set_table
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study

ARRAYS = ["importance/probability", "importance/jsd", "importance/cls", "importance/patch", "entropy", "distance"]
SET, OTHERS = {0, 1, 2, 5, 6, 7}, {2, 3, 4, 9, 13}


@pytest.fixture(scope="module")
def half_done(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study of whose images some have no label and the last block is missing."""
    path = tmp_path_factory.mktemp("image_set") / "a.study"
    return open_study(write_synthetic_study(path, n_images=18, finished=False))


def mask_from(study: Study, images: set[int]) -> np.ndarray:
    return np.isin(np.arange(study.n_images), list(images))


def known(study: Study, array: str, images: set[int], head: tuple[int, int]) -> list[float]:
    """Numbers of a head on those images that count: done, and with a label where the metric is of the label."""
    labels, values = study.images["label"].to_numpy(), study[array]
    numbers = [float(values[(i, *head)]) for i in sorted(images) if array != ARRAYS[0] or labels[i] >= 0]
    return [number for number in numbers if not math.isnan(number)]


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("others", [None, OTHERS])
def test_each_head_by_a_slow_definition(half_done: Study, array: str, others: set[int] | None):
    everyone = set(range(half_done.n_images))
    marked = None if others is None else mask_from(half_done, others)
    table = set_table(half_done, mask_from(half_done, SET), array, others=marked)
    rest = everyone - SET if others is None else others
    assert tuple(table) == SET_COLUMNS
    assert list(zip(table["layer"], table["head"], strict=True)) == [(i, j) for i in range(2) for j in range(3)]
    for row in table.to_dict("records"):
        head = row["layer"], row["head"]
        for name, own, against in (("set", SET, rest), ("rest", rest, SET)):
            numbers = known(half_done, array, own - against, head)
            assert row[f"n_{name}"] == len(numbers)
            assert row[f"left_out_{name}"] == len(own) - len(numbers)
            assert row[f"mean_{name}"] == pytest.approx(np.mean(numbers))
            assert row[f"std_{name}"] == pytest.approx(np.std(numbers))
        one, other = known(half_done, array, SET - rest, head), known(half_done, array, rest - SET, head)
        pooled = (np.var(one) * len(one) + np.var(other) * len(other)) / (len(one) + len(other) - 2)
        standardised = (np.mean(one) - np.mean(other)) / math.sqrt(pooled)
        assert row["effect"] == pytest.approx(standardised * (1 - 3 / (4 * (len(one) + len(other)) - 9)))
        assert row["effect_low"] < row["effect"] < row["effect_high"]


def test_what_is_left_of_the_probability_as_it_is_drawn(half_done: Study):
    mask, array = mask_from(half_done, SET), "importance/probability"
    drop, left = set_table(half_done, mask, array), set_table(half_done, mask, array, as_drawn=True)
    counted = [i for i in sorted(SET) if half_done.images["label"].iloc[i] >= 0]
    p_true = half_done.images["p_true"].to_numpy()[counted]
    expected = (p_true[:, None, None] - half_done[array][counted]).mean(0).ravel()
    assert left["mean_set"].to_numpy() == pytest.approx(expected, abs=1e-6)
    assert left["n_set"].tolist() == drop["n_set"].tolist() == [len(counted)] * 6
    jsd = [set_table(half_done, mask, "importance/jsd", as_drawn=drawn) for drawn in (False, True)]
    assert jsd[1].equals(jsd[0])


@pytest.mark.parametrize("images", [set(), {3}, set(range(18))])
def test_sets_that_have_no_effect_size_have_their_means(half_done: Study, images: set[int]):
    table = set_table(half_done, mask_from(half_done, images), "entropy")
    assert table["effect"].isna().to_numpy().all()
    assert table["mean_set"].isna().to_numpy().all() == (not images)
    assert table["mean_rest"].isna().to_numpy().all() == (len(images) == 18)


def test_what_a_study_does_not_have_is_refused(half_done: Study):
    mask = mask_from(half_done, SET)
    with pytest.raises(ChoiceError, match="no number for each head"):
        set_table(half_done, mask, "strength")
    with pytest.raises(StudyError, match="no array 'importance/charm'"):
        set_table(half_done, mask, "importance/charm")


def test_a_set_is_described_by_counting(study: Study):
    images = study.images
    found = describe_set(study, np.ones(study.n_images, bool))
    counts = images["label_name"].value_counts()
    assert dict(found.classes) == {name: counts[name] for name in study.class_names if name in counts}
    assert [count for _, count in found.classes] == sorted((count for _, count in found.classes), reverse=True)
    assert found.n_without_label == (images["label"] < 0).sum() == 1
    right = [row["label"] == row["predicted"] for row in images.to_dict("records") if row["label"] >= 0]
    assert (found.n_judged, found.n_right) == (len(right), sum(right))
    assert found.accuracy == pytest.approx(np.mean(right))
    assert found.parts[0] == "12 of 12 images"
    assert found.parts[1].endswith(", 1 without a label")
    assert found.parts[2] == f"{np.mean(right):.0%} of the 11 that can be judged predicted right"


def test_a_set_of_one_class_and_of_none(study: Study):
    found = describe_set(study, mask_of(study, OfClass("class 0")))
    assert found.classes == (("class 0", found.n),)
    assert (found.n_other_classes, found.n_without_label) == (0, 0)
    nothing = describe_set(study, np.zeros(study.n_images, bool))
    assert nothing.parts == ("0 of 12 images",)
    assert math.isnan(nothing.accuracy)


def test_classes_beyond_the_third_are_counted(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", n_images=40, n_classes=6))
    found = describe_set(study, np.ones(40, bool))
    counts = study.images.loc[study.images["label"] >= 0, "label_name"].value_counts()
    assert found.n_other_classes == 3
    assert found.n_of_other_classes == counts.iloc[3:].sum()
    assert f"{found.n_of_other_classes} of 3 other classes" in found.parts[1]


def test_a_model_without_classes_has_sets_too(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", n_classes=0))
    found = describe_set(study, mask_from(study, SET))
    assert found.parts == ("6 of 12 images", "6 without a label")
    assert set_table(study, mask_from(study, SET), "importance/patch")["n_set"].tolist() == [6] * 6


def effects(session: Session) -> pd.DataFrame:
    table = session.set_against_rest(as_drawn=False)
    assert table is not None
    return table


def test_brushed_images_are_held_against_those_of_a_kept_brush(half_done: Study):
    selection = Selection(half_done, metric="jsd", images=Ids(tuple(sorted(SET))))
    session = Session(half_done, selection=selection)
    mask, others = mask_from(half_done, SET), mask_from(half_done, OTHERS)
    against_rest = set_table(half_done, mask, "importance/jsd")
    pd.testing.assert_frame_equal(effects(session), against_rest)
    selection.keep("others", Ids(tuple(sorted(OTHERS))))
    selection.hold_against("others")
    expected = set_table(half_done, mask, "importance/jsd", others=others)
    pd.testing.assert_frame_equal(effects(session), expected)
    assert not expected["effect"].equals(against_rest["effect"])
    selection.forget("others")
    assert selection.against is None
    pd.testing.assert_frame_equal(effects(session), against_rest)


def test_only_kept_brushes_of_images_are_held_against(half_done: Study):
    selection = Selection(half_done)
    selection.keep("heads", Ids(((0, 1),), "head"))
    for name in ("heads", "nobody"):
        with pytest.raises(ChoiceError, match=name):
            selection.hold_against(name)
        selection.against = name
        assert selection.against is None
    for name in ("", " ", "x" * 31):
        with pytest.raises(ChoiceError):
            selection.keep(name, Predicted())
    selection.keep("x" * 30, Predicted())
