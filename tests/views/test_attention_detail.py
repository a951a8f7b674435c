"""D2 to D5 without a browser."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vitpanel.drawing.display import share_above, strongest_links, threshold_value
from vitpanel.state.brush import Ids, PatchBlock, mask_of
from vitpanel.state.online import NO_MODEL
from vitpanel.state.session import Session
from vitpanel.views.attention_detail import AttentionDetail
from vitpanel.views.bridge import Bridge
from vitpanel.views.controls import WRONG
from vitpanel.views.figures.image_masks import NEUTRAL


@pytest.fixture
def view(make_session: Callable[..., Session]):
    return AttentionDetail(make_session(), Bridge())


def matrix_of(view: Any):
    return view.session.attention.value


def test_the_matrix_is_sent_once_with_all_that_is_drawn(view: Any):
    head = {name: column[0] for name, column in view.pictures.head.data.items()}
    assert np.array_equal(head["matrix"], matrix_of(view))
    assert head["matrix"].dtype == np.float32
    assert head["pooled"].size == 0
    assert np.array_equal(head["links"], strongest_links(matrix_of(view)))
    assert head["threshold_value"] == threshold_value(matrix_of(view), 0.01)


def test_pictures_follow_head_and_image(view: Any):
    view.session.selection.choose_head(1, 2)
    assert np.array_equal(view.pictures.head.data["matrix"][0], view.session.inference.matrices(3, 1)[2])
    assert view._name.object == "L1 H2"
    view.session.selection.image = 5
    assert np.array_equal(view.pictures.head.data["matrix"][0], view.session.inference.matrices(5, 1)[2])
    assert view.pictures.masks.figures["image"].title.text == "image 5"
    assert view.pictures.masks.crop.data["image"][0].shape == view.session.study.spec.image_size


def test_released_bar_sets_the_share(view: Any):
    value = threshold_value(matrix_of(view), 0.2) + 1e-6
    view.pictures.threshold_value.data = {"value": [value]}
    assert view.session.selection.threshold == share_above(matrix_of(view), value)
    expected = threshold_value(matrix_of(view), view.session.selection.threshold)
    assert view.pictures.threshold_value.data["value"] == [expected]


def test_typed_share_moves_the_bar(view: Any):
    view._threshold.value = "25"
    assert view.session.selection.threshold == 0.25
    assert view.pictures.threshold_value.data["value"] == [threshold_value(matrix_of(view), 0.25)]


def test_typed_value_moves_the_bar(view: Any):
    view._unit.value = "value"
    assert view.pictures.options.data["unit"] == ["value"]
    assert view._threshold.value == f"{threshold_value(matrix_of(view), 0.01):.3g}"
    view._threshold.value = "0.05"
    assert view.session.selection.threshold == share_above(matrix_of(view), 0.05)
    lowest = min(value for value in matrix_of(view).ravel() if value >= 0.05)
    assert view.pictures.threshold_value.data["value"] == [lowest]
    assert not view._threshold.css_classes


@pytest.mark.parametrize("text", ["many", "0", "101", "nan", ""])
def test_impossible_share_is_marked(view: Any, text: str):
    view._threshold.value = text
    assert view._threshold.css_classes == WRONG
    assert view.session.selection.threshold == 0.01


def test_clicked_and_typed_tokens_are_kept(view: Any):
    view.pictures.kept_token.data = {"token": [4]}
    assert view.session.selection.token == 4
    assert view._token.value == "patch 3"
    for text, token in (("7", 8), ("cls", 0), ("2, 1", 10)):
        view._token.value = text
        assert view.pictures.kept_token.data == {"token": [token]}
        assert view._token.value == view.grid.name(token).replace("cls", "CLS")
    view._token.value = "17"
    assert view._token.css_classes == WRONG
    assert view.session.selection.token == 10
    view._token.value = ""
    assert view.session.selection.token is None
    assert view.pictures.kept_token.data == {"token": [-1]}


def test_a_token_that_is_typed_again_is_named_again(view: Any):
    for _ in range(2):  # Enter is told twice, by a change and by a key
        view._token.value = "3"
        assert view.session.selection.token == 4
        assert view._token.value == "patch 3"


def test_scale_and_extra_tokens_are_told_to_the_browser(make_session: Callable[..., Session]):
    view: Any = AttentionDetail(make_session(prefix=("cls", "register")), Bridge())
    assert view._extra in view.controls()
    view._scale.value, view._extra.value = "log", False
    assert (view.session.selection.scale, view.session.selection.extra) == ("log", False)
    assert view.pictures.options.data == {"scale": ["log"], "extra": [False], "unit": ["top %"], "mask": ["heat"]}


def test_masks_are_light_unless_the_cut_out_is_asked_for(view: Any):
    assert view.pictures.options.data["mask"] == ["heat"]
    view._cut_out.value = True
    assert view.session.selection.mask == "cut-out"
    assert view.pictures.options.data["mask"] == ["cut-out"]


def test_a_threshold_that_no_value_reaches_is_refused(view: Any):
    view._unit.value = "value"
    for text in ("2", "-0.1", "nan"):
        view._threshold.value = text
        assert view._threshold.css_classes == WRONG
        assert f"Type a value from 0 to {matrix_of(view).max():.3g}, the largest here." in view.pictures.words.text
    view._threshold.value = f"{matrix_of(view).max():.3g}"
    assert not view._threshold.css_classes
    assert view.session.selection.threshold <= 2 / matrix_of(view).size


def test_every_picture_can_be_saved(view: Any):
    names = ["image", "source", "target", "links", "histogram", "matrix"]
    assert list(view.charts) == [f"attention-{name}" for name in names]
    for name in names[1:]:
        assert len(view.charts[f"attention-{name}"].table())
    view.session.selection.token = 5
    table = view.charts["attention-target"].table()
    assert np.array_equal(table["value"], matrix_of(view)[1:, 5])


def test_old_pictures_fade_while_new_ones_are_computed(view: Any):
    before = view.pictures.head.data["matrix"][0]
    view.session.inference.is_prompt = False
    view.session.selection.choose_head(1, 1)
    assert float(view._figures.styles["opacity"]) < 1
    assert view._name.object == "L1 H1 …"
    assert view.pictures.head.data["matrix"][0] is before
    view.session.inference.answer("attention")
    assert float(view._figures.styles["opacity"]) == 1
    assert view._name.object == "L1 H1"


def test_failure_is_said_in_place_and_escaped(view: Any):
    view.session.inference.is_prompt = False
    view.session.selection.choose_head(1, 1)
    view.session.inference.fail("attention", message="No <memory>.", hint="Close something.")
    assert view._note.object
    assert "No &lt;memory&gt;." in view._note.object
    assert "Close something." in view._note.object
    view.session.inference.is_prompt = True
    view.session.ask_again()
    assert not view._note.object


def test_without_a_model_the_view_says_so(make_session: Callable[..., Session]):
    view: Any = AttentionDetail(make_session(has_inference=False), Bridge())
    assert NO_MODEL in view._note.object
    view.session.selection.image = None
    assert NO_MODEL in view._note.object


def test_without_an_image_the_mean_of_all_is_drawn_and_said(view: Any):
    session = view.session
    session.selection.image = None
    n, live = session.study.n_images, session.inference
    mean = np.mean([live.matrices(image, session.selection.layer) for image in range(n)], axis=0)[
        session.selection.head
    ]
    assert np.allclose(view.pictures.head.data["matrix"][0], mean, atol=1e-6)
    assert view.pictures.heatmap.figure.title.text == f"Mean of {n} images: row = source"
    assert view.pictures.masks.figures["image"].title.text == f"{n} images"
    assert view.pictures.masks.crop.data["image"][0].tolist() == NEUTRAL.tolist()
    assert not view._note.object
    assert view.heatmap_chart.python == ""

    session.selection.images = Ids((1, 4))
    assert view.pictures.heatmap.figure.title.text == "Mean of 2 brushed images: row = source"
    assert view.pictures.masks.figures["image"].title.text == "2 brushed images"
    pair = np.mean([live.matrices(image, session.selection.layer)[session.selection.head] for image in (1, 4)], axis=0)
    assert np.allclose(view.pictures.head.data["matrix"][0], pair, atol=1e-6)

    session.selection.image = 4
    assert view.pictures.heatmap.figure.title.text == "Attention: row = source, column = target"
    assert view.pictures.masks.figures["image"].title.text == "image 4"


def test_image_that_is_not_done_is_said_in_its_place(make_session: Callable[..., Session]):
    view: Any = AttentionDetail(make_session(finished=False), Bridge())
    view.session.selection.image = 11
    assert "not computed" in view.pictures.masks.figures["image"].title.text


def test_model_without_cls_has_patches_only(make_session: Callable[..., Session]):
    view = AttentionDetail(make_session(prefix=()), Bridge())
    assert list(view.pictures.heatmap.blocks) == ["patch"]
    assert list(view.pictures.lines.links) == ["patch"]


def test_typed_sets_are_brushed_and_said(view: Any):
    selection = view.session.selection
    view._token.value = "r1-2 c0-2"
    assert selection.tokens == PatchBlock((1, 2), (0, 2))
    assert view._token.value == "r1-2 c0-2"
    assert view.pictures.brushed.data["token"] == [5, 6, 7, 9, 10, 11]
    selection.way = "subtract"
    view._token.value = "4-6"
    assert view._token.value == "r2 c0-2"
    assert view.pictures.brushed.data["token"] == [9, 10, 11]
    view._token.value = "3"
    assert (selection.token, view._token.value) == (4, "patch 3")
    table = view.charts["attention-source"].table()
    assert np.array_equal(table["value"], matrix_of(view)[4, 1:])
    selection.token = None
    assert view._token.value == "r2 c0-2"
    table = view.charts["attention-target"].table()
    assert table["value"].to_numpy() == pytest.approx(matrix_of(view)[1:, [9, 10, 11]].sum(1), abs=1e-6)
    assert set(table["token"]) == {"3 brushed tokens"}
    view._token.value = ""
    assert selection.tokens is None
    assert not len(view.pictures.brushed.data["token"])


@pytest.mark.parametrize(
    ("held", "tokens"),
    [({}, {6, 7}), ({"shift": True}, {2, 6, 7}), ({"shift": True, "ctrl": True}, {2}), ({"alt": True}, {6})],
)
def test_a_drag_combines_as_its_keys_say(view: Any, held: dict[str, bool], tokens: set[int]):
    selection = view.session.selection
    selection.mark(Ids((2, 6), "token"))
    for number in (1, 2):  # the same drag is heard again
        drag = {"number": [number], "kind": ["patches"], "x": [[1, 2]], "y": [[1, 1]], "held": [held]}
        view.pictures.dragged.data = drag
        assert set(np.flatnonzero(mask_of(view.session.study, selection.tokens)).tolist()) == tokens
        if number == 1:
            selection.tokens = Ids((2, 6), "token")


def test_the_page_has_no_models_for_a_brush_before_there_is_one(view: Any):
    assert not view.brush.marks.sources
    assert "bar" not in vars(view.brush)
