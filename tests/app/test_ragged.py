"""A study of a model whose layers have different numbers of heads, from precompute to what a session says."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import vitpanel
from tests.app.test_notebook import Cell
from tests.ragged_vit import write_ragged
from tests.tiny_vit import CLASSES, write_images
from vitpanel.app.inference import ModelService
from vitpanel.app.session_inference import SessionInference
from vitpanel.errors import VitpanelError
from vitpanel.pipeline.precompute import Recipe, precompute
from vitpanel.pipeline.progress import Progress
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study
from vitpanel.study.summary import describe
from vitpanel.study.verify import verify_study
from vitpanel.views.figures.importance_line import importance_columns
from vitpanel.views.registry import views as known_views

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ragged")
    _, checkpoint = write_ragged(root)
    images = write_images(root / "photos", n_per_class=2)
    recipe = Recipe(
        images=images, out=root / "x.study", checkpoint=checkpoint, class_names=CLASSES, latent_dim=4, modes=True
    )
    return precompute(recipe, progress=Progress(is_shown=False)).path


@pytest.fixture
def study(path: Path) -> Study:
    return open_study(path)


def test_arrays_have_nan_where_there_is_no_head_and_nowhere_else(study: Study):
    assert study.spec.heads == (2, 3)
    for name in study.names:
        array = study[name]
        if array.shape[1:3] != (2, 3):
            continue
        gone, there = array[:, 0, 2], array[:, study.spec.is_there]
        assert np.isnan(gone).all() if array.dtype.kind == "f" else not gone.any(), name
        assert np.isfinite(there).all(), name
    assert not verify_study(study.path).damages


def test_a_head_that_is_not_there_comes_last_is_not_chosen_and_not_pinned(study: Study):
    session = Session(study)
    assert sorted(session.ranking().order) == [0, 1, 3, 4, 5]
    assert all((0, 2) not in session.heads_by(order) for order in ("layer", "entropy", "importance"))
    session.selection.choose_head(1, 2)
    session.selection.choose_head(0, 2)
    assert session.chosen_head == (0, 1)
    session.selection.choose_head(1, 2)
    session.selection.layer = 0
    assert session.chosen_head == (0, 1)
    with pytest.raises(VitpanelError, match="no layer 0 head 2") as caught:
        session.selection.pin(0, 2)
    assert "heads 0 to 1" in caught.value.hint
    columns = importance_columns(session.importance_curve())
    assert np.isnan(columns["mean"][2])
    assert np.isfinite(np.delete(columns["mean"], 2)).all()


def test_its_words_say_how_many_heads_layers_have(study: Study):
    assert "2 layers × 2 to 3 heads" in describe(study)


def test_the_live_model_answers_for_heads_that_are_there(study: Study):
    service = ModelService(study)
    heard: list = []
    inference = SessionInference(service)
    inference.modes(1, 0, 1, heard.append)
    assert heard[-1].value.layer["patch"][1] == pytest.approx(study["importance/patch"][1, 0, 1], abs=1e-5)
    inference.attention(1, 0, heard.append)
    assert heard[-1].value[1].shape == (17, 17)
    inference.atlas(1, heard.append)
    atlas = heard[-1].value
    assert atlas.shape[:2] == (2, 3)
    assert not atlas[0, 2].any()
    assert ("modes", 1, 0, 2) not in service._beside(("modes", 1, 0, 1))


def test_all_views_show_it_and_say_how_many_heads_there_are(study: Study):
    views: Any = Cell(vitpanel.explore(study, live=False)).explorer.views
    assert set(views) == set(known_views())
    assert views["head-importance"].curve.figure.xaxis.axis_label == "layer (2 to 3 heads each)"
    atlas = views["attention-detail"].atlas
    labels = atlas._labels()
    assert labels[2] == ["L0 H2", "layer 0 head 2 · none"]
    assert "rank 5 of 5" in "".join(text for _, text in labels)
    atlas.switch.value = True
    assert sorted(atlas.strip.order) == [0, 1, 3, 4, 5]
    for place, chosen in ((5, (1, 2)), (1, (0, 1)), (4, (1, 1)), (2, (1, 1))):
        atlas._on_message(SimpleNamespace(data={"choose": place}))
        assert atlas.session.chosen_head == chosen


def test_a_layer_that_lacks_the_chosen_head_is_one_step_back(study: Study):
    selection = vitpanel.Selection(study, layer=1, head=2)
    selection.layer = 0
    assert selection.chosen_head == (0, 1)
    assert len(selection.history.choices) == 2
    selection.undo()
    assert selection.chosen_head == (1, 2)
