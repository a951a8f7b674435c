"""The part of the map of heads in sight: moved by the person in the browser, by buttons, and by the selection."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from bokeh.core.property.descriptors import UnsetValueError
from bokeh.events import RangesUpdate
from bokeh.plotting import figure

from vitpanel.drawing.viewport import Bounds, Viewport, bounds_of, fitted_viewport, home_viewport
from vitpanel.state.selection import Selection
from vitpanel.views.bridge import Bridge

FIRST_SIZE = 320
MOST_TOLD = 8
REST_MS = 400


class MapViewport:
    """What a map shows; told to the selection once a person has come to rest.

    Parameters
    ----------
    fig
        The map, whose ranges are written through the bridge.
    selection
        Has the bounds of the part that is chosen, None for all of the map.
    bridge
        The session's.
    on_move
        Called when another part is in sight, or the same in a frame of another size.
    """

    def __init__(self, fig: figure, selection: Selection, bridge: Bridge, on_move: Callable[[], None]) -> None:
        self._fig, self._selection, self._bridge, self._on_move = fig, selection, bridge, on_move
        self.seen = Viewport((0.0, 1.0), (0.0, 1.0), FIRST_SIZE, FIRST_SIZE)
        # All of the map; None while there is none.
        self.home: Bounds | None = None
        # The part that is looked at, None for all; told to the selection once a person has come to rest.
        self._bounds: Bounds | None = None
        self._call_off: Callable[[], None] = lambda: None
        # What the server has set of late: the browser reports it too, and that is no act of a person.
        self._told: deque[Viewport] = deque(maxlen=MOST_TOLD)
        fig.on_event(RangesUpdate, self._on_ranges)
        fig.on_change("inner_width", self._on_size)
        fig.on_change("inner_height", self._on_size)

    def show(self, home: Bounds | None) -> None:
        """Show what the selection says of a map that is new here."""
        self.home, self._bounds = home, self._selection.viewport
        self._show_bounds()

    def follow(self) -> None:
        """Show the part of the map that is chosen, unless it is where the person has gone."""
        self._call_off()
        if self._bounds != self._selection.viewport:
            self._bounds = self._selection.viewport
            self._show_bounds()

    def choose(self, bounds: Bounds | None) -> None:
        """Choose a part of the map, None for all."""
        self._call_off()
        self._bounds = self._selection.viewport = bounds
        self._show_bounds()

    def zoom(self, factor: float, *, about: tuple[float, float] | None) -> None:
        """Zoom about a place where it is in sight, else about the middle."""
        (left, right), (bottom, top) = self.seen.x, self.seen.y
        if about is None or not (left <= about[0] <= right and bottom <= about[1] <= top):
            about = ((left + right) / 2, (bottom + top) / 2)
        bounds = bounds_of(self.seen.zoomed(about, factor))
        if bounds is not None:
            self.choose(bounds)

    def _show_bounds(self) -> None:
        """Show the part of the map in the middle of the frame, as large as it fits, or all of the map."""
        size = {"width": self.seen.width, "height": self.seen.height}
        if self._bounds is not None:
            x0, x1, y0, y1 = self._bounds
            self._look_at(fitted_viewport(((x0, x1), (y0, y1)), **size))
        elif self.home is not None:
            self._look_at(home_viewport(self.home, **size))

    def _look_at(self, viewport: Viewport) -> None:
        self.seen = viewport
        self._told.append(viewport)

        def move() -> None:
            self._fig.x_range.update(start=viewport.x[0], end=viewport.x[1])
            self._fig.y_range.update(start=viewport.y[0], end=viewport.y[1])

        self._bridge.put((self, "ranges"), move)
        self._on_move()

    def _on_ranges(self, event: RangesUpdate) -> None:
        viewport = replace(self.seen, x=(event.x0, event.x1), y=(event.y0, event.y1))
        # The browser tells of a movement while it lasts, and Bokeh again when it has ended.
        if viewport == self.seen:
            return
        if any(viewport.x == told.x for told in self._told) and any(viewport.y == told.y for told in self._told):
            return
        self._told.clear()
        self.seen, self._bounds = viewport, bounds_of(viewport)
        self._call_off()
        self._call_off = self._bridge.later(self._tell_bounds, milliseconds=REST_MS)
        self._on_move()

    def _tell_bounds(self) -> None:
        self._selection.viewport = self._bounds

    def _on_size(self, _attr: str, _old: object, _new: object) -> None:
        try:
            width, height = self._fig.inner_width, self._fig.inner_height
        except UnsetValueError:  # the browser tells one after the other
            return
        if width > 0 and height > 0:
            self.seen = self.seen.resized(width=width, height=height)
            self._show_bounds()
