"""Drags over the curve of all heads, which brush heads while a switch is on."""

from typing import Any

import numpy as np
from bokeh.events import SelectionGeometry
from bokeh.models import BoxSelectTool

from vitpanel.core.metrics import metric_of
from vitpanel.state.brush import HEAD, Brush, InRange, brush_of_heads
from vitpanel.state.results import ImportanceCurve
from vitpanel.state.session import Session
from vitpanel.theme.palette import css
from vitpanel.views import icons
from vitpanel.views.bridge import Bridge
from vitpanel.views.brush_ways import BrushWays
from vitpanel.views.figures.importance_line import ImportanceLine
from vitpanel.views.icon_buttons import IconButton, IconButtons

ACROSS, UPWARDS = "across", "upwards"
_SWITCHES = (
    IconButton(ACROSS, "Drag across the curve to brush heads", icons.ACROSS, is_switch=True),
    IconButton(UPWARDS, "Drag up or down to brush the heads whose mean lies there", icons.UPWARDS, is_switch=True),
)
_LOOK = f"button {{ width: 20px; height: 20px; padding: 1px; background: {css('surface')}; }}"


class HeadDrags:
    """Two switches in a corner of the chart; the tool that takes drags is made when one is first pressed.

    Parameters
    ----------
    session
        Whose heads are brushed.
    bridge
        The session's.
    curve
        What is dragged over.
    """

    def __init__(self, session: Session, bridge: Bridge, curve: ImportanceLine) -> None:
        self._session, self._bridge, self._curve = session, bridge, curve
        styles = {"position": "absolute", "z-index": "3", "right": "4px", "bottom": "0"}
        self.buttons = IconButtons(_SWITCHES, margin=0, styles=styles, stylesheets=[_LOOK])
        self.buttons.param.watch(self._on_switch, "pressed")
        self._tool: BoxSelectTool | None = None
        # Of a figure that is shown already, a document would not be told (Bokeh 3.9).
        curve.figure.on_event(SelectionGeometry, self._on_geometry)
        self._ways = BrushWays(curve.figure, session.selection)

    def _on_switch(self, event: Any) -> None:
        if len(event.new) > 1:  # a drag means one thing
            self.buttons.pressed = event.new[-1:]
            return
        self._bridge.put("B1 drags", self._arm)

    def _arm(self) -> None:
        pressed, fig = self.buttons.pressed, self._curve.figure
        if self._tool is None:
            self._tool = BoxSelectTool(renderers=[])
            fig.add_tools(self._tool)
        self._tool.dimensions = "height" if pressed == [UPWARDS] else "width"
        fig.toolbar.active_drag = self._tool if pressed else None
        self._curve.grip.visible = not pressed

    def _on_geometry(self, event: SelectionGeometry) -> None:
        if not event.final or event.geometry is None:
            return
        box: dict[str, Any] = dict(event.geometry)
        x0, x1, y0, y1 = (float(box[name]) for name in ("x0", "x1", "y0", "y1"))
        session = self._session
        if self.buttons.pressed == [UPWARDS]:
            brush = brush_of_means(session, session.importance_curve(), low=y0, high=y1)
        else:
            n = session.study.spec.n_layers * session.study.spec.n_heads
            brush = brush_of_heads(session.study.spec, np.arange(max(0, int(np.ceil(x0))), min(n, int(x1) + 1)))
        session.selection.mark(brush, how=self._ways.way)


def brush_of_means(session: Session, curve: ImportanceCurve, *, low: float, high: float) -> Brush:
    """Brush of the heads whose mean, as it is drawn, lies between two values, which are taken to four digits."""
    low, high = (float(f"{end:.4g}") for end in (low, high))
    record = metric_of(curve.metric)
    if record.higher_is_more_important and not record.of_reference and curve.half_width is None:
        return InRange(f"importance/{curve.metric}", low, high, HEAD)
    # No array has what is left of a probability, or an estimate.
    return brush_of_heads(session.study.spec, np.flatnonzero((curve.mean >= low) & (curve.mean <= high)))
