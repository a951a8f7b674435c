import numpy as np
import pytest
from bokeh.events import PanStart, SelectionGeometry, Tap

from vitpanel.state.brush import Ids, InRange
from vitpanel.state.head_numbers import axis_places, head_numbers
from vitpanel.state.selection import Selection
from vitpanel.views.attention_strength import AttentionStrength
from vitpanel.views.bridge import Bridge


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
    layer, head = (index.ravel() for index in np.indices((12, 16)))
    x = axis_places(layer, head, key="layer", other="entropy", n_heads=16)
    assert len(set(x)) == 12 * 16
    assert np.abs(x - layer).max() < 0.5


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
    assert f"{distance[3, 1, 1]:.2f} patches ({8 * distance[3, 1, 1]:.1f} pixels)" in heads["words"][4]
    assert f"{view.session.study['entropy'][3, 1, 1]:.3f}" in heads["words"][4]
    assert view.area.line.location == pytest.approx(distance[3, 0, 0])
    assert view.area.figure.xaxis.axis_label == "distance (patches)"
    assert view.measure.value == "distance"
    assert np.array_equal(view.scatter_chart.table()["distance"], distance[3].ravel())


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
    assert not any("distance" in words for words in view.scatter.heads.data["words"])


def test_one_patch_has_no_entropy_and_says_so_and_its_distance_is_shown(make_session):
    view = AttentionStrength(make_session(rows=1, cols=1), Bridge())
    assert "not defined on a grid of one patch" in view.scatter_chart.message
    assert "not defined on a grid of one patch" in view.area_chart.message
    assert "computed yet" not in view.scatter_chart.words
    assert not view.bars_chart.message
    view.session.selection.measure = "distance"
    assert not view.scatter_chart.message
    assert not any("entropy" in words for words in view.scatter.heads.data["words"])
    view.session.selection.param.update(image=None, measure="entropy")
    assert "not defined on a grid of one patch" in view.scatter_chart.message


def drag_box(view, across, up, **held):
    fig = view.scatter.figure
    shape = {"type": "rect", "x0": across[0], "x1": across[1], "y0": up[0], "y1": up[1]}
    fig._trigger_event(PanStart(fig, modifiers=held))
    fig._trigger_event(SelectionGeometry(fig, geometry=shape, final=False))
    fig._trigger_event(SelectionGeometry(fig, geometry=shape, final=True))


def test_a_box_marks_heads_and_keys_combine(view):
    selection, shares = view.session.selection, view.session.head_shares
    drag_box(view, (0.5, 1.5), (0, 1))
    assert selection.heads == Ids(((1, 0), (1, 1), (1, 2)), "head")
    drag_box(view, (-0.5, 0.5), (0, 1), shift=True)
    assert shares().values.tolist() == [[1, 1, 1], [1, 1, 1]]
    drag_box(view, (0.5, 1.5), (0, 1), shift=True, ctrl=True)
    assert shares().values.tolist() == [[1, 1, 1], [0, 0, 0]]
    drag_box(view, (7, 8), (0, 1), shift=True)
    assert shares().values.tolist() == [[1, 1, 1], [0, 0, 0]]
    drag_box(view, (7, 8), (0, 1))
    assert selection.heads is None


def test_a_lasso_marks_what_it_surrounds(view):
    fig, heads = view.scatter.figure, view.scatter.heads.data
    x, y = float(heads["x"][4]), float(heads["value"][4])
    shape = {"type": "poly", "x": [x - 0.05, x + 0.05, x], "y": [y - 0.01, y - 0.01, y + 0.02]}
    fig._trigger_event(SelectionGeometry(fig, geometry=shape, final=True))
    assert view.session.selection.heads == Ids(((1, 1),), "head")


def test_brushed_heads_have_rings_by_their_share(view):
    assert view.scatter.rings.source is None
    view.session.selection.heads = Ids(((0, 1), (1, 2)), "head")
    heads, rings = view.scatter.heads.data, view.scatter.rings.data
    assert list(rings["x"]) == [heads["x"][1], heads["x"][5]]
    assert list(rings["alpha"]) == [1, 1]
    view.session.selection.heads = InRange("entropy", low=0.4, item="instance")
    shares = (view.session.study["entropy"] >= 0.4).mean(0).ravel()
    assert view.scatter.rings.data["alpha"] == pytest.approx(0.25 + 0.75 * shares[shares > 0])
    view.session.selection.image = 5
    assert list(view.scatter.rings.data["value"]) == list(view.session.study["entropy"][5].ravel()[shares > 0])
    view.session.selection.heads = None
    assert not len(view.scatter.rings.data["x"])


