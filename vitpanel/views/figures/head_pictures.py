"""D2 to D5 together: one matrix, sent once, drawn and explored in the browser."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, CustomJS, CustomJSHover, Div, HoverTool, LinearColorMapper
from bokeh.plotting import figure

from vitpanel.core.grid import Grid
from vitpanel.drawing.display import HEAT, KINDS, LOG_DECADES, HeadDisplay, display_grid, pooling_step, token_kinds
from vitpanel.theme.link_colours import KIND_COLOURS
from vitpanel.theme.mask_ramps import DARKEST, DIMMED, mask_ramps, ramp_strips
from vitpanel.views.figures.client import READABLE, script
from vitpanel.views.figures.glyphs import create_sources
from vitpanel.views.figures.heatmap import Heatmap, create_heatmap, heatmap_layout
from vitpanel.views.figures.image_masks import ImageMasks, create_image_masks
from vitpanel.views.figures.threshold_histogram import UNITS, ThresholdHistogram, create_threshold_histogram
from vitpanel.views.figures.token_lines import (
    LINK_COLUMNS,
    MARGIN,
    SHADES,
    SOURCES,
    TARGETS,
    TokenLines,
    create_token_lines,
)

NO_TOKEN = -1
MAX_DRAGGED = 6000
HEAD_COLUMNS = ("matrix", "pooled", "links", "counts", "edges", "limits", "threshold_value")


@dataclass(frozen=True)
class HeadPictures:
    """Figures of D2 to D5, the sources that the server and the browser share, and a line of words.

    The server writes ``head`` (see `head_columns`), ``options`` (scale, whether extra tokens are shown, unit of the
    threshold, look of the masks) and ``brushed`` (the brushed tokens); both write ``threshold_value`` (the attention at
    which the bar stands, told by the browser when the bar is let go) and ``kept_token`` (the token clicked at, -1 for
    none). The browser tells in ``dragged`` of a drag over tokens: what it went over, from where to where, and the keys
    that were held. All else is drawn from these in the browser, ``brushed_links`` are those of the brushed tokens that
    are drawn, ``words`` says what is pointed at.
    """

    head: ColumnDataSource
    options: ColumnDataSource
    threshold_value: ColumnDataSource
    kept_token: ColumnDataSource
    brushed: ColumnDataSource
    dragged: ColumnDataSource
    brushed_links: ColumnDataSource
    words: Div
    masks: ImageMasks
    lines: TokenLines
    histogram: ThresholdHistogram
    heatmap: Heatmap


def head_columns(display: HeadDisplay, threshold_value: float) -> dict[str, list[Any]]:
    """One row that holds all that the browser needs of a head; ``threshold_value`` is where its bar stands."""
    is_pooled = display.pooled is not display.matrix
    return {
        "matrix": [display.matrix],
        "pooled": [display.pooled if is_pooled else np.zeros((0, 0), np.float32)],
        "links": [display.links],
        "counts": [display.histogram.counts.astype(np.int32)],
        "edges": [display.histogram.edges.astype(np.float64)],
        "limits": [np.array(display.limits, np.float64)],
        "threshold_value": [threshold_value],
    }


def create_head_pictures(grid: Grid) -> HeadPictures:
    """Build the figures of D2 to D5 without values, and what links them in the browser."""
    looks = {"scale": ["linear"], "extra": [True], "unit": [UNITS[0]], "mask": [HEAT]}
    drag = {"number": [0], "kind": [""], "x": [[0, 0]], "y": [[0, 0]], "held": [{}]}
    head, options, threshold_value, kept_token, brushed, dragged = create_sources(
        HEAD_COLUMNS, looks, {"value": [1.0]}, {"token": [NO_TOKEN]}, ("token",), drag
    )
    colours = _link_colours(grid)
    pictures = HeadPictures(
        head=head,
        options=options,
        threshold_value=threshold_value,
        kept_token=kept_token,
        brushed=brushed,
        dragged=dragged,
        brushed_links=ColumnDataSource({name: [] for name in LINK_COLUMNS}, syncable=False),
        words=Div(text="What the pointer reads is said here.", syncable=False, margin=0, sizing_mode="stretch_width"),
        masks=create_image_masks(grid),
        lines=create_token_lines(grid, colours),
        histogram=create_threshold_histogram(),
        heatmap=create_heatmap(grid, colours),
    )
    show_token = _link_tokens(pictures, grid)
    show_threshold = _link_threshold(pictures, show_token)
    _link_head(pictures, grid, show=show_threshold)
    return pictures


def _link_colours(grid: Grid) -> dict[str, LinearColorMapper]:
    """Colours of shades from 0 to 1, by kind of link."""
    present = [kind for index, kind in enumerate(KINDS) if index in token_kinds(grid)]
    return {kind: LinearColorMapper(palette=KIND_COLOURS[kind], low=0, high=1, syncable=False) for kind in present}


@cache
def _shades_of_masks() -> dict[str, Any]:
    """Ramps of the masks as `token.js` takes them; the same for all, and worked out once."""
    return {"ramps": mask_ramps(), "opaque": ramp_strips()}


def _sizes(grid: Grid) -> dict[str, int]:
    return {
        "n_prefix": grid.n_prefix,
        "rows": grid.rows,
        "cols": grid.cols,
        "step": pooling_step(grid),
        "cell_cols": display_grid(grid).cols,
    }


def _link_head(pictures: HeadPictures, grid: Grid, *, show: CustomJS) -> None:
    heatmap, histogram, lines = pictures.heatmap, pictures.histogram, pictures.lines
    args = {
        "head": pictures.head,
        "options": pictures.options,
        "kinds": KINDS,
        "token_kinds": token_kinds(grid).tolist(),
        "decades": LOG_DECADES,
        "layouts": {"all": heatmap_layout(grid, with_extra=True), "few": heatmap_layout(grid, with_extra=False)},
        "blocks": heatmap.blocks,
        "bars": heatmap.bars,
        "colours": heatmap.all_colours,
        "heatmap": heatmap.figure,
        "fit": heatmap.fit,
        "tokens": lines.tokens,
        "lines_range": lines.figure.x_range,
        "margin": MARGIN,
        "strokes": lines.strokes,
        "n_shades": SHADES,
        "rows_of_tokens": [SOURCES, TARGETS],
        "histogram": histogram.bars,
        "x_range": histogram.figure.x_range,
        "y_range": histogram.figure.y_range,
        "line": histogram.line,
        "show": show,
        **_sizes(grid),
    }
    draw = CustomJS(args=args, code=script("head.js"))
    pictures.head.js_on_change("data", draw)
    pictures.options.js_on_change("data", draw)
    # A head that is there before the page is announces no change; the first layout of a figure does.
    lines.figure.js_on_change("inner_width", draw)


def _link_threshold(pictures: HeadPictures, show_token: CustomJS) -> CustomJS:
    heatmap, histogram, lines = pictures.heatmap, pictures.histogram, pictures.lines
    args = {
        "head": pictures.head,
        "options": pictures.options,
        "line": histogram.line,
        "kept": histogram.kept,
        "label": histogram.label,
        "x_range": histogram.figure.x_range,
        "count": lines.figure.title,
        "links": lines.links,
        "paths": lines.paths,
        "max_dragged": MAX_DRAGGED,
        "colours": heatmap.all_colours,
        "strong": heatmap.strong_colours,
        "show_token": show_token,
    }
    show = CustomJS(args=args, code=script("threshold.js"))
    histogram.line.js_on_change("location", show)
    for mapper in heatmap.all_colours.values():
        mapper.js_on_change("palette", show)  # another theme
    ends = {"head": pictures.head, "threshold_value": pictures.threshold_value, "line": histogram.line, "show": show}
    # A Span that is `editable` can be gripped only beside its lower end (Bokeh 3.9 tests a slanted line), and has
    # neither limits nor a release; so the figure's own gestures move it.
    drag = CustomJS(args=ends, code=script("drag.js"))
    for event in ("panstart", "pan", "panend", "tap"):
        histogram.figure.js_on_event(event, drag)
    move = CustomJS(args=ends, code="line.location = threshold_value.data.value[0]")
    pictures.threshold_value.js_on_change("data", move)
    return show


def _link_tokens(pictures: HeadPictures, grid: Grid) -> CustomJS:
    masks, lines, heatmap = pictures.masks, pictures.lines, pictures.heatmap
    columns = {"place": [""], "source": [NO_TOKEN], "target": [NO_TOKEN]}
    known = {
        "head": pictures.head,
        "pointed": ColumnDataSource(columns, syncable=False),
        "kept_token": pictures.kept_token,
        "brushed": pictures.brushed,
        "cls": NO_TOKEN if grid.cls is None else grid.cls,
        **_sizes(grid),
    }
    names = {"names": [grid.label(token) for token in range(grid.n_tokens)]}
    mark = {"patches": masks.mark, "tokens": lines.mark, "cells": heatmap.mark}
    args = (
        known
        | names
        | {
            "options": pictures.options,
            "crop": masks.crop,
            "grey": masks.grey,
            "darkest": DARKEST,
            "dimming": DIMMED,
            "clear": masks.clear,
            "dimmed": masks.dimmed,
            "masks": masks.masks,
            "scales": masks.scales,
            "ticks": masks.ticks,
            **_shades_of_masks(),
            "kinds": KINDS,
            "token_kinds": token_kinds(grid).tolist(),
            "pictures": {name: masks.figures[name] for name in masks.masks},
            "captions": {name: masks.figures[name].title for name in masks.masks},
            "mark": mark,
            "links": lines.links,
            "strokes": lines.strokes,
            "highlighted": lines.highlighted,
            "brushed_links": pictures.brushed_links,
            "words": pictures.words,
        }
    )
    show = CustomJS(args=args, code=script("token.js"))
    known["pointed"].js_on_change("data", show)
    pictures.kept_token.js_on_change("data", show)
    pictures.brushed.js_on_change("data", show)
    masks.crop.js_on_change("data", show)
    for name in masks.masks:
        masks.figures[name].title.js_on_change("text_font_size", show)  # larger type, of which less has room
    places = masks.figures | {"lines": lines.figure, "heatmap": heatmap.figure}
    own = {"grids": masks.grids, "places": places, "dragged": pictures.dragged, "mark": mark}
    react = CustomJS(args=known | own, code=script("point.js"))
    for place, fig in places.items():
        for event in ("mousemove", "mouseleave", "tap", "doubletap", "panstart", "pan", "panend"):
            fig.js_on_event(event, react)
        if place not in {"lines", "image"}:
            fig.add_tools(create_hover(fig, known | names | {"place": place}))
    return show


def create_hover(fig: figure, args: dict[str, Any]) -> HoverTool:
    """Read source, target and value of the link under the pointer from the matrix itself."""
    read = CustomJSHover(args=args, code=script("read_link.js"))
    # The browser asks for each field by itself; what it is told is the part of the link.
    fields = {"source": "$x", "target": "$y", "attention": "$sx"}
    tooltips = [(part, f"{field}{{{part}}}") for part, field in fields.items()]
    formatters = dict.fromkeys(fields.values(), read)
    renderers = [renderer for renderer in fig.renderers if renderer.name == READABLE]
    return HoverTool(renderers=renderers, tooltips=tooltips, formatters=formatters)
