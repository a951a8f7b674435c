"""Cohesion: whether the points of each head keep together in a layout of all heads of all images."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Cohesion:
    """Whether the points of each head keep together in a layout.

    Parameters
    ----------
    share
        Of the ``n_nearest`` nearest neighbours of a head's points, how many are the same head on another image, the
        mean over its points; ``(n_layers, n_heads)`` in [0, 1], NaN for a head without points.
    spread
        How far a head's points lie apart, as a share of how far all points do, ``(n_layers, n_heads)``; near 0 for a
        head that is in one place, alone there or not.
    n_nearest
        Neighbours looked at.
    chance
        The same share if all heads were strewn at random.
    n_asked, n_points
        How many points were asked for their neighbours, and how many there are.
    """

    share: np.ndarray
    spread: np.ndarray
    n_nearest: int
    chance: float
    n_asked: int
    n_points: int


def same_kind_share(kinds: np.ndarray, neighbours: np.ndarray, n_kinds: int) -> np.ndarray:
    """Share of the neighbours of each kind's points that are of that kind themselves.

    Near 1 a kind keeps to itself, in one island or in a few; a kind that is strewn among all others comes down to
    its share of all points.

    Parameters
    ----------
    kinds
        Kind of each point that is asked, ``(n,)``, 0 to ``n_kinds`` − 1.
    neighbours
        Kinds of its nearest neighbours, itself aside, ``(n, k)``.

    Returns
    -------
    ``(n_kinds,)`` float64 in [0, 1], NaN for a kind without points or when ``k`` is 0.
    """
    share = (neighbours == kinds[:, None]).sum(1) / max(neighbours.shape[1], 1)
    asked = np.bincount(kinds, minlength=n_kinds) if neighbours.shape[1] else np.zeros(n_kinds)
    total = np.bincount(kinds, weights=share, minlength=n_kinds)
    return np.divide(total, asked, out=np.full(n_kinds, np.nan), where=asked > 0)


def relative_spread(coordinates: np.ndarray, kinds: np.ndarray, n_kinds: int) -> np.ndarray:
    """How far the points of each kind lie apart, as a share of how far all points do.

    Parameters
    ----------
    coordinates
        ``(n, 2)``, finite. Not modified.
    kinds
        Kind of each point, ``(n,)``, 0 to ``n_kinds`` − 1.
    n_kinds
        Number of kinds.

    Returns
    -------
    ``(n_kinds,)`` float64: the root of the mean squared distance from the kind's own centre, divided by that of all
    points from theirs. Near 0 a kind is in one place, near 1 it is as far spread as all. NaN for a kind without
    points, or when all points are at one place.
    """
    if not len(coordinates):
        return np.full(n_kinds, np.nan)
    coordinates = coordinates - coordinates.mean(0, dtype=float)
    size = np.bincount(kinds, minlength=n_kinds)
    count = np.where(size > 0, size, np.nan)
    squares = np.bincount(kinds, weights=(coordinates**2).sum(1), minlength=n_kinds) / count
    for axis in (0, 1):
        squares -= (np.bincount(kinds, weights=coordinates[:, axis], minlength=n_kinds) / count) ** 2
    everything = float((coordinates**2).sum(1).mean())
    return np.sqrt(np.maximum(squares, 0) / (everything or np.nan))
