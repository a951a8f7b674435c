import numpy as np
import pytest
from bokeh.events import Tap

from vitpanel.state.brush import Ids
from vitpanel.state.selection import Selection
from vitpanel.state.strength import HeadValues
from vitpanel.views.attention_strength import AttentionStrength
from vitpanel.views.bridge import Bridge
from vitpanel.views.figures.head_scatter import head_columns


@pytest.fixture
def view(make_session):
    return AttentionStrength(make_session(), Bridge())


def test_scatter_shows_the_chosen_image(view):
    heads = view.scatter.heads.data
    assert np.array_equal(heads["value"], view.session.study["entropy"][3].ravel())
    assert np.array_equal(np.round(heads["x"]), [0, 0, 0, 1, 1, 1])
    assert np.isnan(heads["lower"]).all()


def test_scatter_shows_mean_and_spread_of_all_images(view):
    view.session.selection.image = None
    entropy, heads = view.session.study["entropy"], view.scatter.heads.data
    assert np.allclose(heads["value"], entropy.mean(0).ravel(), atol=1e-6)
    assert np.allclose(heads["upper"] - heads["lower"], 2 * entropy.std(0).ravel(), atol=1e-6)


def test_no_head_hides_another_of_its_layer():
    columns = head_columns(HeadValues("entropy", np.full((12, 16), 0.5), None, (0, 1)), {})
    assert len(set(columns["x"])) == 12 * 16
    assert np.abs(columns["x"] - np.repeat(np.arange(12), 16)).max() < 0.5


def test_click_chooses_the_head(view):
    heads, fig = view.scatter.heads.data, view.scatter.figure
    fig._trigger_event(Tap(fig, x=float(heads["x"][4]), y=float(heads["value"][4])))
    assert view.session.chosen_head == (1, 1)
    fig._trigger_event(Tap(fig, x=0.5, y=50.0))
    assert view.session.chosen_head == (1, 1)


def test_ring_follows_head_and_image(view):
    view.session.selection.choose_head(1, 2)
    assert view.scatter.ring.data["value"] == [view.session.study["entropy"][3, 1, 2]]
    view.session.selection.image = 7
    assert view.scatter.ring.data["value"] == [view.session.study["entropy"][7, 1, 2]]


def test_bars_show_the_chosen_head_and_the_mean(view):
    view.session.selection.choose_head(1, 0)
    strength, hops = view.session.study["strength"], view.bars.hops.data
    assert np.array_equal(hops["chosen"], strength[3, 1, 0])
    assert np.allclose(hops["mean"], strength[:, 1, 0].mean(0), atol=1e-6)
    assert list(hops["hop"]) == [0, 1, 2, 3]
    view.session.selection.image = None
    assert np.isnan(view.bars.hops.data["chosen"]).all()


def test_area_marks_the_chosen_image(view):
    entropy = view.session.study["entropy"]
    assert view.area.line.location == pytest.approx(entropy[3, 0, 0])
    assert view.area.line.visible
    curve = view.area.curve.data
    assert np.trapezoid(curve["density"], curve["value"]) == pytest.approx(1, abs=0.01)
    view.session.selection.image = None
    assert not view.area.line.visible


def test_titles_name_the_head(view):
    view.session.selection.choose_head(1, 2)
    assert view.bars.figure.title.text.startswith("L1 H2")
    assert view.area.figure.title.text.startswith("L1 H2")


def test_image_that_is_not_done_says_so(make_session):
    view = AttentionStrength(make_session(finished=False, selection=Selection(image=11)), Bridge())
    assert "image 11" in view.scatter_chart.message
    assert "image 11" in view.bars_chart.message
    assert not view.area_chart.message
    view.session.selection.image = 0
    assert not view.scatter_chart.message


