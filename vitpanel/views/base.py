"""What all views have in common."""

import html
from collections.abc import Callable
from typing import Any, ClassVar, cast

import numpy as np
import panel as pn
import panel_material_ui as pmui
from bokeh.models import Title
from bokeh.plotting import figure

from vitpanel.errors import VitpanelError
from vitpanel.state.session import Session
from vitpanel.views.bridge import Bridge
from vitpanel.views.palette import GRID, MUTED, TEXT

HEADER_HEIGHT = 44
MOST_TICKS = 16
COMPACT: dict[str, Any] = {
    "& .MuiInputBase-root": {"height": "30px", "fontSize": "13px"},
    "& .MuiInputBase-input": {"padding": "3px 8px", "fontSize": "13px"},
    "& .MuiInputBase-adornedStart": {"padding": "0 2px"},
    "& .MuiInputAdornment-root": {"margin": 0},
    "& .MuiInputAdornment-root .MuiIconButton-root": {"padding": "1px"},
}
FULL_WIDTH = {"sizing_mode": "stretch_width", "margin": 0}
FILLED = {"sizing_mode": "stretch_both", "margin": 0}


def escaped(text: object) -> str:
    """Text that comes from files or people, safe inside HTML."""
    return html.escape(str(text))


def create_figure(**options: Any) -> figure:
    """Return an empty figure in the house style: no logo, thin grid, small legible labels, stretching to its place."""
    defaults: dict[str, Any] = {
        "sizing_mode": "stretch_both",
        "toolbar_location": None,
        "tools": "",
        "min_border": 2,
        "min_border_right": 6,
        "min_width": 0,
        "min_height": 0,
        "lod_threshold": None,
    }
    fig = figure(**(defaults | options))
    fig.outline_line_color = None
    fig.background_fill_alpha = fig.border_fill_alpha = 0
    fig.grid.grid_line_color = GRID
    for axis in fig.axis:
        axis.axis_line_color = axis.major_tick_line_color = MUTED
        axis.major_tick_in = 0
        axis.major_tick_out = 3
        axis.minor_tick_line_color = None
        axis.major_label_text_color = axis.axis_label_text_color = TEXT
        axis.major_label_text_font_size = "10px"
        axis.major_label_standoff = 3
        axis.axis_label_text_font_size = "11px"
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_standoff = 2
    title = cast("Title", fig.title)
    title.text_font_size = "11px"
    title.text_font_style = "bold"
    title.text_color = TEXT
    title.standoff = 2
    return fig


def numbers_as_text(values: np.ndarray, digits: int) -> list[str]:
    """Numbers for a tooltip, a dash for NaN."""
    return ["–" if np.isnan(value) else f"{value:.{digits}f}" for value in values]


def layer_ticks(n_layers: int) -> list[int]:
    """Layers whose numbers fit below a narrow chart."""
    return list(range(0, n_layers, 1 + n_layers // (MOST_TICKS + 1)))


class Chart(pn.viewable.Viewer):
    """A figure with words in its place where there is nothing to draw.

    Parameters
    ----------
    fig
        Written through the bridge only.
    bridge
        The session's.
    """

    _NOTE = """
        :host { position: absolute; inset: 0; z-index: 2; pointer-events: none; }
        .note { height: 100%; display: flex; flex-direction: column; align-items: center; justify-content: center;
            text-align: center; gap: 4px; padding: 8px; box-sizing: border-box; font: 12px/1.35 sans-serif;
            color: #2b323a; background: rgba(255, 255, 255, 0.97); overflow: hidden; }
        .note .hint { color: #5b6573; font-size: 11px; }
        .busy { position: absolute; top: 2px; right: 6px; font: 11px sans-serif; color: #5b6573;
            animation: late 0.15s step-end; }
        @keyframes late { from { opacity: 0 } to { opacity: 1 } }
    """

    def __init__(self, fig: figure, bridge: Bridge, **params: Any) -> None:
        super().__init__(**params)
        self.figure = fig
        self.message = ""
        self.note = pn.pane.HTML("", visible=False, stylesheets=[self._NOTE], **FILLED)
        self._layout = pn.Column(
            bridge.pane(fig, **FILLED), self.note, **FILLED, styles={"position": "relative", "min-height": "0"}
        )

    def say(self, message: str, *, hint: str = "") -> None:
        """Say in words, over the figure, why there is nothing to see."""
        self.message = message
        words = f'<div class="note" role="status"><div>{escaped(message)}</div>'
        self.note.param.update(object=f'{words}<div class="hint">{escaped(hint)}</div></div>', visible=True)

    def wait(self) -> None:
        """Say in a corner that new values are on their way; what was drawn stays."""
        self.message = ""
        self.note.param.update(object='<div class="busy" role="status">computing …</div>', visible=True)

    def clear(self) -> None:
        """Leave the figure alone in its place."""
        self.message = ""
        self.note.visible = False

    def __panel__(self) -> pn.viewable.Viewable:
        """Return the one layout of this chart."""
        return self._layout


class View(pn.viewable.Viewer):
    """One view: a title, a "?" that says how to read it, and a body.

    A view is given a `Session`; when the selection changes it asks the session for named results and patches the
    sources that it made once. It knows no other view.
    """

    title: ClassVar[str]
    help: ClassVar[str]

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(**params)
        self.session = session
        self.bridge = bridge

    def body(self) -> pn.viewable.Viewable:
        """Build what the view shows; called once."""
        raise NotImplementedError

    def controls(self) -> list[pn.viewable.Viewable]:
        """Widgets shown at the right of the title."""
        return []

    def draw(self, chart: Chart, change: Callable[[], None], *, needs: str) -> None:
        """Apply a change and show its chart, or say in its place why there is nothing to see.

        Parameters
        ----------
        chart
            What is patched.
        change
            Patches the sources; a `VitpanelError` that it raises is shown in place.
        needs
            Name of the array without which there is nothing to draw.
        """
        reason = self.session.study.reason(needs)
        if reason:
            chart.say(reason)
            return
        try:
            change()
        except VitpanelError as error:
            chart.say(error.message, hint=error.hint)
        else:
            chart.clear()

    def __panel__(self) -> pn.viewable.Viewable:
        """Lay out title, controls and body once per view."""
        header = pn.Row(
            pmui.Typography(self.title, variant="subtitle2", margin=(12, 2, 0, 10), styles={"white-space": "nowrap"}),
            pn.widgets.TooltipIcon(value=self.help, margin=(10, 0, 0, 0)),
            pn.HSpacer(),
            *self.controls(),
            sizing_mode="stretch_width",
            height=HEADER_HEIGHT,
            margin=0,
        )
        return pmui.Paper(pn.Column(header, self.body(), **FILLED), elevation=1, sizing_mode="stretch_both", margin=4)
