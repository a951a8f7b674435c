"""D3: all tokens as two rows, and links between them."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from bokeh.models import ColumnDataSource, Label, LinearColorMapper, LinearInterpolator, MultiLine, Range1d, Title
from bokeh.plotting import figure

from vitpanel.core.grid import Grid
from vitpanel.drawing.display import KINDS, axis_edges, token_kinds
from vitpanel.theme.link_colours import KIND_COLOURS
from vitpanel.theme.palette import CHOSEN, TEXT
from vitpanel.views.base import NO_AXES, create_figure

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
    lit: ColumnDataSource
    mark: ColumnDataSource


def create_token_lines(grid: Grid) -> TokenLines:
    """Draw the two rows of tokens without links."""
    edges = axis_edges(grid)
    size = edges[-1]
    fig = create_figure(
        **NO_AXES,
        title="Links",
        x_range=Range1d(-MARGIN * size, (1 + MARGIN) * size, syncable=False),
        y_range=Range1d(-0.2, 1.2, syncable=False),
    )
    cast("Title", fig.title).syncable = False
    present = [kind for index, kind in enumerate(KINDS) if index in token_kinds(grid)]
    links = {kind: _empty(LINK_COLUMNS) for kind in present}
    paths = {kind: _empty(PATH_COLUMNS) for kind in present}
    strokes = [_add_paths(fig, paths[kind], KIND_COLOURS[kind]) for kind in present]
    lit = _empty(LINK_COLUMNS)
    fig.segment(
        x0="x0", y0=SOURCES, x1="x1", y1=TARGETS, source=lit, line_color=CHOSEN, line_width=1.5, level="overlay"
    )
    mark = ColumnDataSource({"x": [], "row": []}, syncable=False)
    fig.scatter("x", "row", source=mark, size=8, color=CHOSEN, level="overlay")
    tokens = _token_source(grid, edges)
    for place, outward, words in ((SOURCES, 1, "source tokens"), (TARGETS, -1, "target tokens")):
        fig.rect("x", f"y{outward}", "width", "height", source=tokens, color="colour", line_color=None)
        _add_words(fig, words, x=size, y=place, outward=outward)
    return TokenLines(fig, tokens, links, paths, strokes, lit, mark)


def _empty(columns: tuple[str, ...]) -> ColumnDataSource:
    return ColumnDataSource({name: [] for name in columns}, syncable=False)


def _add_paths(fig: figure, source: ColumnDataSource, palette: tuple[str, ...]) -> MultiLine:
    colour: Any = {"field": "shade", "transform": LinearColorMapper(palette=palette, low=0, high=1)}
    # Kinds are drawn one after the other: a faint link must not hide a strong one of another kind.
    alpha: Any = {"field": "shade", "transform": LinearInterpolator(x=[0, 0.5, 1], y=[0.2, 1, 1])}
    drawn = fig.multi_line("xs", "ys", source=source, line_color=colour, line_alpha=alpha, line_width=1)
    glyph = cast("MultiLine", drawn.glyph)
    glyph.syncable = False
    return glyph


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
