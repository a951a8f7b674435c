"""C1: all heads by two of their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from bokeh.models import (
    BasicTicker,
    BoxSelectTool,
    ColumnDataSource,
    FixedTicker,
    HoverTool,
    LassoSelectTool,
    Range1d,
    Scatter,
    Segment,
    Span,
)
from bokeh.plotting import figure

from vitpanel.core.spec import head_name
from vitpanel.state.head_numbers import HEAD_INDEX, LAYER
from vitpanel.state.queries import head_table
from vitpanel.state.queries.head_table import Shown
from vitpanel.theme.palette import BRUSH, CHOSEN, MEAN, SURFACE, TEXT
from vitpanel.views.base import create_figure, escaped, layer_ticks
from vitpanel.views.figures.glyphs import Overlay, add_glyph, create_sources
from vitpanel.views.figures.numbers import change_text, distance_text, plain_ticks

AIR = 0.06
INDICES = (LAYER, HEAD_INDEX)
_NAMES = ("x", "value", "lower", "upper", "name", "words", "colour")
_MARK_NAMES = ("x", "value", "colour")
_RING_NAMES = ("x", "value", "alpha")
_TOOLTIP = "<div><b>@name</b></div>@words{safe}"


@dataclass(frozen=True)
class HeadScatter:
    """The chart, its points in the order of the flat head index, and what marks the chosen one and the pinned ones.

    ``rings`` lie around brushed heads. ``tools`` are ``box`` and ``lasso``, one of which a drag means. Lines at 0 are
    made when they are first wanted.
    """

    figure: figure
    heads: ColumnDataSource
    ring: ColumnDataSource
    pins: Overlay
    rings: Overlay
    tools: dict[str, Any]
    _made: dict[str, Any] = field(default_factory=dict)

    def show(self, scatter: head_table.Scatter, *, colours: Sequence[str], words: Sequence[str]) -> None:
        """Draw all heads.

        Parameters
        ----------
        scatter
            What goes across and up.
        colours
            Of the points, over the flat head index.
        words
            What the tooltip says of each head, as HTML.
        """
        has_whiskers = scatter.x.key == LAYER
        self._scale("x", scatter.x, has_whiskers=False)
        self._scale("y", scatter.y, has_whiskers=has_whiskers)
        self.heads.data = head_columns(scatter, colours=colours, words=words)

    def show_brushed(self, shares: np.ndarray | None) -> None:
        """Put a ring around each brushed head, the fainter the fewer its images; None for no brush.

        Parameters
        ----------
        shares
            Shares of the images on which each head is brushed, ``(n_layers, n_heads)``; NaN counts as none.
        """
        flat = np.zeros(0, int) if shares is None else np.flatnonzero(np.nan_to_num(shares.ravel()) > 0)
        columns = {name: np.asarray(self.heads.data[name], float)[flat] for name in ("x", "value")}
        alpha = np.zeros(0) if shares is None else ring_alpha(shares.ravel()[flat])
        self.rings.data = columns | {"alpha": alpha}

    def _scale(self, axis: str, shown: Shown, *, has_whiskers: bool) -> None:
        """Show the span of the values of an axis, with its name, its ticks, and a line at 0 where that is a limit."""
        is_across = axis == "x"
        drawn = self.figure.xaxis[0] if is_across else self.figure.yaxis[0]
        low, high = _span(shown, has_whiskers=has_whiskers)
        span = self.figure.x_range if is_across else self.figure.y_range
        span.update(start=low, end=high)
        drawn.axis_label = shown.label
        is_index, ticker = shown.key in INDICES, drawn.ticker
        if is_index:
            ticks = layer_ticks(shown.found.per_head.shape[INDICES.index(shown.key)])
            if isinstance(ticker, FixedTicker):
                ticker.ticks = ticks
            else:
                drawn.ticker = FixedTicker(ticks=ticks)
        elif isinstance(ticker, FixedTicker):
            drawn.ticker = BasicTicker(desired_num_ticks=5, num_minor_ticks=0)
        if is_across:
            self.figure.xgrid.visible = not is_index
        self._show_zero(axis, is_shown=shown.number.is_signed)

    def _show_zero(self, axis: str, *, is_shown: bool) -> None:
        kind = f"{axis} zero"
        if is_shown and kind not in self._made:
            dimension = "height" if axis == "x" else "width"
            line = Span(location=0, dimension=dimension, line_color=MEAN, line_dash="4 2", level="underlay")
            self._made[kind] = line
            self.figure.add_layout(line)
        if kind in self._made:
            self._made[kind].visible = is_shown


def head_columns(scatter: head_table.Scatter, *, colours: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    """Columns over the flat head index; whiskers of one standard deviation where layers go across.

    Parameters
    ----------
    scatter, colours, words
        As `HeadScatter.show` takes them.
    """
    x, value = scatter.places
    n_heads = scatter.x.found.per_head.shape[1]
    std = scatter.y.std if scatter.x.key == LAYER else np.full(value.size, np.nan)
    return {
        "x": x,
        "value": value,
        "lower": value - std,
        "upper": value + std,
        "name": [head_name(*divmod(flat, n_heads)) for flat in range(value.size)],
        "words": list(words),
        "colour": list(colours),
    }


def ring_alpha(shares: np.ndarray) -> np.ndarray:
    """Opacity of rings, from what is just seen to 1."""
    return 0.25 + 0.75 * shares


def tooltip_words(numbers: Sequence[Shown], *, patch_side: float | None) -> list[str]:
    """What a tooltip says of each head, as HTML: each number with its spread where there is one.

    Parameters
    ----------
    numbers
        In their order; layer and index of a head are left out, since they are its name.
    patch_side
        Pixels of a patch's side, None where distances cannot be said in pixels.
    """
    told = [shown for shown in numbers if shown.key not in INDICES]
    rows = [
        [
            f"<div>{escaped(_inside(shown.number.label))}: <span>{number_text(shown, flat, patch_side)}</span></div>"
            for flat in range(shown.values.size)
        ]
        for shown in told
    ]
    return ["".join(row) for row in zip(*rows, strict=True)]


def _inside(label: str) -> str:
    """A name inside a line: "entropy", but "JSD"."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def number_text(shown: Shown, flat: int, patch_side: float | None) -> str:
    """A number of a head, with its spread where there is one; a dash for NaN."""
    value, spread = float(shown.values[flat]), float(shown.std[flat])
    if np.isnan(value):
        return "–"
    if shown.number.is_share:
        return f"{value:.1%}"
    if shown.number.is_signed:
        return change_text(value)
    if shown.key == "distance":
        text = f"{value:.2f}" + ("" if np.isnan(spread) else f" ± {spread:.2f}")
        return f"{text} patches" + ("" if patch_side is None else f" ({value * patch_side:.1f} pixels)")
    return distance_text(value) + ("" if np.isnan(spread) else f" ± {distance_text(spread)}")


