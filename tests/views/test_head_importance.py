import numpy as np
import pytest
from bokeh.events import SelectionGeometry, Tap

from vitpanel.core.regions import PruningMode
from vitpanel.state.brush import Ids, InRange, OfLayers
from vitpanel.state.online import NO_IMAGE, NO_MODEL
from vitpanel.state.queries.brush_shares import BrushShares
from vitpanel.state.results import Predictions
from vitpanel.state.selection import Selection
from vitpanel.theme.palette import BRUSH
from vitpanel.theme.shares import share_colours
from vitpanel.views.bridge import Bridge
from vitpanel.views.figures.head_strip import head_marks, token_marks
from vitpanel.views.figures.importance_line import TOOLTIPS, pin_columns
from vitpanel.views.figures.mode_bars import icon_columns, mode_columns, mode_span
from vitpanel.views.figures.numbers import change_text, distance_text
from vitpanel.views.figures.prediction_bars import LONGEST_NAME, prediction_columns, shortened
from vitpanel.views.head_importance import HeadImportance


@pytest.fixture
def view(make_session):
    return HeadImportance(make_session(), Bridge())


def tap(fig, x, y=0.0):
    fig._trigger_event(Tap(fig, x=float(x), y=float(y)))


def test_curve_shows_the_chosen_image_over_the_mean(view):
    study, heads = view.session.study, view.curve.heads.data
    values = study.images["p_true"].to_numpy()[:, None, None] - study["importance/probability"]
    assert np.allclose(heads["chosen"], values[3].ravel(), atol=1e-7)
    labelled = study.images["label"].to_numpy() >= 0
    assert np.allclose(heads["mean"], values[labelled].mean(0).ravel(), atol=1e-6)
    assert heads["name"][4] == "layer 1 head 1"
    assert view.curve.reference.data["y"] == [study.images["p_true"][3]] * 2


def test_a_mean_over_some_of_the_images_says_so(make_session):
    session = make_session(finished=False)
    labelled = session.study.images["label"].to_numpy() >= 0
    curve = HeadImportance(session, Bridge()).curve
    assert curve.figure.title.visible
    n_there = (labelled & session.study.done_images).sum()
    words = f"Mean over {n_there} images whose label is a class; 10 of 12 images, 3 of 3 classes so far"
    assert curve.figure.title.text == words
    assert curve.mean_item.label.value == "mean ± std"
    session.selection.metric = "jsd"
    assert (
        HeadImportance(session, Bridge()).curve.figure.title.text == "Mean over 10 of 12 images, 3 of 3 classes so far"
    )
    whole = HeadImportance(make_session(), Bridge()).curve
    assert whole.figure.title.text == f"Mean over {labelled.sum()} of 12 images, whose label is a class"


def test_a_brush_has_beside_it_the_mean_of_what_it_is_held_against(view):
    study, selection = view.session.study, view.session.selection
    selection.metric = "jsd"
    selection.images = Ids((1, 3))
    assert np.isnan(view.curve.brush.data["others"]).all()
    assert not view.curve.others_item.visible
    selection.keep("cats", Ids((0, 2)))
    selection.hold_against("cats")
    assert np.allclose(view.curve.brush.data["others"], study["importance/jsd"][[0, 2]].mean(0).ravel(), atol=1e-6)
    assert view.curve.others_item.visible
    assert view.curve.others_item.label.value == "“cats”"
    assert np.allclose(view._curve_table()["others_mean"], view.curve.brush.data["others"])
    selection.images = None
    assert not view.curve.others_item.visible


