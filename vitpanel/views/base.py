"""What all views have in common."""

import html
from typing import Any, ClassVar, cast

import panel as pn
import panel_material_ui as pmui
from bokeh.models import Title
from bokeh.plotting import figure

from vitpanel.state.session import Session
from vitpanel.views.bridge import Bridge
from vitpanel.views.palette import GRID, TEXT


def escaped(text: object) -> str:
    """Text that comes from files or people, safe inside HTML."""
    return html.escape(str(text))


def create_figure(**options: Any) -> figure:
    """Return an empty figure in the house style: no logo, thin grid, small legible labels, stretching to its place."""
    defaults: dict[str, Any] = {"sizing_mode": "stretch_both", "toolbar_location": None, "tools": "", "min_border": 2}
    fig = figure(**(defaults | options))
    fig.outline_line_color = None
    fig.background_fill_alpha = fig.border_fill_alpha = 0
    fig.grid.grid_line_color = GRID
    for axis in fig.axis:
        axis.axis_line_color = GRID
        axis.major_tick_line_color = GRID
        axis.minor_tick_line_color = None
        axis.major_label_text_color = axis.axis_label_text_color = TEXT
        axis.major_label_text_font_size = "10px"
        axis.axis_label_text_font_size = "11px"
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_standoff = 2
    title = cast("Title", fig.title)
    title.text_font_size = "11px"
    title.text_color = TEXT
    return fig


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

    def __panel__(self) -> pn.viewable.Viewable:
        """Lay out title, controls and body once per view."""
        header = pn.Row(
            pmui.Typography(self.title, variant="subtitle2", margin=(4, 4, 0, 8)),
            pn.widgets.TooltipIcon(value=self.help, margin=(2, 0)),
            pn.HSpacer(),
            *self.controls(),
            sizing_mode="stretch_width",
            height=34,
        )
        return pmui.Paper(
            pn.Column(header, self.body(), sizing_mode="stretch_both", margin=0),
            elevation=1,
            sizing_mode="stretch_both",
            margin=4,
        )