def create_head_scatter(n_layers: int, n_heads: int) -> HeadScatter:
    """Empty scatter over the layers."""
    heads, ring = create_sources(_NAMES, _MARK_NAMES)
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
    # A gap of ground between ring and point: the colours of some layers are near that of the ring.
    around = Scatter(**place, size=size + 9, fill_color=SURFACE, line_color=CHOSEN, line_width=2.5)
    ground = add_glyph(fig, around, ring, level="overlay")
    add_glyph(fig, Scatter(**place, size=size + 1, **outlined), ring, level="overlay")
    tools = {"box": BoxSelectTool(renderers=[]), "lasso": LassoSelectTool(renderers=[])}
    hover = HoverTool(renderers=[points], tooltips=_TOOLTIP, limit=1, attachment="horizontal")
    fig.add_tools(hover, *tools.values())
    fig.toolbar.active_drag = tools["box"]
    fig.xaxis.update(ticker=FixedTicker(ticks=layer_ticks(n_layers)), axis_label="layer")
    fig.yaxis.ticker.desired_num_ticks = 5
    fig.axis.formatter = plain_ticks()
    fig.xgrid.visible = False
    square = Scatter(**place, marker="square", size=size + 8, fill_alpha=0, line_color=TEXT, line_width=1.5)
    pins = Overlay(fig, [square], _MARK_NAMES, below=ground, level="overlay")
    brushed = Scatter(**place, size=size + 6, fill_alpha=0, line_color=BRUSH, line_width=2, line_alpha="alpha")
    return HeadScatter(fig, heads, ring, pins, Overlay(fig, [brushed], _RING_NAMES), tools)


def marked_columns(heads: ColumnDataSource, flat: list[int]) -> dict[str, Any]:
    """Columns of what marks some heads that have a point, by their flat indices."""
    shown = [index for index in flat if np.isfinite(heads.data["x"][index])]
    return {name: [heads.data[name][index] for index in shown] for name in _MARK_NAMES}


def _span(shown: Shown, *, has_whiskers: bool) -> tuple[float, float]:
    """Ends of an axis: all layers or heads, else what is shown with some air."""
    if shown.key in INDICES:
        return -0.6, shown.found.per_head.shape[INDICES.index(shown.key)] - 0.4
    if shown.found.span is not None:
        low, high = shown.found.span
    else:
        std = np.nan_to_num(shown.std) if has_whiskers else 0
        values = np.concatenate([shown.values - std, shown.values + std])
        known = values[np.isfinite(values)]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
        if shown.number.is_signed:
            low, high = min(low, 0.0), max(high, 0.0)
    air = AIR * (high - low) or 0.5
    return low - air, high + air
