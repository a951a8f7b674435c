"""What all views have in common."""

import html
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param
from bokeh.models import ColumnDataSource, Title
from bokeh.plotting import figure
from holoviews.plotting.plot import Plot

from vitpanel.errors import VitpanelError, public_words
from vitpanel.state.session import Session
from vitpanel.theme.palette import GRID, MUTED, TEXT, css
from vitpanel.views.bridge import Bridge
from vitpanel.views.help import Help, chapter
from vitpanel.views.stage import VIEW_CLASS, Stage

HEADER_HEIGHT = 44
TOOLS_WIDTH = 64
MOST_TICKS = 16
COMPACT: dict[str, Any] = {
    "& .MuiInputBase-root": {"height": "30px", "fontSize": "13px"},
    "& .MuiInputBase-input": {"padding": "3px 8px", "fontSize": "13px"},
    "& .MuiInputBase-adornedStart": {"padding": "0 2px"},
    "& .MuiInputAdornment-root": {"margin": 0},
    "& .MuiInputAdornment-root .MuiIconButton-root": {"padding": "1px", "color": "text.secondary"},
}
PRESSED = {"color": "primary.contrastText", "backgroundColor": "primary.main"}
NO_WRAP = {"white-space": "nowrap"}
AT_RIGHT = {"width": "max-content", "max-width": "100%", "margin-left": "auto"}
NO_AXES = {"x_axis_type": None, "y_axis_type": None}
FULL_WIDTH = {"sizing_mode": "stretch_width", "margin": 0}
# A menu that takes what room a narrow view has left.
NARROWED: dict[str, Any] = {"sizing_mode": "stretch_width", "min_width": 60, "max_width": 126}
FILLED = {"sizing_mode": "stretch_both", "margin": 0}
# As `Paper` of Material UI looks, which as a component of React would render all that is in it a second time.
_LOOK = f"""
    :host {{ position: relative; border-radius: 4px; color: {css("text")}; background: {css("surface")};
        box-shadow: 0px 2px 1px -1px rgba(0, 0, 0, 0.2), 0px 1px 1px 0px rgba(0, 0, 0, 0.14),
            0px 1px 3px 0px rgba(0, 0, 0, 0.12); }}
"""


def escaped(text: object) -> str:
    """Text that comes from files or people, safe inside HTML."""
    return html.escape(str(text))


def counted(n: int, noun: str) -> str:
    """Number and noun, as in "1 image" and "1,000 images"."""
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


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
    return dressed(figure(**(defaults | options)))


def dressed(fig: figure) -> figure:
    """Give a figure the house style, and return it."""
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
    return ["–" if np.isnan(value) else f"{value:.{digits}f}".replace("-", "−") for value in values]


def source_table(source: ColumnDataSource, **columns: str) -> pd.DataFrame:
    """Columns of a source as a table to be saved, under the given names."""
    return pd.DataFrame({name: source.data[column] for name, column in columns.items()})


