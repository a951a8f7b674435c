"""Whether the points of each head keep together in a layout of all heads of all images."""
# pyright: reportMissingTypeStubs=false

from typing import Any

import numpy as np

from vitpanel.core.cohesion import Cohesion, relative_spread, same_kind_share

N_NEAREST = 15
MOST_ASKED = 200_000


def cohesion(layout: np.ndarray) -> Cohesion:
    """Whether the points of each head keep together; takes seconds for millions of points.

    Of more than 200,000 points only those of every n-th image are asked for their neighbours, among all points.

    Parameters
    ----------
    layout
        Coordinates of each head on each image, ``(n_images, n_layers, n_heads, 2)``; NaN for a head without a place.
        Not modified.
    """
    _, n_layers, n_heads = layout.shape[:3]
    n_kinds = n_layers * n_heads
    flat = layout.reshape(-1, 2)
    rows = np.flatnonzero(np.isfinite(flat).all(1))
    coordinates, kinds = flat[rows], rows % n_kinds
    n_nearest = max(min(N_NEAREST, len(rows) - 1), 0)
    # Whole images, so that every head is asked equally often.
    step = max(1, -(-len(rows) // MOST_ASKED))
    asked = np.flatnonzero(rows // n_kinds % step == 0)
    share = same_kind_share(kinds[asked], kinds[nearest_in_plane(coordinates, asked, k=n_nearest)], n_kinds)
    spread = relative_spread(coordinates, kinds, n_kinds)
    sizes, pairs = np.bincount(kinds), len(kinds) * (len(kinds) - 1)
    chance = float((sizes * (sizes - 1)).sum() / pairs) if pairs else float("nan")
    share, spread = (values.reshape(n_layers, n_heads) for values in (share, spread))
    return Cohesion(share, spread, n_nearest, chance, len(asked), len(rows))


def nearest_in_plane(coordinates: np.ndarray, rows: np.ndarray, *, k: int) -> np.ndarray:
    """Which k other points are nearest to each of some; for many points, by a k-d tree.

    Parameters
    ----------
    coordinates
        ``(n, 2)``, finite, n > k. Not modified.
    rows
        Numbers of the points whose neighbours are wanted.
    k
        How many; may be 0.

    Returns
    -------
    Shape ``(len(rows), k)``. A point is never its own neighbour, another one at its place can be.
    """
    if not k or not len(rows):
        return np.empty((len(rows), k), np.int64)
    from scipy.spatial import KDTree

    tree: Any = KDTree(coordinates)
    _, found = tree.query(coordinates[rows], k=k + 1)
    is_self = found == rows[:, None]
    # Among points at one place a point may not find itself.
    is_self[~is_self.any(1), -1] = True
    return found[~is_self].reshape(len(rows), k)