def test_distance_takes_the_place_of_the_entropy(view):
    view.session.selection.measure = "distance"
    distance, heads = view.session.study["distance"], view.scatter.heads.data
    assert np.array_equal(heads["value"], distance[3].ravel())
    assert view.scatter.figure.y_range.end > distance[3].max() > 1.1
    assert heads["distance"][4] == f"{distance[3, 1, 1]:.2f} patches ({8 * distance[3, 1, 1]:.1f} pixels)"
    assert heads["entropy"][4] == f"{view.session.study['entropy'][3, 1, 1]:.3f}"
    assert view.area.line.location == pytest.approx(distance[3, 0, 0])
    assert view.area.figure.xaxis.axis_label == "distance (patches)"
    assert view.measure.value == "distance"
    assert set(view.scatter_table()["measure"]) == {"distance"}


def test_brush_is_held_against_the_rest(view):
    assert not view.area.legend.visible
    view.session.selection.images = Ids((1, 2, 3, 4))
    assert view.area.legend.visible
    assert [item.label.value for item in view.area.legend.items] == ["brush (4)", "the rest (8)"]
    curve = view.area.curve.data
    assert np.trapezoid(curve["brushed"], curve["value"]) == pytest.approx(1, abs=0.01)
    assert not view.area_table()[["value", "density", "density_of_brush"]].isna().to_numpy().any()
    view.session.selection.images = None
    assert np.isnan(view.area.curve.data["brushed"]).all()


def test_brush_is_held_against_a_kept_one(view):
    selection = view.session.selection
    selection.images = Ids((1, 2, 3, 4))
    before = np.array(view.area.curve.data["brushed"])
    selection.keep("A & <B>", Ids((4, 5, 6)))
    selection.hold_against("A & <B>")
    assert [item.label.value for item in view.area.legend.items] == ["brush (3)", "“A & <B>” (2)"]
    assert not np.allclose(view.area.curve.data["brushed"], before)
    table = view.area_table()
    assert (table["n"].unique().tolist(), table["n_of_brush"].unique().tolist()) == ([2], [3])
    selection.keep("A & <B>", selection.images)  # all are in both, so none is left on either side
    assert [item.label.value for item in view.area.legend.items] == ["brush (0)", "“A & <B>” (0)"]


def test_pinned_heads_are_marked(view):
    view.session.selection.pin(1, 2)
    view.session.selection.pin(0, 1)
    entropy = view.session.study["entropy"]
    assert view.scatter.pins.data["value"] == [entropy[3, 1, 2], entropy[3, 0, 1]]
    view.session.selection.unpin(1, 2)
    assert view.scatter.pins.data["value"] == [entropy[3, 0, 1]]


def test_another_image_moves_the_line_and_leaves_the_curve(view):
    curve = view.area.curve.data
    view.session.selection.image = 7
    assert view.area.curve.data is curve
    assert view.area.line.location == pytest.approx(view.session.study["entropy"][7, 0, 0])


def test_bars_stay_below_the_inset(view):
    strength = view.session.study["strength"]
    top = max(strength[3, 0, 0].max(), strength[:, 0, 0].mean(0).max())
    assert view.bars.figure.y_range.end * 0.58 == pytest.approx(top, rel=1e-5)
    assert view.bars_table()["hop"].tolist() == [0, 1, 2, 3]


def test_a_study_without_distance_says_why(view, monkeypatch):
    reason = "The study was made before there was distance."
    study = view.session.study
    known = study.reason
    monkeypatch.setattr(study, "reason", lambda name: reason if name == "distance" else known(name))
    view.session.selection.measure = "distance"
    assert view.scatter_chart.message == view.area_chart.message == reason
    view.session.selection.measure = "entropy"
    assert not view.scatter_chart.message
    view.session.selection.image = 5
    assert set(view.scatter.heads.data["distance"]) == {"–"}


def test_one_patch_has_no_entropy_and_says_so_and_its_distance_is_shown(make_session):
    view = AttentionStrength(make_session(rows=1, cols=1), Bridge())
    assert "not defined on a grid of one patch" in view.scatter_chart.message
    assert "not defined on a grid of one patch" in view.area_chart.message
    assert "computed yet" not in view.scatter_chart.note.object
    assert not view.bars_chart.message
    view.session.selection.measure = "distance"
    assert not view.scatter_chart.message
    assert set(view.scatter.heads.data["entropy"]) == {"–"}
    view.session.selection.param.update(image=None, measure="entropy")
    assert "not defined on a grid of one patch" in view.scatter_chart.message
