"""A number of a head on every image, held against slow definitions."""

from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.errors import StudyIncompleteError
from vitpanel.state.image_groups import NUMBERS
from vitpanel.state.queries.image_numbers import PERCENTS, ImageNumbers, image_numbers, percentile_table
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study, open_study


@pytest.mark.parametrize("colouring", NUMBERS)
def test_each_image_has_the_number_of_the_chosen_head(study: Study, colouring: str):
    selection = Selection(layer=1, head=2, metric="jsd")
    found = image_numbers(study, selection, colouring)
    array = "importance/jsd" if colouring == "importance" else colouring
    assert found.per_image.tolist() == [float(study[array][image, 1, 2]) for image in range(study.n_images)]
    assert found.low <= np.median(found.known) <= found.high
    assert "L1 H2" in found.title
    assert not found.is_signed


def test_a_metric_with_a_sign_has_zero_in_the_middle(study: Study):
    found = image_numbers(study, Selection(metric="probability"), "importance")
    assert found.is_signed
    assert found.low == -found.high < 0
    assert found.name == "importance_probability"
    zero = ImageNumbers("a", "A", "", np.array([0.0, -9, 9, np.nan]), -2, 2, is_signed=True)
    assert zero.places.tolist()[:3] == [0.5, 0, 1]
    assert np.isnan(zero.places[3])


def test_units_are_said_where_there_are_any(study: Study):
    units = [image_numbers(study, Selection(metric="jsd"), colouring).unit for colouring in NUMBERS]
    assert units == ["bits", "", "patches"]


def test_equal_numbers_are_in_the_middle():
    equal = ImageNumbers("a", "A", "", np.array([3.0, np.nan, 3]), 3.0, 3.0, is_signed=False)
    assert equal.places[[0, 2]].tolist() == [0.5, 0.5]
    assert np.isnan(equal.places[1])


def test_images_that_are_not_done_have_none(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", finished=False))
    found = image_numbers(study, Selection(), "entropy")
    assert np.isnan(found.per_image).tolist() == (~study.done_images).tolist()
    assert len(found.known) == study.n_done


def test_what_the_study_lacks_is_said(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", n_classes=0))
    with pytest.raises(StudyIncompleteError, match="class"):
        image_numbers(study, Selection(metric="probability"), "importance")


def test_images_at_shares_of_the_order(rng: np.random.Generator):
    values = rng.normal(size=500)
    values[::7] = np.nan
    known = sorted((value, image) for image, value in enumerate(values) if not np.isnan(value))
    expected = [known[round(percent / 100 * (len(known) - 1))] for percent in PERCENTS]
    table = percentile_table(values)
    assert table["percent"].tolist() == list(PERCENTS)
    assert list(zip(table["value"], table["image"], strict=True)) == expected


def test_few_images_stand_for_several_shares_and_none_for_none():
    assert percentile_table(np.array([np.nan, 2.0, 1.0, 1.0]))["image"].tolist() == [2, 2, 3, 1, 1]
    assert percentile_table(np.array([np.nan])).empty
