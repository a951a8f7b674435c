"""B2: a metric of the chosen head under the six pruning modes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, HoverTool, Range1d
from bokeh.plotting import figure

from vitpanel.core.regions import PruningMode, Region
from vitpanel.views.base import create_figure
from vitpanel.views.palette import CHOSEN, MEAN, MUTED, TEXT, VALUE

ICON_SHARE = 0.2
_ICON_BOTTOM, _ICON_TOP, _ICON_HALF = 0.03, 0.15, 0.32
_CLS_SHARE = 0.36


@dataclass(frozen=True)
class ModeBars:
    """The chart, its bars in the order of the modes, and the mark of the chosen mode."""

    figure: figure
    bars: ColumnDataSource
    chosen: ColumnDataSource

    def scale(self, values: np.ndarray) -> None:
        """Fit the axis to values, leaving room for the pictograms below zero."""
        known = values[np.isfinite(values)]
        top = 1.15 * float(known.max(initial=0)) or 1.0
        self.figure.y_range.update(start=-ICON_SHARE / (1 - ICON_SHARE) * top, end=top)
        self.figure.yaxis.bounds = (0, top)


def value_text(value: float) -> str:
    """Value in at most five characters, "n/a" for NaN."""
    if np.isnan(value):
        return "n/a"
    if value == 0 or value >= 0.005:  # noqa: PLR2004 - below this two decimals would read 0.00
        return f"{value:.2f}"
    return f"{value:.0e}".replace("e-0", "e-")


def mode_columns(values: np.ndarray, *, alpha: float = 1.0) -> dict[str, Any]:
    """Columns of the bars of modes 0 to 5; a mode that is not defined has a text and no bar."""
    return {
        "mode": [int(mode) for mode in PruningMode],
        "label": [mode.label for mode in PruningMode],
        "value": values,
        "full": ["not defined for this model" if np.isnan(value) else f"{value:.6g}" for value in values],
        "top": np.nan_to_num(values),
        "text": [value_text(value) for value in values],
        "colour": [MEAN if mode is PruningMode.NONE else VALUE for mode in PruningMode],
        "alpha": np.full(len(values), alpha),
    }


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


def create_mode_bars() -> ModeBars:
    """Empty bars over their pictograms."""
    nothing = mode_columns(np.full(len(PruningMode), np.nan))
    bars = ColumnDataSource(nothing | {"text": [""] * len(PruningMode)})
    chosen = ColumnDataSource({"mode": [0]})
    fig = create_figure(
        x_range=Range1d(-0.6, len(PruningMode) - 0.4), y_range=Range1d(-0.25, 1), title="By pruning mode"
    )
    fig.extra_y_ranges = {"place": Range1d(0, 1)}
    fig.vbar("mode", width=0.96, top=1, bottom=0, source=chosen, y_range_name="place", color=CHOSEN, alpha=0.13)
    fig.quad(
        "left", "right", "top", "bottom", source=ColumnDataSource(icon_columns()), y_range_name="place",
        fill_color="colour", line_color=TEXT, line_width=0.6,
    )  # fmt: skip
    fig.vbar("mode", width=0.72, top="top", source=bars, color="colour", fill_alpha="alpha", line_alpha=0)
    fig.text(
        "mode", "top", text="text", source=bars, text_font_size="10px", text_align="center", text_baseline="bottom",
        text_color=TEXT, text_alpha="alpha", y_offset=-1,
    )  # fmt: skip
    hit = fig.vbar(
        "mode", width=1, top=1, bottom=0, source=bars, y_range_name="place", fill_color=None, line_color=None
    )
    tooltips = [("mode", "@mode: @label"), ("value", "@full")]
    fig.add_tools(HoverTool(renderers=[hit], tooltips=tooltips, point_policy="follow_mouse", attachment="horizontal"))
    fig.xaxis.ticker = FixedTicker(ticks=list(range(len(PruningMode))))
    fig.xaxis.axis_label = "mode (pruned regions filled)"
    fig.xaxis.axis_line_color = MUTED
    fig.xaxis.major_tick_out = 0
    fig.xgrid.visible = False
    fig.yaxis.bounds = (0, 1)
    return ModeBars(fig, bars, chosen)
