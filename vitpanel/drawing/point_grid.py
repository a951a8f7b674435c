"""Millions of points, sorted so that what is in sight is at hand."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vitpanel.drawing.viewport import Viewport

# Above this many points in sight, whole cells are counted where they are small enough.
MOST_POINTS = 600_000
MIN_SIDE, MAX_SIDE = 16, 2048
POINTS_PER_CELL = 4
CELLS_PER_PIXEL = 2.0


@dataclass(frozen=True)
class Points:
    """Points, or cells of them.

    ``x`` and ``y`` are float32 ``(n,)``; the one of the highest ``rank``, int32, lies on top. ``weight``, int32, says
    how many points each stands for; None means one.
    """

    x: np.ndarray
    y: np.ndarray
    rank: np.ndarray
    weight: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class _Level:
    """Cells of a size that hold a point, row by row; row ``i`` begins at ``starts[i]``."""

    cells: Points
    starts: np.ndarray
    height: float


class PointGrid:
    """Points sorted into the cells of a square grid, so that what is in sight is read and nothing else.

    Points lie over each other in a random order that is the same every time, so that no group of them is hidden
    because it comes first.

    Parameters
    ----------
    x, y
        Finite coordinates ``(n,)``, float32. Not modified.

    Attributes
    ----------
    side
        Cells along each side of the grid.
    by_rank
        Index of the point of each rank, int32 ``(n,)``.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        n = len(x)
        self.side = _side(n)
        self._origin, self._cell = _extent(x, y, self.side)
        cell = self._cells(x, 0) + self.side * self._cells(y, 1)
        order = np.argsort(cell, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=self.side**2))])
        self.by_rank = np.random.default_rng(0).permutation(n).astype(np.int32)
        rank = np.empty(n, np.int32)
        rank[self.by_rank] = np.arange(n, dtype=np.int32)
        self._points = Points(x[order], y[order], rank[order])

    def __len__(self) -> int:
        return len(self._points)

    def in_sight(self, viewport: Viewport) -> Points:
        """What there is to count in a viewport: all its points, and some around it.

        With many points in sight these are whole cells of at most half a pixel, each a point in its middle.
        """
        bounds = self._bounds(viewport)
        level = self._level(viewport) if sum(stop - start for start, stop in bounds) > MOST_POINTS else None
        return self._slices(bounds) if level is None else self._rows(level, viewport)

    def within(self, viewport: Viewport) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coordinates and indices of the points of a viewport, in no particular order."""
        found = self._slices(self._bounds(viewport))
        x, y = found.x, found.y
        inside = (x >= viewport.x[0]) & (x < viewport.x[1]) & (y >= viewport.y[0]) & (y < viewport.y[1])
        return x[inside], y[inside], self.by_rank[found.rank[inside]]

    # -- single points ---------------------------------------------------------------------------------------------

    def _slices(self, bounds: list[tuple[int, int]]) -> Points:
        points = self._points
        return Points(*(_joined(values, bounds) for values in (points.x, points.y, points.rank)))

    def _bounds(self, viewport: Viewport) -> list[tuple[int, int]]:
        """Where the points of the cells that touch a viewport begin and end."""
        rows, cols = self._visible(viewport)
        if not rows or not cols:
            return []
        if len(cols) == self.side:
            first, last = self._starts[[rows.start * self.side, rows.stop * self.side]].tolist()
            return [(first, last)]
        base = np.arange(rows.start, rows.stop) * self.side
        return list(zip(*(self._starts[base + at].tolist() for at in (cols.start, cols.stop)), strict=True))

    def _visible(self, viewport: Viewport) -> tuple[range, range]:
        """Rows and columns of the cells that touch a viewport."""
        limits: list[range] = []
        for axis, (low, high) in enumerate((viewport.x, viewport.y)):
            first, last = self._cells(np.array([low, high]), axis)
            edge = self._origin[axis] + self.side * self._cell[axis]
            is_away = high < self._origin[axis] or low > edge
            limits.append(range(0) if is_away else range(int(first), int(last) + 1))
        return limits[1], limits[0]

    def _cells(self, values: np.ndarray, axis: int) -> np.ndarray:
        """Row or column of the cell of each coordinate; what lies outside goes to the cells at the edge."""
        place = (values.astype(float) - self._origin[axis]) / self._cell[axis]
        return np.clip(place, 0, self.side - 1).astype(np.int64)

    # -- whole cells -----------------------------------------------------------------------------------------------

    def _level(self, viewport: Viewport) -> _Level | None:
        """Coarsest cells of at most half a pixel; None if even the finest ones are larger."""
        pixels = max(size * scale for size, scale in zip(self._cell, viewport.scale, strict=True))
        if pixels * CELLS_PER_PIXEL > 1:
            return None
        return self._levels[min(int(np.log2(1 / (pixels * CELLS_PER_PIXEL))), len(self._levels) - 1)]

    def _rows(self, level: _Level, viewport: Viewport) -> Points:
        """Cells of the rows that touch a viewport."""
        last = len(level.starts) - 1
        low, high = ((y - self._origin[1]) / level.height for y in viewport.y)
        start, stop = level.starts[[int(np.clip(row, 0, last)) for row in (low, np.ceil(high))]]
        cells = level.cells
        weight = None if cells.weight is None else cells.weight[start:stop]
        return Points(cells.x[start:stop], cells.y[start:stop], cells.rank[start:stop], weight)

    @cached_property
    def _levels(self) -> list[_Level]:
        """The cells, then 2 × 2 of them together, and so on."""
        counts = np.diff(self._starts).astype(np.int32).reshape(self.side, self.side)
        top = np.full(self.side**2, -1, np.int32)
        filled = np.flatnonzero(counts)
        if len(filled):
            top[filled] = np.maximum.reduceat(self._points.rank, self._starts[filled])
        top = top.reshape(counts.shape)
        levels = [self._level_of(counts, top)]
        while len(counts) > MIN_SIDE:
            counts, top = (values.reshape(len(values) // 2, 2, -1, 2) for values in (counts, top))
            counts, top = counts.sum((1, 3), dtype=np.int32), top.max((1, 3))
            levels.append(self._level_of(counts, top))
        return levels

    def _level_of(self, counts: np.ndarray, top: np.ndarray) -> _Level:
        """Cells that are not empty, from counts and highest ranks of all, each ``(side, side)``."""
        row, col = np.nonzero(counts)
        width, height = (size * self.side / len(counts) for size in self._cell)
        x, y = self._origin[0] + (col + 0.5) * width, self._origin[1] + (row + 0.5) * height
        starts = np.searchsorted(row, np.arange(len(counts) + 1))
        cells = Points(x.astype(np.float32), y.astype(np.float32), top[row, col], counts[row, col])
        return _Level(cells, starts, height)


def _side(n: int) -> int:
    """Cells along a side: a power of two, with about `POINTS_PER_CELL` points in a cell."""
    wished = np.sqrt(max(n, 1) / POINTS_PER_CELL)
    return int(np.clip(2 ** np.ceil(np.log2(wished)), MIN_SIDE, MAX_SIDE))


def _extent(x: np.ndarray, y: np.ndarray, side: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Lower corner of the grid, and the width and height of a cell."""
    limits = [(float(v.min()), float(v.max())) if len(v) else (0.0, 1.0) for v in (x, y)]
    return tuple(low for low, _ in limits), tuple((high - low or 1.0) / side for low, high in limits)


def _joined(values: np.ndarray, parts: list[tuple[int, int]]) -> np.ndarray:
    """Slices one after the other; a single one is not copied."""
    if len(parts) == 1:
        return values[slice(*parts[0])]
    return np.concatenate([values[:0], *(values[start:stop] for start, stop in parts)])
