"""The event loop that a session lives in, and how other threads reach it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import panel as pn


class SessionLoop:
    """The event loop of the session in which this object is made, and its document where it is served.

    A document is told of anything by the thread of its loop alone. Bokeh lets any thread ask for a next tick, but
    Panel ends a hold by copying the list of what was held and then emptying it (`unlocked` in
    https://github.com/holoviz/panel/blob/v1.9.4/panel/io/document.py): what another thread asks for between the two
    is never done.
    """

    def __init__(self) -> None:
        curdoc = pn.state.curdoc
        self.document = None if curdoc is None or curdoc.session_context is None else curdoc
        self._loop = _running_loop()

    @property
    def is_there(self) -> bool:
        """Whether something turns this loop, so that work can go on beside it; not in a script."""
        return self._loop is not None or self.document is not None

    @property
    def is_elsewhere(self) -> bool:
        """Whether this is called in another thread than the loop's."""
        return self._loop is not None and _running_loop() is not self._loop

    def soon(self, call: Callable[[], None]) -> None:
        """Make a call in the loop's thread, from any thread, on the next tick of a served document.

        Never made if the loop or the session has ended. Made at once in a script.
        """
        if self._loop is None or not self.is_elsewhere:
            self._tick(call)
            return
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._tick, call)

    def later(self, call: Callable[[], None], *, milliseconds: int) -> Callable[[], None]:
        """Make a call on a served document after a while, at once elsewhere; return what calls it off."""
        if self.document is None:
            call()
            return lambda: None
        document, timer = self.document, self.document.add_timeout_callback(partial(_make, call), milliseconds)

        def call_off() -> None:
            with suppress(ValueError):  # it has been made
                document.remove_timeout_callback(timer)

        return call_off

    def _tick(self, call: Callable[[], None]) -> None:
        if self.document is None:
            call()
            return
        context = self.document.session_context
        if context is not None and not context.destroyed:
            self.document.add_next_tick_callback(partial(_make, call))


def _make(call: Callable[[], None]) -> None:
    """Make a call; the page is told of what goes wrong, which Bokeh would only log."""
    try:
        call()
    except Exception as error:
        tell = pn.config.exception_handler
        if tell is None:
            raise
        tell(error)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
