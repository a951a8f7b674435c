"""Work beside the event loop."""

import logging
import threading
from collections.abc import Callable

import pytest

from vitpanel.errors import VitpanelError
from vitpanel.views.background import Background
from vitpanel.views.bridge import Bridge


class ServedBridge(Bridge):
    """A bridge whose event loop is turned by hand."""

    @property
    def is_served(self) -> bool:
        return True

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Callable[[], None]] = []
        self.has_call = threading.Event()

    def soon(self, call: Callable[[], None]) -> None:
        self.calls.append(call)
        self.has_call.set()

    def turn(self) -> None:
        """Wait for what other threads send, and do it."""
        assert self.has_call.wait(10)
        self.has_call.clear()
        while self.calls:
            self.calls.pop(0)()


def test_without_an_event_loop_work_is_done_at_once():
    results: list[int] = []
    Background(Bridge()).run(lambda: 7, results.append)
    assert results == [7]


def test_work_is_done_in_another_thread_and_delivered_in_this_one():
    bridge, threads = ServedBridge(), []
    deliver = threads.append
    Background(bridge).run(lambda: threading.current_thread().name, deliver)
    assert threads == []
    bridge.turn()
    assert threads[0].startswith("vitpanel-work")


def test_of_work_that_waits_the_latest_is_done():
    bridge, started, results = ServedBridge(), threading.Event(), []
    background = Background(bridge)

    def first() -> int:
        assert started.wait(10)
        return 0

    background.run(first, results.append)
    for number in (1, 2, 3):
        background.run(lambda number=number: number, results.append)
    started.set()
    bridge.turn()
    if len(results) < 2:
        bridge.turn()
    assert results == [0, 3]


@pytest.mark.parametrize("bridge", [Bridge, ServedBridge])
def test_failures_are_refused_in_words(bridge: type[Bridge], caplog: pytest.LogCaptureFixture):
    made, errors = bridge(), []
    background = Background(made)

    def known() -> None:
        message = "gone"
        raise VitpanelError(message, hint="look elsewhere")

    def unknown() -> None:
        raise ZeroDivisionError

    for work, message in ((known, "gone"), (unknown, "ZeroDivisionError")):
        with caplog.at_level(logging.CRITICAL if work is known else logging.ERROR):
            background.run(work, errors.append, refuse=errors.append)
            if isinstance(made, ServedBridge):
                made.turn()
        assert message in errors[-1].message
    assert "Work in the background failed" in caplog.text
