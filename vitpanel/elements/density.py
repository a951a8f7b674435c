"""Points counted on pixels by Datashader, and a picture of them that HoloViews draws."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any
from weakref import WeakSet

import datashader as ds
import holoviews as hv
import holoviews.plotting.bokeh  # makes HoloViews able to draw with Bokeh
import numpy as np
import pandas as pd
import panel as pn
from bokeh.document import Document
from holoviews.streams import Pipe, PlotSize, RangeXY

from vitpanel.drawing.point_grid import PointGrid, Points
from vitpanel.drawing.viewport import Viewport

# More points than these are painted into one picture of the part in sight where both ways exist.
MOST_GLYPHS = 5000
_TOP = ds.max("rank")
# Datashader compiles a loop for each of these, once per process.
_COUNTS = {False: ds.count(), True: ds.sum("weight")}
_BOTH = {is_weighed: ds.summary(counts=counts, top=_TOP) for is_weighed, counts in _COUNTS.items()}
# Of a map without axes, to which its maker adds tools, and which nobody but its maker moves.
LOOK: dict[str, Any] = {
    "xaxis": None,
    "yaxis": None,
    "toolbar": None,
    "default_tools": [],
    "show_frame": False,
    "apply_ranges": False,
    "axiswise": True,
    "responsive": True,
    # HoloViews sets these anew whenever it draws; another value would lay out the whole page each time.
    "margin": 0,
    "min_width": 0,
    "min_height": 0,
    "border": 2,
    # With the default of 500 ms Bokeh reports new ranges so late that zooming feels slow.
    "lod": {"timeout": 50, "threshold": None},
}


@dataclass(frozen=True)
class Raster:
    """Points on each pixel, row 0 at the lowest y.

    ``counts`` ``(height, width)`` int32; ``top`` of the same shape is the index of the point that lies on top of the
    others on its pixel, -1 where there is none.
    """

    counts: np.ndarray
    top: np.ndarray


@dataclass(frozen=True)
class Picture:
    """What is painted of a viewport: ``pixels``, uint32 RGBA ``(height, width)``, the first row at the bottom."""

    viewport: Viewport
    pixels: np.ndarray


BLANK = Picture(Viewport((0.0, 1.0), (0.0, 1.0), 1, 1), np.zeros((1, 1), np.uint32))


def counted(points: Points, viewport: Viewport) -> np.ndarray:
    """How many points are on each pixel, int32 ``(height, width)``; what is outside of the viewport is left out."""
    if not len(points):
        return np.zeros((viewport.height, viewport.width), np.int32)
    return _whole(_aggregate(points, viewport, _COUNTS))


def ranked(points: Points, viewport: Viewport, *, names: np.ndarray | None = None) -> Raster:
    """Count as `counted` does; ``top`` are the highest ranks, or what ``names`` has at their places."""
    counts, top = (np.full((viewport.height, viewport.width), value, np.int32) for value in (0, -1))
    if len(points):
        found = _aggregate(points, viewport, _BOTH)
        counts = _whole(found["counts"])
        is_filled = counts > 0
        ranks = found["top"].to_numpy()[is_filled].astype(np.int32)
        top[is_filled] = ranks if names is None else names[ranks]
    return Raster(counts, top)


def density_of(grid: PointGrid, viewport: Viewport) -> np.ndarray:
    """How many points of a map are on each pixel, int32 ``(height, width)``; quicker than `raster_of`."""
    return counted(grid.in_sight(viewport), viewport)


def raster_of(grid: PointGrid, viewport: Viewport) -> Raster:
    """Points of a map on each pixel of a viewport; ``top`` are indices of the map's points."""
    return ranked(grid.in_sight(viewport), viewport, names=grid.by_rank)


@lru_cache(maxsize=1)
def warm_up() -> None:
    """Let Datashader compile what maps need, which takes seconds, before anybody waits for it."""
    one, viewport = np.zeros(1, np.float32), Viewport((0.0, 1.0), (0.0, 1.0), 2, 2)
    rank = np.zeros(1, np.int32)
    for weight in (None, rank):
        points = Points(one, one, rank, weight)
        counted(points, viewport)
        ranked(points, viewport)


