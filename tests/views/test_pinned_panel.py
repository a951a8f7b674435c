import numpy as np
import pytest
from bokeh.events import Tap

from vitpanel.state.online import NO_MODEL
from vitpanel.state.selection import Selection
from vitpanel.state.strength import axis_span
from vitpanel.views.bridge import Bridge
from vitpanel.views.figures.pinned_heads import FADED
from vitpanel.views.pinned_panel import NO_PINS, PinnedPanel

PINS = [(1, 2), (0, 0)]


@pytest.fixture
def panel(make_session):
    panel = PinnedPanel(make_session(selection=Selection(image=3, pinned=PINS)), Bridge())
    panel.set_shown(is_shown=True)
    return panel


def test_nothing_is_drawn_while_hidden(make_session):
    panel = PinnedPanel(make_session(selection=Selection(image=3, pinned=PINS)), Bridge())
    assert panel.figures.mode_bars.data["x"] == []


def test_heads_stand_side_by_side_on_one_scale(panel):
    session, figures = panel.session, panel.figures
    values = [session.inference.pruned_head(3, *head).probabilities[:, session.reference_class] for head in PINS]
    assert np.allclose(figures.mode_bars.data["number"], np.concatenate(values), atol=1e-7)
    assert [int(x) for x in figures.mode_bars.data["x"]] == [0] * 6 + [1] * 6
    assert figures.names.data["name"] == ["1: L1 H2", "2: L0 H0"]
    low, high = figures.modes.yaxis[0].bounds
    assert 0 <= low < np.min(values) < np.max(values) < high <= 1
    assert figures.unpruned.location == pytest.approx(values[0][0], abs=1e-7)
    assert np.allclose(figures.mode_bars.data["base"], [values[0][0]] * 6 + [values[1][0]] * 6, atol=1e-7)
    strength = session.study["strength"]
    assert np.array_equal(figures.hops.data["chosen"], np.concatenate([strength[3, 1, 2], strength[3, 0, 0]]))
    assert np.allclose(figures.hops.data["mean"][:4], strength[:, 1, 2].mean(0), atol=1e-6)


def test_entropy_is_that_of_the_head_over_all_images_on_the_axis_of_all_pins(panel):
    entropy = panel.session.study["entropy"]
    low, high = axis_span(panel.session.study, "entropy", entropy[:, 0, 0], entropy[:, 1, 2])
    expected = panel.session.head_density((0, 0), measure="entropy")
    area = panel.figures.areas.data
    assert np.allclose(area["ys"][1][:257], expected.density)
    assert np.allclose(area["xs"][1][:257], 1.05 + 0.9 * (expected.grid - low) / (high - low))
    labels = panel.figures.entropy.xaxis[0].major_label_overrides
    for slot in range(2):
        inside = {x - slot: text for x, text in labels.items() if slot < x < slot + 1}
        numbers = [(x, float(text)) for x, text in inside.items() if text != "entropy"]
        assert len(numbers) == len(inside) - 1 == 2
        assert all(x == pytest.approx(0.05 + 0.9 * (value - low) / (high - low)) for x, value in numbers)
    table = panel._entropy_table()
    assert list(table["head"].unique()) == ["L1 H2", "L0 H0"]
    assert np.allclose(table["density"][257:], expected.density)
    line = panel.figures.lines.data["x"]
    assert line[1] == pytest.approx(1.05 + 0.9 * (entropy[3, 0, 0] - low) / (high - low))


def test_labels_have_room(panel):
    bars = panel.figures.mode_bars.data
    assert all(bars["text"])
    panel.session.selection.pin(0, 1)
    bars = panel.figures.mode_bars.data
    assert [mode for mode, text in zip(bars["mode"], bars["text"], strict=True) if text] == [1, 1, 1]


def test_old_bars_fade_until_the_new_ones_are_there(panel):
    inference, bars = panel.session.inference, panel.figures.mode_bars
    old = list(bars.data["number"])
    inference.is_prompt = False
    panel.session.selection.image = 5
    assert list(bars.data["number"]) == old
    assert set(bars.data["alpha"]) == {FADED}
    assert panel.figures.names.data["name"] == ["1: L1 H2 …", "2: L0 H0 …"]
    inference.answer("modes")
    inference.answer("pinned")
    assert set(bars.data["alpha"]) == {1.0}
    label = panel.session.reference_class
    assert np.allclose(bars.data["number"][:6], inference.pruned_head(5, 1, 2).probabilities[:, label], atol=1e-7)


def test_bars_of_another_metric_are_not_kept(panel):
    inference = panel.session.inference
    inference.is_prompt = False
    panel.session.selection.param.update(image=5, metric="cls")
    assert np.isnan(panel.figures.mode_bars.data["number"]).all()
    assert set(panel.figures.mode_bars.data["text"]) == {""}


def test_click_chooses_the_pinned_head(panel):
    for x, head in ((0.4, (1, 2)), (1.9, (0, 0))):
        panel.figures.strength._trigger_event(Tap(panel.figures.strength, x=x, y=0.0))
        assert panel.session.chosen_head == head
    panel.figures.modes._trigger_event(Tap(panel.figures.modes, x=2.5, y=0.0))
    assert panel.session.chosen_head == (0, 0)


def test_way_to_pin_is_told_where_nothing_is_pinned(panel):
    panel.session.selection.pin_all([])
    assert panel.charts[0].message == NO_PINS
    assert panel.figures.hops.data["x"] == []
    panel.session.selection.pin(0, 1)
    assert not panel.charts[0].message


def test_without_a_model_the_study_is_still_shown(make_session):
    session = make_session(has_inference=False, selection=Selection(image=3, pinned=PINS))
    panel = PinnedPanel(session, Bridge())
    panel.set_shown(is_shown=True)
    said = panel.figures.names.data
    assert [text.replace("\n", " ") for text in said["message"]] == [NO_MODEL, ""]
    assert said["centre"][0] == 1
    assert not np.isnan(panel.figures.hops.data["chosen"]).any()
    assert len(panel._modes_table()) == 12


def test_what_is_said_of_one_head_stands_in_its_column(panel):
    inference = panel.session.inference
    inference.is_prompt = False
    panel.session.selection.param.update(image=5, metric="cls")
    inference.answer("modes")
    inference.fail("pinned", message="The model ran out of memory while it pruned this head.", hint="")
    said = panel.figures.names.data
    assert said["message"][1] == ""
    assert said["centre"][0] == pytest.approx(0.5)
    assert max(map(len, said["message"][0].split("\n"))) <= 30


def test_one_patch_has_no_entropy_and_the_rest_is_shown(make_session):
    session = make_session(rows=1, cols=1, selection=Selection(image=3, pinned=PINS))
    panel = PinnedPanel(session, Bridge())
    panel.set_shown(is_shown=True)
    assert panel.figures.lines.data["x"] == []
    assert len(panel.figures.mode_bars.data["x"]) == 12


def test_without_an_image_the_means_are_shown(make_session):
    panel = PinnedPanel(make_session(selection=Selection(image=None, pinned=PINS)), Bridge())
    panel.set_shown(is_shown=True)
    assert np.isnan(panel.figures.hops.data["chosen"]).all()
    assert not np.isnan(panel.figures.hops.data["mean"]).any()
    assert panel.figures.lines.data["x"] == []
