"""The live model that elements and views of a notebook share, with a real model."""

from pathlib import Path

import numpy as np
import panel as pn
import pytest

import vitpanel
from tests.synthetic import write_synthetic_study
from vitpanel import elements
from vitpanel.app import live_model
from vitpanel.core.regions import PruningMode
from vitpanel.errors import InferenceError
from vitpanel.study.reader import Study, open_study

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def nothing_kept():
    """Begin and end without a model."""
    live_model._kept.clear()
    yield
    live_model._kept.clear()
    pn.state.reset()


def test_with_the_weights_at_hand_a_study_is_all_that_an_element_needs(live_study: Study):
    table = elements.attention_heatmap(live_study, table=True)
    assert table.groupby("source_cell")["value"].sum().to_numpy() == pytest.approx(1, abs=1e-2)
    assert elements.attention_heatmap(live_study)
    selection = vitpanel.Selection(live_study, image=2, layer=1, head=0)
    masks = elements.attention_masks(live_study, selection, token=3, table=True)
    matrix = vitpanel.live_model(live_study).attention(2, 1)[0]
    assert masks["value"].to_numpy() == pytest.approx(matrix[3, live_study.spec.grid.patches])


def test_modes_agree_with_the_importance_in_the_study(live_study: Study):
    for metric in ("jsd", "patch"):
        table = elements.mode_bars(live_study, metric=metric, image=3, layer=1, head=1, table=True)
        of_head = table[table["mode"] == PruningMode.HEAD]["value"].iloc[0]
        assert of_head == pytest.approx(float(live_study[f"importance/{metric}"][3, 1, 1]), abs=1e-5)
    classes = elements.prediction_bars(live_study, image=3, mode=0, table=True)
    assert np.allclose(classes["probability"], classes["unpruned"])


def test_views_and_elements_share_one_model(live_study: Study):
    explorer = vitpanel.explore(live_study, views="attention-detail")
    model = vitpanel.live_model(live_study)
    elements.attention_heatmap(live_study, explorer.selection)
    assert vitpanel.live_model(live_study) is model
    assert model.is_loaded
    explorer.close()


def test_weights_that_were_named_once_are_those_of_the_study(live_study: Study, tmp_path: Path):
    named = vitpanel.live_model(live_study, checkpoint=tmp_path / "mine.safetensors")
    assert vitpanel.live_model(live_study) is named
    with pytest.raises(InferenceError, match=r"mine\.safetensors"):
        elements.attention_heatmap(live_study)


def test_a_study_whose_weights_are_not_known_says_how_to_name_them(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study"))
    for selection in (None, vitpanel.Selection(study, image=1)):
        with pytest.raises(InferenceError, match="not among those") as caught:
            elements.token_lines(study, selection)
        assert "vitpanel.explore(study, checkpoint=FILE)" in caught.value.hint
