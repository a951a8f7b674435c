"""Maps of many points: which one is nearest, and how dense they are."""

import numpy as np

CHUNK = 1 << 20


def nearest_point(x: np.ndarray, y: np.ndarray, at: tuple[float, float], *, scale: tuple[float, float]) -> int:
    """Index of the point nearest to a place.

    Parameters
    ----------
    x, y
        Finite coordinates ``(n_points,)``, float32.
    at
        The place.
    scale
        Pixels per unit along x and y, so that nearest means nearest on the screen.
    """
    best, best_distance = -1, np.inf
    for start in range(0, len(x), CHUNK):
        part = slice(start, start + CHUNK)
        distance = ((x[part] - np.float32(at[0])) * np.float32(scale[0])) ** 2
        distance += ((y[part] - np.float32(at[1])) * np.float32(scale[1])) ** 2
        index = int(distance.argmin())
        if distance[index] < best_distance:
            best, best_distance = start + index, float(distance[index])
    return best


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
        padding = [(reach, reach) if side == axis else (0, 0) for side in (0, 1)]
        padded = np.pad(result, padding)
        size = result.shape[axis]
        parts = (np.take(padded, range(k, k + size), axis=axis) * w for k, w in enumerate(weights))
        result = sum(parts, np.zeros_like(result))
    return result
