"""B4, B5, C4, C5: what matters in each pinned head and how far its patches look, side by side on one scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    DataRange1d,
    FixedTicker,
    HoverTool,
    Range1d,
    Segment,
    Span,
    Text,
    VBar,
)
from bokeh.models.glyphs import Patches  # to type checkers, the one of bokeh.models is another
from bokeh.plotting import figure

from vitpanel.core.regions import PruningMode
from vitpanel.core.spec import short_head_name
from vitpanel.state.results import PinnedHead
from vitpanel.state.selection import MOST_PINNED
from vitpanel.theme.palette import CHOSEN, MEAN, TEXT, VALUE
from vitpanel.views.base import create_figure, numbers_as_text, without_grid
from vitpanel.views.figures.glyphs import add_bands, add_glyph, create_sources
from vitpanel.views.figures.mode_bars import icon_columns, icon_glyph, mode_span, possible
from vitpanel.views.figures.mode_bars import mode_columns as one_head_columns
from vitpanel.views.figures.numbers import plain_ticks

PADDING = 0.05
HEADROOM = 0.22
FADED = 0.3
LINE = 60  # letters across the panel
TICKS = (0.14, 0.86)  # about where, in each column; at its ends they would run into those of the next
ROOMY = 2  # pins whose bars can all be labelled
_ICONS = 0.24
_N_MODES = len(PruningMode)


@dataclass(frozen=True)
class PinnedHeads:
    """Three charts of as many columns as there are pins, each over one axis of values."""

    modes: figure
    strength: figure
    entropy: figure
    unpruned: Span
    mode_bars: ColumnDataSource
    icons: ColumnDataSource
    names: ColumnDataSource
    hops: ColumnDataSource
    areas: ColumnDataSource
    lines: ColumnDataSource

    def show(self, heads: Sequence[PinnedHead]) -> None:
        """Draw these heads, and fit the axes to all of them."""
        n_columns = max(2, len(heads))
        for fig in (self.modes, self.strength, self.entropy):
            fig.x_range.end = n_columns
        self.mode_bars.data = mode_columns(heads)
        self.icons.data = _icons(len(heads))
        self.names.data = name_columns(heads)
        self.hops.data = hop_columns(heads)
        low, high = span = common_span(heads)
        self.areas.data, self.lines.data = area_columns(heads, span), line_columns(heads, span)
        digits = 1 + math.ceil(-math.log10(high - low))
        ends = [round(low + share * (high - low), digits) for share in TICKS]
        _tick(self.entropy, {0.5: "entropy"} | {_along(span, end): f"{end:g}" for end in ends})
        known = [head.modes for head in heads if head.modes is not None]
        metric = heads[0].metric if heads else ""
        low, high = mode_span(np.concatenate([[], *known]), metric)
        self.modes.y_range.update(start=low - _ICONS * (high - low), end=high + HEADROOM * (high - low))
        self.modes.yaxis.bounds = possible(low, high, metric)
        self.unpruned.update(location=float(np.nan_to_num(known[0][0])) if known else 0, visible=bool(known))


def _across(slot: int, share: Any) -> Any:
    """Place in a column from a share of its width."""
    return slot + PADDING + (1 - 2 * PADDING) * share


def _along(span: tuple[float, float], value: Any) -> Any:
    """Share of an axis from its beginning to a value."""
    low, high = span
    return (value - low) / (high - low)


def _highest(*values: np.ndarray) -> float:
    """Largest of all values, NaN aside; 0 without any."""
    return max((float(part[np.isfinite(part)].max(initial=0)) for part in values), default=0.0)


def mode_columns(heads: Sequence[PinnedHead]) -> dict[str, Any]:
    """Bars of all pins, six for each."""
    shared = ("mode", "label", "base", "top", "baseline", "offset", "colour")
    rows: dict[str, list[Any]] = {name: [] for name in (*shared, "x", "head", "number", "text", "value", "alpha")}
    for slot, head in enumerate(heads):
        values = np.full(_N_MODES, np.nan) if head.modes is None else head.modes
        bars = one_head_columns(values, head.metric)
        for name in shared:
            rows[name] += list(bars[name])
        rows["x"] += [_across(slot, (mode + 0.5) / _N_MODES) for mode in PruningMode]
        rows["head"] += [short_head_name(*head.head)] * _N_MODES
        rows["number"] += list(values)
        rows["text"] += mode_labels(head, bars["text"], n_pins=len(heads))
        rows["value"] += ["not known yet"] * _N_MODES if head.modes is None else bars["full"]
        rows["alpha"] += [1.0 if head.is_current else FADED] * _N_MODES
    return rows


def mode_labels(head: PinnedHead, texts: list[str], *, n_pins: int) -> list[str]:
    """Labels of a pin's bars; beside more than one other there is room for that of the whole head alone."""
    is_labelled = [head.modes is not None and (n_pins <= ROOMY or mode is PruningMode.HEAD) for mode in PruningMode]
    return [text.replace("0.", ".") if is_shown else "" for text, is_shown in zip(texts, is_labelled, strict=True)]


