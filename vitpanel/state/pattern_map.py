"""D1: where all heads of all images lie in a layout of attention patterns."""

from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np

from vitpanel.core.cohesion import Cohesion
from vitpanel.drawing.point_grid import PointGrid
from vitpanel.drawing.viewport import Viewport
from vitpanel.errors import StudyIncompleteError
from vitpanel.study.cohesion import cohesion
from vitpanel.study.heads import head_layouts
from vitpanel.study.reader import Study

LAYOUT = "layout/"
_maps: WeakKeyDictionary[Study, dict[str, "PatternMap"]] = WeakKeyDictionary()
_lock = Lock()


@dataclass(frozen=True)
class Near:
    """How many heads lie around a place, and the nearest one: image, layer and head."""

    count: int
    nearest: tuple[int, int, int]


class PatternMap:
    """All heads that have coordinates in a layout.

    What it takes long to find is found when first asked for, once for all sessions, and may be asked for from any
    thread. Rows count the heads of all images in the order of the study.

    Parameters
    ----------
    layout
        Coordinates of each head, ``(n_images, n_layers, n_heads, 2)``; NaN for a head without. Not modified.
    """

    def __init__(self, layout: np.ndarray) -> None:
        self.layout = layout
        self.shape: tuple[int, int, int] = layout.shape[:3]
        self._grid_lock, self._cohesion_lock = Lock(), Lock()

    def within(self, viewport: Viewport) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coordinates and rows of the heads of a viewport."""
        x, y, index = self.grid.within(viewport)
        return x, y, self.rows[index]

    def near(self, at: tuple[float, float], viewport: Viewport, *, pixels: float) -> Near | None:
        """What lies around a place on the screen; None when no head is as near as that."""
        x, y, rows = self.within(viewport.around(at, pixels=pixels))
        distance = np.hypot((x - at[0]) * viewport.scale[0], (y - at[1]) * viewport.scale[1])
        inside = distance <= pixels
        if not inside.any():
            return None
        # Of heads with the same coordinates the first is named, as a click chooses it.
        return Near(int(inside.sum()), self.head(int(rows[distance == distance.min()].min())))

    def nearest_of(
        self, image: int, at: tuple[float, float], viewport: Viewport, *, pixels: float
    ) -> tuple[int, int] | None:
        """Layer and head of an image nearest to a place on the screen; None when none is as near as that."""
        offsets = (self.layout[image].reshape(-1, 2) - at) * viewport.scale
        distance = np.hypot(*np.nan_to_num(offsets, nan=np.inf).T)
        flat = int(distance.argmin())
        return divmod(flat, self.shape[2]) if distance[flat] <= pixels else None

    def head(self, row: int) -> tuple[int, int, int]:
        """Image, layer and head of a row."""
        image, layer, head = np.unravel_index(row, self.shape)
        return int(image), int(layer), int(head)

    def coordinates(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """x and y of rows, NaN where a head has no coordinates."""
        x, y = self.layout.reshape(-1, 2)[rows].T
        return x, y

    @cached_property
    def home(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Ranges of x and y of all heads; 0 to 1 when none has any."""
        flat = self.layout.reshape(-1, 2)
        if not np.isfinite(flat).any():
            return (0.0, 1.0), (0.0, 1.0)
        (x0, y0), (x1, y1) = np.nanmin(flat, axis=0), np.nanmax(flat, axis=0)
        return (float(x0), float(x1)), (float(y0), float(y1))

    @cached_property
    def rows(self) -> np.ndarray:
        """Rows of the heads that have coordinates, ascending."""
        return np.flatnonzero(np.isfinite(self.layout.reshape(-1, 2)).all(axis=1)).astype(np.int32)

    @property
    def is_sorted(self) -> bool:
        """Whether the map can be drawn at once; to sort millions of points takes seconds."""
        return "_points" in vars(self)

    @property
    def has_cohesion(self) -> bool:
        """Whether `cohesion` is known already."""
        return "_cohesion" in vars(self)

    @property
    def cohesion(self) -> Cohesion:
        """Whether each head's points keep together; takes seconds for millions of points."""
        with self._cohesion_lock:
            return self._cohesion

    @property
    def grid(self) -> PointGrid:
        """The points, sorted; they count the `rows` in their order."""
        with self._grid_lock:
            return self._points

    @cached_property
    def _points(self) -> PointGrid:
        x, y = self.coordinates(self.rows)
        return PointGrid(np.ascontiguousarray(x, np.float32), np.ascontiguousarray(y, np.float32))

    @cached_property
    def _cohesion(self) -> Cohesion:
        return cohesion(self.layout)


def pattern_layouts(study: Study) -> tuple[str, ...]:
    """Names of the layouts of heads that the format has for a model, absent ones too, without ``layout/``."""
    return tuple(name.removeprefix(LAYOUT) for name in head_layouts(study))


def pattern_map(study: Study, pattern: str) -> PatternMap:
    """Map of the patterns of a study in one of its `pattern_layouts`, made once for all sessions.

    Raises
    ------
    StudyIncompleteError
        If the study does not have the layout; the message is the reason.
    """
    name = f"{LAYOUT}{pattern}"
    if name not in study:
        raise StudyIncompleteError(study.reason(name))
    with _lock:
        maps = _maps.setdefault(study, {})
        if pattern not in maps:
            maps[pattern] = PatternMap(study[name])
        return maps[pattern]