def test_brushed_images_have_a_mean_and_a_band_of_their_own(view):
    study, brush = view.session.study, view.curve.brush
    assert not len(brush.data["flat"])
    assert not view.curve.brush_item.visible
    view.session.selection.images = Ids((1, 3, 4, 7))
    labels = study.images["label"].to_numpy()
    there = [image for image in (1, 3, 4, 7) if labels[image] >= 0]
    values = (study.images["p_true"].to_numpy()[:, None, None] - study["importance/probability"])[there]
    assert np.allclose(brush.data["mean"], values.mean(0).ravel(), atol=1e-6)
    upper = np.minimum(values.mean(0) + values.std(0), 1).ravel()
    assert np.allclose(brush.data["upper"], upper, atol=1e-6)
    unpruned = study.images["p_true"].to_numpy()[there].mean()
    assert np.allclose(brush.data["unpruned"], unpruned)
    assert view.curve.figure.y_range.start < unpruned < view.curve.figure.y_range.end
    assert view.curve.brush_item.visible
    assert view.curve.brush_item.label.value == f"brush ({len(there)})"
    assert view.curve.figure.y_range.start <= brush.data["lower"].min()
    assert np.allclose(view._curve_table()["brush_mean"], brush.data["mean"])
    view.session.selection.metric = "jsd"
    assert np.allclose(brush.data["mean"], study["importance/jsd"][[1, 3, 4, 7]].mean(0).ravel(), atol=1e-6)
    assert np.isnan(brush.data["unpruned"]).all()
    view.session.selection.images = None
    assert not len(brush.data["flat"])
    assert not view.curve.brush_item.visible


def strip(view, name):
    """Cells of a row of the strip by flat head index, and what the legend says of it."""
    source, item = view.curve.strip._rows[name]
    return source.data, item


def test_without_a_brush_the_chart_has_no_models_for_one(view):
    assert view.curve.strip._rows == {}
    assert len(view.curve.figure.legend[0].items) == 3
    assert view.curve.brush.source is None
    assert view.drags._tool is None
    assert view.curve.hover.tooltips == TOOLTIPS


def test_brushed_heads_are_a_row_below_the_curve_which_leaves_it_room(view):
    span, before = view.curve.figure.y_range, view.curve.figure.y_range.start
    view.session.selection.mark(Ids(((0, 1), (1, 2)), "head"))
    cells, item = strip(view, "heads")
    full = [flat for flat, alpha in enumerate(cells["alpha"]) if alpha == 1]
    assert full == [1, 5]
    assert item.visible
    assert item.label.value == "brushed heads"
    assert set(cells["colour"]) == {BRUSH}
    assert view.curve.heads.data["mark_heads"] == ["no", "yes", "no", "no", "no", "yes"]
    assert ("brushed", "@mark_heads") in view.curve.hover.tooltips
    # What was the lower edge is now where the strip ends.
    place = (before - span.start) / (span.end - span.start)
    assert max(cells["top"]) < place == pytest.approx(view.curve.strip.height)
    assert view.curve.figure.yaxis[0].bounds == pytest.approx((before, span.end))
    assert view._curve_table()["brush_share"].tolist() == [0, 1, 0, 0, 0, 1]
    view.session.selection.heads = None
    assert not item.visible
    assert len(strip(view, "heads")[0]["left"]) == 0
    assert span.start == before
    assert view.curve.figure.yaxis[0].bounds == "auto"
    assert view.curve.hover.tooltips == TOOLTIPS
    assert "mark_heads" not in view.curve.heads.data


def test_heads_on_images_are_marked_by_their_share_of_the_images(view):
    view.session.selection.mark(InRange("entropy", low=0.6))
    share = (view.session.study["entropy"] >= 0.6).mean(0).ravel()
    cells, item = strip(view, "heads")
    assert cells["alpha"] == pytest.approx(0.1 + 0.9 * share / share.max())
    assert item.label.value == f"0–{share.max():.0%} of images"
    assert view.curve.heads.data["mark_heads"][0] == f"{share[0]:.1%} of the images"
    view.session.selection.metric = "jsd"
    assert view.curve.heads.data["mark_heads"][0] == f"{share[0]:.1%} of the images"