def name_columns(heads: Sequence[PinnedHead]) -> dict[str, Any]:
    """Number and name of each pin, and why it has no bars; what is said of all is said once, in the middle."""
    messages = [head.message if head.modes is None else "" for head in heads]
    is_said_of_all = len(heads) > 1 and len(set(messages)) == 1
    if is_said_of_all:
        messages = [messages[0]] + [""] * (len(heads) - 1)
    middle = max(2, len(heads)) / 2
    width = LINE if is_said_of_all else LINE // max(2, len(heads))
    return {
        "x": [_across(slot, 0) for slot in range(len(heads))],
        "name": [
            f"{slot + 1}: {short_head_name(*head.head)}{'' if head.is_current else ' …'}"
            for slot, head in enumerate(heads)
        ],
        "centre": [middle if is_said_of_all else _across(slot, 0.5) for slot in range(len(heads))],
        "message": ["\n".join(wrap(message, width, max_lines=4, placeholder=" …")) for message in messages],
    }


def hop_columns(heads: Sequence[PinnedHead]) -> dict[str, Any]:
    """Strength over hops of all pins."""
    columns: dict[str, list[Any]] = {
        name: [] for name in ("x", "head", "hop", "mean", "chosen", "chosen_text", "width")
    }
    for slot, head in enumerate(heads):
        n_hops = len(head.mean_strength)
        chosen = np.full(n_hops, np.nan) if head.strength is None else head.strength
        columns["x"] += list(_across(slot, (np.arange(n_hops) + 0.5) / n_hops))
        columns["head"] += [short_head_name(*head.head)] * n_hops
        columns["hop"] += list(range(n_hops))
        columns["mean"] += list(head.mean_strength)
        columns["chosen"] += list(chosen)
        columns["chosen_text"] += numbers_as_text(chosen, 5)
        columns["width"] += [0.8 * (1 - 2 * PADDING) / n_hops] * n_hops
    return columns


def common_span(heads: Sequence[PinnedHead]) -> tuple[float, float]:
    """Ends of one axis of entropy for all pins."""
    spans = [head.span for head in heads] or [(0.0, 1.0)]
    return min(low for low, _ in spans), max(high for _, high in spans)


def area_columns(heads: Sequence[PinnedHead], span: tuple[float, float]) -> dict[str, Any]:
    """Outlines of the densities of entropy; there is nothing to see of a head without any."""
    xs, ys = [], []
    for slot, head in enumerate(heads):
        x = _across(slot, _along(span, head.grid))
        xs.append(np.concatenate([x, x[::-1]]))
        ys.append(np.concatenate([head.density, np.zeros(len(x))]))
    return {"xs": xs, "ys": ys, "head": [short_head_name(*head.head) for head in heads]}


def line_columns(heads: Sequence[PinnedHead], span: tuple[float, float]) -> dict[str, Any]:
    """Lines at the chosen image's entropy."""
    top = _highest(*(head.density for head in heads))
    places = [_across(slot, _along(span, head.entropy)) for slot, head in enumerate(heads) if head.entropy is not None]
    return {"x": places, "top": [top] * len(places)}


def _icons(n_heads: int) -> dict[str, Any]:
    """Pictograms of the modes in each column."""
    one = {name: np.asarray(column) for name, column in icon_columns().items()}
    result: dict[str, list[Any]] = {name: [] for name in one}
    for slot in range(n_heads):
        for name, column in one.items():
            is_across = name in {"left", "right"}
            result[name] += list(_across(slot, (column + 0.5) / _N_MODES) if is_across else column)
    return result


def create_pinned_heads(n_hops: int) -> PinnedHeads:
    """Empty charts of the pruning modes, the strength over hops, and the entropy over all images."""
    modes, unpruned, mode_bars, icons, names = _create_modes()
    strength, hops = _create_strength(n_hops)
    entropy, areas, lines = _create_entropy()
    return PinnedHeads(modes, strength, entropy, unpruned, mode_bars, icons, names, hops, areas, lines)


def _create_columns(**options: Any) -> figure:
    fig = create_figure(x_range=Range1d(0, 2), **options)
    add_bands(fig, [(slot, slot + 1) for slot in range(1, MOST_PINNED, 2)], alpha=0.4)
    without_grid(fig, dimensions=[0])
    fig.yaxis.ticker.desired_num_ticks = 3
    fig.min_border_left = 44
    return fig


