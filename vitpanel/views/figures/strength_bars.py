"""C2: attention strength of the chosen head over hops, and where the hops are (Fig. 5)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, CustomJS, HoverTool, MultiPolygons, Range1d, VBar
from bokeh.plotting import figure

from vitpanel.state.strength import HeadStrength
from vitpanel.theme.palette import MEAN, SURFACE, VALUE
from vitpanel.views.base import create_figure, numbers_as_text
from vitpanel.views.figures.client import script
from vitpanel.views.figures.glyphs import add_glyph, create_sources
from vitpanel.views.figures.numbers import plain_ticks

INSET = 0.42
FAINT, HIGHLIGHTED = 0.3, 1.0


@dataclass(frozen=True)
class StrengthBars:
    """The chart, its bars in the order of the hops, and the rings of the inset in the same order."""

    figure: figure
    hops: ColumnDataSource
    rings: ColumnDataSource

    def scale(self, strength: HeadStrength) -> None:
        """Keep the bars below the inset."""
        values = strength.mean if strength.chosen is None else np.concatenate([strength.mean, strength.chosen])
        top = float(np.nanmax(values, initial=0)) or 1.0
        self.figure.y_range.update(start=0, end=top / (1 - INSET))


def strength_columns(strength: HeadStrength) -> dict[str, Any]:
    """Columns over hops; ``chosen`` is NaN without a chosen image."""
    n_hops = len(strength.mean)
    chosen = np.full(n_hops, np.nan) if strength.chosen is None else strength.chosen
    return {
        "hop": np.arange(n_hops),
        "mean": strength.mean,
        "chosen": chosen,
        "chosen_text": numbers_as_text(chosen, 5),
    }


def create_strength_bars(n_hops: int) -> StrengthBars:
    """Empty bars over ``n_hops`` hops: the chosen image filled, the mean over all images as an outline.

    The inset shows the rings of patches around one patch; the hop that is pointed at is highlighted, in the browser
    alone.
    """
    hops, rings = create_sources(("hop", "mean", "chosen", "chosen_text"), _ring_columns(n_hops))
    fig = create_figure(x_range=Range1d(-0.7, n_hops - 0.3), y_range=Range1d(0, 1), title="Strength")
    add_glyph(fig, VBar(x="hop", width=0.72, top="chosen", fill_color=VALUE, line_alpha=0), hops)
    outlined = {"fill_color": MEAN, "fill_alpha": 0.12, "line_color": MEAN, "line_width": 1.2}
    add_glyph(fig, VBar(x="hop", width=0.92, top="mean", **outlined), hops)
    hit = add_glyph(fig, VBar(x="hop", width=1, top=9, fill_color=None, line_color=None), hops)
    _add_inset(fig, rings, n_hops=n_hops)
    tooltips = [("hop", "@hop"), ("chosen image", "@chosen_text"), ("mean", "@mean{0.00000}")]
    highlight = CustomJS(args={"rings": rings, "highlighted": HIGHLIGHTED, "faint": FAINT}, code=script("rings.js"))
    fig.add_tools(
        HoverTool(
            renderers=[hit], tooltips=tooltips, point_policy="follow_mouse", attachment="horizontal", callback=highlight
        )
    )
    fig.xaxis.axis_label = "hop"
    fig.xaxis.ticker.update(min_interval=1, desired_num_ticks=8)
    fig.yaxis.ticker.desired_num_ticks = 4
    fig.yaxis.update(axis_label="mean attention", formatter=plain_ticks())
    fig.xgrid.visible = False
    return StrengthBars(fig, hops, rings)


def _ring_columns(n_hops: int) -> dict[str, Any]:
    """Rings of patches around a patch in the middle, each to itself."""
    outlines = [_ring(hop) for hop in range(n_hops)]
    return {
        "hop": np.arange(n_hops),
        "xs": [[[x for x, _ in outline]] for outline in outlines],
        "ys": [[[y for _, y in outline]] for outline in outlines],
        "alpha": np.full(n_hops, FAINT),
    }


def _add_inset(fig: figure, rings: ColumnDataSource, *, n_hops: int) -> None:
    """Draw the rings in a corner, at the scale that the browser finds."""
    fig.extra_x_ranges["inset"], fig.extra_y_ranges["inset"] = x_range, y_range = Range1d(0, 1), Range1d(0, 1)
    look = {"fill_color": VALUE, "fill_alpha": "alpha", "line_color": SURFACE, "line_width": 0.6}
    add_glyph(fig, MultiPolygons(xs="xs", ys="ys", **look), rings, x_range_name="inset", y_range_name="inset")
    place = CustomJS(
        args={"fig": fig, "x_range": x_range, "y_range": y_range, "n_hops": n_hops, "share": INSET},
        code=script("inset.js"),
    )
    fig.js_on_change("inner_width", place)
    fig.js_on_change("inner_height", place)


def _ring(hop: int) -> list[tuple[list[float], list[float]]]:
    """Outline of the patches at a hop, and of the hole inside: lists of x and y, in patches from the middle."""
    sides = [hop + 0.5] if hop == 0 else [hop + 0.5, hop - 0.5]
    return [([-half, half, half, -half], [-half, -half, half, half]) for half in sides]
