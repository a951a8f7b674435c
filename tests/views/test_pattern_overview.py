"""D1 without a browser."""

from collections.abc import Callable
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from bokeh.events import RangesUpdate, SelectionGeometry, Tap

from vitpanel.state.brush import Ids, InPolygon, Near
from vitpanel.state.selection import MAP_COLOURS, Selection
from vitpanel.state.session import Session
from vitpanel.theme.palette import MUTED, layer_colours
from vitpanel.theme.shares import share_colours
from vitpanel.views.bridge import Bridge
from vitpanel.views.pattern_overview import PatternOverview


@pytest.fixture
def view(make_session: Callable[..., Session]):
    return PatternOverview(make_session(), Bridge())


def tap(view: Any, place: np.ndarray):
    view.plot.figure._trigger_event(Tap(view.plot.figure, x=float(place[0]), y=float(place[1])))


def test_the_chosen_images_heads_lie_on_top(view: Any):
    study, own = view.session.study, view.plot.own.data
    assert np.array_equal(np.column_stack([own["x"], own["y"]]), study["layout/patch"][3].reshape(-1, 2))
    assert own["colour"] == [*[layer_colours(2)[0]] * 3, *[layer_colours(2)[1]] * 3]
    assert own["words"][4].startswith("layer 1 head 1 · entropy ")
    assert len(view.plot.cloud.data["x"]) == 0


def test_the_ring_follows_the_head(view: Any):
    view.session.selection.choose_head(1, 2)
    place = view.session.study["layout/patch"][3, 1, 2]
    assert (view.plot.ring.data["x"][0], view.plot.ring.data["y"][0]) == tuple(place)


def test_without_an_image_the_head_is_highlighted_on_all(view: Any):
    view.session.selection.param.update(image=None, layer=1, head=0)
    expected = np.sort(view.session.study["layout/patch"][:, 1, 0, 0])
    assert np.array_equal(np.sort(view.plot.cloud.data["x"]), expected)
    assert len(view.plot.own.data["x"]) == len(view.plot.ring.data["x"]) == 0
    view.session.selection.image = 2
    assert len(view.plot.cloud.data["x"]) == 0
    view.tools.switch("cloud", is_on=True)
    assert np.array_equal(np.sort(view.plot.cloud.data["x"]), expected)


def test_pattern_switch_shows_the_other_layout(view: Any):
    view._pattern.value = "cls"
    assert view.session.selection.pattern == "cls"
    assert np.array_equal(view.plot.own.data["x"], view.session.study["layout/cls"][3, :, :, 0].ravel())


def test_density_switch_draws_another_picture(view: Any):
    before = view.plot.source.data["image"][0]
    view._density.value = False
    after = view.plot.source.data["image"][0]
    assert not view.session.selection.density
    assert before.shape == after.shape
    assert not np.array_equal(before, after)


def test_click_on_an_own_point_keeps_the_image(view: Any):
    tap(view, view.session.study["layout/patch"][3, 1, 1])
    assert view.session.selection.image == 3
    assert view.session.chosen_head == (1, 1)
    assert view._back.disabled


def test_click_elsewhere_jumps_to_the_nearest_image_and_back_returns(view: Any):
    layout = view.session.study["layout/patch"]
    view.session.selection.choose_head(1, 0)
    far = np.linalg.norm(layout[..., None, :] - layout[3].reshape(-1, 2), axis=-1).min(-1)
    image, layer, head = np.unravel_index(far.argmax(), far.shape)
    tap(view, layout[image, layer, head])
    assert (view.session.selection.image, *view.session.chosen_head) == (image, layer, head)
    view._back.clicks += 1
    assert (view.session.selection.image, *view.session.chosen_head) == (3, 1, 0)
    assert view._back.disabled


def test_picture_is_drawn_for_what_is_seen(view: Any):
    fig = view.plot.figure
    fig._trigger_event(RangesUpdate(fig, x0=0.0, x1=2.0, y0=-1.0, y1=1.0))
    picture = view.plot.source.data
    assert (picture["x"], picture["y"], picture["dw"], picture["dh"]) == ([0.0], [-1.0], [2.0], [2.0])
    view.tools._handle_msg({"press": "home"})
    assert view.plot.source.data["dw"][0] > np.ptp(view.session.study["layout/patch"][..., 0])


