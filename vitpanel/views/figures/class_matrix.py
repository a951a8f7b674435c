"""A matrix of classes and heads in colours, alike ones side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import (
    AdaptiveTicker,
    ColorBar,
    ColumnDataSource,
    CustomJSHover,
    CustomJSTickFormatter,
    HoverTool,
    Image,
    LinearColorMapper,
    NoOverlap,
    Quad,
    Range1d,
    Scatter,
)
from bokeh.plotting import figure

from vitpanel.core.spec import short_head_name
from vitpanel.state.queries.class_statistics import ClassMatrix
from vitpanel.theme.palette import BRUSH, CHOSEN, MUTED, SEQUENTIAL, TEXT, interpolated, signed_colours
from vitpanel.views.base import counted, create_figure, without_grid
from vitpanel.views.figures.client import script
from vitpanel.views.figures.glyphs import add_glyph, create_sources

SIDES = ("left", "right", "top", "bottom")
MARK_PLACE = -1.0  # of what is said of a head, above its column
TOP = -1.7
LONGEST_NAME = 22
MOST_NAMES = 80  # along an axis, of which those stay that have room
_IMAGE = ("image", "n", "x", "y", "dw", "dh")


@dataclass(frozen=True)
class MatrixFigure:
    """The figure, and the sources of what is in it.

    ``cells`` is one image; ``classes`` and ``heads`` have the ``name`` of each row and column, as a tooltip says it,
    and ``short`` as an axis does. ``chosen`` outlines a column, ``brushed`` rows, ``found`` marks columns.
    """

    figure: figure
    mapper: LinearColorMapper
    bar: ColorBar
    cells: ColumnDataSource
    classes: ColumnDataSource
    heads: ColumnDataSource
    chosen: ColumnDataSource
    brushed: ColumnDataSource
    found: ColumnDataSource

    def show(self, matrix: ClassMatrix, n_heads: int, *, title: str, is_signed: bool) -> None:
        """Draw a matrix of a model with so many heads in a layer; with a sign, 0 is in the middle of the colours."""
        rows, columns = matrix.class_order, matrix.head_order
        mean, n = (part[np.ix_(rows, columns)] for part in (matrix.mean, matrix.n))
        low, high = _ends(mean, is_signed=is_signed)
        colours = signed_colours() if is_signed else interpolated(SEQUENTIAL)
        self.mapper.update(palette=list(colours), low=low, high=high)
        self.bar.title = title
        n_images = n.max(axis=1, initial=0)
        names = [matrix.classes[row] for row in rows]
        self.classes.data = {
            "name": [f"{name} ({counted(int(many), 'image')})" for name, many in zip(names, n_images, strict=True)],
            "short": [f"{_cut(name)} · {many}" for name, many in zip(names, n_images, strict=True)],
        }
        heads = [short_head_name(*divmod(int(flat), n_heads)) for flat in columns]
        self.heads.data = {"name": heads, "short": heads}
        place = {"x": [-0.5], "y": [-0.5], "dw": [len(columns)], "dh": [len(rows)]}
        self.cells.data = {"image": [mean.astype(np.float32)], "n": [n.astype(np.int32)]} | place
        self.show_all()

    def show_all(self) -> None:
        """Bring all classes and heads into sight."""
        n_classes, n_heads = (max(len(source.data["name"]), 1) for source in (self.classes, self.heads))
        x, y = (-0.5, n_heads - 0.5), (n_classes - 0.5, TOP if len(self.found.data["x"]) else -0.5)
        self.figure.yaxis.bounds = (-0.5, n_classes - 0.5)
        self.figure.x_range.update(bounds=x, start=x[0], end=x[1])
        self.figure.y_range.update(bounds=(y[1], y[0]), start=y[0], end=y[1])

    def star(self, columns: np.ndarray) -> None:
        """Put a star over some columns, in a row of their own, which is there as long as there are any."""
        self.found.data = {"x": columns, "y": np.full(len(columns), MARK_PLACE)}
        self.show_all()

    def mark(self, column: int | None, rows: Sequence[int]) -> None:
        """Outline the column of the chosen head, and rows of classes that are brushed."""
        n_classes, n_heads = (len(source.data["name"]) for source in (self.classes, self.heads))
        at = [] if column is None or not n_classes else [column]
        self.chosen.data = _outlines([(place - 0.5, place + 0.5, -0.5, n_classes - 0.5) for place in at])
        self.brushed.data = _outlines([(-0.5, n_heads - 0.5, row - 0.5, row + 0.5) for row in rows])


def create_class_matrix() -> MatrixFigure:
    """Draw an empty matrix; a wheel zooms, a drag moves."""
    fig = create_figure(
        tools="pan,wheel_zoom", active_scroll="wheel_zoom", active_drag="pan", min_border_right=12,
        x_range=Range1d(0, 1), y_range=Range1d(1, 0),
    )  # fmt: skip
    cells, classes, heads, chosen, brushed, found = create_sources(
        _IMAGE, ("name", "short"), ("name", "short"), SIDES, SIDES, ("x", "y")
    )
    mapper = LinearColorMapper(palette=[MUTED], low=0, high=1, nan_color=MUTED)
    image = Image(**{name: name for name in ("image", "x", "y", "dw", "dh")}, color_mapper=mapper)
    drawn = add_glyph(fig, image, cells)
    for source, colour in ((brushed, BRUSH), (chosen, CHOSEN)):
        outline = Quad(**{name: name for name in SIDES}, fill_alpha=0, line_color=colour, line_width=2)
        add_glyph(fig, outline, source, level="overlay")
    add_glyph(fig, Scatter(x="x", y="y", marker="star", size=9, fill_color=TEXT, line_color=None), found)
    for axis, names in ((fig.xaxis[0], heads), (fig.yaxis[0], classes)):
        axis.ticker = AdaptiveTicker(min_interval=1, base=10, mantissas=[1, 2, 5], num_minor_ticks=0)
        axis.ticker.desired_num_ticks = MOST_NAMES
        axis.major_label_policy = NoOverlap()
        axis.formatter = CustomJSTickFormatter(args={"names": names}, code=script("name_tick.js"))
    fig.xaxis[0].major_label_orientation = "vertical"
    without_grid(fig)
    fig.add_tools(_hover(drawn, classes, heads))
    bar = ColorBar(
        color_mapper=mapper, height=8, padding=4, margin=0, title_text_font_size="11px",
        title_text_font_style="normal", title_standoff=2, major_label_text_font_size="10px", background_fill_alpha=0,
    )  # fmt: skip
    fig.add_layout(bar, "below")
    return MatrixFigure(fig, mapper, bar, cells, classes, heads, chosen, brushed, found)


def _hover(drawn: Any, classes: ColumnDataSource, heads: ColumnDataSource) -> HoverTool:
    code = script("name_hover.js")
    named = {
        f"${axis}": CustomJSHover(args={"names": source}, code=code) for axis, source in (("x", heads), ("y", classes))
    }
    tooltips = [("head", "$x{custom}"), ("class", "$y{custom}"), ("mean", "@image{0.0000}"), ("images", "@n")]
    return HoverTool(renderers=[drawn], tooltips=tooltips, formatters=named)


def _outlines(boxes: Sequence[tuple[float, float, float, float]]) -> dict[str, list[float]]:
    return {name: [box[at] for box in boxes] for at, name in enumerate(SIDES)}


def _ends(mean: np.ndarray, *, is_signed: bool) -> tuple[float, float]:
    """Least and largest of what is known, with a sign equally far from 0."""
    known = mean[np.isfinite(mean)]
    if not known.size:
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    if is_signed:
        low, high = -max(-low, high), max(-low, high)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
