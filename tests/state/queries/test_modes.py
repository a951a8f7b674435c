"""Pruning modes and predictions of the chosen head."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import FakeModel
from tests.synthetic import write_synthetic_study
from vitpanel.core.pruned_head import PrunedHead
from vitpanel.errors import ChoiceError, InferenceError, StudyIncompleteError
from vitpanel.state.live import attention_of, modes_of
from vitpanel.state.online import Online
from vitpanel.state.pins import pinned_head
from vitpanel.state.queries.modes import CLASS_COLUMNS, MODE_COLUMNS, class_table, mode_table, reference_class
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study


@pytest.fixture
def selection(study: Study) -> Selection:
    return Selection(study, image=3, layer=1, head=2, mode=4)


def test_a_metric_under_the_six_modes(study: Study, selection: Selection):
    pruned = modes_of(study, selection, FakeModel(study.spec))
    table = mode_table(study, selection, pruned)
    label = study.images["label"].iloc[3]
    assert pruned.probabilities is not None
    changes = pruned.probabilities[:, label] - pruned.probabilities[0, label]
    assert tuple(table) == MODE_COLUMNS
    assert table["value"].to_numpy() == pytest.approx(pruned.probabilities[:, label], abs=1e-6)
    assert table["change"].to_numpy() == pytest.approx(changes, abs=1e-6)
    assert table["is_chosen"].tolist() == [False] * 4 + [True, False]
    assert mode_table(study, selection.but(metric="patch"), pruned)["value"].to_numpy() == pytest.approx(
        pruned.drawn("patch", label)
    )


def test_an_image_without_a_label_is_judged_by_its_top_class(study: Study, selection: Selection):
    selection.image = 6
    assert study.images["label"].iloc[6] == -1
    pruned = modes_of(study, selection, FakeModel(study.spec))
    assert pruned.probabilities is not None
    expected = pruned.probabilities[:, study.images["predicted"].iloc[6]]
    assert mode_table(study, selection, pruned)["value"].to_numpy() == pytest.approx(expected, abs=1e-6)


def test_an_image_of_no_known_class_has_no_value_of_a_metric_that_speaks_of_one(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", n_images=14, finished=False))
    image = int(np.flatnonzero((study.images["label"] < 0) & (study.images["predicted"] < 0))[0])
    selection = Selection(study, image=image, layer=1, head=2)
    pruned = FakeModel(study.spec).modes(image, 1, 2)
    assert reference_class(study, image) is None
    for metric in ("probability", "accuracy"):
        assert np.isnan(mode_table(study, selection.but(metric=metric), pruned)["value"]).all()
        assert np.isnan(pinned(study, selection.but(metric=metric), pruned)).all()
    for metric in ("jsd", "cls", "patch"):
        values = mode_table(study, selection.but(metric=metric), pruned)["value"].to_numpy()
        assert values == pytest.approx(pruned.drawn(metric, 0))
        assert pinned(study, selection.but(metric=metric), pruned) == pytest.approx(values)


def pinned(study: Study, selection: Selection, pruned: PrunedHead) -> Any:
    """What is drawn of a pinned head."""
    session = Session(study, selection=selection)
    answer, reference = Online("done", pruned), session.reference_class
    return pinned_head(study, (1, 2), answer, selection=selection, reference_class=reference).modes


def test_a_model_without_classes_has_the_metrics_of_its_layers(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", n_classes=0))
    selection = Selection(study, image=1, layer=1, head=2, metric="patch")
    pruned = modes_of(study, selection, FakeModel(study.spec))
    assert mode_table(study, selection, pruned)["value"].to_numpy() == pytest.approx(pruned.layer["patch"])
    assert np.isnan(mode_table(study, selection.but(metric="jsd"), pruned)["value"]).all()


def test_the_most_probable_classes_of_a_mode(study: Study, selection: Selection):
    pruned = modes_of(study, selection, FakeModel(study.spec))
    table = class_table(study, selection, pruned)
    assert pruned.probabilities is not None
    order = np.argsort(-pruned.probabilities[4])
    assert tuple(table) == CLASS_COLUMNS
    assert table["class"].tolist() == [study.class_names[index] for index in order]
    assert table["unpruned"].to_numpy() == pytest.approx(pruned.probabilities[0][order])
    assert table["class"][table["true_class"]].tolist() == [study.images["label_name"].iloc[3]]


def test_a_model_without_classes_predicts_nothing(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", n_classes=0))
    selection = Selection(study, image=1)
    with pytest.raises(StudyIncompleteError, match="no class head"):
        class_table(study, selection, modes_of(study, selection, FakeModel(study.spec)))


def test_what_is_asked_of_a_model_needs_an_image_and_a_model(study: Study, selection: Selection):
    for ask in (attention_of, modes_of):
        with pytest.raises(InferenceError, match="off here"):
            ask(study, selection, None)
        with pytest.raises(ChoiceError, match="of one image"):
            ask(study, selection.but(image=None), FakeModel(study.spec))