def test_ranges_that_the_server_set_are_no_act(view: Any):
    fig, home = view.plot.figure, view.viewport.seen
    view.tools._handle_msg({"press": "zoom in"})
    near = view.viewport.seen
    for window in (home, near):
        fig._trigger_event(RangesUpdate(fig, x0=window.x[0], x1=window.x[1], y0=window.y[0], y1=window.y[1]))
        assert view.viewport.seen == near
    fig._trigger_event(RangesUpdate(fig, x0=1.0, x1=2.0, y0=1.0, y1=2.0))
    assert view.viewport.seen.x == (1.0, 2.0)


def test_the_part_in_sight_is_told_to_the_selection_and_followed_from_it(view: Any):
    selection, fig = view.session.selection, view.plot.figure
    home = view.viewport.seen
    fig._trigger_event(RangesUpdate(fig, x0=0.0, x1=2.0, y0=-1.0, y1=1.0))
    assert selection.viewport == (0.0, 2.0, -1.0, 1.0)
    assert view.viewport.seen.x == (0.0, 2.0)
    selection.undo()
    assert selection.viewport is None
    assert view.viewport.seen == home
    selection.viewport = (0.0, 4.0, 0.0, 1.0)
    assert view.viewport.seen.x == (0.0, 4.0)
    assert view.viewport.seen.y == (-1.5, 2.5), "the frame is a square"
    view.tools._handle_msg({"press": "home"})
    assert selection.viewport is None
    view.tools._handle_msg({"press": "zoom in"})
    assert selection.viewport is not None
    view.session.selection.pattern = "cls"
    assert selection.viewport is None


def test_a_part_of_the_map_that_is_asked_for_is_in_sight_at_any_size(make_session: Callable[..., Session]):
    view = PatternOverview(make_session(selection=Selection(viewport=(0.0, 2.0, -1.0, 1.0))), Bridge())
    fig = view.plot.figure
    for width, height in ((400, 200), (320, 320), (100, 300)):
        fig.set_from_json("inner_width", width)
        fig.set_from_json("inner_height", height)
        assert (view.viewport.seen.width, view.viewport.seen.height) == (width, height)
        assert view.viewport.seen.scale[0] == pytest.approx(view.viewport.seen.scale[1])
        for (low, high), ends in ((view.viewport.seen.x, (0.0, 2.0)), (view.viewport.seen.y, (-1.0, 1.0))):
            assert low <= min(ends)
            assert max(ends) <= high
    assert view.session.selection.viewport == (0.0, 2.0, -1.0, 1.0), "a size is no act of a person"


def test_ranges_too_far_or_too_near_to_be_told_are_no_error(view: Any):
    fig = view.plot.figure
    for x0, x1 in ((-1e12, 1e12), (0.5, 0.5 + 1e-12)):
        fig._trigger_event(RangesUpdate(fig, x0=x0, x1=x1, y0=x0, y1=x1))
        assert view.session.selection.viewport is None


def test_ranges_that_are_told_twice_are_painted_once(view: Any):
    fig = view.plot.figure
    told = RangesUpdate(fig, x0=0.0, x1=2.0, y0=-1.0, y1=1.0)
    fig._trigger_event(told)
    before = view.plot.source.data
    fig._trigger_event(told)
    assert view.plot.source.data is before
    fig._trigger_event(RangesUpdate(fig, x0=0.0, x1=2.0, y0=-1.0, y1=2.0))
    assert view.plot.source.data["dh"] == [3.0]


def test_missing_layouts_say_why(make_session: Callable[..., Session]):
    view = PatternOverview(make_session(prefix=(), selection=Selection(image=3, pattern="cls")), Bridge())
    assert "CLS" in view.chart.message
    assert view.chart.words
    view.session.selection.pattern = "patch"
    assert not view.chart.message
    unfinished = PatternOverview(make_session(finished=False), Bridge())
    assert "not finished" in unfinished.chart.message


