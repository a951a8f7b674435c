"""D4: the attention matrix as a heatmap whose prefix rows and columns are enlarged."""

from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from bokeh.models import (
    BasicTicker,
    ColorBar,
    ColumnDataSource,
    CustomJSHover,
    HoverTool,
    LinearColorMapper,
    NumeralTickFormatter,
    Range1d,
)
from bokeh.plotting import figure

from vitpanel.core.display import KINDS, display_grid, display_names, token_kinds
from vitpanel.core.grid import CLS, Grid
from vitpanel.views.base import create_figure
from vitpanel.views.figures.client import fit_to_frame, script
from vitpanel.views.figures.link_colours import KIND_COLOURS

CLS_WIDTH = 10
EXTRA_WIDTH = 3
MAX_SHARE = 10
FADED = 0.22


@dataclass(frozen=True)
class Heatmap:
    """Figure of D4, and by kind of link the sources of its blocks and the colours above the threshold.

    A row of ``blocks`` is one rectangle of the matrix: its place (``x, y, dw, dh``), its tokens (``top, bottom, left,
    right``, half open) and its values.
    """

    figure: figure
    blocks: dict[str, ColumnDataSource]
    all_colours: dict[str, LinearColorMapper]
    strong_colours: dict[str, LinearColorMapper]


def axis_edges(grid: Grid) -> list[float]:
    """Where each row or column of the heatmap begins, and where the last one ends, in units of a patch."""
    widths = {CLS: CLS_WIDTH}
    most = max(grid.size / MAX_SHARE, 1)
    prefix = [min(widths.get(kind, EXTRA_WIDTH), most) for kind in grid.prefix]
    return [0.0, *np.cumsum(prefix + [1.0] * grid.size).tolist()]


def block_sources(grid: Grid) -> dict[str, ColumnDataSource]:
    """Sources of `Heatmap.blocks` for all kinds of links that the grid has, with empty values."""
    edges, kinds = axis_edges(grid), token_kinds(grid)
    segments = list(pairwise([*range(grid.n_prefix + 1), grid.n_tokens]))
    columns = ("x", "y", "dw", "dh", "top", "bottom", "left", "right", "image")
    rows: dict[str, list[tuple[object, ...]]] = {}
    for (top, bottom), (left, right) in product(segments, segments):
        kind = KINDS[max(kinds[top], kinds[left])]
        place = (edges[left], edges[top], edges[right] - edges[left], edges[bottom] - edges[top])
        empty = np.zeros((bottom - top, right - left), np.float32)
        rows.setdefault(kind, []).append((*place, top, bottom, left, right, empty))
    return {
        kind: ColumnDataSource(dict(zip(columns, map(list, zip(*found, strict=True)), strict=True)), syncable=False)
        for kind, found in rows.items()
    }


def create_heatmap(grid: Grid) -> Heatmap:
    """Draw an empty heatmap; rows are source tokens, columns are target tokens."""
    cells = display_grid(grid)
    edges, blocks = axis_edges(cells), block_sources(cells)
    size = edges[-1]
    ranges = {
        "x_range": Range1d(0, size, syncable=False),
        "y_range": Range1d(size, 0, syncable=False),
    }
    fig = create_figure(title="Attention: row = source, column = target", **ranges)
    fig.grid.visible = fig.axis.visible = False
    everything = {kind: LinearColorMapper(palette=KIND_COLOURS[kind], low=0, high=1, syncable=False) for kind in blocks}
    strong = {kind: mapper.clone() for kind, mapper in everything.items()}
    hovered = []
    for kind, source in blocks.items():
        strong[kind].low_color = "rgba(0, 0, 0, 0)"
        places = {name: name for name in ("image", "x", "y", "dw", "dh")}
        hovered.append(fig.image(**places, source=source, color_mapper=everything[kind], global_alpha=FADED))
        fig.image(**places, source=source, color_mapper=strong[kind])
    fig.add_tools(create_hover(hovered, edges=edges, names=display_names(grid)))
    for kind in reversed(list(blocks)):
        fig.add_layout(create_colour_bar(kind, everything[kind]), "below")
    fit_to_frame(fig, size, size)
    return Heatmap(fig, blocks, everything, strong)


def create_hover(renderers: list, *, edges: list[float], names: list[str]) -> HoverTool:
    """Read source, target and exact value under the pointer."""
    token = CustomJSHover(args={"edges": edges, "names": names}, code=script("token_name.js"))
    return HoverTool(
        renderers=renderers,
        tooltips=[("source", "$y{custom}"), ("target", "$x{custom}"), ("attention", "@image{0.00000}")],
        formatters={"$x": token, "$y": token},
    )


def create_colour_bar(kind: str, mapper: LinearColorMapper) -> ColorBar:
    """Return a thin horizontal scale of one kind of link."""
    return ColorBar(
        color_mapper=mapper,
        title={"cls": "touching CLS", "patch": "patch → patch", "extra": "touching an extra token"}[kind],
        ticker=BasicTicker(desired_num_ticks=4),
        formatter=NumeralTickFormatter(format="0.[00000]"),
        title_text_font_size="10px",
        title_text_font_style="normal",
        title_standoff=1,
        major_label_text_font_size="9px",
        label_standoff=2,
        major_tick_line_color=None,
        background_fill_alpha=0,
        height=6,
        padding=2,
        margin=0,
    )
