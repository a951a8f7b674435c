"""The one door for writes to Bokeh models."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import panel as pn
from bokeh.document import Document
from bokeh.model import Model


class Bridge:
    """Applies changes of Bokeh models where Bokeh allows them, the latest of each key only.

    Panel runs the callbacks of its widgets without Bokeh's document lock, where a write to a Bokeh model raises or is
    lost (https://github.com/holoviz/panel/issues/1447). On a server the writes therefore wait for the next tick,
    which runs under the lock; in a notebook they are applied at once and pushed to the front end. One object belongs
    to one session.
    """

    def __init__(self) -> None:
        self._document = pn.state.curdoc
        self._waiting: dict[Any, Callable[[], None]] = {}
        self._is_due = False
        self._panes: list[pn.pane.Bokeh] = []

    def pane(self, model: Model, **params: Any) -> pn.pane.Bokeh:
        """Pane of a figure or layout whose models are written through this bridge."""
        pane = pn.pane.Bokeh(model, **params)
        self._panes.append(pane)
        return pane

    def put(self, key: Any, change: Callable[[], None]) -> None:
        """Apply a change soon; a later change of the same key replaces one that still waits."""
        self._waiting[key] = change
        if not self._is_due:
            self._ask()

    def _ask(self) -> None:
        self._is_due = True
        document = self._served_document
        if document is not None:
            document.add_next_tick_callback(self.flush)
        else:
            self.flush()

    @property
    def is_served(self) -> bool:
        """Whether changes wait for an event loop, so that work can go on beside it."""
        return self._served_document is not None

    def soon(self, call: Callable[[], None]) -> None:
        """Make a call where Bokeh models may be written to, from any thread; never if the session has ended."""
        document = self._served_document
        if document is not None and not document.session_context.destroyed:
            document.add_next_tick_callback(partial(self._together, call))

    @property
    def _served_document(self) -> Document | None:
        return self._document if self._document is not None and self._document.session_context is not None else None

    def flush(self) -> None:
        """Apply what waits now, and what that asks for."""
        try:
            self._together(self._apply)
        finally:
            self._is_due = False
        # What another thread put while the message was sent.
        if self._waiting:
            self._ask()
        if self._served_document is None:
            # `_models` is private to Panel: it maps the root of each place where the pane is shown.
            for root in {ref for pane in self._panes for ref in pane._models}:  # noqa: SLF001
                pn.io.notebook.push_on_root(root)

    def _apply(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            for change in waiting.values():
                change()

    def _together(self, call: Callable[[], None]) -> None:
        """Make a call whose changes are sent as one message, in their order."""
        document = self._served_document
        # Panel's hold drops what is changed while the page loads, though the page may have been described already.
        can_hold = document is not None and pn.state.loaded
        with pn.io.hold(document, policy="collect") if can_hold else nullcontext():
            call()