def _tick(fig: figure, labels: dict[float, str]) -> None:
    """Ticks at the same shares of each column."""
    places = {_across(slot, share): text for slot in range(MOST_PINNED) for share, text in labels.items()}
    fig.xaxis.ticker = FixedTicker(ticks=list(places))
    fig.xaxis.major_label_overrides = places


def _create_modes() -> tuple[figure, Span, ColumnDataSource, ColumnDataSource, ColumnDataSource]:
    fig = _create_columns(y_range=Range1d(-_ICONS, 1 + HEADROOM))
    fig.extra_y_ranges = {"place": Range1d(0, 1)}
    bars, icons, names = create_sources(mode_columns([]), _icons(0), name_columns([]))
    place = {"y_range_name": "place"}
    add_glyph(fig, icon_glyph(line_width=0.5), icons, **place)
    width = 0.8 * (1 - 2 * PADDING) / _N_MODES
    look = {"fill_color": "colour", "fill_alpha": "alpha", "line_alpha": 0}
    add_glyph(fig, VBar(x="x", width=width, top="top", bottom="base", **look), bars)
    unpruned = Span(location=0, dimension="width", line_color=TEXT, line_dash="dashed", visible=False)
    fig.add_layout(unpruned)
    label = Text(
        x="x", y="top", text="text", text_align="center", text_baseline="baseline", y_offset="offset",
        text_alpha="alpha", text_font_size="9px", text_color=TEXT,
    )  # fmt: skip
    add_glyph(fig, label, bars)
    written = {"text_font_size": "11px", "text_color": TEXT}
    name = Text(x="x", y=1, text="name", text_font_style="bold", text_baseline="top", **written)
    message = Text(x="centre", y=0.6, text="message", text_align="center", text_baseline="middle", **written)
    add_glyph(fig, name, names, **place)
    add_glyph(fig, message, names, **place)
    hit = add_glyph(fig, VBar(x="x", width=1 / _N_MODES, top=1, fill_color=None, line_color=None), bars, **place)
    tooltips = [("head", "@head"), ("mode", "@mode: @label"), ("value", "@value")]
    fig.add_tools(HoverTool(renderers=[hit], tooltips=tooltips, point_policy="follow_mouse", attachment="horizontal"))
    fig.xaxis.visible = False
    fig.yaxis.update(axis_label="by mode", formatter=plain_ticks())
    return fig, unpruned, bars, icons, names


def _create_strength(n_hops: int) -> tuple[figure, ColumnDataSource]:
    fig = _create_columns(y_range=DataRange1d(start=0, range_padding=0.06))
    hops = ColumnDataSource(hop_columns([]))
    place = {"x": "x", "width": "width"}
    chosen = add_glyph(fig, VBar(**place, top="chosen", fill_color=VALUE, line_alpha=0), hops)
    mean = add_glyph(fig, VBar(**place, top="mean", fill_alpha=0, line_color=MEAN), hops)
    fig.y_range.renderers = [chosen, mean]
    hit = add_glyph(fig, VBar(**place, top=9, fill_color=None, line_color=None), hops)
    tooltips = [("head", "@head"), ("hop", "@hop"), ("chosen image", "@chosen_text"), ("mean", "@mean{0.00000}")]
    fig.add_tools(HoverTool(renderers=[hit], tooltips=tooltips, point_policy="follow_mouse", attachment="horizontal"))
    shown = sorted({0, (n_hops - 1) // 2, n_hops - 1})
    _tick(fig, {(hop + 0.5) / n_hops: f"hop {hop}" if hop == shown[len(shown) // 2] else str(hop) for hop in shown})
    fig.yaxis.update(axis_label="strength", formatter=plain_ticks())
    return fig, hops


def _create_entropy() -> tuple[figure, ColumnDataSource, ColumnDataSource]:
    fig = _create_columns(y_range=DataRange1d(start=0, range_padding=0.06))
    areas, lines = create_sources(area_columns([], (0, 1)), line_columns([], (0, 1)))
    fig.y_range.renderers = [
        add_glyph(fig, Patches(xs="xs", ys="ys", fill_color=MEAN, fill_alpha=0.3, line_color=MEAN), areas),
        add_glyph(fig, Segment(x0="x", y0=0, x1="x", y1="top", line_color=CHOSEN, line_width=2), lines),
    ]
    fig.yaxis.axis_label = "density"
    fig.yaxis.major_label_text_font_size = "0px"
    fig.yaxis.major_tick_line_color = None
    return fig, areas, lines
