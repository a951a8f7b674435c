"""C1: how far the patches of every head look."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, HoverTool, Range1d, Scatter, Segment
from bokeh.plotting import figure

from vitpanel.core.spec import head_name
from vitpanel.state.strength import HeadValues
from vitpanel.theme.palette import CHOSEN, SURFACE, TEXT, layer_colours
from vitpanel.views.base import create_figure, layer_ticks
from vitpanel.views.figures.glyphs import add_glyph, create_sources

AXIS_LABELS = {"entropy": "entropy", "distance": "distance (patches)"}
AIR = 0.03
_SPREAD = 0.7
_NAMES = ("x", "value", "lower", "upper", "name", "entropy", "distance", "colour")
_RING_NAMES = ("x", "value", "colour")


@dataclass(frozen=True)
class HeadScatter:
    """The chart, its points in the order of the flat head index, and what marks the chosen one and the pinned ones."""

    figure: figure
    heads: ColumnDataSource
    ring: ColumnDataSource
    pins: ColumnDataSource

    def scale(self, values: HeadValues) -> None:
        """Show the span of the values."""
        low, high = values.span
        air = AIR * (high - low)
        self.figure.y_range.update(start=low - air, end=high + air)
        self.figure.yaxis.axis_label = AXIS_LABELS[values.measure]


def head_columns(values: HeadValues, texts: dict[str, list[str]]) -> dict[str, Any]:
    """Columns over the flat head index; heads of a layer stand side by side in their order, so none hides another.

    Parameters
    ----------
    values
        What is drawn.
    texts
        The values of each measure as the tooltip says them.
    """
    n_layers, n_heads = values.per_head.shape
    layer, head = (index.ravel() for index in np.indices((n_layers, n_heads)))
    value = values.per_head.ravel()
    std = np.full(value.size, np.nan) if values.std is None else values.std.ravel()
    return texts | {
        "x": layer + ((head + 0.5) / n_heads - 0.5) * _SPREAD,
        "value": value,
        "lower": value - std,
        "upper": value + std,
        "name": [head_name(i, j) for i, j in zip(layer, head, strict=True)],
        "colour": np.asarray(layer_colours(n_layers))[layer].tolist(),
    }


def value_texts(values: HeadValues, *, patch_side: float | None) -> list[str]:
    """Values over the flat head index for a tooltip, with their spread where there is one; a dash for NaN."""
    std = np.full(values.per_head.size, np.nan) if values.std is None else values.std.ravel()
    return [
        _text(values.measure, value, spread, patch_side)
        for value, spread in zip(values.per_head.flat, std, strict=True)
    ]


def _text(measure: str, value: float, spread: float, patch_side: float | None) -> str:
    if np.isnan(value):
        return "–"
    digits = 3 if measure == "entropy" else 2
    text = f"{value:.{digits}f}" + ("" if np.isnan(spread) else f" ± {spread:.{digits}f}")
    if measure == "entropy":
        return text
    return f"{text} patches" + ("" if patch_side is None else f" ({value * patch_side:.1f} pixels)")


def create_head_scatter(n_layers: int, n_heads: int) -> HeadScatter:
    """Empty scatter over the layers."""
    heads, ring, pins = create_sources(_NAMES, _RING_NAMES, _RING_NAMES)
    fig = create_figure(x_range=Range1d(-0.6, n_layers - 0.4), y_range=Range1d(-AIR, 1 + AIR), title="All heads")
    faint = {"line_color": "colour", "line_alpha": 0.55}
    add_glyph(fig, Segment(x0="x", y0="lower", x1="x", y1="upper", **faint), heads)
    for end in ("lower", "upper"):
        add_glyph(fig, Scatter(x="x", y=end, marker="dash", size=5, **faint), heads)
    size = 7 if n_layers * n_heads <= 200 else 5  # noqa: PLR2004 - where larger points begin to touch
    # The outline lets light layers be seen on light ground.
    outlined = {"fill_color": "colour", "line_color": TEXT, "line_width": 0.6}
    place = {"x": "x", "y": "value"}
    points = add_glyph(fig, Scatter(**place, size=size, **outlined), heads)
    square = Scatter(**place, marker="square", size=size + 8, fill_alpha=0, line_color=TEXT, line_width=1.5)
    add_glyph(fig, square, pins, level="overlay")
    # A gap of ground between ring and point: the colours of some layers are near that of the ring.
    around = Scatter(**place, size=size + 9, fill_color=SURFACE, line_color=CHOSEN, line_width=2.5)
    add_glyph(fig, around, ring, level="overlay")
    add_glyph(fig, Scatter(**place, size=size + 1, **outlined), ring, level="overlay")
    tooltips = [("", "@name"), ("entropy", "@entropy"), ("distance", "@distance")]
    fig.add_tools(HoverTool(renderers=[points], tooltips=tooltips, limit=1, attachment="horizontal"))
    fig.xaxis.ticker = FixedTicker(ticks=layer_ticks(n_layers))
    fig.xaxis.axis_label = "layer"
    fig.yaxis.axis_label = AXIS_LABELS["entropy"]
    fig.yaxis.ticker.desired_num_ticks = 5
    fig.xgrid.visible = False
    return HeadScatter(fig, heads, ring, pins)


def marked_columns(heads: ColumnDataSource, flat: list[int]) -> dict[str, Any]:
    """Columns of what marks some heads, by their flat indices."""
    return {name: [heads.data[name][index] for index in flat] for name in _RING_NAMES}
