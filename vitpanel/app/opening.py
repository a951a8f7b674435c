"""Pages open one after the other and part by part, so that the event loop answers everybody in between."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from bokeh.document import Document

# Long enough for what has come over the network meanwhile to be answered, short against a part.
PAUSE_SECONDS = 0.01


class Queue:
    """Those of one event loop whose pages are not built yet, in the order in which they came."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self._waiting: list[Callable[[int], None]] = []

    def join(self, tell: Callable[[int], None]) -> None:
        """Wait behind all others."""
        self._waiting.append(tell)
        tell(len(self._waiting) - 1)

    def leave(self, tell: Callable[[int], None]) -> None:
        """Let those behind move up."""
        place = self._waiting.index(tell)
        del self._waiting[place]
        for before, other in enumerate(self._waiting[place:], start=place):
            other(before)


_queues: WeakKeyDictionary[asyncio.AbstractEventLoop, Queue] = WeakKeyDictionary()


async def open_in_turn(document: Document, parts: Iterator[None], tell: Callable[[int], None]) -> None:
    """Build a page when those before it are built, one part a tick of its document.

    Parameters
    ----------
    document
        The page's; when its session ends, building ends.
    parts
        Builds one part at each step.
    tell
        Is told how many others are before this page, whenever that changes, in the thread of the loop.
    """
    queue = _queues.setdefault(asyncio.get_running_loop(), Queue())
    _cancel_with(document, asyncio.current_task())
    queue.join(tell)
    try:
        async with queue.turn:
            there_was_one = True
            while there_was_one:
                there_was_one = await _next(document, parts)
                await asyncio.sleep(PAUSE_SECONDS)
    finally:
        queue.leave(tell)


def _cancel_with(document: Document, task: "asyncio.Task[None] | None") -> None:
    """End a task when the session of a document ends."""

    def end(_context: Any) -> None:
        if task is not None:
            task.cancel()

    document.on_session_destroyed(end)


async def _next(document: Document, parts: Iterator[None]) -> bool:
    """Build one part under the lock of the document; whether there was one."""
    is_built: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def build() -> None:
        try:
            there_was = next(parts, StopIteration) is not StopIteration
        except Exception as error:  # noqa: BLE001 - raised again where the page is opened
            if not is_built.done():
                is_built.set_exception(error)
        else:
            if not is_built.done():
                is_built.set_result(there_was)

    document.add_next_tick_callback(build)
    return await is_built
