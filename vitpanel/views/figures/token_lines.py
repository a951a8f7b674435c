"""D3: all tokens as two rows, and links between them."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from bokeh.models import ColumnDataSource, Label, LinearColorMapper, Range1d, Title
from bokeh.plotting import figure

from vitpanel.core.display import KINDS, token_kinds
from vitpanel.core.grid import Grid
from vitpanel.views.base import create_figure
from vitpanel.views.figures.heatmap import axis_edges
from vitpanel.views.figures.link_colours import KIND_COLOURS
from vitpanel.views.palette import CHOSEN, TEXT

SOURCES, TARGETS = 1.0, 0.0
LINK_COLUMNS = ("source", "target", "value", "shade", "x0", "x1")
MARGIN = 0.02


@dataclass(frozen=True)
class TokenLines:
    """Figure of D3, its tokens, by kind the sources and colours of the drawn links, and those of what is pointed at."""

    figure: figure
    tokens: ColumnDataSource
    links: dict[str, ColumnDataSource]
    colours: dict[str, LinearColorMapper]
    lit: ColumnDataSource
    mark: ColumnDataSource


def create_token_lines(grid: Grid) -> TokenLines:
    """Draw the two rows of tokens without links."""
    edges = axis_edges(grid)
    size = edges[-1]
    fig = create_figure(
        title="Links",
        x_range=Range1d(-MARGIN * size, (1 + MARGIN) * size, syncable=False),
        y_range=Range1d(-0.2, 1.2, syncable=False),
    )
    cast("Title", fig.title).syncable = False
    fig.grid.visible = fig.axis.visible = False
    present = [kind for index, kind in enumerate(KINDS) if index in token_kinds(grid)]
    links = {kind: _no_links() for kind in present}
    colours = {kind: LinearColorMapper(palette=KIND_COLOURS[kind], low=0, high=1) for kind in present}
    for kind in present:
        _add_links(fig, links[kind], line_color={"field": "shade", "transform": colours[kind]}, line_width=1)
    lit = _no_links()
    _add_links(fig, lit, line_color=CHOSEN, line_width=1.5, level="overlay")
    mark = ColumnDataSource({"x": [], "row": []}, syncable=False)
    fig.scatter("x", "row", source=mark, size=8, color=CHOSEN, level="overlay")
    tokens = _token_source(grid, edges)
    for place, outward, words in ((SOURCES, 1, "source tokens"), (TARGETS, -1, "target tokens")):
        fig.rect("x", f"y{outward}", "width", "height", source=tokens, color="colour", line_color=None)
        _add_words(fig, words, x=size, y=place, outward=outward)
    return TokenLines(fig, tokens, links, colours, lit, mark)


def _no_links() -> ColumnDataSource:
    return ColumnDataSource({name: [] for name in LINK_COLUMNS}, syncable=False)


def _add_links(fig: figure, source: ColumnDataSource, **style: object) -> None:
    fig.segment(x0="x0", y0=SOURCES, x1="x1", y1=TARGETS, source=source, **style)


def _token_source(grid: Grid, edges: list[float]) -> ColumnDataSource:
    """Marks of tokens: blue for CLS, grey for extra tokens, orange for patches, in a new shade for each row."""
    shades = {2: KIND_COLOURS["cls"][190], 1: KIND_COLOURS["extra"][150]}
    row = (np.arange(grid.n_tokens) - grid.n_prefix) // grid.cols
    patch = [KIND_COLOURS["patch"][(120, 200)[odd]] for odd in row % 2]
    kinds = token_kinds(grid).tolist()
    height = np.array([0.07 if kind else 0.04 for kind in kinds])
    columns: dict[str, Any] = {
        "x": (np.array(edges[:-1]) + edges[1:]) / 2,
        "width": np.diff(edges),
        "y1": SOURCES + height / 2,
        "y-1": TARGETS - height / 2,
        "height": height,
        "colour": [shades.get(kind, patch[token]) for token, kind in enumerate(kinds)],
    }
    return ColumnDataSource(columns, syncable=False)


def _add_words(fig: figure, words: str, *, x: float, y: float, outward: int) -> None:
    fig.add_layout(
        Label(
            x=x,
            y=y + outward * 0.08,
            text=words,
            text_font_size="10px",
            text_color=TEXT,
            text_align="right",
            text_baseline="bottom" if outward > 0 else "top",
        )
    )
