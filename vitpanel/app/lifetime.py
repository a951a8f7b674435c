"""What ends with a session, and what the collector of garbage need not look through."""

import ctypes
import gc
import sys
from collections.abc import Callable
from contextvars import Context
from typing import Any

import panel as pn
from bokeh.document import Document
from tornado.ioloop import IOLoop


def served_document() -> Document | None:
    """Document of the session that runs, None where there is none, as in a script or a notebook."""
    document = pn.state.curdoc
    return None if document is None or document.session_context is None else document


class Lifetimes:
    """Counts the sessions of the process that are alive.

    With torch loaded, a collection takes half a second, in which nobody is answered. What is loaded once is therefore
    frozen: the collector no longer looks at it. Sessions that are alive at that moment are frozen with it and would
    stay for ever, so the last session that ends thaws everything, collects, and freezes anew while nobody waits.
    """

    def __init__(self) -> None:
        self.n_alive = 0

    def begin(self, *ends: Callable[[], Any]) -> None:
        """Note that a session has begun; when it ends, the given calls are made.

        Does nothing where there is no session, as in a notebook.
        """
        document = served_document()
        if document is None:
            return
        self.n_alive += 1
        # Panel's timer of busy events goes on for as long as the process, in the context in which it was started, and
        # keeps the document of that one (Panel 1.9.4): it starts here, in a context without a document.
        Context().run(pn.state._schedule_busy_cleanup)  # noqa: SLF001 - nothing public starts it

        def end(_context: Any) -> None:
            self.n_alive -= 1
            for call in ends:
                call()
            if self.n_alive == 0:
                _call_soon(freeze_what_stays)

        document.on_session_destroyed(end)


sessions = Lifetimes()


def freeze_what_is_there() -> None:
    """Collect garbage, and let the collector pass over what is left from now on."""
    gc.collect()
    gc.freeze()


def freeze_what_stays() -> None:
    """Freeze as `freeze_what_is_there` does, without what is garbage now; its memory goes back to the system."""
    gc.unfreeze()
    freeze_what_is_there()
    give_memory_back()


def give_memory_back() -> None:
    """Let the system have the memory that is free, which the allocator of Linux otherwise keeps; nothing elsewhere."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc; others need none
        if trim is not None:
            trim(0)


def _call_soon(call: Callable[[], None]) -> None:
    """Make a call once Bokeh has let go of what has just ended."""
    IOLoop.current().call_later(1, call)
