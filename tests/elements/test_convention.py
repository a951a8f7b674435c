"""What holds for every element: static, linked, as a table, composed and saved."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import holoviews as hv
import pandas as pd
import pytest
from bokeh.models import Plot
from holoviews.streams import Tap

from tests.fakes import FakeModel
from vitpanel import Selection, brush, elements
from vitpanel.errors import ChoiceError, InferenceError, StudyIncompleteError, VitpanelError
from vitpanel.study.reader import Study

OF_STUDY = ("importance_curve", "head_ranking", "head_scatter", "strength_bars", "measure_distribution")
OF_MODEL = (
    "mode_bars",
    "prediction_bars",
    "attention_heatmap",
    "attention_histogram",
    "token_lines",
    "attention_masks",
)
OF_BRUSH = ("token_shares",)
ALL = (*OF_STUDY, *OF_MODEL, *OF_BRUSH)
TOKENS = brush.PatchBlock((1, 2), (0, 1))


@pytest.fixture
def make(study: Study, model: FakeModel) -> Callable[..., Any]:
    """Make an element of the study by its name, with the fake model where it needs one."""

    def element(name: str, selection: Selection | None = None, **options: Any) -> Any:
        needs = {} if name in OF_STUDY else {"live": model}
        needs |= {"tokens": TOKENS} if name in OF_BRUSH else {}
        return getattr(elements, name)(study, selection, **needs | options)

    return element


@pytest.mark.parametrize("name", ALL)
def test_a_study_alone_gives_a_picture_that_does_not_change(make: Callable[..., Any], plot: Any, name: str):
    element = make(name)
    assert isinstance(element, hv.Overlay)
    assert plot(element).state.title.text


@pytest.mark.parametrize("name", ALL)
def test_a_selection_gives_a_picture_that_follows_it(make: Callable[..., Any], plot: Any, study: Study, name: str):
    selection = Selection(study, image=3)
    element = make(name, selection)
    assert isinstance(element, hv.DynamicMap)
    figure = plot(element).state
    before = figure.title.text
    selection.param.update(image=5, layer=1 - selection.layer)
    assert figure.title.text != before
    assert figure.title.text == plot(make(name, selection)).state.title.text


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_written_before_a_person_acts(make: Callable[..., Any], plot: Any, study: Study, name: str):
    selection = Selection(study, image=3)
    before = selection.param.values()
    plot(make(name, selection))
    assert selection.param.values() == before


@pytest.mark.parametrize("name", ALL)
def test_the_table_is_tidy(make: Callable[..., Any], study: Study, name: str):
    selection = Selection(study, image=3, pinned=[(0, 1)])
    table = make(name, selection, table=True)
    assert isinstance(table, pd.DataFrame)
    assert len(table)
    assert {"layer", "head"} <= set(table.columns)
    if "is_chosen" in table and len(table) == 6 and "is_pinned" in table:
        heads = table[["layer", "head"]].apply(tuple, axis=1)
        assert heads[table["is_chosen"]].tolist() == [selection.chosen_head]
        assert heads[table["is_pinned"]].tolist() == [(0, 1)]


@pytest.mark.parametrize("name", ALL)
def test_elements_are_composed_and_restyled(make: Callable[..., Any], plot: Any, study: Study, name: str):
    selection = Selection(study, image=3)
    layout = make(name, selection) * hv.HLine(0.05) + make(name).opts(title="mine", backend="bokeh")
    assert isinstance(layout, hv.Layout)
    figures = {figure.title.text: figure for figure in plot(layout.cols(1)).state.select({"type": Plot})}
    assert "mine" in figures
    assert len(figures) == 2


@pytest.mark.parametrize("name", ALL)
def test_an_option_stays_whatever_is_chosen(make: Callable[..., Any], study: Study, name: str):
    selection = Selection(study, image=3)
    fixed = make(name, selection, image=7, table=True)
    selection.image = 9
    pd.testing.assert_frame_equal(make(name, selection, image=7, table=True), fixed)


@pytest.mark.parametrize("name", ALL)
def test_an_image_that_the_study_does_not_have_is_refused(make: Callable[..., Any], name: str):
    with pytest.raises(ChoiceError, match="no image 12"):
        make(name, image=12)


def test_a_metric_that_does_not_exist_is_refused_with_those_that_do(make: Callable[..., Any]):
    with pytest.raises(ChoiceError, match="metric='importance' cannot be chosen") as caught:
        make("importance_curve", metric="importance")
    assert "jsd" in caught.value.hint


@pytest.mark.parametrize("name", OF_MODEL)
def test_without_a_model_an_element_says_so_at_once(study: Study, name: str):
    for selection in (None, Selection(study, image=3)):
        with pytest.raises(InferenceError, match="live model") as caught:
            getattr(elements, name)(study, selection, live=False)
        assert "precompute --modes" in caught.value.hint


@pytest.mark.parametrize("name", OF_MODEL)
def test_without_an_image_the_title_says_what_is_missing_until_one_is_chosen(
    make: Callable[..., Any], plot: Any, study: Study, name: str
):
    selection = Selection(study, image=None)
    figure = plot(make(name, selection)).state
    assert "of one image" in figure.title.text
    selection.image = 2
    assert "image 2" in figure.title.text


def test_what_a_study_lacks_is_an_error_or_the_title(unfinished: Study, plot: Any):
    selection = Selection(unfinished, image=11)
    with pytest.raises(StudyIncompleteError, match="no probability for image 11"):
        elements.importance_curve(unfinished, image=11)
    figure = plot(elements.importance_curve(unfinished, selection)).state
    assert "no probability for image 11" in figure.title.text
    selection.image = 1
    assert figure.title.text == "Importance by Probability, image 1"


def test_one_change_asks_the_model_once_for_all_layers(study: Study, plot: Any):
    model, selection = FakeModel(study.spec), Selection(study, image=3)
    plot(elements.token_lines(study, selection, live=model))
    asked = model.n_asked
    selection.image = 4
    assert model.n_asked == asked + 1
    selection.threshold = 0.2
    assert model.n_asked == asked + 1


def test_a_choice_in_one_element_moves_another(make: Callable[..., Any], plot: Any, study: Study):
    selection = Selection(study, image=3)
    tapped, other = plot(make("head_scatter", selection)), plot(make("strength_bars", selection)).state
    streams = [s for each in tapped.traverse(lambda p: p) for c in getattr(each, "callbacks", []) for s in c.streams]
    tap = next(stream for stream in streams if isinstance(stream, Tap))
    table = make("head_scatter", selection, table=True)
    row = table[(table["layer"] == 1) & (table["head"] == 2)].iloc[0]
    tap.event(x=1.2, y=row["entropy"])
    assert selection.chosen_head == (1, 2)
    assert other.title.text.startswith("L1 H2")


def test_static_points_can_be_linked_by_holoviews_itself(make: Callable[..., Any], plot: Any):
    linked = hv.link_selections(make("head_scatter").Points.I + make("head_ranking").Points.I)
    plot(linked)


def test_names_are_functions_whatever_was_imported_before():
    import vitpanel.elements.importance  # noqa: F401

    assert all(callable(getattr(elements, name)) for name in ALL)
    assert set(ALL) <= set(dir(elements))
    with pytest.raises(AttributeError, match="no attribute 'head_table'"):
        _ = elements.head_table


def test_an_element_is_saved_as_a_page_that_needs_no_network(make: Callable[..., Any], tmp_path: Path):
    elements.save(make("importance_curve"), tmp_path / "curve.html")
    page = (tmp_path / "curve.html").read_text("utf-8")
    assert "Importance by Probability" in page
    assert not re.findall(r"<(?:link|script|img)[^>]*(?:src|href)=.https?:[^>]*>", page)
    with pytest.raises(VitpanelError, match="cannot be written"):
        elements.save(make("importance_curve"), tmp_path / "curve.pdf")
