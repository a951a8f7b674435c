"""Points of a map: how dense they are, which lie inside a line, and which stand for all."""

import numpy as np

MOST_SPREAD = 2000


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