def test_buttons_zoom_about_the_chosen_head(view: Any):
    place = view.session.study["layout/patch"][3, 0, 0]
    wide = view.plot.source.data["dw"][0]
    view.tools._handle_msg({"press": "zoom in"})
    picture, span = view.plot.source.data, view.plot.figure.x_range
    assert picture["dw"][0] == pytest.approx(wide / 2)
    assert (span.start, span.end) == pytest.approx((picture["x"][0], picture["x"][0] + picture["dw"][0]))
    assert (span.start + span.end) / 2 == pytest.approx(place[0])
    view.tools._handle_msg({"press": "zoom out"})
    assert view.plot.source.data["dw"][0] == pytest.approx(wide)


def test_every_colour_is_drawn_and_explained(view: Any):
    for colour, density in product(MAP_COLOURS, (True, False)):
        view._density.value = density
        view._colour.value = colour
        check_colour(view, colour)


def check_colour(view: Any, colour: str):
    assert view.session.selection.map_colour == colour
    assert (view.plot.source.data["image"][0] >> 24).any()
    # No tokens are brushed here, which is said in words.
    assert view.plot.bar.visible != (colour in {"class", "tokens"})
    if colour == "class":
        assert "T-shirt &amp; &lt;top&gt;" in view._legend.object
    table = view.table()
    assert len(table) == 72
    row = table[(table.image == 5) & (table.layer == 1) & (table["head"] == 2)]
    assert np.array_equal(row[["x", "y"]].to_numpy()[0], view.session.study["layout/patch"][5, 1, 2])
    assert {"class", "entropy", "importance_probability", "layout"} <= set(table.columns)
    assert row["entropy"].item() == view.session.study["entropy"][5, 1, 2]
    own = view.session.study["importance/probability"][5, 1, 2]
    assert row["importance_probability"].item() == pytest.approx(own, abs=1e-6)
    assert row["class"].item() == view.session.study.images["label_name"][5]


def test_the_share_of_own_neighbours_is_said_in_words(view: Any):
    cohesion = view.session.patterns.cohesion()
    view.session.selection.choose_head(1, 2)
    words = f"{100 * cohesion.share[1, 2]:.0f} % of its 15 nearest neighbours are L1 H2 too"
    assert words in view._words.object


def test_a_box_marks_a_cluster_and_the_card_says_what_it_is(view: Any):
    fig, card = view.plot.figure, view.card
    assert not card._layout.visible
    x = view.session.study["layout/patch"][..., 0]
    box = {"type": "rect", "x0": float(x.min()) - 1, "x1": float(x.max()) + 1, "y0": -1e3, "y1": 1e3}
    fig._trigger_event(SelectionGeometry(fig, geometry=box, final=False))
    assert view.session.selection.heads is None
    fig._trigger_event(SelectionGeometry(fig, geometry=box, final=True))
    assert isinstance(view.session.selection.heads, InPolygon)
    assert card._layout.visible
    assert "<b>72 heads</b> on 12 of 12 images" in card.words.object
    assert card.parts.object.count("<span>17 %</span><span>100 %</span>") == 4
    assert "of all" in card.parts.object
    assert "and 2 more" in card.parts.object
    assert card.map.pairs.data["image"][0].shape == (16, 16)
    assert len(card.table()) == 6
    assert len(view.plot.outline.data["x"]) == 4
    view.session.selection.pattern = "cls"
    assert len(view.plot.outline.data["x"]) == 0
    card.clear.clicks += 1
    assert view.session.selection.heads is None
    assert not card._layout.visible
    assert len(view.plot.marked.data["x"]) == 0


def test_a_lasso_around_nothing_says_so(view: Any):
    fig = view.plot.figure
    line = {"type": "poly", "x": np.array([900.0, 901, 900]), "y": np.array([900.0, 900, 901])}
    fig._trigger_event(SelectionGeometry(fig, geometry=line, final=True))
    assert "No head lies inside" in view.card.words.object
    assert view.card.examples.heads == []


