"""C3: how a measure of the chosen head is distributed over images."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.core.properties import value
from bokeh.models import (
    BasicTicker,
    BasicTickFormatter,
    ColumnDataSource,
    CustomJSTickFormatter,
    GlyphRenderer,
    HoverTool,
    Legend,
    Line,
    Range1d,
    Span,
    VArea,
)
from bokeh.plotting import figure

from vitpanel.state.strength import HeadDensity
from vitpanel.theme.palette import BRUSH, CHOSEN, MEAN
from vitpanel.views.base import create_figure, without_grid
from vitpanel.views.figures.client import script
from vitpanel.views.figures.glyphs import add_glyph
from vitpanel.views.figures.small_legend import create_small_legend, legend_items

AIR = 0.06


@dataclass(frozen=True)
class DensityArea:
    """The chart, its curves, the line at the chosen image, and the words that tell brush and rest apart.

    The curve of the brush is made at the first one; until then the legend is empty.
    """

    figure: figure
    curve: ColumnDataSource
    rest: GlyphRenderer
    hover_brush: HoverTool
    line: Span
    legend: Legend
    in_pixels: CustomJSTickFormatter | None

    def scale(self, density: HeadDensity, *, others: str = "the rest") -> None:
        """Show the span of the values, and say what the curves are; ``others`` names what the brush is held against."""
        axis = self.figure.xaxis[0]
        is_distance = density.measure == "distance"
        low, high = density.span
        self.figure.x_range.update(start=low, end=high)
        curves = [density.density] if density.brushed is None else [density.density, density.brushed]
        self.figure.y_range.update(start=0, end=(1 + AIR) * float(np.nan_to_num(curves).max()) or 1)
        axis.axis_label = "distance (patches)" if is_distance else "entropy"
        axis.formatter = self.in_pixels if is_distance and self.in_pixels else self.figure.yaxis[0].formatter
        self.legend.visible = density.brushed is not None
        if density.brushed is not None and not self.legend.items:
            brush = _curve(self.figure, self.curve, "brushed", BRUSH)
            self.hover_brush.renderers = [brush]
            self.legend.items = legend_items({"brush": brush, "rest": self.rest})
        names = (f"brush ({density.n_brushed})", f"{others} ({density.n})")
        for item, name in zip(self.legend.items, names, strict=False):
            item.label = value(name)


def density_columns(density: HeadDensity) -> dict[str, Any]:
    """Columns of the curves; ``brushed`` is NaN without a brush."""
    brushed = np.full(len(density.grid), np.nan) if density.brushed is None else density.brushed
    return {"value": density.grid, "density": density.density, "brushed": brushed}


def create_density_area(*, patch_side: float | None) -> DensityArea:
    """Empty curves over the range of a measure.

    Parameters
    ----------
    patch_side
        Pixels of a patch's side, None where distances cannot be said in pixels.
    """
    curve = ColumnDataSource({"value": [], "density": [], "brushed": []})
    fig = create_figure(x_range=Range1d(0, 1), y_range=Range1d(0, 1), title="Distribution")
    rest = _curve(fig, curve, "density", MEAN)
    rest.glyph.line_dash = "4 2"
    hover_rest = _create_hover("density", "density", [rest])
    hover_brush = _create_hover("density of the brush", "brushed", [])
    fig.add_tools(hover_rest, hover_brush)
    line = Span(location=0, dimension="height", line_color=CHOSEN, line_width=2, level="overlay", visible=False)
    fig.add_layout(line)
    legend = create_small_legend({})
    fig.add_layout(legend)
    fig.xaxis.ticker = BasicTicker(desired_num_ticks=4, num_minor_ticks=0)
    fig.xaxis.axis_label = "entropy"
    fig.yaxis.update(
        axis_label="density", formatter=BasicTickFormatter(), major_label_text_font_size="0px",
        major_tick_line_color=None,
    )  # fmt: skip
    without_grid(fig)
    formatter = (
        None if patch_side is None else CustomJSTickFormatter(args={"side": patch_side}, code=script("pixel_tick.js"))
    )
    return DensityArea(fig, curve, rest, hover_brush, line, legend, formatter)


def _create_hover(words: str, column: str, renderers: list[GlyphRenderer]) -> HoverTool:
    tooltips = [("at", "@value{0.000}"), (words, f"@{column}{{0.00}}")]
    return HoverTool(renderers=renderers, tooltips=tooltips, mode="vline", attachment="horizontal")


def _curve(fig: figure, source: ColumnDataSource, column: str, colour: str) -> GlyphRenderer:
    """Area and outline of a density; the outline tells its values."""
    add_glyph(fig, VArea(x="value", y1=0, y2=column, fill_color=colour, fill_alpha=0.3), source)
    return add_glyph(fig, Line(x="value", y=column, line_color=colour, line_width=1.4), source)
