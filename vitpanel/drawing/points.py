"""Points of a map: how dense they are, which lie inside a line, and which stand for all."""

import numpy as np

MOST_SPREAD = 2000
# Cells along either side of a line's box, and how many points are sorted into them at a time: both fit the caches.
_CELLS, _AT_ONCE = 512, 2**18


def smoothed(counts: np.ndarray, sigma: float) -> np.ndarray:
    """Counts on a raster, spread by a Gaussian of ``sigma`` cells; what leaves the raster is lost.

    Parameters
    ----------
    counts
        ``(rows, cols)``. Not modified.
    """
    reach = int(np.ceil(3 * sigma))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2).astype(np.float32)
    weights /= weights.sum()
    result = counts.astype(np.float32)
    for axis in (0, 1):
        size = result.shape[axis]
        padded = np.pad(result, [(reach, reach) if side == axis else (0, 0) for side in (0, 1)])
        result = np.zeros_like(result)
        for k, weight in enumerate(weights):
            part = slice(k, k + size)
            result += (padded[part] if axis == 0 else padded[:, part]) * weight
    return result


def is_inside(x: np.ndarray, y: np.ndarray, line: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Whether points lie inside a closed line, bool ``(n,)``; where it crosses itself, by the even-odd rule.

    Parameters
    ----------
    x, y
        Finite coordinates ``(n,)``. Not modified.
    line
        x and y of its corners in order; the last is joined to the first.
    """
    order = np.argsort(y, kind="stable")
    along, up = x[order].astype(float), y[order].astype(float)
    inside = np.zeros(len(x), bool)
    ends = np.stack(line, 1).astype(float)
    for (x0, y0), (x1, y1) in zip(ends, np.roll(ends, -1, axis=0), strict=True):
        # An edge concerns the points at its own height alone: one slice, since they are sorted by y.
        low, high = np.searchsorted(up, [min(y0, y1), max(y0, y1)])
        crossing = x0 + (up[low:high] - y0) / (y1 - y0) * (x1 - x0) if y0 != y1 else along[:0]
        inside[low : low + len(crossing)] ^= along[low : low + len(crossing)] < crossing
    result = np.empty(len(x), bool)
    result[order] = inside
    return result


def which_inside(coordinates: np.ndarray, line: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The same as `is_inside` for millions of points, bool ``(n,)``; NaN is outside.

    A cell of a raster that no edge comes near is inside or outside as a whole; only points of the other cells are held
    against the line.

    Parameters
    ----------
    coordinates
        x and y, float ``(n, 2)``. Not modified.
    line
        As for `is_inside`.
    """
    low = np.array([part.min() for part in line], float)
    # Where the line is so small that coordinates of single precision are coarse beside it, cells are larger.
    coarse = 1e-3 * max(float(np.abs(part).max()) for part in line) or 1.0
    scale = _CELLS / np.maximum([np.ptp(part) for part in line], coarse)
    is_near, is_full = _cells(np.stack(line, 1), low, scale)
    inside = np.zeros(len(coordinates), bool)
    for start in range(0, len(coordinates), _AT_ONCE):
        part = coordinates[start : start + _AT_ONCE]
        # Around the box is a frame of cells that are outside; NaN goes there.
        places = np.fmin(np.fmax((part - low.astype(part.dtype)) * scale.astype(part.dtype) + 1, 0), _CELLS + 1)
        column, row = places.astype(np.int32).T
        cell = row * (_CELLS + 2) + column
        found = is_full[cell]
        unsure = np.flatnonzero(is_near[cell])
        x, y = part[unsure].astype(float).T
        found[unsure] = is_inside(x, y, line)
        inside[start : start + _AT_ONCE] = found
    return inside


def _cells(corners: np.ndarray, low: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which cells of the raster and its frame an edge comes near, and which others are inside; both flat."""
    is_near = np.zeros((_CELLS + 2, _CELLS + 2), bool)
    ends = (corners - low) * scale + 1
    for (x0, y0), (x1, y1) in zip(ends, np.roll(ends, -1, axis=0), strict=True):
        # A cell more on every side, so that rounding can put no point of the edge elsewhere.
        rows = np.arange(int(min(y0, y1)) - 1, int(max(y0, y1)) + 2)
        if y0 == y1:
            first = np.full(len(rows), min(x0, x1))
            last = np.full(len(rows), max(x0, x1))
        else:
            across = np.sort((np.clip([rows - 1, rows + 2], min(y0, y1), max(y0, y1)) - y0) / (y1 - y0), axis=0)
            first, last = np.sort(x0 + across * (x1 - x0), axis=0)
        for row, left, right in zip(rows, first.astype(int) - 1, last.astype(int) + 2, strict=True):
            if 0 <= row <= _CELLS + 1:
                is_near[row, max(left, 0) : right] = True
    middle = np.arange(_CELLS + 2) - 0.5
    x, y = (grid.ravel() for grid in np.meshgrid(middle, middle))
    is_full = is_inside(x / scale[0] + low[0], y / scale[1] + low[1], (corners[:, 0], corners[:, 1]))
    return is_near.ravel(), is_full & ~is_near.ravel()


def spread_out(x: np.ndarray, y: np.ndarray, count: int) -> np.ndarray:
    """Indices of points that stand for all: the one nearest to the mean, then each the farthest from those before.

    Parameters
    ----------
    x, y
        Finite coordinates ``(n,)``; of more than 2,000 points only so many, evenly spaced, are looked at.
    count
        How many; fewer when there are not enough points.
    """
    step = max(1, -(-len(x) // MOST_SPREAD))
    points = np.stack([x[::step], y[::step]], 1).astype(float)
    if not len(points):
        return np.empty(0, np.int64)
    chosen = [int(np.linalg.norm(points - points.mean(0), axis=1).argmin())]
    distance = np.full(len(points), np.inf)
    while len(chosen) < min(count, len(points)):
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
        distance[chosen] = -1
        chosen.append(int(distance.argmax()))
    return np.array(chosen) * step
