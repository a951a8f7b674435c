"""What other threads ask of a session.

Each session lives in a thread of its own here: where tests drive a browser, the main thread has that one's loop.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TypeVar

import pytest
from bokeh.document import Document
from panel.io.state import set_curdoc

from vitpanel.views.bridge import Bridge
from vitpanel.views.session_loop import SessionLoop

T = TypeVar("T")


@pytest.fixture
def document(monkeypatch: pytest.MonkeyPatch) -> Document:
    """Return a document that is served."""
    monkeypatch.setattr(Document, "session_context", SimpleNamespace(destroyed=False))
    return Document()


def elsewhere(call: Callable[[], T]) -> T:
    """Make a call in another thread and wait for what it returns."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result(30)


async def asked_elsewhere(ask: Callable[[Callable[[], None]], None]) -> int:
    """Thread in which a call is made that another thread asks for."""
    made: asyncio.Queue[int] = asyncio.Queue()
    elsewhere(lambda: ask(lambda: made.put_nowait(threading.get_ident())))
    return await asyncio.wait_for(made.get(), 30)


async def visit() -> tuple[int, set[int]]:
    """Thread of a session, and those in which it makes the calls that other threads ask for."""
    loop, bridge = SessionLoop(), Bridge()
    assert loop.is_there
    asks = (loop.soon, bridge.soon, lambda call: bridge.put("key", call))
    return threading.get_ident(), {await asked_elsewhere(ask) for ask in asks}


def test_what_another_thread_asks_for_is_done_by_the_thread_of_the_loop():
    own, callers = elsewhere(lambda: asyncio.run(visit()))
    assert callers == {own}


def test_a_document_is_told_by_the_thread_of_its_loop(document: Document, monkeypatch: pytest.MonkeyPatch):
    tellers: list[int] = []

    def tell(call: Callable[[], None]) -> None:
        tellers.append(threading.get_ident())
        call()

    def serve() -> tuple[int, set[int]]:
        with set_curdoc(document):
            return asyncio.run(visit())

    monkeypatch.setattr(document, "add_next_tick_callback", tell)
    own, _ = elsewhere(serve)
    assert set(tellers) == {own}


def test_in_a_script_calls_are_made_at_once():
    def run() -> list[bool]:
        loop, made = SessionLoop(), []
        loop.soon(lambda: made.append(loop.is_there))
        return made

    assert elsewhere(run) == [False]


def test_nothing_is_done_for_a_session_that_has_ended(document: Document, monkeypatch: pytest.MonkeyPatch):
    with set_curdoc(document):
        loop = SessionLoop()
    for context in (SimpleNamespace(destroyed=True), None):
        monkeypatch.setattr(Document, "session_context", context)
        loop.soon(lambda: pytest.fail("was called"))


def test_nothing_is_done_in_a_loop_that_has_ended():
    async def make() -> SessionLoop:
        return SessionLoop()

    loop = elsewhere(lambda: asyncio.run(make()))
    loop.soon(lambda: pytest.fail("was called"))
