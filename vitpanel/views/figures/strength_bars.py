"""C2: attention strength of the chosen head over hops."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, DataRange1d, HoverTool, Range1d
from bokeh.plotting import figure

from vitpanel.state.results import HeadStrength
from vitpanel.views.base import create_figure, numbers_as_text
from vitpanel.views.palette import MEAN, VALUE


@dataclass(frozen=True)
class StrengthBars:
    """The chart and its bars in the order of the hops."""

    figure: figure
    hops: ColumnDataSource


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
    """Empty bars over ``n_hops`` hops: the chosen image filled, the mean over all images as an outline."""
    hops = ColumnDataSource({"hop": [], "mean": [], "chosen": [], "chosen_text": []})
    fig = create_figure(
        x_range=Range1d(-0.7, n_hops - 0.3), y_range=DataRange1d(start=0, range_padding=0.06), title="Strength"
    )
    chosen = fig.vbar("hop", width=0.72, top="chosen", source=hops, color=VALUE, line_alpha=0)
    mean = fig.vbar(
        "hop", width=0.92, top="mean", source=hops, fill_color=MEAN, fill_alpha=0.12, line_color=MEAN, line_width=1.2
    )
    fig.y_range.renderers = [chosen, mean]
    hit = fig.vbar("hop", width=1, top=9, source=hops, fill_alpha=0, line_alpha=0)
    tooltips = [("hop", "@hop"), ("chosen image", "@chosen_text"), ("all images", "@mean{0.00000}")]
    fig.add_tools(HoverTool(renderers=[hit], tooltips=tooltips, point_policy="follow_mouse", attachment="horizontal"))
    fig.xaxis.axis_label = "hop"
    fig.xaxis.ticker.update(min_interval=1, desired_num_ticks=8)
    fig.yaxis.ticker.desired_num_ticks = 4
    fig.xgrid.visible = False
    return StrengthBars(fig, hops)
