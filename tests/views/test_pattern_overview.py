"""D1 without a browser."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bokeh.events import RangesUpdate, Tap

from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
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
    assert own["layer"] == [0, 0, 0, 1, 1, 1]
    assert own["name"][4] == "layer 1 head 1"
    assert len(view.plot.cloud.data["x"]) == 0


def test_the_ring_follows_the_head(view: Any):
    view.session.selection.choose_head(1, 2)
    place = view.session.study["layout/patch"][3, 1, 2]
    assert (view.plot.ring.data["x"][0], view.plot.ring.data["y"][0]) == tuple(place)


def test_without_an_image_the_head_is_lit_on_all(view: Any):
    view.session.selection.param.update(image=None, layer=1, head=0)
    assert np.array_equal(view.plot.cloud.data["x"], view.session.study["layout/patch"][:, 1, 0, 0])
    assert len(view.plot.own.data["x"]) == len(view.plot.ring.data["x"]) == 0


def test_pattern_switch_shows_the_other_layout(view: Any):
    view._pattern.value = "cls"
    assert view.session.selection.pattern == "cls"
    assert np.array_equal(view.plot.own.data["x"], view.session.study["layout/cls"][3, :, :, 0].ravel())


def test_density_switch_draws_another_picture(view: Any):
    before = view.plot.picture.data["image"][0]
    view._density.value = False
    after = view.plot.picture.data["image"][0]
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
    picture = view.plot.picture.data
    assert (picture["x"], picture["y"], picture["dw"], picture["dh"]) == ([0.0], [-1.0], [2.0], [2.0])
    view._home.clicks += 1
    assert view.plot.picture.data["dw"][0] > np.ptp(view.session.study["layout/patch"][..., 0])


def test_missing_layouts_say_why(make_session: Callable[..., Session]):
    view = PatternOverview(make_session(prefix=(), selection=Selection(image=3, pattern="cls")), Bridge())
    assert "CLS" in view.chart.message
    assert view.chart.note.visible
    view.session.selection.pattern = "patch"
    assert not view.chart.message
    unfinished = PatternOverview(make_session(finished=False), Bridge())
    assert "not finished" in unfinished.chart.message