def test_attention_to_brushed_tokens_is_a_row_of_its_own(view):
    session = view.session
    session.selection.mark(Ids((2, 3), "token"))
    shares = session.token_shares().values.ravel()
    cells, item = strip(view, "tokens")
    assert cells["bottom"][0] == 0
    assert cells["colour"] == share_colours(shares).colours
    assert item.label.value == f"to tokens 0–{shares.max():.0%}"
    session.selection.mark(Ids(((0, 1),), "head"))
    assert cells is not strip(view, "tokens")[0]
    assert strip(view, "tokens")[0]["bottom"][0] > max(strip(view, "heads")[0]["top"])
    view.dark = True
    assert strip(view, "tokens")[0]["colour"] == share_colours(shares, dark=True).colours
    session.selection.image = None
    assert item.label.value == "to tokens: not known"
    assert set(strip(view, "tokens")[0]["alpha"]) == {0}
    assert "Choose one" in view.curve.heads.data["mark_tokens"][0]


def drag(view, switch, *, start, end):
    """Drag over the curve while a switch is on."""
    fig = view.curve.figure
    view.drags.buttons.pressed = [*view.drags.buttons.pressed, switch]
    (x0, y0), (x1, y1) = start, end
    box = {"type": "rect", "x0": x0, "x1": x1, "y0": y0, "y1": y1}
    fig._trigger_event(SelectionGeometry(fig, geometry=box, final=False))
    fig._trigger_event(SelectionGeometry(fig, geometry=box))


def test_a_drag_across_the_curve_brushes_heads_while_its_switch_is_on(view):
    selection, toolbar = view.session.selection, view.curve.figure.toolbar
    drag(view, "across", start=(0.6, -1), end=(4.2, 1))
    assert selection.heads == Ids(((0, 1), (0, 2), (1, 0), (1, 1)), "head")
    assert toolbar.active_drag is view.drags._tool
    assert not view.curve.grip.visible
    drag(view, "across", start=(2.6, -1), end=(9, 1))
    assert selection.heads == OfLayers(1, 1)
    view.drags.buttons.pressed = []
    assert toolbar.active_drag is None
    assert view.curve.grip.visible


@pytest.mark.parametrize("metric", ["probability", "jsd"])
def test_a_drag_upwards_brushes_the_heads_whose_mean_lies_there(view, metric):
    selection = view.session.selection
    selection.metric = metric
    mean = view.session.importance_curve().mean.ravel()
    low, high = np.sort(mean)[[1, 3]] + [-1e-4, 1e-4]
    view.drags.buttons.pressed = ["across"]
    drag(view, "upwards", start=(-0.5, low), end=(5.5, high))
    assert view.drags.buttons.pressed == ["upwards"]
    assert view.drags._tool.dimensions == "height"
    assert view.session.head_shares().values.ravel().tolist() == [float(low < value < high) for value in mean]
    assert isinstance(selection.heads, InRange) == (metric == "jsd")


def test_band_stays_within_the_limits_of_the_metric(view):
    heads = view.curve.heads.data
    assert (heads["lower"] >= 0).all()
    assert (heads["upper"] <= 1).all()
    assert (heads["lower"] <= heads["mean"]).all()


def test_curve_follows_image_and_metric(view):
    study, selection = view.session.study, view.session.selection
    selection.param.update(image=5, metric="jsd")
    assert np.array_equal(view.curve.heads.data["chosen"], study["importance/jsd"][5].ravel())
    assert view.curve.reference.data["x"] == []
    assert not view.curve.reference_item.visible
    assert view.curve.figure.yaxis.axis_label == "JSD to the unpruned (bits)"
    selection.image = None
    assert np.isnan(view.curve.heads.data["chosen"]).all()
    assert not view.curve.chosen_item.visible


def test_mean_can_be_hidden_so_that_the_axis_fits_the_chosen_image(view):
    view.context.value = False
    assert not any(renderer.visible for renderer in view.curve.context)
    heads, span = view.curve.heads.data, view.curve.figure.y_range
    seen = [*heads["chosen"], *view.curve.reference.data["y"]]
    assert (span.start, span.end) == pytest.approx(
        (min(seen) - 0.04 * np.ptp(seen), max(seen) + 0.04 * np.ptp(seen)), rel=1e-6
    )
    view.session.selection.image = None
    assert all(renderer.visible for renderer in view.curve.context)
    assert span.start < np.min(heads["lower"])
    assert span.end > np.max(heads["upper"])


