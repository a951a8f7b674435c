"""Which point a click means."""

import math
from typing import cast

import numpy as np
from bokeh.core.property.descriptors import UnsetValueError
from bokeh.events import DoubleTap, Tap
from bokeh.models import Range1d
from bokeh.plotting import figure

REACH = 14
ASSUMED_SIDE = 300
SAME_PLACE = 6


def padded_range(values: np.ndarray, *, padding: float = 0.05) -> Range1d:
    """Range that holds all values with some air; 0 to 1 when there are none."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    air = padding * (high - low) or 0.5
    return Range1d(low - air, high + air)


def nearest_point(fig: figure, place: tuple[float, float], points: tuple[np.ndarray, np.ndarray]) -> int | None:
    """Index of the point nearest to a click on the screen, None when none is within reach of the pointer.

    Parameters
    ----------
    fig
        Its ranges are `Range1d`, so that their limits are known here.
    place
        The click, in data coordinates.
    points
        Coordinates of all points, NaN for a point that is not drawn.
    """
    distance = np.zeros(len(points[0]))
    for values, at, span, pixels in zip(points, place, (fig.x_range, fig.y_range), inner_size(fig), strict=True):
        limits = cast("Range1d", span)
        scale = pixels / abs(float(limits.end) - float(limits.start))
        distance += ((values - at) * scale) ** 2
    distance = np.where(np.isnan(distance), np.inf, distance)
    nearest = int(distance.argmin()) if len(distance) else -1
    return nearest if nearest >= 0 and distance[nearest] <= REACH**2 else None


def inner_size(fig: figure) -> tuple[int, int]:
    """Width and height of a frame in pixels, a guess as long as the browser has not told."""
    try:
        return fig.inner_width or ASSUMED_SIDE, fig.inner_height or ASSUMED_SIDE
    except UnsetValueError:
        return ASSUMED_SIDE, ASSUMED_SIDE


class DoubleClicks:
    """Tells the second click of a double click from one elsewhere: Bokeh calls any quick one a double tap."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None

    def is_second(self, event: Tap | DoubleTap) -> bool:
        """Whether a click is the second one at the place of the one before."""
        before, here = self._last, None if event.sx is None or event.sy is None else (event.sx, event.sy)
        self._last = here
        if not isinstance(event, DoubleTap):
            return False
        return before is None or here is None or math.dist(before, here) <= SAME_PLACE
