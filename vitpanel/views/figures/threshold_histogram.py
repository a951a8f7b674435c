"""D5: the distribution of all values of a matrix, and the bar that sets the threshold."""

from dataclasses import dataclass
from typing import cast

from bokeh.models import BoxAnnotation, ColumnDataSource, HoverTool, Label, LogAxis, Quad, Range1d, Span, Title
from bokeh.plotting import figure

from vitpanel.theme.link_colours import KIND_COLOURS
from vitpanel.theme.palette import CHOSEN, MUTED
from vitpanel.views.base import create_figure, without_grid
from vitpanel.views.figures.glyphs import add_glyph

BOTTOM = 0.7
UNITS = ("top %", "value")


@dataclass(frozen=True)
class ThresholdHistogram:
    """Figure of D5, its bars, the shaded part that is drawn, the line at the threshold and what is written at it."""

    figure: figure
    bars: ColumnDataSource
    kept: BoxAnnotation
    line: Span
    label: Label


def create_threshold_histogram() -> ThresholdHistogram:
    """Draw an empty histogram with logarithmic axes and a bar that can be dragged."""
    fig = create_figure(
        title="Values and threshold",
        x_axis_type="log",
        y_axis_type="log",
        x_range=Range1d(1e-4, 1, syncable=False),
        y_range=Range1d(BOTTOM, 10, syncable=False),
        x_axis_label="attention value",
        y_axis_label="links",
    )
    cast("Title", fig.title).syncable = False
    without_grid(fig, dimensions=[0])
    for axis in fig.axis:
        cast("LogAxis", axis).ticker.desired_num_ticks = 4
    bars = ColumnDataSource({name: [] for name in ("left", "right", "top", "count")}, syncable=False)
    look = {"fill_color": MUTED, "line_color": "white", "line_width": 0.5}
    drawn = add_glyph(fig, Quad(left="left", right="right", top="top", bottom=BOTTOM, **look), bars)
    tooltips = [("attention", "@left{%.3g} to @right{%.3g}"), ("links", "@count{0,0}")]
    fig.add_tools(HoverTool(renderers=[drawn], tooltips=tooltips, formatters={"@left": "printf", "@right": "printf"}))
    kept = BoxAnnotation(left=1, fill_color=KIND_COLOURS["patch"][110], fill_alpha=0.25, syncable=False)
    line = Span(location=1, dimension="height", line_color=CHOSEN, line_width=3, level="overlay", syncable=False)
    label = Label(
        x=1,
        y=0,
        y_units="screen",
        y_offset=2,
        text="",
        text_font_size="10px",
        text_font_style="bold",
        text_color=CHOSEN,
        background_fill_color="white",
        background_fill_alpha=0.8,
        level="overlay",
        syncable=False,
    )
    for annotation in (kept, line, label):
        fig.add_layout(annotation)
    return ThresholdHistogram(fig, bars, kept, line, label)
