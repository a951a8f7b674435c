"""B1: one metric over all heads, with a line to drag."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from bokeh.models import (
    BoxAnnotation,
    ColumnDataSource,
    CustomJS,
    FixedTicker,
    GlyphRenderer,
    HoverTool,
    Legend,
    LegendItem,
    Line,
    Range1d,
    Scatter,
    Span,
    Text,
    VArea,
    VBar,
)
from bokeh.plotting import figure

from vitpanel.core.metrics import metric_of
from vitpanel.core.spec import head_name
from vitpanel.state.results import ImportanceCurve
from vitpanel.theme.palette import BRUSH, CHOSEN, MEAN, MUTED, SURFACE, TEXT, VALUE
from vitpanel.views.base import create_figure, layer_ticks, numbers_as_text, without_grid
from vitpanel.views.figures.client import script
from vitpanel.views.figures.glyphs import Overlay, add_bands, add_glyph, create_sources
from vitpanel.views.figures.head_strip import MARK, HeadMarks, HeadStrip
from vitpanel.views.figures.numbers import plain_ticks

AIR = 0.04
PIN_SHARE, PIN_TOP, PIN_ROW = 0.035, 0.96, 0.08  # of the width and height of the chart
GRIP_SHARE = 0.016
REST_MS = 100
TOOLTIPS = [("", "@name"), ("chosen image", "@chosen_text"), ("mean ± std", "@mean{0.0000} ± @band{0.0000}")]


@dataclass(frozen=True)
class ImportanceLine:
    """The chart, its sources, and the line that marks the chosen head.

    ``line.location`` is always a whole flat head index; ``grip`` is the box that the pointer takes, which may be
    between two and reaches so far to each side. ``picked`` holds the head that a person has come to rest at and which
    of their acts this was; the browser alone writes it.
    """

    figure: figure
    heads: ColumnDataSource
    reference: ColumnDataSource
    brush: Overlay
    pins: Overlay
    picked: ColumnDataSource
    line: Span
    grip: BoxAnnotation
    reach: float
    context: tuple[Any, ...]
    mean_item: LegendItem
    chosen_item: LegendItem
    reference_item: LegendItem
    brush_item: LegendItem
    others_item: LegendItem
    hover: HoverTool
    strip: HeadStrip

    def show(self, curve: ImportanceCurve) -> None:
        """Draw a curve; the columns that belong to all images are sent once for a metric."""
        columns, axis_label = importance_columns(curve), metric_of(curve.metric).axis_label
        # The words say of how many images the mean is, while there come more.
        is_known = self.figure.yaxis[0].axis_label == axis_label and self.figure.title.text == _mean_title(curve)
        if is_known and len(self.heads.data["flat"]):
            self.heads.patch({name: [(slice(None), columns[name])] for name in ("chosen", "chosen_text")})
        else:
            self.heads.data = columns | self.strip.columns
            self.figure.title.update(text=_mean_title(curve), visible=bool(curve.words))
            self.mean_item.label = {"value": "mean ± std" if curve.half_width is None else "mean ± 95 %"}
            self.figure.yaxis[0].axis_label = axis_label
        reference = reference_columns(curve)
        if list(self.reference.data["y"]) != reference["y"]:
            self.reference.data = reference
        self.chosen_item.visible = curve.chosen is not None
        self.reference_item.visible = bool(reference["x"])

    def show_brush(
        self, table: pd.DataFrame | None, metric: str, *, others: str | None = None, unpruned: float | None = None
    ) -> None:
        """Draw the mean of the brushed images and its band, or nothing; see `Session.set_against_rest`.

        Parameters
        ----------
        others
            Name of the kept brush that they are held against, whose mean is drawn as well; None for all other images.
        unpruned
            Their mean with all heads, drawn as a line of their own; None for metrics that have none.
        """
        self.brush.data = brush_columns(table, metric, has_others=others is not None, unpruned=unpruned)
        n = 0 if table is None else int(table["n_set"].max())
        self.brush_item.update(visible=n > 0, label={"value": f"brush ({n:,})"})
        self.others_item.update(visible=n > 0 and others is not None, label={"value": others or ""})

    def show_marks(self, marks: Mapping[str, HeadMarks | None]) -> None:
        """Show what is brushed of each head, in rows below the curve and in tooltips; see `HeadStrip.show`."""
        if not any(marks.values()) and not self.strip.marks:
            return
        self.strip.show(marks)
        known = {name: values for name, values in self.heads.data.items() if not name.startswith(MARK)}
        if len(known["flat"]):
            self.heads.data = known | self.strip.columns
        self.hover.tooltips = [*TOOLTIPS, *self.strip.tooltips]

    def show_context(self, *, is_shown: bool) -> None:
        """Show what belongs to all images or hide it, and fit the axis to what is left to see, above the strip."""
        for renderer in self.context:
            renderer.visible = is_shown
        columns = ("lower", "upper", "chosen") if is_shown else ("chosen",)
        brushed = [self.brush.data[name] for name in ("lower", "upper", "others", "unpruned")]
        seen = np.concatenate([self.reference.data["y"], *brushed, *(self.heads.data[name] for name in columns)])
        low, high = (np.nanmin(seen), np.nanmax(seen)) if np.isfinite(seen).any() else (0.0, 1.0)
        air, strip = AIR * (high - low or 1), self.strip.height
        bottom, top = float(low - air), float(high + air)
        self.figure.y_range.update(start=bottom - strip / (1 - strip) * (top - bottom), end=top)
        self.figure.yaxis[0].bounds = (bottom, top) if strip else "auto"
        self.mean_item.visible = is_shown

    def move(self, flat: int) -> None:
        """Put the line on a head, unless a drag has put it there already."""
        if self.line.location != flat:
            self.line.location = flat
            self.grip.update(left=flat - self.reach, right=flat + self.reach)


def importance_columns(curve: ImportanceCurve) -> dict[str, Any]:
    """Columns over the flat head index; ``chosen`` is NaN without a chosen image.

    The band is the standard deviation over images, or the confidence interval of an estimated mean, and is cut at the
    limits of the metric.
    """
    n_layers, n_heads = curve.mean.shape
    spread = curve.std if curve.half_width is None else curve.half_width
    mean, band = curve.mean.ravel(), np.zeros(curve.mean.size) if spread is None else spread.ravel()
    chosen = np.full(mean.size, np.nan) if curve.chosen is None else curve.chosen.flatten()
    least, largest = metric_of(curve.metric).drawn_bounds
    return {
        "flat": np.arange(mean.size),
        "name": [head_name(layer, head) for layer in range(n_layers) for head in range(n_heads)],
        "mean": mean,
        "band": band,
        "lower": np.maximum(mean - band, least),
        "upper": np.minimum(mean + band, largest),
        "chosen": chosen,
        "chosen_text": numbers_as_text(chosen, 4),
    }


def brush_columns(
    table: pd.DataFrame | None, metric: str, *, has_others: bool = False, unpruned: float | None = None
) -> dict[str, Any]:
    """Columns of a set's mean over the flat head index, with a band of one standard deviation; empty for None.

    ``others`` is the mean of the set that it is held against, NaN without ``has_others``; ``unpruned`` the mean of the
    set with all heads, NaN without one.
    """
    if table is None:
        return {"flat": [], "mean": [], "lower": [], "upper": [], "others": [], "unpruned": []}
    mean, std = table["mean_set"].to_numpy(), table["std_set"].to_numpy()
    least, largest = metric_of(metric).drawn_bounds
    return {
        "flat": np.arange(len(mean)),
        "mean": mean,
        "lower": np.maximum(mean - std, least),
        "upper": np.minimum(mean + std, largest),
        "others": table["mean_rest"].to_numpy() if has_others else np.full(len(mean), np.nan),
        "unpruned": np.full(len(mean), np.nan if unpruned is None else unpruned),
    }


def _mean_title(curve: ImportanceCurve) -> str:
    return f"Mean {curve.words}" if curve.words else ""


def reference_columns(curve: ImportanceCurve) -> dict[str, Any]:
    """Two ends of the line at the unpruned probability, none for other metrics."""
    if curve.reference is None or np.isnan(curve.reference):
        return {"x": [], "y": []}
    return {"x": [-0.5, curve.mean.size - 0.5], "y": [curve.reference] * 2}


def pin_columns(heads: list[tuple[int, int]], n_layers: int, n_heads: int) -> dict[str, Any]:
    """Columns of the marks of pinned heads, which have the numbers of the pins; near ones stand below each other."""
    flat = [layer * n_heads + head for layer, head in heads]
    least = PIN_SHARE * n_layers * n_heads
    rows: dict[int, int] = {}
    for place in sorted(flat):
        taken = {row for other, row in rows.items() if place - other < least}
        rows[place] = min(set(range(len(flat))) - taken)
    return {
        "flat": flat,
        "height": [PIN_TOP - PIN_ROW * rows[place] for place in flat],
        "number": [str(number) for number in range(1, len(heads) + 1)],
    }


def create_importance_line(n_layers: int, n_heads: int, *, heads_words: str = "") -> ImportanceLine:
    """Empty chart over ``n_layers * n_heads`` heads.

    Parameters
    ----------
    heads_words
        How many heads the layers have, where they differ.
    """
    last = n_layers * n_heads - 1
    names = ("flat", "name", "mean", "band", "lower", "upper", "chosen", "chosen_text")
    heads, reference, picked = create_sources(names, ("x", "y"), {"flat": [0], "act": [0]})
    fig = create_figure(x_range=Range1d(-0.5, last + 0.5), y_range=Range1d(0, 1))
    fig.html_attributes = {"role": "group", "aria-label": "Head importance"}  # in it, head_line.js makes a slider
    band = add_glyph(fig, VArea(x="flat", y1="lower", y2="upper", fill_color=MEAN, fill_alpha=0.16), heads)
    mean = add_glyph(fig, Line(x="flat", y="mean", line_color=MEAN, line_width=1.2, line_alpha=0.8), heads)
    unpruned = add_glyph(fig, Line(x="x", y="y", line_color=TEXT, line_dash="dashed"), reference)
    chosen = add_glyph(fig, Line(x="flat", y="chosen", line_color=VALUE, line_width=1.8), heads)
    hit = add_glyph(fig, VBar(x="flat", width=1, bottom=-9, top=9, fill_color=None, line_color=None), heads)
    hover = HoverTool(renderers=[hit], tooltips=TOOLTIPS, point_policy="follow_mouse", attachment="horizontal")
    fig.add_tools(hover)
    _mark_layers(fig, n_layers, n_heads)
    fig.xaxis.axis_label = f"layer ({heads_words or n_heads} heads each)"
    chosen_item = LegendItem(label="this image", renderers=[chosen])
    reference_item = LegendItem(label="unpruned", renderers=[unpruned])
    mean_item = LegendItem(label="mean ± std", renderers=[band, mean])
    fig.yaxis.formatter = plain_ticks()
    legend = _create_legend([chosen_item, mean_item, reference_item])
    fig.add_layout(legend, "above")
    brush_item, others_item = (LegendItem(visible=False) for _ in range(2))
    brush = _create_brush(fig, legend, brush_item, others_item, below=unpruned)
    reach = GRIP_SHARE * (last + 1)
    pins = _create_pins(fig)
    line, grip = _add_head_line(fig, last, reach)
    _link_head_line(fig, picked, line=line, grip=grip, reach=reach, n_layers=n_layers, n_heads=n_heads)
    return ImportanceLine(
        fig, heads, reference, brush, pins, picked, line, grip, reach, (band, mean), mean_item, chosen_item,
        reference_item, brush_item, others_item, hover, HeadStrip(fig, legend),
    )  # fmt: skip


def _create_brush(
    fig: figure, legend: Legend, brush_item: LegendItem, others_item: LegendItem, *, below: GlyphRenderer
) -> Overlay:
    """Return the mean of a set of images with its band, and that of the others, which the legend then names.

    The mean of the set with all heads is drawn as the one of all images is, in the colour of brushes.
    """
    glyphs = (
        VArea(x="flat", y1="lower", y2="upper", fill_color=BRUSH, fill_alpha=0.14),
        Line(x="flat", y="mean", line_color=BRUSH, line_width=1.6),
        Line(x="flat", y="others", line_color=BRUSH, line_dash="4 2", line_width=1.4),
        Line(x="flat", y="unpruned", line_color=BRUSH, line_dash="dashed"),
    )

    def name(drawn: list[GlyphRenderer]) -> None:
        brush_item.renderers, others_item.renderers = drawn[:2], drawn[2:3]
        legend.items = [*legend.items[:2], brush_item, others_item, *legend.items[2:]]

    return Overlay(fig, glyphs, brush_columns(None, ""), below=below, on_made=name)


def _create_pins(fig: figure) -> Overlay:
    fig.extra_y_ranges = {"place": Range1d(0, 1)}
    mark = Scatter(x="flat", y="height", size=14, fill_color=CHOSEN, line_color=None)
    number = Text(
        x="flat", y="height", text="number", text_font_size="10px", text_font_style="bold", text_color=SURFACE,
        text_align="center", text_baseline="middle", y_offset=1,
    )  # fmt: skip
    columns = pin_columns([], 1, 1)
    return Overlay(fig, [mark, number], columns, y_range_name="place", level="overlay")


def _add_head_line(fig: figure, last: int, reach: float) -> tuple[Span, BoxAnnotation]:
    line = Span(location=0, dimension="height", line_color=CHOSEN, line_width=2, level="overlay")
    # A Span can be taken only within its own width, and a wide one is hit beside its line in its lower half.
    grip = BoxAnnotation(
        left=-reach, right=reach, left_limit=-reach, right_limit=last + reach, editable=True, movable="x",
        resizable="none", fill_alpha=0, line_alpha=0, hover_fill_color=CHOSEN, hover_fill_alpha=0.15, level="overlay",
    )  # fmt: skip
    fig.add_layout(line)
    fig.add_layout(grip)
    return line, grip


def _link_head_line(fig: figure, picked: ColumnDataSource, *, grip: BoxAnnotation, **parts: Any) -> None:
    args = {"fig": fig, "picked": picked, "rest_ms": REST_MS, "grip": grip, **parts}
    act = CustomJS(args=args, code=script("head_line.js"))
    grip.js_on_change("left", act)
    # The second of two quick clicks comes as a doubletap.
    fig.js_on_event("tap", act)
    fig.js_on_event("doubletap", act)
    fig.js_on_change("inner_width", act)


def _mark_layers(fig: figure, n_layers: int, n_heads: int) -> None:
    centres = {layer * n_heads + (n_heads - 1) / 2: layer for layer in layer_ticks(n_layers)}
    fig.xaxis.ticker = FixedTicker(ticks=list(centres))
    fig.xaxis.major_label_overrides = {centre: str(layer) for centre, layer in centres.items()}
    without_grid(fig, dimensions=[0])
    edges = [layer * n_heads - 0.5 for layer in range(1, n_layers, 2)]
    add_bands(fig, [(left, left + n_heads) for left in edges], alpha=0.55)


def _create_legend(items: list[LegendItem]) -> Legend:
    return Legend(
        items=items, orientation="horizontal", label_text_font_size="10px", label_text_color=TEXT, glyph_width=18,
        glyph_height=12, label_height=12, spacing=10, padding=2, margin=0, border_line_color=MUTED,
        border_line_alpha=0, background_fill_alpha=0,
    )  # fmt: skip
