"""C2: attention strength of the chosen head over hops, and where the hops are (Fig. 5)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.core.properties import value
from bokeh.models import (
    ColumnDataSource,
    CustomJS,
    GlyphRenderer,
    HoverTool,
    Legend,
    Line,
    MultiPolygons,
    Range1d,
    VArea,
    VBar,
)
from bokeh.plotting import figure

from vitpanel.state.strength import BrushedStrength, HeadStrength
from vitpanel.theme.palette import BRUSH, MEAN, SURFACE, VALUE
from vitpanel.views.base import counted, create_figure, escaped, numbers_as_text, without_grid
from vitpanel.views.figures.client import script
from vitpanel.views.figures.glyphs import add_glyph, create_sources
from vitpanel.views.figures.numbers import plain_ticks
from vitpanel.views.figures.small_legend import create_small_legend, legend_items

INSET = 0.42
FAINT, HIGHLIGHTED = 0.3, 1.0
_NAMES = ("hop", "mean", "chosen", "brush", "rest", "of_heads", "lower", "upper", "words")
ALWAYS_SAID = ("chosen", "mean")


@dataclass(frozen=True)
class StrengthBars:
    """The chart, its bars in the order of the hops, and the rings of the inset in the same order.

    Lines of what is brushed are made at the first brush; until then the legend is empty.
    """

    figure: figure
    hops: ColumnDataSource
    rings: ColumnDataSource
    legend: Legend

    def show(self, strength: HeadStrength, brushed: BrushedStrength, *, others: str = "the rest") -> None:
        """Draw the strength of a head and of what is brushed, with the bars below the inset.

        Parameters
        ----------
        others
            What the brushed images are held against, in words.
        """
        columns = strength_columns(strength, brushed, others=others)
        drawn = [columns[name] for name in ("mean", "chosen", "upper", "rest", "of_heads")]
        known = np.concatenate(drawn)
        top = float(np.nanmax(known[np.isfinite(known)], initial=0)) or 1.0
        self.figure.y_range.update(start=0, end=top / (1 - INSET))
        self.hops.data = columns
        self._name_lines(brushed, others)

    def _name_lines(self, brushed: BrushedStrength, others: str) -> None:
        names = {
            "brush": "" if brushed.brush is None else "brush",
            "rest": "" if brushed.rest is None else others,
            "of_heads": "" if brushed.heads is None else counted(brushed.n_heads, "head"),
        }
        if not self.legend.items and any(names.values()):
            self.legend.items = legend_items(_add_lines(self.figure, self.hops))
        for item, name in zip(self.legend.items, names.values(), strict=False):
            item.update(label=value(name), visible=bool(name))
        self.legend.visible = any(names.values())


def strength_columns(strength: HeadStrength, brushed: BrushedStrength, *, others: str = "the rest") -> dict[str, Any]:
    """Columns over hops; NaN for what is not chosen or not brushed.

    Parameters
    ----------
    others
        What the brushed images are held against, in words that need not be safe as HTML.
    """
    n_hops = len(strength.mean)
    unknown = np.full(n_hops, np.nan)
    chosen = unknown if strength.chosen is None else strength.chosen
    brush, rest = brushed.brush, brushed.rest
    std = unknown if brush is None else brush.std
    columns = {
        "hop": np.arange(n_hops),
        "mean": strength.mean,
        "chosen": chosen,
        "brush": unknown if brush is None else brush.mean,
        "rest": unknown if rest is None else rest.mean,
        "of_heads": unknown if brushed.heads is None else brushed.heads,
    }
    spread = {"lower": np.maximum(columns["brush"] - std, 0), "upper": columns["brush"] + std}
    said = {"chosen": "chosen image", "mean": "mean", "brush": "brushed images", "rest": escaped(others)}
    said["of_heads"] = "brushed heads"
    shown = {name: words for name, words in said.items() if name in ALWAYS_SAID or np.isfinite(columns[name]).any()}
    texts = [
        [f"<div>{words}: {text}</div>" for text in numbers_as_text(columns[name], 5)] for name, words in shown.items()
    ]
    return columns | spread | {"words": ["".join(row) for row in zip(*texts, strict=True)]}


def create_strength_bars(n_hops: int) -> StrengthBars:
    """Empty bars over ``n_hops`` hops: the chosen image filled, the mean over all images as an outline.

    The inset shows the rings of patches around one patch; the hop that is pointed at is highlighted, in the browser
    alone.
    """
    hops, rings = create_sources(_NAMES, _ring_columns(n_hops))
    fig = create_figure(x_range=Range1d(-0.7, n_hops - 0.3), y_range=Range1d(0, 1), title="Strength")
    add_glyph(fig, VBar(x="hop", width=0.72, top="chosen", fill_color=VALUE, line_alpha=0), hops)
    outlined = {"fill_color": MEAN, "fill_alpha": 0.12, "line_color": MEAN, "line_width": 1.2}
    add_glyph(fig, VBar(x="hop", width=0.92, top="mean", **outlined), hops)
    hit = add_glyph(fig, VBar(x="hop", width=1, top=9, fill_color=None, line_color=None), hops)
    _add_inset(fig, rings, n_hops=n_hops)
    highlight = CustomJS(args={"rings": rings, "highlighted": HIGHLIGHTED, "faint": FAINT}, code=script("rings.js"))
    fig.add_tools(
        HoverTool(
            renderers=[hit], tooltips="<div><b>hop @hop</b></div>@words{safe}", point_policy="follow_mouse",
            attachment="horizontal", callback=highlight,
        )
    )  # fmt: skip
    fig.xaxis.axis_label = "hop"
    fig.xaxis.ticker.update(min_interval=1, desired_num_ticks=8)
    fig.yaxis.ticker.desired_num_ticks = 4
    fig.yaxis.update(axis_label="mean attention", formatter=plain_ticks())
    without_grid(fig, dimensions=[0])
    # Bokeh misses a legend that comes after its figure, so this one is there and empty.
    legend = create_small_legend({})
    fig.add_layout(legend)
    return StrengthBars(fig, hops, rings, legend)


def _add_lines(fig: figure, hops: ColumnDataSource) -> dict[str, GlyphRenderer]:
    """Draw what is brushed over the bars: the brushed images with a band of one standard deviation, the others, heads.

    As in the distribution the others are dashed; brushed heads are dotted.
    """
    add_glyph(fig, VArea(x="hop", y1="lower", y2="upper", fill_color=BRUSH, fill_alpha=0.25), hops)
    looks = {
        "rest": {"line_color": MEAN, "line_dash": "4 2"},
        "of_heads": {"line_color": BRUSH, "line_dash": "1 3", "line_width": 2.5},
        "brush": {"line_color": BRUSH},
    }
    drawn = {
        name: add_glyph(fig, Line(**{"x": "hop", "y": name, "line_width": 1.6} | look), hops)
        for name, look in looks.items()
    }
    return {name: drawn[name] for name in ("brush", "rest", "of_heads")}


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
