"""D3: all tokens as two rows, and links between them."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    Label,
    LinearColorMapper,
    LinearInterpolator,
    MultiLine,
    Range1d,
    Rect,
    Scatter,
    Segment,
    Title,
)
from bokeh.plotting import figure

from vitpanel.core.grid import Grid
from vitpanel.drawing.display import axis_edges, token_kinds
from vitpanel.theme.link_colours import KIND_COLOURS
from vitpanel.theme.palette import CHOSEN, TEXT
from vitpanel.views.base import NO_AXES, create_figure
from vitpanel.views.figures.glyphs import add_glyph, create_sources

SOURCES, TARGETS = 1.0, 0.0
LINK_COLUMNS = ("source", "target", "value", "x0", "x1")
PATH_COLUMNS = ("xs", "ys", "shade")
# Links of a kind are drawn in so many shades, each as one path: a path for each link takes twice as long to paint.
SHADES = 32
MARGIN = 0.02


@dataclass(frozen=True)
class TokenLines:
    """Figure of D3, its tokens, by kind the links that are drawn, and those of what is pointed at.

    ``links`` says which ones, ``paths`` how: `SHADES` groups of them, light to dark. ``strokes`` are their lines.
    """

    figure: figure
    tokens: ColumnDataSource
    links: dict[str, ColumnDataSource]
    paths: dict[str, ColumnDataSource]
    strokes: list[MultiLine]
    highlighted: ColumnDataSource
    mark: ColumnDataSource


def create_token_lines(grid: Grid, colours: dict[str, LinearColorMapper]) -> TokenLines:
    """Draw the two rows of tokens without links, whose colours by kind are given."""
    edges = axis_edges(grid)
    size = edges[-1]
    fig = create_figure(
        **NO_AXES,
        title="Links",
        x_range=Range1d(-MARGIN * size, (1 + MARGIN) * size, syncable=False),
        y_range=Range1d(-0.2, 1.2, syncable=False),
    )
    cast("Title", fig.title).syncable = False
    links, paths = (
        dict(zip(colours, create_sources(*[names] * len(colours), syncable=False), strict=True))
        for names in (LINK_COLUMNS, PATH_COLUMNS)
    )
    strokes = _add_paths(fig, paths, colours)
    highlighted, mark, tokens = create_sources(LINK_COLUMNS, ("x", "row"), _token_columns(grid, edges), syncable=False)
    link = Segment(x0="x0", y0=SOURCES, x1="x1", y1=TARGETS, line_color=CHOSEN, line_width=1.5)
    add_glyph(fig, link, highlighted, level="overlay")
    add_glyph(fig, Scatter(x="x", y="row", size=8, fill_color=CHOSEN, line_color=CHOSEN), mark, level="overlay")
    for place, outward, words in ((SOURCES, 1, "source tokens"), (TARGETS, -1, "target tokens")):
        token = Rect(x="x", y=f"y{outward}", width="width", height="height", fill_color="colour", line_color=None)
        add_glyph(fig, token, tokens)
        _add_words(fig, words, x=size, y=place, outward=outward)
    return TokenLines(fig, tokens, links, paths, strokes, highlighted, mark)


def _add_paths(
    fig: figure, paths: dict[str, ColumnDataSource], colours: dict[str, LinearColorMapper]
) -> list[MultiLine]:
    # Kinds are drawn one after the other: a faint link must not hide a strong one of another kind.
    alpha: Any = {"field": "shade", "transform": LinearInterpolator(x=[0, 0.5, 1], y=[0.2, 1, 1])}
    strokes = []
    for kind, source in paths.items():
        colour: Any = {"field": "shade", "transform": colours[kind]}
        strokes.append(MultiLine(xs="xs", ys="ys", line_color=colour, line_alpha=alpha, syncable=False))
        add_glyph(fig, strokes[-1], source)
    return strokes


def _token_columns(grid: Grid, edges: list[float]) -> dict[str, Any]:
    """Marks of tokens: blue for CLS, grey for extra tokens, orange for patches, in a new shade for each row."""
    shades = {2: KIND_COLOURS["cls"][190], 1: KIND_COLOURS["extra"][150]}
    row = (np.arange(grid.n_tokens) - grid.n_prefix) // grid.cols
    patch = [KIND_COLOURS["patch"][(120, 200)[odd]] for odd in row % 2]
    kinds = token_kinds(grid).tolist()
    height = np.array([0.07 if kind else 0.04 for kind in kinds])
    return {
        "x": (np.array(edges[:-1]) + edges[1:]) / 2,
        "width": np.diff(edges),
        "y1": SOURCES + height / 2,
        "y-1": TARGETS - height / 2,
        "height": height,
        "colour": [shades.get(kind, patch[token]) for token, kind in enumerate(kinds)],
    }


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
