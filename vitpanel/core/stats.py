"""Distributions as curves; how far two sets of images differ."""

from dataclasses import dataclass

import numpy as np

N_POINTS = 257
NARROWEST = 0.006
NORMAL_95 = 1.959964
_ROWS_AT_ONCE = 512  # as float64 they stay in a processor's cache
_IMAGES_AT_ONCE = 1024  # of a large study, so that no copy of all numbers is made


@dataclass(frozen=True)
class Moments:
    """How many values are known, their mean, and the sum of their squared differences from it; each float64 ``(…)``.

    ``mean`` is NaN where no value is known; ``squares`` is 0 there.
    """

    count: np.ndarray
    mean: np.ndarray
    squares: np.ndarray

    @property
    def std(self) -> np.ndarray:
        """Standard deviation, by the number of values as in `numpy.std`; NaN where none is known."""
        return np.sqrt(_divided(self.squares, self.count))


@dataclass(frozen=True)
class EffectSize:
    """Hedges' g with the ends of its 95 % interval, each ``(…)``; NaN where it is not defined."""

    effect: np.ndarray
    low: np.ndarray
    high: np.ndarray


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


def mean_over_heads(values: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """Mean of each image over some heads.

    Parameters
    ----------
    values
        ``(n_images, n_layers, n_heads)``; not modified.
    heads
        Which heads count, bool ``(n_layers, n_heads)``.

    Returns
    -------
    float64 ``(n_images,)``. NaN heads are left out; NaN where no head is left.
    """
    mean = np.full(len(values), np.nan)
    for start in range(0, len(values), _IMAGES_AT_ONCE):
        rows = slice(start, start + _IMAGES_AT_ONCE)
        part = values[rows][:, heads]
        known = ~np.isnan(part)
        n = known.sum(1)
        np.divide(np.where(known, part, 0).sum(1, dtype=np.float64), n, out=mean[rows], where=n > 0)
    return mean


def _bandwidth(values: np.ndarray) -> float:
    low, high = np.percentile(values, [25, 75])
    spread = min(values.std(), (high - low) / 1.34) or values.std()
    return max(0.9 * spread * values.size**-0.2, NARROWEST)


def known_moments(values: np.ndarray, mask: np.ndarray, *, baseline: np.ndarray | None = None) -> Moments:
    """Moments over the rows in a mask, NaN left out; a few rows at a time, so that no copy of all is made.

    Parameters
    ----------
    values
        ``(n, …)``; not modified.
    mask
        Which rows count, bool ``(n,)``.
    baseline
        What the values are taken from, ``(n,)``: the moments are then those of ``baseline − values``.

    References
    ----------
    Chan, Golub and LeVeque 1983, Algorithms for Computing the Sample Variance (how parts are joined). Equal values have
    no spread at all, not one of rounding.
    """
    shape = values.shape[1:]
    count, mean, squares = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for start in range(0, len(values), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        part = values[rows][mask[rows]].astype(np.float64)
        if baseline is not None:
            part = baseline[rows][mask[rows]].reshape(-1, *[1] * len(shape)) - part
        known = ~np.isnan(part)
        part[~known] = 0
        n = known.sum(0)
        ahead = _divided(part.sum(0), n, otherwise=0)
        part -= ahead
        part[~known] = 0
        both, ahead = count + n, ahead - mean
        squares += np.einsum("i...,i...->...", part, part) + ahead**2 * _divided(count * n, both, otherwise=0)
        mean += ahead * _divided(n, both, otherwise=0)
        count = both
    return Moments(count, np.where(count > 0, mean, np.nan), squares)


def hedges_g(one: Moments, other: Moments) -> EffectSize:
    """How many standard deviations one set lies above another.

    With n₁ and n₂ values and m = n₁ + n₂ − 2,

    g = (1 − 3 / (4m − 1)) · (mean₁ − mean₂) / s,   s² = (squares₁ + squares₂) / m,

    and the interval is g ± 1.96 · √((n₁ + n₂) / (n₁ · n₂) + g² / (2 · (n₁ + n₂))). It is that of two independent normal
    samples of the same variance; for few or skewed values it is a guide.

    Returns
    -------
    NaN where a set has fewer than two values or neither has any spread.

    References
    ----------
    Hedges 1981, Distribution Theory for Glass's Estimator of Effect Size (the factor, within 0.008 of the exact one);
    Hedges and Olkin 1985, Statistical Methods for Meta-Analysis, chapter 5 (the variance for large samples).
    """
    n_one, n_other = one.count, other.count
    total = n_one + n_other
    spread = np.sqrt(_divided(one.squares + other.squares, total - 2))
    is_defined = (np.minimum(n_one, n_other) > 1) & (spread > 0)
    unbiased = 1 - 3 / (4 * np.maximum(total, 4) - 9)
    effect = np.where(is_defined, unbiased * _divided(one.mean - other.mean, spread), np.nan)
    half_width = NORMAL_95 * np.sqrt(_divided(total, n_one * n_other) + _divided(effect**2, 2 * total))
    return EffectSize(effect, effect - half_width, effect + half_width)


def student_95(freedom: int) -> float:
    """How many standard errors a 95 % interval reaches to each side, by Student's t.

    Parameters
    ----------
    freedom
        Degrees of freedom, at least 5: there the series is within 0.2 % of the exact quantile, and nearer beyond.

    References
    ----------
    Abramowitz and Stegun 1964, Handbook of Mathematical Functions, 26.7.5.
    """
    z = NORMAL_95
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / freedom ** (power + 1) for power, term in enumerate(terms))


def _divided(above: np.ndarray, below: np.ndarray, *, otherwise: float = np.nan) -> np.ndarray:
    """Quotient, or another number where the divisor is not positive."""
    return np.divide(above, below, out=np.full(np.shape(above), otherwise, np.float64), where=below > 0)
