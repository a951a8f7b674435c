"""B4, B5, C4, C5: what matters in each pinned head and how far its patches look, side by side on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import BoxAnnotation, ColumnDataSource, DataRange1d, FixedTicker, HoverTool, Range1d
from bokeh.plotting import figure

from vitpanel.core.regions import PruningMode
from vitpanel.core.spec import short_head_name
from vitpanel.state.results import PinnedHead
from vitpanel.state.selection import MOST_PINNED
from vitpanel.views.base import create_figure, numbers_as_text
from vitpanel.views.figures.mode_bars import icon_columns, value_text
from vitpanel.views.palette import CHOSEN, GRID, MEAN, TEXT, VALUE

PADDING = 0.05
HEADROOM = 0.3
FADED = 0.3
_ICONS = 0.24
_N_MODES = len(PruningMode)


@dataclass(frozen=True)
class PinnedHeads:
    """Three charts of as many columns as there are pins, each over one axis of values."""

    modes: figure
    strength: figure
    entropy: figure
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
        self.areas.data, self.lines.data = area_columns(heads), line_columns(heads)
        top = _highest(*(head.modes for head in heads if head.modes is not None)) or 1.0
        self.modes.y_range.update(start=-_ICONS * top, end=(1 + HEADROOM) * top)
        self.modes.yaxis.bounds = (0, top)


def _across(slot: int, share: Any) -> Any:
    """Place in a column from a share of its width."""
    return slot + PADDING + (1 - 2 * PADDING) * share


def _highest(*values: np.ndarray) -> float:
    """Largest of all values, NaN aside; 0 without any."""
    return max((float(part[np.isfinite(part)].max(initial=0)) for part in values), default=0.0)


def mode_columns(heads: Sequence[PinnedHead]) -> dict[str, Any]:
    """Bars of all pins, six for each."""
    rows: dict[str, list[Any]] = {
        name: [] for name in ("x", "head", "mode", "label", "number", "top", "text", "value", "alpha", "colour")
    }
    for slot, head in enumerate(heads):
        values = np.full(_N_MODES, np.nan) if head.modes is None else head.modes
        for mode, value in zip(PruningMode, values, strict=True):
            row = {
                "x": _across(slot, (mode + 0.5) / _N_MODES),
                "head": short_head_name(*head.head),
                "mode": int(mode),
                "label": mode.label,
                "number": value,
                "top": np.nan_to_num(value),
                "text": "" if head.modes is None else value_text(value).removeprefix("0"),
                "value": "not known yet" if head.modes is None else numbers_as_text(np.array([value]), 5)[0],
                "alpha": 1.0 if head.is_current else FADED,
                "colour": MEAN if mode is PruningMode.NONE else VALUE,
            }
            for name, cell in row.items():
                rows[name].append(cell)
    return rows


def name_columns(heads: Sequence[PinnedHead]) -> dict[str, Any]:
    """Number and name of each pin, and what there is to say of it."""
    return {
        "x": [_across(slot, 0) for slot in range(len(heads))],
        "name": [f"{slot + 1}: {short_head_name(*head.head)}" for slot, head in enumerate(heads)],
        "right": [_across(slot, 1) for slot in range(len(heads))],
        "message": [head.message for head in heads],
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


def area_columns(heads: Sequence[PinnedHead]) -> dict[str, Any]:
    """Outlines of the densities of entropy; there is nothing to see of a head without any."""
    xs, ys = [], []
    for slot, head in enumerate(heads):
        x = _across(slot, head.grid)
        xs.append(np.concatenate([x, x[::-1]]))
        ys.append(np.concatenate([head.density, np.zeros(len(x))]))
    return {"xs": xs, "ys": ys, "head": [short_head_name(*head.head) for head in heads]}


def line_columns(heads: Sequence[PinnedHead]) -> dict[str, Any]:
    """Lines at the chosen image's entropy."""
    top = _highest(*(head.density for head in heads))
    places = [_across(slot, head.entropy) for slot, head in enumerate(heads) if head.entropy is not None]
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
    modes, mode_bars, icons, names = _create_modes()
    strength, hops = _create_strength(n_hops)
    entropy, areas, lines = _create_entropy()
    return PinnedHeads(modes, strength, entropy, mode_bars, icons, names, hops, areas, lines)


