"""Means over a study, and of how many images they are."""

from pathlib import Path

import numpy as np

from tests.study_runs import begun
from tests.synthetic import write_synthetic_block, write_synthetic_study
from vitpanel.study.means import coverage_words, importance_mean
from vitpanel.study.reader import open_study


def test_a_mean_says_of_which_images_it_is(tmp_path: Path):
    with begun(tmp_path / "a.study") as writer:
        write_synthetic_block(writer, 2)
    study = open_study(tmp_path / "a.study")
    names = study.images["label_name"].to_numpy()
    classes = len(set(names[10:]) - {""})
    assert coverage_words(study) == f"2 of 12 images, {classes} of 3 classes so far"
    found = importance_mean(study, "jsd")
    assert found.words == f"over {coverage_words(study)}"
    np.testing.assert_allclose(found.mean, study["importance/jsd"][10:].mean(0), rtol=1e-5)


def test_a_mean_over_all_images_needs_no_words(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study"))
    assert coverage_words(study) == ""
    assert importance_mean(study, "jsd").words == ""


def test_images_without_labels_are_counted_alone(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", n_classes=0, finished=False))
    assert coverage_words(study) == "10 of 12 images so far"
