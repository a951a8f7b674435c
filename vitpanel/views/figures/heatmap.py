"""D4: the attention matrix as a heatmap whose prefix rows and columns are enlarged."""

from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, cast

import numpy as np
from bokeh.models import (
    ColorBar,
    ColumnDataSource,
    CustomJS,
    CustomJSTickFormatter,
    FixedTicker,
    Image,
    LinearColorMapper,
    Quad,
    Range1d,
    Title,
)
from bokeh.plotting import figure

from vitpanel.core.grid import Grid
from vitpanel.drawing.display import BAR_TICKS, BAR_TITLES, FADED, KINDS, axis_edges, display_grid, token_kinds
from vitpanel.theme.link_colours import KIND_COLOURS
from vitpanel.theme.palette import CHOSEN
from vitpanel.views.base import NO_AXES, create_figure
from vitpanel.views.figures.client import READABLE, fit_to_frame, script
from vitpanel.views.figures.glyphs import add_glyph, create_sources

PLACES = ("x", "y", "dw", "dh")
TOKENS = ("top", "bottom", "left", "right")


@dataclass(frozen=True)
class Heatmap:
    """Figure of D4, and by kind of link the sources of its blocks and the colours above the threshold.

    A row of ``blocks`` is one rectangle of the matrix: its place (`PLACES`), its tokens (`TOKENS`, half open) and its
    values as shades, 1 being the darkest. ``bars`` are the scales of the colours, ``mark`` outlines the row and the
    column pointed at, ``fit`` brings all into sight.
    """

    figure: figure
    blocks: dict[str, ColumnDataSource]
    all_colours: dict[str, LinearColorMapper]
    strong_colours: dict[str, LinearColorMapper]
    bars: dict[str, ColorBar]
    mark: ColumnDataSource
    fit: CustomJS


def block_places(grid: Grid, *, with_extra: bool = True) -> dict[str, dict[str, list[Any]]]:
    """By kind of link, the columns `PLACES` and `TOKENS` of the blocks that are shown."""
    edges, kinds = axis_edges(grid, with_extra=with_extra), token_kinds(grid)
    segments = [
        part for part in pairwise([*range(grid.n_prefix + 1), grid.n_tokens]) if edges[part[0]] < edges[part[1]]
    ]
    blocks: dict[str, dict[str, list[Any]]] = {}
    for (top, bottom), (left, right) in product(segments, segments):
        kind = KINDS[max(kinds[top], kinds[left])]
        place = (edges[left], edges[top], edges[right] - edges[left], edges[bottom] - edges[top])
        columns = blocks.setdefault(kind, {name: [] for name in (*PLACES, *TOKENS)})
        for name, value in zip(columns, (*place, top, bottom, left, right), strict=True):
            columns[name].append(value)
    return blocks


def heatmap_layout(grid: Grid, *, with_extra: bool) -> dict[str, Any]:
    """What the browser needs to place the values: edges of the tokens and of the heatmap's cells, and its blocks."""
    cells = display_grid(grid)
    return {
        "tokens": axis_edges(grid, with_extra=with_extra),
        "cells": axis_edges(cells, with_extra=with_extra),
        "blocks": block_places(cells, with_extra=with_extra),
    }


def create_heatmap(grid: Grid, colours: dict[str, LinearColorMapper]) -> Heatmap:
    """Draw an empty heatmap, in colours by kind of link; rows are source tokens, columns are target tokens."""
    cells = display_grid(grid)
    size, places = axis_edges(cells)[-1], block_places(cells)
    ranges = {
        "x_range": Range1d(0, size, syncable=False),
        "y_range": Range1d(size, 0, syncable=False),
    }
    fig = create_figure(title="Attention: row = source, column = target", min_border_right=16, **NO_AXES, **ranges)
    cast("Title", fig.title).standoff = 4  # marks of brushed tokens lie on the upper edge
    *sources, mark = create_sources(*map(_empty_blocks, places.values()), TOKENS, syncable=False)
    blocks, bars = dict(zip(places, sources, strict=True)), {}
    strong = {kind: _strong_colours(kind) for kind in places}
    ticker = FixedTicker(ticks=list(BAR_TICKS))
    names = {name: name for name in ("image", *PLACES)}
    for kind, source in blocks.items():
        faded = Image(**names, color_mapper=colours[kind], global_alpha=FADED)
        add_glyph(fig, faded, source, name=READABLE)
        add_glyph(fig, Image(**names, color_mapper=strong[kind]), source)
        bars[kind] = create_colour_bar(kind, colours[kind], ticker)
    for kind in reversed(list(bars)):
        fig.add_layout(bars[kind], "below")
    outline = Quad(**{name: name for name in TOKENS}, fill_alpha=0, line_color=CHOSEN)
    add_glyph(fig, outline, mark, level="overlay")
    return Heatmap(fig, blocks, colours, strong, bars, mark, fit_to_frame(fig, size, size))


def _empty_blocks(places: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Columns of blocks of a kind, which have no values yet."""
    return places | {"image": [np.zeros((1, 1), np.float32) for _ in places["x"]]}


def _strong_colours(kind: str) -> LinearColorMapper:
    """Nothing is above the threshold until the browser knows it and takes the colours above it from the others.

    To check the colours of a palette costs the server some milliseconds.
    """
    lightest = KIND_COLOURS[kind][:1]
    return LinearColorMapper(palette=lightest, low=1, high=2, low_color="rgba(0, 0, 0, 0)", syncable=False)


def create_colour_bar(kind: str, mapper: LinearColorMapper, ticker: FixedTicker) -> ColorBar:
    """Return a thin horizontal scale of one kind of link.

    The values at its ticks are words that the browser keeps with the colours: a change of the bar itself would lay
    out the whole page again.
    """
    return ColorBar(
        color_mapper=mapper,
        formatter=CustomJSTickFormatter(args={"mapper": mapper}, code=script("scale_tick.js")),
        title=BAR_TITLES[kind],
        ticker=ticker,
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
        syncable=False,
    )
