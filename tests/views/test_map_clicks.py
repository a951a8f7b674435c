"""Clicks on the map of all heads, and what waits for the map to be sorted."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bokeh.events import DoubleTap, Tap

from tests.fakes import FakeInference
from tests.views.test_background import ServedBridge
from vitpanel.drawing.point_grid import PointGrid
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study
from vitpanel.views.bridge import Bridge
from vitpanel.views.pattern_overview import PatternOverview


@pytest.fixture
def view(make_session: Callable[..., Session]) -> Any:
    return PatternOverview(make_session(), Bridge())


def click(
    view: Any, place: Any, *, kind: type[Tap] | type[DoubleTap] = Tap, at: tuple[float, float] = (50, 50)
) -> None:
    fig = view.plot.figure
    fig._trigger_event(kind(fig, x=float(place[0]), y=float(place[1]), sx=at[0], sy=at[1]))


def chosen(session: Session) -> tuple[Any, ...]:
    return (session.selection.image, *session.chosen_head)


def far_heads(session: Session, count: int) -> list[tuple[int, ...]]:
    """Heads of other images that lie far from each other and from the chosen image's."""
    layout = session.study["layout/patch"]
    taken = [*layout[3].reshape(-1, 2)]
    found = []
    for _ in range(count):
        distance = np.linalg.norm(layout[..., None, :] - taken, axis=-1).min(-1)
        found.append(tuple(int(i) for i in np.unravel_index(distance.argmax(), distance.shape)))
        taken.append(layout[found[-1]])
    return found


def test_a_click_on_empty_ground_keeps_the_place(view: Any):
    layout, before = view.session.study["layout/patch"].reshape(-1, 2), chosen(view.session)
    click(view, layout.max(0) + 0.1 * np.ptp(layout, axis=0))
    assert chosen(view.session) == before
    assert view.session.selection.jumps == []


def test_a_double_click_shows_everything_and_keeps_the_place(view: Any):
    (far,), before, home = far_heads(view.session, 1), chosen(view.session), view.viewport.seen
    view.tools._handle_msg({"press": "zoom in"})
    assert view.viewport.seen != home
    for place in (view.session.study["layout/patch"][far], view.session.study["layout/patch"][3, 1, 1]):
        click(view, place)
        assert chosen(view.session) != before
        click(view, place, kind=DoubleTap)
        assert chosen(view.session) == before
        assert view.session.selection.jumps == []
        assert view.viewport.seen == home


def test_a_quick_click_somewhere_else_is_a_click(view: Any):
    one, other = far_heads(view.session, 2)
    click(view, view.session.study["layout/patch"][one])
    click(view, view.session.study["layout/patch"][other], kind=DoubleTap, at=(150, 90))
    assert chosen(view.session) == other


class HeldBack:
    """A view of a map whose sorting waits until it may go on."""

    def __init__(self, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_go, self.threads, self.sent = threading.Event(), [], []
        monkeypatch.setattr("vitpanel.state.pattern_map.PointGrid", self._sort)
        self.session = Session(study, selection=Selection(image=3), inference=FakeInference(study.spec))
        self.bridge = ServedBridge()
        self.view: Any = PatternOverview(self.session, self.bridge)
        self.view.view_tools._send_msg = self.sent.append

    def _sort(self, *points: np.ndarray) -> PointGrid:
        self.threads.append(threading.current_thread())
        assert self.may_go.wait(60)
        return PointGrid(*points)

    def go_on(self, is_done: Callable[[], bool]) -> None:
        self.may_go.set()
        while not is_done():
            self.bridge.turn()
        assert self.threads
        assert threading.current_thread() not in self.threads


@pytest.fixture
def held_back(small_study: Callable[..., Study], monkeypatch: pytest.MonkeyPatch) -> HeldBack:
    return HeldBack(open_study(small_study().path), monkeypatch)


def test_the_latest_click_is_answered_when_the_map_is_sorted(held_back: HeldBack):
    one, other = far_heads(held_back.session, 2)
    for place in (one, other):
        click(held_back.view, held_back.session.study["layout/patch"][place])
    assert chosen(held_back.session) == (3, 0, 0)
    held_back.go_on(lambda: held_back.session.selection.image != 3)
    assert chosen(held_back.session) == other


def test_a_click_that_was_overtaken_by_another_choice_is_forgotten(held_back: HeldBack):
    (far,) = far_heads(held_back.session, 1)
    click(held_back.view, held_back.session.study["layout/patch"][far])
    held_back.session.selection.choose_head(1, 2)
    held_back.go_on(lambda: not held_back.view._clicks._background._is_busy)
    assert chosen(held_back.session) == (3, 1, 2)


def test_the_table_is_made_beside_the_event_loop_and_then_saved(held_back: HeldBack):
    held_back.view.save("pattern-overview", "csv")
    assert [message["kind"] for message in held_back.sent] == ["words"]
    held_back.go_on(lambda: len(held_back.sent) > 1)
    saved = held_back.sent[1]
    assert saved["kind"] == "csv"
    assert saved["text"] == held_back.view.table().to_csv(index=False)
    assert isinstance(held_back.view.table(), pd.DataFrame)
