"""B2: a metric of the chosen head under the six pruning modes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, HoverTool, Quad, Range1d, Span, Text, VBar
from bokeh.plotting import figure

from vitpanel.core.metrics import metric_keys, metric_of
from vitpanel.core.regions import PruningMode, Region
from vitpanel.theme.palette import CHOSEN, MEAN, MUTED, TEXT, VALUE
from vitpanel.views.base import create_figure, without_grid
from vitpanel.views.figures.glyphs import add_glyph, create_sources
from vitpanel.views.figures.numbers import change_text, distance_text, plain_ticks

NOT_DEFINED = "n/a"
ICON_SHARE = 0.2
AIR = 0.18
SHORTEST = 0.01
# Pixels between a bar and its label, and from line to line; letters of two labels that fit beside each other.
GAP, LINE, SIDE_BY_SIDE = 3, 10, 10
# Share of the span of all ends up to which two are at one height, as far as their labels are concerned.
ALIKE = 0.12
_ICON_BOTTOM, _ICON_TOP, _ICON_HALF = 0.03, 0.15, 0.32
_CLS_SHARE = 0.36


@dataclass(frozen=True)
class ModeBars:
    """The chart, its bars in the order of the modes, the mark of the chosen mode, and the line that bars start from."""

    figure: figure
    bars: ColumnDataSource
    chosen: ColumnDataSource
    unpruned: Span

    def show(self, values: np.ndarray, metric: str, *, of: str = "") -> None:
        """Draw the metric under modes 0 to 5; ``of`` says what of it is drawn, as "mean"."""
        low, high = mode_span(values, metric)
        self.figure.y_range.update(start=low - ICON_SHARE / (1 - ICON_SHARE) * (high - low), end=high)
        self.figure.yaxis.bounds = possible(low, high, metric)
        record = metric_of(metric)
        name = f"{record.label} ({record.unit})" if record.unit else record.label
        self.figure.yaxis.axis_label = f"{name}, {of}" if of else name
        self.unpruned.update(location=float(np.nan_to_num(values[0])), visible=True)
        self.bars.data = mode_columns(values, metric)


def mode_span(values: np.ndarray, metric: str) -> tuple[float, float]:
    """Ends of an axis that fits values of one or several heads, with room for their labels.

    Distances from the unpruned model begin at 0. Probabilities need not: their bars start from the unpruned one, and
    the axis is never so short that less than a hundredth looks large.
    """
    known = values[np.isfinite(values)]
    if not (metric and known.size) or _is_from_zero(metric):
        return 0.0, (1 + AIR) * float(known.max(initial=0)) or 1.0
    low, high = float(known.min()), float(known.max())
    span = max(high - low, SHORTEST)
    middle = (low + high) / 2
    return middle - (0.5 + AIR) * span, middle + (0.5 + AIR) * span


def possible(low: float, high: float, metric: str) -> tuple[float, float]:
    """What of an axis has ticks: no probability is below 0 or above 1."""
    if not metric or _is_from_zero(metric):
        return max(low, 0.0), high
    least, largest = metric_of(metric).drawn_bounds
    return max(low, least), min(high, largest)


def _is_from_zero(metric: str) -> bool:
    """Whether bars of a metric are distances from the unpruned model, and cannot be below 0."""
    record = metric_of(metric)
    return record.higher_is_more_important and not record.is_signed


def mode_texts(values: np.ndarray, metric: str) -> list[str]:
    """Labels of the bars: the unpruned value, then changes of the probability or distances; "n/a" for NaN."""
    if not _is_from_zero(metric):
        texts = [distance_text(values[0]), *(change_text(value - values[0]) for value in values[1:])]
    else:
        texts = [distance_text(value) for value in values]
    return [NOT_DEFINED if np.isnan(value) else text for value, text in zip(values, texts, strict=True)]


def mode_columns(values: np.ndarray, metric: str) -> dict[str, Any]:
    """Columns of the bars of modes 0 to 5, from the unpruned value; a mode that is not defined has a text alone."""
    top, texts = np.where(np.isnan(values), values[0], values), mode_texts(values, metric)
    is_down = top < values[0]
    return {
        "mode": [int(mode) for mode in PruningMode],
        "label": [mode.label for mode in PruningMode],
        "value": values,
        "full": [full_text(value, values[0], metric) for value in values],
        "base": np.full(len(values), values[0]),
        "top": top,
        "text": texts,
        "baseline": np.where(is_down, "top", "bottom").tolist(),
        "offset": label_offsets(top, is_down, texts),
        "colour": [MEAN if mode is PruningMode.NONE else VALUE for mode in PruningMode],
        "alpha": np.ones(len(values)),
    }


def label_offsets(top: np.ndarray, is_down: np.ndarray, texts: Sequence[str]) -> list[int]:
    """How far below the end of its bar each label stands, in pixels; negative for above.

    Long labels of neighbours that end alike stand one below the other, since a narrow chart has no room for both.
    """
    offsets, near = list[int](), ALIKE * max(float(np.ptp(top)), SHORTEST)
    for mode, (end, down, text) in enumerate(zip(top, is_down, texts, strict=True)):
        away = 1 if down else -1
        is_beside = (
            mode > 0
            and down == is_down[mode - 1]
            and abs(end - top[mode - 1]) < near
            and len(text) + len(texts[mode - 1]) > SIDE_BY_SIDE
        )
        is_second = is_beside and abs(offsets[-1]) == GAP
        offsets.append(away * (GAP + LINE * is_second))
    return offsets


def full_text(value: float, unpruned: float, metric: str) -> str:
    """Value of a mode for a tooltip."""
    if np.isnan(value):
        return "not defined for this model"
    change = f" ({change_text(value - unpruned)} against unpruned)" if not _is_from_zero(metric) else ""
    return f"{value:.6g}{change}"


def icon_columns() -> dict[str, Any]:
    """Blocks of the pictograms: the attention matrix of each mode, CLS first, with what is pruned filled."""
    left, right = -_ICON_HALF, _ICON_HALF
    middle = left + _CLS_SHARE * (right - left)
    level = _ICON_TOP - _CLS_SHARE * (_ICON_TOP - _ICON_BOTTOM)
    blocks = {
        Region.CLS_CLS: (left, middle, level, _ICON_TOP),
        Region.CLS_PATCH: (middle, right, level, _ICON_TOP),
        Region.PATCH_CLS: (left, middle, _ICON_BOTTOM, level),
        Region.PATCH_PATCH: (middle, right, _ICON_BOTTOM, level),
    }
    columns: dict[str, list[Any]] = {name: [] for name in ("left", "right", "bottom", "top", "colour")}
    for mode in PruningMode:
        for region, (start, end, bottom, top) in blocks.items():
            colour = TEXT if region in mode.regions else "white"
            row = (mode + start, mode + end, bottom, top, colour)
            for name, value in zip(columns, row, strict=True):
                columns[name].append(value)
    return columns


def icon_glyph(*, line_width: float) -> Quad:
    """How the blocks of the pictograms are drawn."""
    sides = {name: name for name in ("left", "right", "top", "bottom")}
    return Quad(**sides, fill_color="colour", line_color=TEXT, line_width=line_width)


def create_mode_bars() -> ModeBars:
    """Empty bars over their pictograms."""
    names = list(mode_columns(np.zeros(len(PruningMode)), metric_keys()[0]))
    bars, chosen, icons = create_sources(names, {"mode": [0]}, icon_columns())
    fig = create_figure(
        x_range=Range1d(-0.6, len(PruningMode) - 0.4), y_range=Range1d(-0.25, 1), title="By pruning mode"
    )
    fig.extra_y_ranges = {"place": Range1d(0, 1)}
    place = {"y_range_name": "place"}
    faint = {"fill_color": CHOSEN, "fill_alpha": 0.13, "line_color": CHOSEN, "line_alpha": 0.13}
    add_glyph(fig, VBar(x="mode", width=0.96, top=1, bottom=0, **faint), chosen, **place)
    add_glyph(fig, icon_glyph(line_width=0.6), icons, **place)
    look = {"fill_color": "colour", "fill_alpha": "alpha", "line_alpha": 0}
    add_glyph(fig, VBar(x="mode", width=0.72, top="top", bottom="base", **look), bars)
    labels = Text(
        x="mode", y="top", text="text", text_font_size="10px", text_align="center", text_baseline="baseline",
        text_color=TEXT, text_alpha="alpha", y_offset="offset",
    )  # fmt: skip
    add_glyph(fig, labels, bars)
    hit = add_glyph(fig, VBar(x="mode", width=1, top=1, bottom=0, fill_color=None, line_color=None), bars, **place)
    tooltips = [("mode", "@mode: @label"), ("value", "@full")]
    fig.add_tools(HoverTool(renderers=[hit], tooltips=tooltips, point_policy="follow_mouse", attachment="horizontal"))
    unpruned = Span(location=0, dimension="width", line_color=TEXT, line_dash="dashed", visible=False)
    fig.add_layout(unpruned)
    fig.xaxis.ticker = FixedTicker(ticks=list(range(len(PruningMode))))
    fig.xaxis.axis_label = "mode (pruned regions filled)"
    fig.xaxis.axis_line_color = MUTED
    fig.xaxis.major_tick_out = 0
    without_grid(fig, dimensions=[0])
    fig.yaxis.update(bounds=(0, 1), formatter=plain_ticks())
    return ModeBars(fig, bars, chosen, unpruned)
