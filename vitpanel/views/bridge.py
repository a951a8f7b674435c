"""The one door for writes to Bokeh models."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import panel as pn
from bokeh.model import Model
from bokeh.models import Plot as Figure
from holoviews.plotting.plot import Plot

from vitpanel.runtime import patches
from vitpanel.views.damage import despite_damage
from vitpanel.views.figure_pane import FigurePane, PlotPane
from vitpanel.views.parts import Parts
from vitpanel.views.session_loop import SessionLoop
from vitpanel.views.view_column import ViewColumn


class Bridge:
    """Applies changes of Bokeh models where Bokeh allows them, the latest of each key only.

    Panel runs the callbacks of its widgets without Bokeh's document lock, where a write to a Bokeh model raises or is
    lost (https://github.com/holoviz/panel/issues/1447). On a server the writes therefore wait for the next tick,
    which runs under the lock; in a notebook they are applied at once and pushed to the front end. One object belongs
    to one session.

    What a notebook has shown and let go of, since its cell is run again, may be there all the same: the shared
    selection and IPython's ``Out`` keep it. Then changes wait until it is shown again.
    """

    def __init__(self) -> None:
        patches.apply()
        self._loop = SessionLoop()
        self._parts = Parts()
        self._waiting: dict[Any, Callable[[], None]] = {}
        self._is_due = False
        self._panes: list[FigurePane | PlotPane] = []
        self._columns: list[ViewColumn] = []
        self._was_shown = False

    def pane(self, shown: Model | Plot, **params: Any) -> FigurePane | PlotPane:
        """Pane of a figure, of a layout, or of a plot of HoloViews, whose models are written through this bridge.

        On a server they share parts with the others of the page; a notebook has each cell as a page of its own.
        """
        fig = shown.state if isinstance(shown, Plot) else shown
        if self.is_served and isinstance(fig, Figure):
            self._parts.share(fig)
        if isinstance(shown, Plot):
            pane = PlotPane(shown, backend="bokeh", linked_axes=False, **params)
            pane.is_kept = not self.is_served
        else:
            pane = FigurePane(shown, **params)
        self._panes.append(pane)
        return pane

    def column(self, *parts: Any, **params: Any) -> ViewColumn:
        """Column of a view, by which the bridge knows whether the view is shown."""
        column = ViewColumn(*parts, **params)
        column.before_shown = self._catch_up
        self._columns.append(column)
        return column

    def put(self, key: Any, change: Callable[[], None]) -> None:
        """Apply a change soon; a later change of the same key replaces one that still waits. From any thread."""
        if self._loop.is_elsewhere:
            self._loop.soon(partial(self.put, key, change))
            return
        self._waiting[key] = change
        if not self._is_due and not self.is_asleep:
            self._ask()

    def _ask(self) -> None:
        self._is_due = True
        self._loop.soon(self.flush)

    @property
    def is_served(self) -> bool:
        """Whether changes wait for an event loop, so that work can go on beside it."""
        return self._loop.document is not None

    @property
    def is_asleep(self) -> bool:
        """Whether a notebook has let go of all that it has shown; changes wait until something is shown again."""
        # `_models` is private to Panel: it maps the root of each place where something is shown.
        return self._was_shown and not any(column._models for column in self._columns)  # noqa: SLF001

    def _catch_up(self) -> None:
        """Apply what waits for a notebook to show a view again: what is described of it then is as it is now."""
        if not self.is_served:
            self._was_shown = False  # awake from here on
            try:
                self.flush()
            finally:
                self._was_shown = True

    def soon(self, call: Callable[[], None]) -> None:
        """Make a call where Bokeh models may be written to, from any thread; never if the session has ended."""
        self._loop.soon(partial(self._together, call))

    def later(self, call: Callable[[], None], *, milliseconds: int) -> Callable[[], None]:
        """Make a call after a while, at once in a notebook; return what calls it off."""
        return self._loop.later(partial(self._together, call), milliseconds=milliseconds)

    def flush(self) -> None:
        """Apply what waits now, and what that asks for."""
        try:
            self._together(self._apply)
        finally:
            self._is_due = False
        if self._waiting:  # put while the message was sent
            self._ask()
        if not self.is_served:
            for root in {ref for pane in self._panes for ref in pane._models}:  # noqa: SLF001
                pn.io.notebook.push_on_root(root)

    def _apply(self) -> None:
        """Apply all that waits; what goes wrong in one change keeps no other from its turn."""
        errors: list[Exception] = []
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            for change in waiting.values():
                try:
                    despite_damage(change)
                except Exception as error:  # noqa: BLE001 - raised below
                    errors.append(error)
        if errors:
            # On a server the page is told (`SessionLoop`); one of several stands for all.
            raise errors[0]

    def _together(self, call: Callable[[], None]) -> None:
        """Make a call whose changes are sent as one message, in their order."""
        document = self._loop.document
        # Panel's hold drops what is changed while the page loads, though the page may have been described already.
        can_hold = document is not None and pn.state.loaded
        with pn.io.hold(document, policy="collect") if can_hold else nullcontext():
            call()
