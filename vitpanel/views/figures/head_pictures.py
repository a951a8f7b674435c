"""D2 to D5 together: one matrix, sent once, drawn and explored in the browser."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, CustomJS

from vitpanel.core.display import KINDS, MAX_LINKS, HeadDisplay, token_kinds
from vitpanel.core.grid import Grid
from vitpanel.views.figures.client import script
from vitpanel.views.figures.heatmap import Heatmap, create_heatmap
from vitpanel.views.figures.image_masks import ImageMasks, create_image_masks
from vitpanel.views.figures.threshold_histogram import ThresholdHistogram, create_threshold_histogram
from vitpanel.views.figures.token_lines import TokenLines, create_token_lines

NO_TOKEN = -1
HEAD_COLUMNS = ("matrix", "pooled", "source", "target", "value", "counts", "edges", "limits", "threshold")


@dataclass(frozen=True)
class HeadPictures:
    """Figures of D2 to D5 and the three sources that the server and the browser share.

    The server writes ``head`` (see `head_columns`); both write ``cut`` (the threshold, told by the browser when the
    bar is let go) and ``pinned`` (the token clicked at, -1 for none). All else is drawn from these in the browser.
    """

    head: ColumnDataSource
    cut: ColumnDataSource
    pinned: ColumnDataSource
    masks: ImageMasks
    lines: TokenLines
    histogram: ThresholdHistogram
    heatmap: Heatmap


def head_columns(display: HeadDisplay) -> dict[str, list[Any]]:
    """One row that holds all that the browser needs of a head."""
    is_pooled = display.pooled is not display.matrix
    return {
        "matrix": [display.matrix],
        "pooled": [display.pooled if is_pooled else np.zeros((0, 0), np.float32)],
        "source": [display.links.source],
        "target": [display.links.target],
        "value": [display.links.value],
        "counts": [display.histogram.counts.astype(np.int32)],
        "edges": [display.histogram.edges.astype(np.float64)],
        "limits": [np.array(display.limits, np.float64)],
        "threshold": [display.threshold],
    }


def create_head_pictures(grid: Grid) -> HeadPictures:
    """Build the figures of D2 to D5 without values, and what links them in the browser."""
    pictures = HeadPictures(
        head=ColumnDataSource({name: [] for name in HEAD_COLUMNS}),
        cut=ColumnDataSource({"value": [1.0]}),
        pinned=ColumnDataSource({"token": [NO_TOKEN]}),
        masks=create_image_masks(grid),
        lines=create_token_lines(grid),
        histogram=create_threshold_histogram(),
        heatmap=create_heatmap(grid),
    )
    show_token = _link_tokens(pictures, grid)
    show_threshold = _link_threshold(pictures, show_token)
    _link_head(pictures, grid, show=show_threshold)
    return pictures


def _link_head(pictures: HeadPictures, grid: Grid, *, show: CustomJS) -> None:
    heatmap, histogram, lines = pictures.heatmap, pictures.histogram, pictures.lines
    args = {
        "head": pictures.head,
        "kinds": KINDS,
        "token_kinds": token_kinds(grid).tolist(),
        "blocks": heatmap.blocks,
        "colours": [heatmap.all_colours, lines.colours],
        "bars": histogram.bars,
        "x_range": histogram.figure.x_range,
        "y_range": histogram.figure.y_range,
        "line": histogram.line,
        "show": show,
    }
    draw = CustomJS(args=args, code=script("head.js"))
    pictures.head.js_on_change("data", draw)
    # A head that is there before the page is announces no change; the first layout of a figure does.
    lines.figure.js_on_change("inner_width", draw)


def _link_threshold(pictures: HeadPictures, show_token: CustomJS) -> CustomJS:
    heatmap, histogram, lines = pictures.heatmap, pictures.histogram, pictures.lines
    args = {
        "head": pictures.head,
        "max_links": MAX_LINKS,
        "line": histogram.line,
        "kept": histogram.kept,
        "title": histogram.figure.title,
        "count": lines.figure.title,
        "links": lines.links,
        "colours": heatmap.all_colours,
        "strong": heatmap.strong_colours,
        "show_token": show_token,
    }
    show = CustomJS(args=args, code=script("threshold.js"))
    histogram.line.js_on_change("location", show)
    for mapper in heatmap.all_colours.values():
        mapper.js_on_change("palette", show)  # another theme
    ends = {"head": pictures.head, "cut": pictures.cut, "line": histogram.line}
    # A Span that is `editable` can be gripped only beside its lower end (Bokeh 3.9 tests a slanted line), and has
    # neither limits nor a release; so the figure's own gestures move it.
    drag = CustomJS(args=ends, code=script("drag.js"))
    for event in ("panstart", "pan", "panend", "tap"):
        histogram.figure.js_on_event(event, drag)
    pictures.cut.js_on_change("data", CustomJS(args=ends, code="line.location = cut.data.value[0]"))
    return show


def _link_tokens(pictures: HeadPictures, grid: Grid) -> CustomJS:
    masks, lines = pictures.masks, pictures.lines
    pointed = ColumnDataSource({"token": [NO_TOKEN], "side": ["source"]}, syncable=False)
    args = {
        "head": pictures.head,
        "pointed": pointed,
        "pinned": pictures.pinned,
        "names": [grid.label(token) for token in range(grid.n_tokens)],
        "cls": NO_TOKEN if grid.cls is None else grid.cls,
        "n_prefix": grid.n_prefix,
        "rows": grid.rows,
        "cols": grid.cols,
        "masks": masks.masks,
        "captions": {name: masks.figures[name].title for name in masks.masks},
        "patch": masks.mark,
        "links": lines.links,
        "lit": lines.lit,
        "mark": lines.mark,
        "words": lines.figure.title,
    }
    show = CustomJS(args=args, code=script("token.js"))
    pointed.js_on_change("data", show)
    pictures.pinned.js_on_change("data", show)
    places = {name: masks.figures[name] for name in masks.figures} | {"lines": lines.figure}
    sizes = {"n_prefix": grid.n_prefix, "rows": grid.rows, "cols": grid.cols, "n_tokens": grid.n_tokens}
    for place, fig in places.items():
        react = CustomJS(
            args={"pointed": pointed, "pinned": pictures.pinned, "place": place, **sizes}, code=script("point.js")
        )
        for event in ("mousemove", "mouseleave", "tap", "doubletap"):
            fig.js_on_event(event, react)
    return show