def test_line_and_selection_follow_each_other(view):
    view.curve.picked.data = {"flat": [4], "act": [1]}
    assert view.session.chosen_head == (1, 1)
    assert (view.layer.value, view.head.value) == (1, 1)
    view.session.selection.choose_head(1, 2)
    assert view.curve.line.location == 5
    assert view.curve.grip.left + view.curve.grip.right == pytest.approx(10)


def test_head_that_the_browser_makes_up_is_not_chosen(view):
    view.curve.picked.data = {"flat": [77]}
    assert view.session.chosen_head == (0, 0)


def test_line_that_a_drag_has_moved_is_left_to_the_drag(view):
    view.curve.line.location = 4
    view.curve.grip.left = 4.3
    view.curve.picked.data = {"flat": [4]}
    assert view.curve.grip.left == 4.3


def test_steppers_choose_layer_and_head(view):
    view.layer.value = 1
    assert view.session.chosen_head == (1, 0)
    view.head.value = 2
    assert view.session.chosen_head == (1, 2)
    view.head.value = None
    assert view.head.value == 2
    for typed, taken in ((99, 2), (-1, 0)):
        view.head.value = typed
        assert view.head.value == view.session.selection.head == taken


def test_pinned_heads_take_the_place_of_the_chosen_one_or_stand_below_it(view):
    def shown():
        return view.chosen.visible, view.session.pinned.is_shown

    assert shown() == (True, False)
    view.compare.value = True
    assert shown() == (False, True)
    view.maximised = True
    assert shown() == (True, True)
    view.compare.value = False
    assert shown() == (True, False)
    view.pin.clicks += 1
    assert view.session.selection.pinned == [(0, 0)]
    assert (view.pin.label, view.compare.label) == ("Unpin", "Compare 1")
    assert shown() == (True, True)
    assert list(view.curve.pins.data["flat"]) == [0]
    view.maximised = False
    assert shown() == (True, False)


def test_choosing_a_head_tells_watchers_once(view):
    heard = []
    view.session.selection.param.watch(lambda *events: heard.append(events), ["layer", "head"])
    view.session.selection.choose_head(1, 2)
    assert len(heard) == 1


def test_bars_show_the_metric_of_the_live_model(view):
    session = view.session
    session.selection.metric = "cls"
    assert np.array_equal(view.modes.bars.data["value"], session.modes.value.layer["cls"])
    session.selection.metric = "probability"
    label = session.study.images["label"][3]
    assert np.allclose(view.modes.bars.data["value"], session.modes.value.probabilities[:, label], atol=1e-7)


def test_click_on_a_bar_chooses_the_mode(view):
    tap(view.modes.figure, 4.3)
    assert view.session.selection.mode == 4
    assert view.modes.chosen.data["mode"] == [4]
    assert view.predictions.figure.title.text.endswith("mode 4")
    tap(view.modes.figure, 6.4)
    assert view.session.selection.mode == 4


def test_predictions_are_those_of_the_chosen_mode(view):
    view.session.selection.mode = 5
    pruned, rows = view.session.modes.value.probabilities, view.predictions.rows.data
    assert np.array_equal(rows["probability"], np.sort(pruned[5])[::-1])
    assert np.array_equal(rows["unpruned"], pruned[0][np.argsort(-pruned[5])])


def test_running_fades_the_old_bars_and_failure_offers_a_retry(view):
    inference = view.session.inference
    inference.is_prompt = False
    view.session.selection.choose_head(1, 1)
    assert set(view.modes.bars.data["alpha"]) == {0.3}
    assert not view.modes_chart.message
    inference.fail("modes", message="Out of memory.", hint="Wait.")
    assert view.modes_chart.message == "Out of memory."
    assert view.retry.visible
    inference.is_prompt = True
    view.retry.clicks += 1
    assert not view.retry.visible
    assert not view.modes_chart.message
    assert set(view.modes.bars.data["alpha"]) == {1}


