import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.state.image_groups import NO_LABEL, NO_PREDICTION, class_order, image_groups
from vitpanel.study.reader import open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("groups") / "a.study", n_images=60))


def names_of(groups):
    return [groups.names[code] for code in groups.codes]


def test_labels_and_predictions_in_the_order_of_the_class_head(study):
    groups = image_groups(study, "label")
    assert groups.names == (*study.class_names, NO_LABEL)
    assert names_of(groups) == [name or NO_LABEL for name in study.images["label_name"]]
    groups = image_groups(study, "predicted")
    assert groups.names == study.class_names
    assert names_of(groups) == study.images["predicted_name"].tolist()
    assert class_order(study) == study.class_names


def test_right_and_wrong(study):
    expected = [
        "cannot be judged" if row.label < 0 else "right" if row.label == row.predicted else "wrong"
        for row in study.images.itertuples()
    ]
    assert names_of(image_groups(study, "correct")) == expected


def test_images_that_are_not_done(tmp_path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", finished=False))
    assert names_of(image_groups(study, "predicted"))[10:] == [NO_PREDICTION] * 2
    assert names_of(image_groups(study, "correct"))[10:] == ["cannot be judged"] * 2
