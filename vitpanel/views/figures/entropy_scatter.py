"""C1: entropy of the attention strength of all heads."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, HoverTool, Range1d
from bokeh.plotting import figure

from vitpanel.core.spec import head_name
from vitpanel.state.results import HeadEntropies
from vitpanel.views.base import create_figure, layer_ticks
from vitpanel.views.palette import CHOSEN, layer_colours

_SPREAD = 0.7


@dataclass(frozen=True)
class EntropyScatter:
    """The chart, its points in the order of the flat head index, and the ring around the chosen one."""

    figure: figure
    heads: ColumnDataSource
    ring: ColumnDataSource


def entropy_columns(entropies: HeadEntropies) -> dict[str, Any]:
    """Columns over the flat head index; heads of a layer stand side by side in their order, so none hides another."""
    n_layers, n_heads = entropies.entropy.shape
    layer, head = (index.ravel() for index in np.indices((n_layers, n_heads)))
    entropy = entropies.entropy.ravel()
    std = np.full(entropy.size, np.nan) if entropies.std is None else entropies.std.ravel()
    return {
        "x": layer + ((head + 0.5) / n_heads - 0.5) * _SPREAD,
        "entropy": entropy,
        "lower": entropy - std,
        "upper": entropy + std,
        "name": [head_name(i, j) for i, j in zip(layer, head, strict=True)],
        "spread": ["" if np.isnan(value) else f" ± {value:.3f}" for value in std],
        "colour": np.asarray(layer_colours(n_layers))[layer].tolist(),
    }


def create_entropy_scatter(n_layers: int, n_heads: int) -> EntropyScatter:
    """Empty scatter over the layers."""
    names = ("x", "entropy", "lower", "upper", "name", "spread", "colour")
    heads = ColumnDataSource({name: [] for name in names})
    ring = ColumnDataSource({"x": [], "entropy": [], "colour": []})
    fig = create_figure(
        x_range=Range1d(-0.6, n_layers - 0.4), y_range=Range1d(-0.03, 1.03), title="Entropy of all heads"
    )
    fig.segment("x", "lower", "x", "upper", source=heads, line_color="colour", line_alpha=0.45)
    size = 7 if n_layers * n_heads <= 200 else 5  # noqa: PLR2004 - where larger points begin to touch
    points = fig.scatter("x", "entropy", source=heads, size=size, color="colour", line_color="white", line_width=0.5)
    points.nonselection_glyph = None
    fig.scatter(
        "x", "entropy", source=ring, size=size + 6, fill_color="colour", line_color=CHOSEN, line_width=2.5,
        level="overlay",
    )  # fmt: skip
    fig.add_tools(
        HoverTool(
            renderers=[points], tooltips=[("", "@name"), ("entropy", "@entropy{0.000}@spread")], limit=1,
            attachment="horizontal",
        )
    )  # fmt: skip
    fig.xaxis.ticker = FixedTicker(ticks=layer_ticks(n_layers))
    fig.xaxis.axis_label = "layer"
    fig.yaxis.axis_label = "entropy"
    fig.xgrid.visible = False
    return EntropyScatter(fig, heads, ring)


def head_ring_columns(heads: ColumnDataSource, flat: int) -> dict[str, Any]:
    """Columns of the ring around a head."""
    return {name: [heads.data[name][flat]] for name in ("x", "entropy", "colour")}
