"""Brushes of images by what the model makes of them."""

import math
from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.errors import BrushError
from vitpanel.state.brush import Brush, Ids, OfHead, Predicted, brush_of_group
from vitpanel.state.image_groups import COLOURINGS, image_groups
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Some images have no label, the last ones are not done."""
    path = tmp_path_factory.mktemp("of_images") / "a.study"
    return open_study(write_synthetic_study(path, n_images=30, finished=False))


def test_right_and_wrong_one_by_one(study: Study):
    right, wrong = Predicted().to_mask(study), Predicted(right=False).to_mask(study)
    for image, row in enumerate(study.images.to_dict("records")):
        is_judged = row["label"] != -1 and row["predicted"] != -1
        assert right[image] == (is_judged and row["label"] == row["predicted"])
        assert wrong[image] == (is_judged and row["label"] != row["predicted"])
    assert right.any()
    assert wrong.any()


@pytest.mark.parametrize(("low", "high"), [(None, None), (0.05, None), (None, 0.3), (0.05, 0.3)])
@pytest.mark.parametrize("name", ["importance/probability", "importance/jsd"])
def test_a_range_of_one_head_one_by_one(study: Study, name: str, low: float | None, high: float | None):
    expected = []
    for of_image in study[name]:
        value = float(of_image[1, 2])
        is_in = (low is None or value >= low) and (high is None or value <= high)
        expected.append(is_in and not math.isnan(value))
    mask = OfHead(name, 1, 2, low, high).to_mask(study)
    assert mask.tolist() == expected
    assert mask.any()


def test_a_head_that_a_study_does_not_have_marks_no_image(study: Study):
    mask = OfHead("entropy", 1, 9).to_mask(study)
    assert mask.shape == (30,)
    assert not mask.any()


@pytest.mark.parametrize("brush", [Predicted(), Predicted(right=False), OfHead("entropy", 1, 2, low=0.5)])
def test_the_way_there_and_back(brush: Brush):
    assert Brush.from_dict(brush.to_dict()) == brush
    assert brush.item == "image"


def test_sentences_can_be_read():
    assert Predicted(right=False).words == "images that are predicted wrong"
    assert OfHead("entropy", 1, 2, 0.5, 0.75).words == (
        "images on which entropy of layer 1 head 2 is at least 0.5 and at most 0.75"
    )


def test_what_is_no_set_is_refused(study: Study):
    with pytest.raises(BrushError, match="not predicted 'perhaps'"):
        Brush.from_dict({"kind": "Predicted", "right": "perhaps"})
    with pytest.raises(BrushError, match="is not a head"):
        Brush.from_dict({"kind": "OfHead", "name": "entropy", "layer": "first", "head": 0})
    with pytest.raises(BrushError, match="no number for each head"):
        OfHead("strength", 0, 0).to_mask(study)


def test_both_meet_other_brushes(study: Study):
    both = Predicted() & OfHead("entropy", 0, 0, high=0.5)
    expected = Predicted().to_mask(study) & OfHead("entropy", 0, 0, high=0.5).to_mask(study)
    assert np.array_equal(both.to_mask(study), expected)


def test_a_model_without_classes_predicts_nothing(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", n_classes=0))
    assert not Predicted().to_mask(study).any()
    assert not Predicted(right=False).to_mask(study).any()


@pytest.mark.parametrize("colouring", COLOURINGS)
def test_the_brush_of_a_group_is_the_group_and_says_what_it_is(study: Study, colouring: str):
    groups = image_groups(study, colouring)
    for group, name in enumerate(groups.names):
        brush = brush_of_group(groups, group, colouring)
        assert np.array_equal(brush.to_mask(study), groups.codes == group)
        assert name in brush.words or isinstance(brush, Ids)