def _create_columns(**options: Any) -> figure:
    fig = create_figure(x_range=Range1d(0, 2), **options)
    for slot in range(1, MOST_PINNED, 2):
        fig.add_layout(
            BoxAnnotation(left=slot, right=slot + 1, fill_color=GRID, fill_alpha=0.4, line_color=None, level="underlay")
        )
    fig.xgrid.visible = False
    fig.yaxis.ticker.desired_num_ticks = 3
    fig.min_border_left = 44
    return fig


def _tick(fig: figure, labels: dict[float, str]) -> None:
    """Ticks at the same shares of each column."""
    places = {_across(slot, share): text for slot in range(MOST_PINNED) for share, text in labels.items()}
    fig.xaxis.ticker = FixedTicker(ticks=list(places))
    fig.xaxis.major_label_overrides = places


def _create_modes() -> tuple[figure, ColumnDataSource, ColumnDataSource, ColumnDataSource]:
    fig = _create_columns(y_range=Range1d(-_ICONS, 1 + HEADROOM))
    fig.extra_y_ranges = {"place": Range1d(0, 1)}
    bars, icons, names = (ColumnDataSource(make([])) for make in (mode_columns, lambda _: _icons(0), name_columns))
    fig.quad(
        "left", "right", "top", "bottom", source=icons, y_range_name="place", fill_color="colour", line_color=TEXT,
        line_width=0.5,
    )  # fmt: skip
    width = 0.8 * (1 - 2 * PADDING) / _N_MODES
    fig.vbar("x", width=width, top="top", source=bars, color="colour", fill_alpha="alpha", line_alpha=0)
    small = {"text_font_size": "9px", "text_color": TEXT}
    fig.text(
        "x", "top", text="text", source=bars, text_align="center", text_baseline="bottom", text_alpha="alpha", **small
    )
    place = {"source": names, "y_range_name": "place", "text_baseline": "top"}
    fig.text("x", 1, text="name", text_font_size="11px", text_font_style="bold", text_color=TEXT, **place)
    fig.text("right", 1, text="message", text_align="right", **place, **small)
    hit = fig.vbar("x", width=1 / _N_MODES, top=1, source=bars, y_range_name="place", fill_color=None, line_color=None)
    tooltips = [("head", "@head"), ("mode", "@mode: @label"), ("value", "@value")]
    fig.add_tools(HoverTool(renderers=[hit], tooltips=tooltips, point_policy="follow_mouse", attachment="horizontal"))
    fig.xaxis.visible = False
    fig.yaxis.axis_label = "by mode"
    return fig, bars, icons, names


def _create_strength(n_hops: int) -> tuple[figure, ColumnDataSource]:
    fig = _create_columns(y_range=DataRange1d(start=0, range_padding=0.06))
    hops = ColumnDataSource(hop_columns([]))
    chosen = fig.vbar("x", width="width", top="chosen", source=hops, color=VALUE, line_alpha=0)
    mean = fig.vbar("x", width="width", top="mean", source=hops, fill_alpha=0, line_color=MEAN, line_width=1)
    fig.y_range.renderers = [chosen, mean]
    hit = fig.vbar("x", width="width", top=9, source=hops, fill_color=None, line_color=None)
    tooltips = [("head", "@head"), ("hop", "@hop"), ("chosen image", "@chosen_text"), ("all images", "@mean{0.00000}")]
    fig.add_tools(HoverTool(renderers=[hit], tooltips=tooltips, point_policy="follow_mouse", attachment="horizontal"))
    shown = sorted({0, (n_hops - 1) // 2, n_hops - 1})
    _tick(fig, {(hop + 0.5) / n_hops: f"hop {hop}" if hop == shown[len(shown) // 2] else str(hop) for hop in shown})
    fig.yaxis.axis_label = "strength"
    return fig, hops


def _create_entropy() -> tuple[figure, ColumnDataSource, ColumnDataSource]:
    fig = _create_columns(y_range=DataRange1d(start=0, range_padding=0.06))
    areas, lines = ColumnDataSource(area_columns([])), ColumnDataSource(line_columns([]))
    fig.patches("xs", "ys", source=areas, fill_color=MEAN, fill_alpha=0.3, line_color=MEAN)
    fig.segment("x", 0, "x", "top", source=lines, line_color=CHOSEN, line_width=2)
    _tick(fig, {0: "0", 0.5: "entropy", 1: "1"})
    fig.yaxis.axis_label = "density"
    fig.yaxis.major_label_text_font_size = "0px"
    fig.yaxis.major_tick_line_color = None
    return fig, areas, lines