def test_brushed_tokens_colour_the_points_and_the_tooltip_says_the_share(view):
    plain = list(view.scatter.heads.data["colour"])
    view.session.selection.tokens = Ids((2, 3), "token")
    shares = view.session.token_shares().values.ravel()
    heads = view.scatter.heads.data
    assert heads["colour"] != plain
    assert len({heads["colour"][flat] for flat in range(6)}) == len(set(shares))
    assert f"{shares[2]:.1%}" in heads["words"][2]
    view.session.selection.image = None
    assert view.scatter.heads.data["colour"] == plain
    assert "No colours by attention to the brushed tokens" in view.all_heads.said.object
    view.session.selection.tokens = None
    assert not view.all_heads.said.visible


def test_heads_without_a_value_are_counted_in_words(view):
    view.session.selection.param.update(images=Ids((3,)), scatter_x="effect")
    assert "6 heads have no value" in view.all_heads.said.object
    fig = view.scatter.figure
    fig._trigger_event(Tap(fig, x=0.0, y=0.5))
    drag_box(view, (-9, 9), (-9, 9))
    assert view.session.selection.heads is None


def test_a_number_that_takes_long_is_counted_first(view):
    view.session.selection.scatter_x = "cohesion"
    cohesion = view.session.patterns.cohesion().share
    assert np.array_equal(view.scatter.heads.data["x"], cohesion.ravel())
    assert not view.scatter_chart.message
    assert view.scatter_chart.detail() == "entropy-by-cohesion"


def test_lines_of_what_is_brushed_lie_over_the_bars(view):
    def named():
        return [item.label.value for item in view.bars.legend.items if item.visible]

    assert not view.bars.legend.visible
    view.session.selection.images = Ids((1, 2, 4))
    strength = view.session.study["strength"][:, 0, 0]
    assert named() == ["brush", "the rest"]
    assert view.bars.hops.data["brush"] == pytest.approx(strength[[1, 2, 4]].mean(0), abs=1e-6)
    assert view.bars.hops.data["upper"] == pytest.approx(
        (strength[[1, 2, 4]].mean(0) + strength[[1, 2, 4]].std(0)), abs=1e-6
    )
    view.session.selection.param.update(images=None, heads=Ids(((0, 1), (1, 1)), "head"))
    assert named() == ["2 heads"]
    assert "brushed heads" in view.bars.hops.data["words"][0]
    view.session.selection.heads = None
    assert not view.bars.legend.visible
    assert np.isnan(view.bars.hops.data["of_heads"]).all()


def test_the_tooltip_names_what_is_brushed_and_what_it_is_held_against(view):
    selection = view.session.selection
    selection.images = Ids((1, 2, 4))
    words = view.bars.hops.data["words"][0]
    assert "<div>brushed images: " in words
    assert "<div>the rest: " in words
    selection.keep("<img src=x> & mean", Ids((5, 6, 8)))
    selection.hold_against("<img src=x> & mean")
    words = view.bars.hops.data["words"][0]
    assert "<div>“&lt;img src=x&gt; &amp; mean”: " in words
    assert "<img" not in words
    assert "the rest" not in words
    assert "“<img src=x> & mean”" in [item.label.value for item in view.bars.legend.items]


@pytest.mark.parametrize(
    "sizes", [{"prefix": ()}, {"n_classes": 0}, {"prefix": ("cls", "register"), "finished": False}]
)
def test_every_number_is_drawn_or_says_why_not(make_session, sizes):
    view = AttentionStrength(make_session(**sizes), Bridge())
    selection = view.session.selection
    for image in (3, None):
        for key in head_numbers():
            selection.param.update(image=image, scatter_x=key, scatter_colour=key)
            known = np.isfinite(np.asarray(view.scatter.heads.data["x"], float))
            assert view.scatter_chart.message or known.all(), key