def _aggregate(points: Points, viewport: Viewport, reductions: dict[bool, Any]) -> Any:
    columns = {"x": points.x, "y": points.y, "rank": points.rank}
    if points.weight is not None:
        columns["weight"] = points.weight
    canvas = ds.Canvas(viewport.width, viewport.height, x_range=viewport.x, y_range=viewport.y)
    # The arrays belong to all sessions, and Datashader does not write to them.
    frame = pd.DataFrame(columns, copy=False)
    return canvas.points(frame, "x", "y", reductions[points.weight is not None])


def _whole(counts: Any) -> np.ndarray:
    """Counts as int32; Datashader has NaN where it has nothing to sum up."""
    array = counts.to_numpy()
    return (np.where(array > 0, array, 0) if array.dtype.kind == "f" else array).astype(np.int32)


class LivePicture:
    """A picture that fills what is in sight of a map.

    HoloViews draws it when something else is to be shown. While a person only moves about, which brings a new picture
    many times a second, the picture is exchanged in the plot, for a third of the time.

    Parameters
    ----------
    create
        Makes the element anew from what its ``streams`` hold; without one, `draw` says what is shown.
    options
        Of HoloViews.
    """

    def __init__(
        self, create: Callable[..., hv.RGB] | None = None, streams: Sequence[Any] = (), **options: Any
    ) -> None:
        self._pipe = Pipe(data=BLANK)
        self._plots: WeakSet[Any] = WeakSet()
        source = hv.DynamicMap(create or rgb_element, streams=list(streams) or [self._pipe])
        self.element: Any = source.opts(**options, hooks=[_collector(self._plots)], backend="bokeh")

    def draw(self, picture: Picture) -> None:
        """Show another thing."""
        self._pipe.send(picture)

    def move(self, picture: Picture) -> None:
        """Show the same thing in another viewport."""
        for plot in list(self._plots):
            plot.handles["source"].data = picture_columns(picture)
            plot.push()


def follow_viewport(live: LivePicture, paint: Callable[[Viewport], Picture]) -> None:
    """Paint what comes into sight at full detail, where nothing else tells of it: in a notebook."""
    ranges, size = RangeXY(source=live.element), PlotSize(source=live.element)

    def look(**_: object) -> None:
        x, y, width, height = ranges.x_range, ranges.y_range, size.width, size.height
        if x and y and width and height:
            picture = paint(Viewport(x, y, width, height))
            # On a server HoloViews tells of an act without the lock under which alone Bokeh may be written to.
            pn.state.execute(partial(live.move, picture), schedule=True)

    for stream in (ranges, size):
        stream.add_subscriber(look)


def rgb_element(data: Picture) -> hv.RGB:
    """Picture as an element."""
    viewport, pixels = data.viewport, np.ascontiguousarray(data.pixels)
    channels = pixels.view(np.uint8).reshape(*pixels.shape, 4)
    bounds = (viewport.x[0], viewport.y[0], viewport.x[1], viewport.y[1])
    return hv.RGB(channels[::-1], bounds=bounds)


def picture_columns(picture: Picture) -> dict[str, list[Any]]:
    """Columns of a source that show a picture, named as HoloViews names those of `hv.RGB`."""
    (x0, x1), (y0, y1) = picture.viewport.x, picture.viewport.y
    return {"image": [picture.pixels], "x": [x0], "y": [y0], "dw": [x1 - x0], "dh": [y1 - y0]}


def draw_plot(element: Any) -> Any:
    """Let HoloViews draw an element with Bokeh, without a grid; `panel.pane.HoloViews` shows the plot.

    The figure is its ``state``. It can be added to before it is shown.
    """
    # With WebGL, HoloViews' default, the browser copies a whole canvas more at each paint, for a handful of glyphs.
    renderer = hv.Store.renderers["bokeh"].instance(mode="server", webgl=False)
    # HoloViews sets the theme of the document, which for the page is not its affair.
    plot = renderer.get_plot(element, doc=Document())
    plot.state.center = []  # grids
    return plot


def _collector(plots: "WeakSet[Any]") -> Callable[[Any, Any], None]:
    """Hook that notes the plots of an element; HoloViews keeps hooks for good, so it must not hold the element."""

    def note(plot: Any, _element: Any) -> None:
        plots.add(plot)

    return note
