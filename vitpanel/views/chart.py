"""A figure in its place on the page, with words where there is nothing to draw."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import pandas as pd
import panel as pn
from bokeh.models import Div
from bokeh.plotting import figure
from holoviews.plotting.plot import Plot

from vitpanel.theme.palette import css
from vitpanel.views.base import FILLED, error_words
from vitpanel.views.bridge import Bridge
from vitpanel.views.figure_pane import FigurePane, PlotPane
from vitpanel.views.tables import TABLE_KINDS

# Bokeh fits the width of a text to what is in it at each change; here nothing is that takes room.
_NOTE = f"""
    :host {{ position: absolute; inset: 0; width: auto; margin: 0; z-index: 2; pointer-events: none; }}
    .note {{ position: absolute; inset: 0; display: flex; flex-direction: column; align-items: center;
        justify-content: center; text-align: center; gap: 4px; padding: 8px; box-sizing: border-box;
        font: 12px/1.35 sans-serif; color: {css("text")}; background: {css("surface")}; overflow: hidden; }}
    .note .hint {{ color: {css("hint")}; font-size: 11px; }}
    .busy {{ position: absolute; bottom: 0; right: 0; padding: 2px 6px; font: 11px sans-serif; color: {css("hint")};
        background: {css("surface")};
        animation: late 0.15s step-end; }}
    @keyframes late {{ from {{ opacity: 0 }} to {{ opacity: 1 }} }}
"""


class Chart(pn.viewable.Viewer):
    """A figure with words in its place where there is nothing to draw.

    Parameters
    ----------
    fig
        Written through the bridge only; or what makes it when it is wanted; or a plot of HoloViews.
    bridge
        The session's.
    name
        Begins the names of the files that the figure is saved as; None for one that is not offered.
    table
        What the figure shows now; None where there are no numbers to save.
    title
        Its name in the menu of files; None takes the one of the files.
    detail
        What the names of its files say beside the choice: a layout, a mode.
    legend
        What is drawn below the figure in its files, as `ViewTools.download` takes it.
    absent
        What to say when it is asked for while it is not shown.
    python
        Expression of ``study``, ``selection`` and ``elements`` that draws the same, or what gives it; empty where no
        element does.
    """

    def __init__(  # noqa: PLR0913 - each says one thing of a chart
        self,
        fig: figure | Callable[[], figure] | Plot,
        bridge: Bridge,
        *,
        name: str | None = None,
        table: Callable[[], pd.DataFrame] | None = None,
        title: str | None = None,
        detail: Callable[[], str] = str,
        legend: Callable[[], dict[str, Any] | None] = lambda: None,
        absent: str = "This chart is not shown now.",
        python: str | Callable[[], str] = "",
    ) -> None:
        super().__init__()
        self._fig, self._bridge = fig, bridge
        self.stem = name
        self.table = table
        self.title = title or (name or "").replace("-", " ").capitalize()
        self.detail, self.legend, self.absent = detail, legend, absent
        self._python = python
        self.message = self.words = ""

    @cached_property
    def figure(self) -> figure:
        """The figure; nothing is ever selected or muted in it, and a look for that would be one more model."""
        if isinstance(self._fig, Plot):
            fig = self._fig.state
        else:
            fig = self._fig if isinstance(self._fig, figure) else self._fig()
        for renderer in fig.renderers:
            if renderer.muted_glyph is not None:  # made by HoloViews, or by a method of the figure
                renderer.update(nonselection_glyph=None, muted_glyph=None)
        if not fig.html_attributes:  # a figure that answers to keys says itself what it is
            # A browser stops at nothing inside of what Tab does not reach, so not at the layer that hears the pointer.
            fig.html_attributes = {"role": "img", "aria-label": self.title, "tabindex": "-1"}
        fig.elements = _words_over(fig, self.words)
        return fig

    @property
    def python(self) -> str:
        """Expression that draws the same now; empty where no element does."""
        return self._python if isinstance(self._python, str) else self._python()

    def record(self) -> dict[str, Any]:
        """What the menu of files says of this chart; one that has not been made yet is not made for that."""
        figure_id = self.figure.id if "figure" in vars(self) else ""
        kinds = ["png", "svg", *(TABLE_KINDS if self.table is not None else [])]
        known = {"stem": self.stem, "title": self.title, "kinds": kinds, "figure": figure_id}
        return known | {"reason": self.message, "absent": self.absent}

    @cached_property
    def pane(self) -> FigurePane | PlotPane:
        """The one pane of this figure."""
        fig = self.figure
        return self._bridge.pane(self._fig if isinstance(self._fig, Plot) else fig, **FILLED)

    def placed(self, **styles: str) -> FigurePane | PlotPane:
        """Return the pane of this chart, with CSS for its place."""
        pane = self.pane
        self.figure.styles = styles
        return pane

    def _write(self, html: str) -> None:
        if html == self.words:
            return
        self.words = html
        if "figure" in vars(self):
            fig = self.figure
            self._bridge.put((self, "words"), lambda: fig.update(elements=_words_over(fig, self.words)))

    def say(self, message: str, *, hint: str = "") -> None:
        """Say in words, over the figure, why there is nothing to see."""
        self.message = message
        words = f'<div class="note" role="status"><div>{error_words(message)}</div>'
        self._write(f'{words}<div class="hint">{error_words(hint)}</div></div>')

    def wait(self) -> None:
        """Say in a corner that new values are on their way; what was drawn stays."""
        self.message = ""
        self._write('<div class="busy" role="status">computing …</div>')

    def clear(self) -> None:
        """Leave the figure alone in its place."""
        self.message = ""
        self._write("")

    def __panel__(self) -> pn.viewable.Viewable:
        """Return the one pane of this chart."""
        return self.pane


def _words_over(fig: figure, html: str) -> list[Any]:
    """Return words as a part of the figure that they lie over: as a part of the page they would lay it out anew."""
    if not html:
        return []
    shown: list[Any] = fig.elements or [Div(stylesheets=[_NOTE])]
    shown[0].text = html
    return shown