def layer_ticks(n_layers: int) -> list[int]:
    """Layers whose numbers fit below a narrow chart."""
    return list(range(0, n_layers, 1 + n_layers // (MOST_TICKS + 1)))


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
        What is drawn below the figure in its files, as `Stage.download` takes it.
    absent
        What to say when it is asked for while it is not shown.
    has_keys
        Whether it answers to keys; Tab stops at such a figure alone, and its script says what it is.
    """

    _NOTE = f"""
        :host {{ position: absolute; inset: 0; z-index: 2; pointer-events: none; }}
        .note {{ height: 100%; display: flex; flex-direction: column; align-items: center; justify-content: center;
            text-align: center; gap: 4px; padding: 8px; box-sizing: border-box; font: 12px/1.35 sans-serif;
            color: {css("text")}; background: {css("surface")}; overflow: hidden; }}
        .note .hint {{ color: {css("hint")}; font-size: 11px; }}
        .busy {{ position: absolute; top: 2px; right: 6px; font: 11px sans-serif; color: {css("hint")};
            animation: late 0.15s step-end; }}
        @keyframes late {{ from {{ opacity: 0 }} to {{ opacity: 1 }} }}
    """

    def __init__(
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
        has_keys: bool = False,
    ) -> None:
        super().__init__()
        self._has_keys = has_keys
        self._fig, self._bridge = fig, bridge
        self.stem = name
        self.table = table
        self.title = title or (name or "").replace("-", " ").capitalize()
        self.detail, self.legend, self.absent = detail, legend, absent
        self.message = ""
        # Empty rather than hidden: to hide a part or to show it lays out the whole page.
        self.note = pn.pane.HTML("", stylesheets=[self._NOTE], **FILLED)

    @cached_property
    def figure(self) -> figure:
        """The figure; nothing is ever selected or muted in it, and a look for that would be one more model."""
        if isinstance(self._fig, Plot):
            fig = self._fig.state
        else:
            fig = self._fig if isinstance(self._fig, figure) else self._fig()
        for renderer in fig.renderers:
            renderer.update(nonselection_glyph=None, muted_glyph=None)
        if not self._has_keys:
            # A browser stops at nothing inside of what Tab does not reach, so not at the layer that hears the pointer.
            fig.html_attributes = {"role": "img", "aria-label": self.title, "tabindex": "-1"}
        return fig

    def record(self) -> dict[str, Any]:
        """What the menu of files says of this chart; one that has not been made yet is not made for that."""
        figure_id = self.figure.id if "figure" in vars(self) else ""
        kinds = ["png", "svg", *(["csv"] if self.table is not None else [])]
        known = {"stem": self.stem, "title": self.title, "kinds": kinds, "figure": figure_id}
        return known | {"reason": self.message, "absent": self.absent}

    @cached_property
    def _layout(self) -> pn.Column:
        fig = self.figure
        pane = self._bridge.pane(self._fig if isinstance(self._fig, Plot) else fig, **FILLED)
        return pn.Column(pane, self.note, **FILLED, styles={"position": "relative", "min-height": "0"})

    def say(self, message: str, *, hint: str = "") -> None:
        """Say in words, over the figure, why there is nothing to see."""
        self.message = message
        words = f'<div class="note" role="status"><div>{escaped(public_words(message))}</div>'
        self.note.object = f'{words}<div class="hint">{escaped(public_words(hint))}</div></div>'

    def wait(self) -> None:
        """Say in a corner that new values are on their way; what was drawn stays."""
        self.message = ""
        self.note.object = '<div class="busy" role="status">computing …</div>'

    def clear(self) -> None:
        """Leave the figure alone in its place."""
        self.message = ""
        self.note.object = ""

    def __panel__(self) -> pn.viewable.Viewable:
        """Return the one layout of this chart."""
        return self._layout


class View(pn.viewable.Viewer):
    """One view: a title, a "?" with its chapter of the guide on how to read it, and a body.

    A view is given a `Session`; when the selection changes it asks the session for named results and patches the
    sources that it made once. It knows no other view. Its header has a menu that saves each `Chart` which is an
    attribute of the view, and a button that makes the view fill the page.
    """

    title: ClassVar[str]

    dark = param.Boolean(default=False, doc="Whether the ground is dark, for what is painted in Python.")
    maximised = param.Boolean(default=False, doc="Whether the view fills the page.")

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(**params)
        self.session = session
        self.bridge = bridge
        self.stage = Stage.for_layers(
            session.study.spec.n_layers,
            list_charts=lambda: [chart.record() for chart in self.charts.values()],
            save=self.save,
        )
        self.stage.param.watch(lambda event: self.param.update({event.name: event.new}), ["dark", "maximised"])

    @classmethod
    def slug(cls) -> str:
        """Name by which the view is asked for, like ``head-importance``."""
        return cls.title.lower().replace(" ", "-")

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

    @property
    def charts(self) -> dict[str, Chart]:
        """Charts that can be saved, by the beginning of their files' names."""
        charts = [value for value in vars(self).values() if isinstance(value, Chart)]
        return {chart.stem: chart for chart in charts if chart.stem is not None}

    def file_name(self, stem: str, kind: str) -> str:
        """Name of a file that says what was chosen, like ``head-importance_L0H4_image12.csv``."""
        (layer, head), image = self.session.chosen_head, self.session.selection.image
        place, detail = "all-images" if image is None else f"image{image}", self.charts[stem].detail()
        return f"{'_'.join(filter(None, (stem, f'L{layer}H{head}', place, detail)))}.{kind}"

    def save(self, stem: str, kind: str, *, scale: int = 1) -> None:
        """Save one of the charts in the browser, as ``"png"`` of some scale, ``"svg"`` or ``"csv"``."""
        chart = self.charts[stem]
        if chart.message:
            self.stage.say(f"There is nothing to save: {chart.message}")
            return
        text = chart.table().to_csv(index=False) if kind == "csv" and chart.table is not None else ""
        self.download(chart, kind, text=text, scale=scale)

    def download(self, chart: Chart, kind: str, *, text: str = "", scale: int = 1) -> None:
        """Send a chart, or its numbers as ``text``, to the browser as a file."""
        file = self.file_name(chart.stem or "", kind)
        self.stage.download(chart.figure, kind=kind, file=file, text=text, scale=scale, legend=chart.legend())

    def __panel__(self) -> pn.viewable.Viewable:
        """Lay out title, controls and body once per view; controls that find no room go below the title."""
        header = pn.FlexBox(
            pmui.Typography(self.title, variant="subtitle2", margin=(9, 2, 9, 10), styles=NO_WRAP),
            *([Help(title=self.title, text=text, margin=(10, 4))] if (text := chapter(self.title)) else []),
            pn.FlexBox(*self.controls(), align_items="center", justify_content="flex-end", margin=0, styles=AT_RIGHT),
            align_items="center",
            sizing_mode="stretch_width",
            margin=0,
            styles={"min-height": f"{HEADER_HEIGHT}px", "padding-right": f"{TOOLS_WIDTH}px"},
        )
        tools = pn.Row(self.stage, margin=0, styles={"position": "absolute", "top": "0", "right": "0"})
        parts = (header, self.body(), tools)
        return pn.Column(*parts, **FILLED | {"margin": 4}, css_classes=[VIEW_CLASS], stylesheets=[_LOOK])
