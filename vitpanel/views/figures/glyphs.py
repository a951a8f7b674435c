"""Sources and renderers of Bokeh with no more models than they need.

A method such as `figure.scatter` makes five glyphs, of which four are for rows that are selected, muted or the like;
here no row ever is. What says so holds no state then, and one for a figure is enough.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bokeh.models import AllIndices, ColumnDataSource, Glyph, GlyphRenderer, Selection, UnionRenderers, VStrip
from bokeh.plotting import figure

from vitpanel.theme.palette import GRID


def create_sources(*columns: Mapping[str, Any] | Iterable[str], syncable: bool = True) -> list[ColumnDataSource]:
    """Sources of one figure, in which nothing is selected.

    Parameters
    ----------
    columns
        Of each source, by their names; or the names alone of columns that are empty.
    syncable
        Whether the server and the browser tell each other of changes.
    """
    shared = {"selected": Selection(), "selection_policy": UnionRenderers()}
    tables = (dict(names) if isinstance(names, Mapping) else {name: [] for name in names} for names in columns)
    return [ColumnDataSource(table, syncable=syncable, **shared) for table in tables]


def add_glyph(fig: figure, glyph: Glyph, source: ColumnDataSource, **options: Any) -> GlyphRenderer:
    """Draw the rows of a source, which look the same whatever is pointed at or selected.

    Parameters
    ----------
    fig
        The figure that the renderer is added to.
    glyph
        How a row looks. Colours that it does not name are Bokeh's grey and black, not the blue of a figure's methods.
    source
        What is drawn.
    options
        Properties of the renderer, such as its level.

    Returns
    -------
    The renderer, for a tool or a legend.
    """
    drawn = GlyphRenderer(glyph=glyph, data_source=source, nonselection_glyph=None, muted_glyph=None, **options)
    if "view" not in options:
        drawn.view.filter = _all_rows(fig) or drawn.view.filter
    fig.renderers.append(drawn)
    return drawn


def add_bands(fig: figure, bands: Sequence[tuple[float, float]], *, alpha: float) -> None:
    """Shade parts of the width, from one x to another and over the whole height, below all that is drawn."""
    ends = ColumnDataSource({"x0": [left for left, _ in bands], "x1": [right for _, right in bands]})
    strip = VStrip(x0="x0", x1="x1", fill_color=GRID, fill_alpha=alpha, line_color=None)
    add_glyph(fig, strip, ends, level="underlay")


def _all_rows(fig: figure) -> AllIndices | None:
    """Filter of a renderer that is there already, if it lets all rows through."""
    filters = (drawn.view.filter for drawn in fig.renderers if isinstance(drawn, GlyphRenderer))
    return next((every for every in filters if isinstance(every, AllIndices)), None)
