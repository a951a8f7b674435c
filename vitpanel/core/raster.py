"""Millions of points as a raster of pixels, fast enough to be drawn again at every turn of a wheel."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

CHUNK = 1 << 17
# Above this many points in sight, counts come from the pyramid where its cells are fine enough.
MOST_POINTS = 600_000
MIN_SIDE, MAX_SIDE = 16, 2048
POINTS_PER_CELL = 4
CELLS_PER_PIXEL = 2.0


@dataclass(frozen=True)
class Window:
    """What part of a map is seen: ranges of x and y, and the size of the frame in pixels."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: int
    height: int

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels per unit along x and y."""
        return self.width / (self.x[1] - self.x[0]), self.height / (self.y[1] - self.y[0])

    def around(self, at: tuple[float, float], *, pixels: float) -> "Window":
        """Square of ``2 · pixels`` at this scale around a place, which may reach beyond this window."""
        (x, y), (x_scale, y_scale) = at, self.scale
        side = max(round(2 * pixels), 1)
        return Window(
            (x - pixels / x_scale, x + pixels / x_scale), (y - pixels / y_scale, y + pixels / y_scale), side, side
        )


@dataclass(frozen=True)
class Raster:
    """Points on each pixel, row 0 at the lowest y.

    ``counts`` ``(height, width)`` int32; ``top`` of the same shape is the index of the point that lies on top of the
    others on its pixel, -1 where there is none.
    """

    counts: np.ndarray
    top: np.ndarray


class PointGrid:
    """Points sorted into the cells of a square grid, so that what is in sight is read and nothing else.

    Points lie over each other in a random order that is the same every time, so that no group of them is hidden
    because it comes first.

    Parameters
    ----------
    x, y
        Finite coordinates ``(n,)``, float32. Not modified.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        n = len(x)
        self.side = _side(n)
        self._origin, self._cell = _extent(x, y, self.side)
        cell = self._cells(x, 0) + self.side * self._cells(y, 1)
        order = np.argsort(cell, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=self.side**2))])
        self._by_rank = np.random.default_rng(0).permutation(n).astype(np.int32)
        rank = np.empty(n, np.int32)
        rank[self._by_rank] = np.arange(n, dtype=np.int32)
        self.x, self.y, self._rank = x[order], y[order], rank[order]

    def __len__(self) -> int:
        return len(self.x)

    def raster(self, window: Window) -> Raster:
        """Count the points of a window on each of its pixels.

        With many points in sight, whole cells of at most half a pixel go to the pixel that holds their centre.
        """
        level = self._level(window)
        if level is None or sum(stop - start for start, stop in self._bounds(window)) <= MOST_POINTS:
            counts, rank = self._from_points(window)
        else:
            counts, rank = self._from_cells(window, level)
        return Raster(counts, self._named(rank))

    def within(self, window: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coordinates and indices of the points of a window, in no particular order."""
        found = [(x[inside], y[inside], rank[inside]) for x, y, rank, inside in self._parts(window)]
        x, y, rank = (np.concatenate([part[i] for part in found]) if found else np.empty(0) for i in range(3))
        return x, y, self._named(rank.astype(np.int32))

    # -- single points ---------------------------------------------------------------------------------------------

    def _from_points(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        size = window.height * window.width
        counts, top = np.zeros(size, np.int32), np.full(size, -1, np.int32)
        x_scale, y_scale = window.scale
        for x, y, rank, inside in self._parts(window):
            col = ((x[inside].astype(float) - window.x[0]) * x_scale).astype(np.int64)
            row = ((y[inside].astype(float) - window.y[0]) * y_scale).astype(np.int64)
            # Rounding may put what lies just below the upper limit onto it.
            pixel = np.minimum(row, window.height - 1) * window.width + np.minimum(col, window.width - 1)
            counts += np.bincount(pixel, minlength=size).astype(np.int32)
            np.maximum.at(top, pixel, rank[inside])
        shape = (window.height, window.width)
        return counts.reshape(shape), top.reshape(shape)

    def _parts(self, window: Window) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Points of the cells in sight, piece by piece, with a mask of those that are in the window."""
        for parts in _batches(self._bounds(window)):
            x, y, rank = (_joined(values, parts) for values in (self.x, self.y, self._rank))
            inside = (x >= window.x[0]) & (x < window.x[1]) & (y >= window.y[0]) & (y < window.y[1])
            yield x, y, rank, inside

    def _bounds(self, window: Window) -> list[tuple[int, int]]:
        """Where the points of the cells that touch a window begin and end."""
        rows, cols = self._visible(window)
        if not rows or not cols:
            return []
        if len(cols) == self.side:
            first, last = self._starts[[rows.start * self.side, rows.stop * self.side]].tolist()
            return [(first, last)]
        base = np.arange(rows.start, rows.stop) * self.side
        return list(zip(*(self._starts[base + at].tolist() for at in (cols.start, cols.stop)), strict=True))

    def _visible(self, window: Window) -> tuple[range, range]:
        """Rows and columns of the cells that touch a window."""
        limits: list[range] = []
        for axis, (low, high) in enumerate((window.x, window.y)):
            first, last = self._cells(np.array([low, high]), axis)
            edge = self._origin[axis] + self.side * self._cell[axis]
            is_away = high < self._origin[axis] or low > edge
            limits.append(range(0) if is_away else range(int(first), int(last) + 1))
        return limits[1], limits[0]

    def _cells(self, values: np.ndarray, axis: int) -> np.ndarray:
        """Row or column of the cell of each coordinate; what lies outside goes to the cells at the edge."""
        place = (values.astype(float) - self._origin[axis]) / self._cell[axis]
        return np.clip(place, 0, self.side - 1).astype(np.int64)

    def _named(self, rank: np.ndarray) -> np.ndarray:
        """Indices of the points by their place in the random order; -1 stays."""
        if not len(self):
            return np.full(rank.shape, -1, np.int32)
        return np.where(rank >= 0, self._by_rank[rank], np.int32(-1))

    # -- the pyramid -----------------------------------------------------------------------------------------------

    @cached_property
    def _pyramid(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Counts and topmost ranks of the cells, ``(side, side)``, then of 2 × 2 cells together, and so on."""
        starts = self._starts
        counts = np.diff(starts).astype(np.int32).reshape(self.side, self.side)
        top = np.full(self.side**2, -1, np.int32)
        filled = np.flatnonzero(counts)
        if len(filled):
            top[filled] = np.maximum.reduceat(self._rank, starts[filled])
        levels = [(counts, top.reshape(counts.shape))]
        while len(levels[-1][0]) > MIN_SIDE:
            quads = [values.reshape(len(values) // 2, 2, -1, 2) for values in levels[-1]]
            levels.append((quads[0].sum((1, 3), dtype=np.int32), quads[1].max((1, 3))))
        return levels

    def _level(self, window: Window) -> int | None:
        """Coarsest level whose cells are at most half a pixel; None if even the finest ones are larger."""
        pixels = max(size * scale for size, scale in zip(self._cell, window.scale, strict=True))
        if pixels * CELLS_PER_PIXEL > 1:
            return None
        n_levels = int(np.log2(self.side / MIN_SIDE)) + 1
        return min(int(np.log2(1 / (pixels * CELLS_PER_PIXEL))), n_levels - 1)

    def _from_cells(self, window: Window, level: int) -> tuple[np.ndarray, np.ndarray]:
        counts, top = self._pyramid[level]
        size = [cell * 2**level for cell in self._cell]
        spans: list[tuple[slice, np.ndarray, np.ndarray]] = []
        for axis, pixels in ((1, window.height), (0, window.width)):
            low, scale = (window.x, window.y)[axis][0], window.scale[axis]
            centre = self._origin[axis] + (np.arange(len(counts)) + 0.5) * size[axis]
            pixel = np.floor((centre - low) * scale).astype(np.int64)
            first, last = np.searchsorted(pixel, [0, pixels])
            pixel = pixel[first:last]
            spans.append((slice(first, last), np.unique(pixel), np.flatnonzero(np.diff(pixel, prepend=-1))))
        (rows, row_pixels, row_starts), (cols, col_pixels, col_starts) = spans
        results: list[np.ndarray] = []
        for values, join, empty in ((counts, np.add, 0), (top, np.maximum, -1)):
            result = np.full((window.height, window.width), empty, np.int32)
            if len(row_pixels) and len(col_pixels):
                joined = join.reduceat(join.reduceat(values[rows, cols], row_starts, axis=0), col_starts, axis=1)
                result[np.ix_(row_pixels, col_pixels)] = joined
            results.append(result)
        return results[0], results[1]


def _side(n: int) -> int:
    """Cells along a side: a power of two, with about `POINTS_PER_CELL` points in a cell."""
    wished = np.sqrt(max(n, 1) / POINTS_PER_CELL)
    return int(np.clip(2 ** np.ceil(np.log2(wished)), MIN_SIDE, MAX_SIDE))


def _extent(x: np.ndarray, y: np.ndarray, side: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Lower corner of the grid, and the width and height of a cell."""
    limits = [(float(v.min()), float(v.max())) if len(v) else (0.0, 1.0) for v in (x, y)]
    return tuple(low for low, _ in limits), tuple((high - low or 1.0) / side for low, high in limits)


def _batches(bounds: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Slices in groups of about `CHUNK` points; long ones are cut."""
    batch: list[tuple[int, int]] = []
    size = 0
    for start, stop in bounds:
        for begin in range(start, stop, CHUNK):
            end = min(begin + CHUNK, stop)
            batch.append((begin, end))
            size += end - begin
            if size >= CHUNK:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _joined(values: np.ndarray, parts: list[tuple[int, int]]) -> np.ndarray:
    if len(parts) == 1:
        return values[slice(*parts[0])]
    return np.concatenate([values[start:stop] for start, stop in parts])
