"""Distributions as curves."""

import numpy as np

N_POINTS = 257
NARROWEST = 0.006


def unit_density(values: np.ndarray, *, n_points: int = N_POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Smooth density of values in [0, 1].

    A Gaussian kernel estimate by Silverman's rule, at least 0.006 wide so that equal values show as a peak.
    What the kernel puts beyond 0 or 1 is reflected, so the curve has area 1 and does not sag at the ends.

    Parameters
    ----------
    values
        Any shape, in [0, 1]; NaN is left out. Not modified.
    n_points
        Number of places, evenly spaced from 0 to 1.

    Returns
    -------
    Places and densities, both ``(n_points,)`` float64; the densities are NaN when no value is left.
    """
    grid = np.linspace(0, 1, n_points)
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    if not known.size:
        return grid, np.full(n_points, np.nan)
    width = _bandwidth(known)
    # Counts on the grid, each value shared between its two neighbours, keep the cost independent of the values.
    place = known * (n_points - 1)
    left = np.minimum(place.astype(int), n_points - 2)
    counts = np.bincount(left, left + 1 - place, n_points) + np.bincount(left + 1, place - left, n_points)
    mirrored = [grid[:, None] - grid, grid[:, None] + grid, grid[:, None] + grid - 2]
    kernel = sum(np.exp(-0.5 * (distance / width) ** 2) for distance in mirrored)
    return grid, kernel @ counts / (known.size * width * np.sqrt(2 * np.pi))


def _bandwidth(values: np.ndarray) -> float:
    low, high = np.percentile(values, [25, 75])
    spread = min(values.std(), (high - low) / 1.34) or values.std()
    return max(0.9 * spread * values.size**-0.2, NARROWEST)
