"""D1: where all heads of all images lie in a layout of attention patterns."""

from dataclasses import dataclass
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np

from vitpanel.core.points import nearest_point
from vitpanel.errors import StudyIncompleteError
from vitpanel.study.reader import Study

_maps: WeakKeyDictionary[Study, dict[str, "PatternMap"]] = WeakKeyDictionary()
_lock = Lock()


@dataclass(frozen=True)
class PatternMap:
    """All heads that have a place.

    ``x``, ``y`` and ``layer`` are arrays ``(n_points,)`` ready to be drawn, ``row`` gives each point's place in
    ``layout``, ``(n_images, n_layers, n_heads, 2)`` flattened but for its last axis.
    """

    layout: np.ndarray
    x: np.ndarray
    y: np.ndarray
    layer: np.ndarray
    row: np.ndarray

    @classmethod
    def from_layout(cls, layout: np.ndarray) -> "PatternMap":
        """Sort out the heads whose coordinates are NaN."""
        flat = layout.reshape(-1, 2).astype(np.float32)
        row = np.flatnonzero(np.isfinite(flat).all(axis=1))
        x, y = (np.ascontiguousarray(flat[row, axis]) for axis in (0, 1))
        n_layers, n_heads = layout.shape[1:3]
        return cls(layout, x, y, (row // n_heads % n_layers).astype(np.float32), row)

    def nearest(self, at: tuple[float, float], *, scale: tuple[float, float]) -> tuple[int, int, int]:
        """Image, layer and head of the point nearest to a place; ``scale`` is pixels per unit along x and y."""
        row = self.row[nearest_point(self.x, self.y, at, scale=scale)]
        image, layer, head = np.unravel_index(row, self.layout.shape[:3])
        return int(image), int(layer), int(head)


def pattern_map(study: Study, pattern: str) -> PatternMap:
    """Map of the ``"patch"`` or ``"cls"`` patterns of a study, made once for all sessions.

    Raises
    ------
    StudyIncompleteError
        If the study does not have the layout; the message is the reason.
    """
    name = f"layout/{pattern}"
    if name not in study:
        raise StudyIncompleteError(study.reason(name))
    with _lock:
        maps = _maps.setdefault(study, {})
        if pattern not in maps:
            maps[pattern] = PatternMap.from_layout(study[name])
        return maps[pattern]
