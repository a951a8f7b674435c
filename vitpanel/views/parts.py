"""Parts of figures that hold no state, each once for a page instead of once for a figure.

Bokeh makes them anew for each figure, axis and renderer, and what a visitor costs grows with the number of models.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Any, TypeVar

from bokeh.models import (
    AllIndices,
    AllLabels,
    BasicTicker,
    BasicTickFormatter,
    BoxAnnotation,
    BoxInteractionHandles,
    CDSView,
    ColorBar,
    ColumnDataSource,
    CustomJS,
    CustomJSTickFormatter,
    GlyphRenderer,
    LinearScale,
    LogTicker,
    LogTickFormatter,
    Model,
    Node,
    NoOverlap,
    Plot,
    Selection,
    UnionRenderers,
)
from bokeh.models.tools import BoxSelectTool

Part = TypeVar("Part", bound=Model)
# In the browser they have properties and methods, but note nothing (bokehjs 3.9.2); of a scale it makes its own.
_STATELESS = (
    AllIndices,
    AllLabels,
    BasicTicker,
    BasicTickFormatter,
    BoxInteractionHandles,
    CustomJSTickFormatter,
    LinearScale,
    LogTicker,
    LogTickFormatter,
    Node,
    NoOverlap,
    UnionRenderers,
)
_SIDES = ("left", "right", "top", "bottom")


class Parts:
    """What the figures of one page have in common."""

    def __init__(self) -> None:
        self._known: dict[str, Model] = {}
        self._views: dict[str, CDSView] = {}
        self._nothing = Selection()

    def share(self, fig: Plot) -> None:
        """Let a figure use what others have brought, and others what it brings."""
        fig.x_scale, fig.y_scale = self._one(fig.x_scale), self._one(fig.y_scale)
        around = (*fig.left, *fig.right, *fig.above, *fig.below, *fig.center)
        for axis in (*fig.axis, *(part for part in around if isinstance(part, ColorBar))):
            axis.major_label_policy = self._one(axis.major_label_policy)
            axis.ticker, axis.formatter = self._one(axis.ticker), self._one(axis.formatter)
        overlays = [tool.overlay for tool in fig.tools if isinstance(tool, BoxSelectTool)]
        for box in (*around, *overlays):
            if isinstance(box, BoxAnnotation):
                box.handles = self._one(box.handles)
                box.update(**{side: self._one(getattr(box, side)) for side in _SIDES})
        for renderer in fig.renderers:
            if isinstance(renderer, GlyphRenderer):
                self._share_rows(renderer)
        for source in _sources_of_scripts(fig):
            self._select_nothing(source)

    def _share_rows(self, renderer: GlyphRenderer) -> None:
        """Share what says which rows are drawn, and that none is selected."""
        source = renderer.data_source
        if isinstance(renderer.view.filter, AllIndices):
            view = self._views.setdefault(source.id, renderer.view)
            view.filter = self._one(view.filter)
            renderer.view = view
        if isinstance(source, ColumnDataSource):
            self._select_nothing(source)

    def _select_nothing(self, source: ColumnDataSource) -> None:
        source.selection_policy = self._one(source.selection_policy)
        # Python may not put another one in its place; as if a browser had said so, it may.
        source.set_from_json("selected", self._nothing)

    def _one(self, part: Part) -> Part:
        """Return what is like a part and known already, or the part itself, which then is."""
        if not isinstance(part, _STATELESS):
            return part
        return self._known.setdefault(_looks(part), part)  # pyright: ignore[reportReturnType]


def _sources_of_scripts(fig: Plot) -> Iterable[ColumnDataSource]:
    """Sources, drawn or not, that a figure's scripts are given, and the scripts of those sources."""
    found: dict[str, ColumnDataSource] = {}

    def look(model: Model) -> None:
        events = model.js_event_callbacks.values() if isinstance(model, Plot) else ()
        for script in chain(*model.js_property_callbacks.values(), *events):
            for given in script.args.values() if isinstance(script, CustomJS) else ():
                if isinstance(given, ColumnDataSource) and given.id not in found:
                    found[given.id] = given
                    look(given)

    look(fig)
    return found.values()


def _looks(part: Any) -> str:
    """Return a text that is the same for parts that do the same."""
    if not isinstance(part, Model):
        return repr(part)
    own = part.properties_with_values(include_defaults=False)
    return " ".join([type(part).__name__, *(f"{name}={_looks(value)}" for name, value in own.items())])