def test_the_neighbours_of_the_chosen_head_are_marked_and_examples_lead_there(view: Any):
    view.tools._handle_msg({"press": "around"})
    assert view.session.selection.heads == Near("layout/patch", (3, 0, 0), 100)
    view.card.count.value = 9
    assert view.card.summary.n_heads == 9
    assert len(view.plot.marked.data["x"]) > 0
    image, layer, head = view.card.summary.examples[1]
    shown = view.card.examples.heads[1]
    assert shown["words"] == f"Go to layer {layer} head {head} on image {image}"
    assert shown["picture"].startswith("data:image/")
    view.session.selection.heads = None
    view.card._on_example(SimpleNamespace(data={"choose": shown["head"]}))
    assert (view.session.selection.image, *view.session.chosen_head) == (image, layer, head)
    view.card._on_example(SimpleNamespace(data={"choose": [99, 0, 0]}))
    assert view.session.selection.image == image


def test_colours_that_cannot_be_had_are_said_in_place(make_session: Callable[..., Session]):
    view = PatternOverview(make_session(n_classes=0), Bridge())
    view._colour.value = "class"
    assert "label" in view.chart.message
    view._colour.value = "importance"
    assert "class head" in view.chart.message
    view._colour.value = "layer"
    assert not view.chart.message
    assert "probability lost –" in view.plot.own.data["words"][0]


def test_more_layouts_than_two_are_a_list(make_session: Callable[..., Session], monkeypatch: pytest.MonkeyPatch):
    session = make_session()
    layouts = {"patch": "Patch", "cls": "CLS", "offset_mean": "Offset mean"}
    monkeypatch.setattr(session.patterns, "layouts", lambda: layouts)
    view = PatternOverview(session, Bridge())
    assert view._pattern.options == {label: name for name, label in layouts.items()}
    view._pattern.value = "cls"
    assert session.selection.pattern == "cls"
    view._pattern.value = "offset_mean"
    assert "offset_mean" in view.chart.message


def test_importance_with_a_sign_has_nothing_in_the_middle_of_its_colours(view: Any):
    view._colour.value = "importance"
    bar = view.plot.bar
    assert bar.color_mapper.low == -bar.color_mapper.high
    assert bar.ticker.ticks[1] == 0
    assert bar.major_label_overrides[bar.color_mapper.low].startswith("−")
    view.session.selection.metric = "jsd"
    assert view.plot.bar.color_mapper.low >= 0


def check_share_colours(view: Any):
    """Each head has the colour of its share, or the one beside it."""
    shares = view.session.token_shares().values.ravel()
    ramp = share_colours(shares, dark=view.dark).ramp
    places = np.array([ramp.index(colour) for colour in view.plot.own.data["colour"]])
    assert np.abs(places - shares / shares.max() * (len(ramp) - 1)).max() <= 1
    mapper = view.plot.bar.color_mapper
    assert tuple(mapper.palette) == ramp
    assert (mapper.low, mapper.high) == (0, shares.max())


def test_brushed_tokens_colour_the_heads_of_the_chosen_image(view: Any):
    selection, own = view.session.selection, view.plot.own
    selection.map_colour = "tokens"
    assert "No tokens are brushed" in view._legend.object
    assert set(own.data["colour"]) == {MUTED}
    for mark in (Ids((1, 2, 6), "token"), Ids((3,), "token")):
        selection.mark(mark)
        check_share_colours(view)
        assert view.plot.bar.visible
        assert "Only the heads of image 3" in view._legend.object
    selection.share_source = "patches"
    check_share_colours(view)
    assert "all patches" in view.plot.bar.title
    view.dark = True
    check_share_colours(view)
    selection.image = 5
    check_share_colours(view)
    assert "Only the heads of image 5" in view._legend.object
    selection.image = None
    assert "Attention is of one image." in view._legend.object
    assert not view.plot.bar.visible


def test_until_the_live_model_has_answered_the_map_says_so(view: Any):
    view.session.inference.is_prompt = False
    view.session.selection.param.update(map_colour="tokens", share_source="patches")
    view.session.selection.mark(Ids((3,), "token"))
    assert "computing" in view._legend.object
    view.session.inference.answer("received")
    check_share_colours(view)
