"""D3: all tokens as two rows, and links between them."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from bokeh.models import ColumnDataSource, Label, LinearColorMapper, Range1d, Title
from bokeh.plotting import figure

from vitpanel.core.display import KINDS, token_kinds
from vitpanel.core.grid import Grid
from vitpanel.views.base import create_figure
from vitpanel.views.figures.link_colours import KIND_COLOURS
from vitpanel.views.palette import CHOSEN, TEXT

SOURCES, TARGETS = 1.0, 0.0


@dataclass(frozen=True)
class TokenLines:
    """Figure of D3, by kind the sources and colours of the drawn links, and those of the token pointed at."""

    figure: figure
    links: dict[str, ColumnDataSource]
    colours: dict[str, LinearColorMapper]
    lit: ColumnDataSource
    mark: ColumnDataSource


def create_token_lines(grid: Grid) -> TokenLines:
    """Draw the two rows of tokens without links."""
    margin = max(grid.n_tokens * 0.02, 0.7)
    fig = create_figure(
        title="Links",
        x_range=Range1d(-margin, grid.n_tokens - 1 + margin, syncable=False),
        y_range=Range1d(-0.2, 1.2, syncable=False),
    )
    cast("Title", fig.title).syncable = False
    fig.grid.visible = fig.axis.visible = False
    present = [kind for index, kind in enumerate(KINDS) if index in token_kinds(grid)]
    links = {kind: _no_links() for kind in present}
    colours = {kind: LinearColorMapper(palette=KIND_COLOURS[kind], low=0, high=1, syncable=False) for kind in present}
    for kind in present:
        _add_links(fig, links[kind], line_color={"field": "value", "transform": colours[kind]}, line_width=1)
    lit = _no_links()
    _add_links(fig, lit, line_color=CHOSEN, line_width=1.5, level="overlay")
    mark = ColumnDataSource({"token": [], "row": []}, syncable=False)
    fig.scatter("token", "row", source=mark, size=8, color=CHOSEN, level="overlay")
    _add_tokens(fig, grid)
    return TokenLines(fig, links, colours, lit, mark)


def _no_links() -> ColumnDataSource:
    return ColumnDataSource({"source": [], "target": [], "value": []}, syncable=False)


def _add_links(fig: figure, source: ColumnDataSource, **style: object) -> None:
    fig.segment(x0="source", y0=SOURCES, x1="target", y1=TARGETS, source=source, **style)


def _add_tokens(fig: figure, grid: Grid) -> None:
    """Add two rows of marks: blue for CLS, grey for extra tokens, orange for patches, in a new shade for each row."""
    shades = {2: KIND_COLOURS["cls"][190], 1: KIND_COLOURS["extra"][150]}
    row = (np.arange(grid.n_tokens) - grid.n_prefix) // grid.cols
    patch = [KIND_COLOURS["patch"][(120, 200)[odd]] for odd in row % 2]
    kinds = token_kinds(grid).tolist()
    colour = [shades.get(kind, patch[token]) for token, kind in enumerate(kinds)]
    height = [0.07 if kind else 0.04 for kind in kinds]
    for place, outward, words in ((SOURCES, 1, "source tokens"), (TARGETS, -1, "target tokens")):
        middle = [place + outward * h / 2 for h in height]
        tokens = {"token": list(range(grid.n_tokens)), "middle": middle, "height": height, "colour": colour}
        fig.rect("token", "middle", 1, "height", source=ColumnDataSource(tokens), color="colour", line_color=None)
        fig.add_layout(
            Label(
                x=grid.n_tokens - 1,
                y=place + outward * 0.08,
                text=words,
                text_font_size="10px",
                text_color=TEXT,
                text_align="right",
                text_baseline="bottom" if outward > 0 else "top",
            )
        )
