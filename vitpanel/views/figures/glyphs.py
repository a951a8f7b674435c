"""Sources and renderers of Bokeh with no more models than they need.

A method such as `figure.scatter` makes five glyphs, of which four are for rows that are selected, muted or the like;
here no row ever is. What says so holds no state then, and one for a figure is enough.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bokeh.models import AllIndices, CDSView, ColumnDataSource, Glyph, GlyphRenderer, Selection, UnionRenderers, VStrip
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
    drawn = _create_renderer(glyph, source, **options)
    if "view" not in options:
        drawn.view.filter = _all_rows(fig) or drawn.view.filter
    fig.renderers.append(drawn)
    return drawn


def _create_renderer(glyph: Glyph, source: ColumnDataSource, **options: Any) -> GlyphRenderer:
    return GlyphRenderer(glyph=glyph, data_source=source, nonselection_glyph=None, muted_glyph=None, **options)


class Overlay:
    """What lies upon a figure, of which there are models once there is something to draw.

    Parameters
    ----------
    fig
        The figure that it lies upon.
    glyphs
        How a row looks, from the lowest to the topmost.
    columns
        Names of the columns.
    below
        What is drawn right above it; None for a place above all that is of its level.
    on_made
        Is given the renderers, one for each glyph, when they are made.
    options
        Properties of the renderers, such as their level.
    """

    def __init__(
        self,
        fig: figure,
        glyphs: Sequence[Glyph],
        columns: Iterable[str],
        *,
        below: GlyphRenderer | None = None,
        on_made: Callable[[list[GlyphRenderer]], object] = lambda _: None,
        **options: Any,
    ) -> None:
        self._fig, self._glyphs, self._below, self._options = fig, glyphs, below, options
        self._data: Mapping[str, Any] = {name: [] for name in columns}
        self._on_made = on_made
        self.source: ColumnDataSource | None = None

    @property
    def data(self) -> Mapping[str, Any]:
        """What is drawn, by the names of the columns; to be set, not to be changed."""
        return self._data

    @data.setter
    def data(self, columns: Mapping[str, Any]) -> None:
        self._data = columns
        if self.source is not None:
            self.source.data = columns
        elif any(len(column) for column in columns.values()):
            self._make(columns)

    def _make(self, columns: Mapping[str, Any]) -> None:
        (self.source,) = create_sources(columns)
        view = CDSView(filter=_all_rows(self._fig) or AllIndices())
        drawn = [_create_renderer(glyph, self.source, view=view, **self._options) for glyph in self._glyphs]
        others = self._fig.renderers
        place = len(others) if self._below is None else others.index(self._below)
        self._fig.renderers = [*others[:place], *drawn, *others[place:]]
        self._on_made(drawn)


def add_bands(fig: figure, bands: Sequence[tuple[float, float]], *, alpha: float) -> None:
    """Shade parts of the width, from one x to another and over the whole height, below all that is drawn."""
    ends = ColumnDataSource({"x0": [left for left, _ in bands], "x1": [right for _, right in bands]})
    strip = VStrip(x0="x0", x1="x1", fill_color=GRID, fill_alpha=alpha, line_color=None)
    add_glyph(fig, strip, ends, level="underlay")


def _all_rows(fig: figure) -> AllIndices | None:
    """Filter of a renderer that is there already, if it lets all rows through."""
    filters = (drawn.view.filter for drawn in fig.renderers if isinstance(drawn, GlyphRenderer))
    return next((every for every in filters if isinstance(every, AllIndices)), None)