def test_without_a_model_the_reason_stands_in_place(make_session):
    view = HeadImportance(make_session(has_inference=False), Bridge())
    assert view.modes_chart.message == view.predictions_chart.message == NO_MODEL
    assert not view.curve_chart.message
    view.session.selection.image = None
    assert view.modes_chart.message == NO_MODEL


def test_without_an_image_the_modes_are_means_and_predictions_say_that_they_are_of_one(make_session):
    view = HeadImportance(make_session(selection=Selection(image=None)), Bridge())
    found = view.session.mean_mode_values()
    assert view.predictions_chart.message == NO_IMAGE
    assert not view.modes_chart.message
    assert np.array_equal(view.modes.bars.data["value"], found.values)
    assert view.modes.figure.title.text == f"L0 H0, {found.words}"
    assert view.modes.figure.yaxis.axis_label == "Probability, mean"
    view.session.selection.metric = "jsd"
    assert view.modes.figure.yaxis.axis_label == "JSD (bits), mean"
    view.session.inference.is_prompt = False
    view.session.selection.choose_head(1, 1)
    view.session.inference.fail("mean modes", message="Out of memory.", hint="Wait.")
    assert view.modes_chart.message == "Out of memory."
    assert view.retry.visible
    view.session.inference.is_prompt = True
    view.retry.clicks += 1
    assert not view.retry.visible
    view.session.selection.image = 3
    assert view.modes.figure.yaxis.axis_label == "JSD (bits)"
    assert view.modes.figure.title.text == "L1 H1 by pruning mode"


def test_model_without_cls_says_why_its_metric_is_empty_and_marks_modes_it_lacks(make_session):
    view = HeadImportance(make_session(prefix=()), Bridge())
    assert view.modes.bars.data["text"][2:5] == ["n/a"] * 3
    view.session.selection.metric = "cls"
    reason = view.session.study.reason("importance/cls")
    assert view.curve_chart.message == view.modes_chart.message == reason != ""


def test_mode_that_the_model_lacks_is_said_instead_of_predictions(make_session):
    view = HeadImportance(make_session(prefix=()), Bridge())
    view.session.selection.mode = 2
    assert "not defined" in view.predictions_chart.message
    view.session.selection.mode = 1
    assert not view.predictions_chart.message


def test_model_without_classes_says_so(make_session):
    view = HeadImportance(make_session(n_classes=0, selection=Selection(image=3, metric="patch")), Bridge())
    assert view.predictions_chart.message == view.session.study.reason("probabilities") != ""
    assert np.array_equal(view.modes.bars.data["value"], view.session.modes.value.layer["patch"])


def test_image_that_is_not_done_says_so(make_session):
    view = HeadImportance(make_session(finished=False), Bridge())
    view.session.selection.image = 11
    assert "image 11" in view.curve_chart.message
    view.session.selection.image = 1
    assert not view.curve_chart.message


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1234, "+0.123"),
        (-0.25, "−0.250"),
        (-0.00012, "−1e-4"),
        (2.4e-5, "+2e-5"),
        (-3e-8, "<1e-6"),
        (np.nan, "–"),
        (0.0, "±0"),
    ],
)
def test_change_text(value: float, text: str):
    assert change_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "0.123"), (0.0005, "0.001"), (0.00042, "4e-4"), (0.0, "0"), (np.nan, "–")]
)
def test_distance_text(value: float, text: str):
    assert distance_text(value) == text


def test_bars_of_a_probability_start_from_the_unpruned_one_and_say_the_change():
    values = np.array([0.99, 0.988, np.nan, 0.9899, 0.4, 0.995])
    columns = mode_columns(values, "probability")
    assert columns["text"] == ["0.990", "−0.002", "n/a", "−1e-4", "−0.590", "+0.005"]
    assert list(columns["base"]) == [0.99] * 6
    assert columns["top"][2] == 0.99
    assert "not defined" in columns["full"][2]
    assert columns["full"][4] == "0.4 (−0.590 against unpruned)"


