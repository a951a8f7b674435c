"""A number of a head on every image, held against slow definitions."""

from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.errors import ChoiceError, StudyIncompleteError
from vitpanel.state.brush import Brush, Ids, InRange
from vitpanel.state.image_groups import HEAD_NUMBERS, NUMBERS
from vitpanel.state.queries.image_numbers import (
    PERCENTS,
    ImageNumbers,
    brush_of_range,
    image_numbers,
    percentile_table,
    shown_colouring,
)
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study, open_study


@pytest.mark.parametrize("colouring", HEAD_NUMBERS)
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
    units = [image_numbers(study, Selection(metric="jsd"), colouring).unit for colouring in HEAD_NUMBERS]
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


def test_the_probability_of_the_label_has_its_whole_scale(study: Study):
    found = image_numbers(study, Selection(), "p_true")
    assert found.per_image.tolist() == study.images["p_true"].tolist()
    assert (found.low, found.high) == (0, 1)
    assert found.places.tolist() == found.per_image.tolist()


def test_a_model_without_classes_has_no_probabilities(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", n_classes=0))
    with pytest.raises(StudyIncompleteError, match="class"):
        image_numbers(study, Selection(), "p_true")


def test_brushed_heads_on_images_are_counted_on_every_image(study: Study):
    selection = Selection(heads=InRange("entropy", low=0.6))
    found = image_numbers(study, selection, "brush")
    for image, n in enumerate(found.per_image):
        assert n == sum(value >= 0.6 for value in study["entropy"][image].ravel().tolist())
    assert (found.low, found.high, found.unit) == (0, found.per_image.max(), "of 6")
    assert found.is_count


@pytest.mark.parametrize("metric", ["jsd", "probability"])
def test_brushed_heads_have_a_mean_importance_on_every_image(study: Study, metric: str):
    heads = ((0, 1), (1, 2), (1, 0))
    found = image_numbers(study, Selection(heads=Ids(heads, "head"), metric=metric), "brush")
    for image, mean in enumerate(found.per_image):
        numbers = [float(study[f"importance/{metric}"][image, layer, head]) for layer, head in heads]
        assert mean == pytest.approx(sum(numbers) / 3)
    assert "3 brushed heads" in found.title
    assert found.is_signed == (metric == "probability")


def test_without_brushed_heads_there_is_no_number_of_them_and_the_label_is_shown(study: Study):
    selection = Selection(colouring="brush")
    with pytest.raises(ChoiceError, match="No heads are brushed"):
        image_numbers(study, selection, "brush")
    assert shown_colouring(selection) == "label"
    selection.heads = Ids(((0, 1),), "head")
    assert shown_colouring(selection) == "brush"
    assert shown_colouring(Selection(colouring="entropy")) == "entropy"


@pytest.mark.parametrize(
    ("colouring", "heads"),
    [
        *((colouring, None) for colouring in ("p_true", *HEAD_NUMBERS)),
        ("brush", Ids(((0, 1), (1, 1)), "head")),
        ("brush", InRange("entropy", low=0.5)),
    ],
)
@pytest.mark.parametrize("has_ends", [(True, True), (True, False), (False, True)])
def test_the_brush_of_a_range_has_the_images_whose_numbers_lie_in_it(
    study: Study, colouring: str, heads: Brush | None, has_ends: tuple[bool, bool]
):
    selection = Selection(layer=1, head=1, metric="jsd", heads=heads)
    values = image_numbers(study, selection, colouring).per_image
    ends = [
        np.quantile(values, share) if is_there else None for share, is_there in zip((0.3, 0.8), has_ends, strict=True)
    ]
    low, high = (None if end is None else float(f"{end:.4g}") for end in ends)
    brush = brush_of_range(selection, colouring, low=low, high=high)
    expected = [(low is None or value >= low) and (high is None or value <= high) for value in values.tolist()]
    assert brush.item == "image"
    assert brush.to_mask(study).tolist() == expected
    assert Brush.from_dict(brush.to_dict()) == brush


def test_all_colourings_are_told_in_tables_by_different_names(study: Study):
    selection = Selection(heads=Ids(((0, 1),), "head"))
    names = [image_numbers(study, selection, colouring).name for colouring in NUMBERS]
    assert len(set(names)) == len(NUMBERS)


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
