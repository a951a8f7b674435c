"""B1: rows of cells at the lower edge of the curve, which say what of each head is brushed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, Legend, LegendItem, Quad
from bokeh.plotting import figure

from vitpanel.state.queries.brush_shares import BrushShares
from vitpanel.theme.palette import BRUSH
from vitpanel.theme.shares import share_colours
from vitpanel.views.figures.glyphs import add_glyph, create_sources

ROW, GAP = 0.06, 0.006  # of the height of the chart
LEAST_ALPHA = 0.1  # of a head that is not brushed, so that the row is seen
LEGEND_COLUMNS = 3
HEADS, TOKENS = "heads", "tokens"
MARK = "mark_"  # begins the names of columns of texts


@dataclass(frozen=True)
class HeadMarks:
    """Marks of all heads, by flat head index.

    Parameters
    ----------
    colours, alphas
        Of the cells; NaN is drawn as nothing.
    texts
        What a tooltip says of each head, beside the ``title``.
    label
        What a legend says.
    largest
        Index of the head with the largest share, whose cell the legend shows.
    """

    colours: list[str]
    alphas: list[float]
    texts: list[str]
    title: str
    label: str
    largest: int


def head_marks(shares: BrushShares, *, is_of_heads: bool) -> HeadMarks:
    """Marks of a brush of heads, or of heads on images: the fuller, the larger the share of the images."""
    values = shares.values.ravel()
    largest = _largest(values)
    parts = np.nan_to_num(values / largest if largest > 0 else values)
    alphas = np.where(np.isnan(values), 0, LEAST_ALPHA + (1 - LEAST_ALPHA) * parts)
    if is_of_heads:
        texts = ["–" if np.isnan(value) else "yes" if value else "no" for value in values]
        title, label = "brushed", "brushed heads"
    else:
        texts, title = _percents(values, " of the images"), "brushed on"
        label = f"0–{largest:.0%} of images" if largest > 0 else "share of images"
    return HeadMarks([BRUSH] * len(values), alphas.tolist(), texts, title, label, int(np.nan_to_num(values).argmax()))


def token_marks(shares: BrushShares, *, dark: bool) -> HeadMarks:
    """Marks of the share of each head's attention that goes to the brushed tokens."""
    values = shares.values.ravel()
    found = share_colours(values, dark=dark)
    label = "to tokens: not known" if shares.reason else f"to tokens 0–{found.largest:.0%}"
    alphas = np.where(np.isnan(values), 0, 1.0).tolist()
    texts = [f"{text} {shares.reason}".strip() for text in _percents(values)]
    return HeadMarks(found.colours, alphas, texts, "to the brushed tokens", label, int(np.nan_to_num(values).argmax()))


class HeadStrip:
    """The rows, each made when it is first needed.

    Parameters
    ----------
    fig
        Has a range ``place`` from 0 to 1 over its height.
    legend
        Names the rows.
    """

    def __init__(self, fig: figure, legend: Legend) -> None:
        self._fig, self._legend = fig, legend
        self._rows: dict[str, tuple[ColumnDataSource, LegendItem]] = {}
        self.marks: dict[str, HeadMarks] = {}

    def show(self, marks: Mapping[str, HeadMarks | None]) -> None:
        """Show rows of marks, from the edge upwards; None for a row that is not shown."""
        self.marks = {name: row for name, row in marks.items() if row is not None}
        for name in (*marks, *self._rows):
            if name not in self.marks and name in self._rows:
                source, item = self._rows[name]
                source.data = _cells(None, 0)
                item.visible = False
        for place, (name, row) in enumerate(self.marks.items()):
            source, item = self._row(name)
            source.data = _cells(row, place)
            item.update(visible=True, label={"value": row.label}, index=row.largest)
        # Words of rows are long: what has no room in one line is set out in two.
        self._legend.ncols = LEGEND_COLUMNS if self.marks else "auto"

    @property
    def height(self) -> float:
        """Share of the height that the rows take."""
        return ROW * len(self.marks)

    @property
    def columns(self) -> dict[str, list[str]]:
        """Texts of the marks by flat head index, for `tooltips`."""
        return {f"{MARK}{name}": row.texts for name, row in self.marks.items()}

    @property
    def tooltips(self) -> list[tuple[str, str]]:
        """What a tooltip says of the marks."""
        return [(row.title, f"@{MARK}{name}") for name, row in self.marks.items()]

    def _row(self, name: str) -> tuple[ColumnDataSource, LegendItem]:
        if name not in self._rows:
            (source,) = create_sources(_cells(None, 0))
            look = {"left": "left", "right": "right", "bottom": "bottom", "top": "top", "line_color": None}
            cells = Quad(**look, fill_color="colour", fill_alpha="alpha")
            item = LegendItem(renderers=[add_glyph(self._fig, cells, source, y_range_name="place")])
            self._rows[name] = source, item
            self._legend.items = [*self._legend.items, item]
        return self._rows[name]


def _cells(marks: HeadMarks | None, place: int) -> dict[str, Any]:
    """Columns of the cells of a row, the ``place``-th from the edge."""
    flat = np.arange(0 if marks is None else len(marks.colours))
    bottom = np.full(len(flat), ROW * place)
    looks = {"colour": [], "alpha": []} if marks is None else {"colour": marks.colours, "alpha": marks.alphas}
    return {"left": flat - 0.5, "right": flat + 0.5, "bottom": bottom, "top": bottom + ROW - GAP} | looks


def _largest(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else np.nan


def _percents(values: np.ndarray, of: str = "") -> list[str]:
    """Shares in percent, a dash for NaN."""
    return ["–" if np.isnan(value) else f"{value:.1%}{of}" for value in values]