def test_long_labels_of_neighbours_that_end_alike_stand_one_below_the_other():
    down = mode_columns(np.array([0.985, 0.204, 0.985, 0.402, 0.4021, 0.977]), "probability")
    assert down["text"][3:5] == ["−0.583", "−0.583"]
    assert down["offset"] == [-3, 3, -3, 3, 13, 3]
    up = mode_columns(np.array([0.2, 0.5, 0.2, 0.7, 0.7, 0.7]), "probability")
    assert up["offset"] == [-3, -3, -3, -3, -13, -3]


def test_bars_of_a_distance_start_from_0():
    columns = mode_columns(np.array([0, 0.1, np.nan, 3e-4, 0.3, 0.4]), "jsd")
    assert columns["text"] == ["0", "0.100", "n/a", "3e-4", "0.300", "0.400"]
    assert columns["top"][2] == 0


def test_the_axis_of_the_bars_fits_the_values_but_does_not_blow_up_nothing():
    low, high = mode_span(np.array([0.99, 0.98, 0.93]), "probability")
    assert 0.9 < low < 0.93
    assert 0.99 < high < 1.01
    low, high = mode_span(np.array([0.5, 0.50001]), "probability")
    assert high - low > 0.01
    assert mode_span(np.array([0, 0.2]), "jsd")[0] == 0
    assert mode_span(np.full(2, np.nan), "jsd") == (0, 1)


def test_marks_of_pins_side_by_side_stand_below_each_other():
    heights = pin_columns([(0, 0), (0, 1), (3, 0), (0, 2)], 6, 6)["height"]
    assert len({heights[0], heights[1], heights[3]}) >= 2
    assert heights[0] != heights[1] != heights[3]
    assert heights[2] == heights[0]


def test_icons_fill_what_each_mode_prunes():
    colours = np.reshape(icon_columns()["colour"], (len(PruningMode), 4))
    filled = [[colour != "white" for colour in mode] for mode in colours]
    # CLS→CLS, CLS→patches, patches→CLS, patches→patches (Fig. 4B)
    assert filled == [[0, 0, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0], [0, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 1]]


def test_prediction_columns_mark_the_true_class():
    predictions = Predictions(("bag", "coat"), np.array([0.7, 0.2]), np.array([0.1, 0.9]), np.array([False, True]))
    columns = prediction_columns(predictions)
    assert columns["text"] == ["bag", "✓ coat"]
    assert columns["font"] == ["normal", "bold"]
    assert columns["value"] == ["0.700", "0.200"]


def test_shortened_names_fit():
    assert shortened("bag") == "bag"
    assert len(shortened("x" * 50)) == LONGEST_NAME


def test_a_head_that_the_model_lacks_has_no_cell():
    values = np.array([[1, 0.5], [0.25, np.nan]])
    marks = head_marks(BrushShares(values, "share"), is_of_heads=False)
    assert marks.alphas == pytest.approx([1, 0.55, 0.325, 0])
    assert marks.texts[3] == "–"
    assert marks.label == "0–100% of images"
    marks = head_marks(BrushShares(np.array([[1, 0], [0, np.nan]]), "brushed heads"), is_of_heads=True)
    assert marks.texts == ["yes", "no", "no", "–"]
    assert token_marks(BrushShares(values, "share"), dark=False).alphas == [1, 1, 1, 0]


@pytest.mark.parametrize("values", [np.zeros((2, 2)), np.full((2, 2), np.nan)])
def test_a_brush_of_nothing_has_an_empty_row(values):
    marks = head_marks(BrushShares(values, "share"), is_of_heads=False)
    assert marks.alphas == [0.1 if known else 0 for known in ~np.isnan(values.ravel())]
    assert marks.label == "share of images"
