"""Nearest neighbours among vectors, and what they say about a layout."""

import numpy as np

N_NEIGHBOURS = 10
CHUNK = 256


def nearest_neighbours(vectors: np.ndarray, rows: np.ndarray, *, k: int = N_NEIGHBOURS) -> np.ndarray:
    """Which k other vectors are nearest to each of some, by Euclidean distance and without approximation.

    Parameters
    ----------
    vectors
        ``(n, d)``, finite, n > k. Not modified.
    rows
        Numbers of the vectors whose neighbours are wanted.

    Returns
    -------
    Shape ``(len(rows), k)``, in no order. A vector is never its own neighbour, an equal one can be.
    """
    known = np.asarray(vectors, np.float32)
    squares = np.einsum("ij,ij->i", known, known)
    result = np.empty((len(rows), k), np.int64)
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        # The square of the row's own length is the same for all and decides nothing.
        distance = squares - 2 * (known[part] @ known.T)
        distance[np.arange(len(part)), part] = np.inf
        result[start : start + CHUNK] = np.argpartition(distance, k - 1, axis=1)[:, :k]
    return result


def neighbours_kept(vectors: np.ndarray, coordinates: np.ndarray, rows: np.ndarray, *, k: int = N_NEIGHBOURS) -> float:
    """Share of the k nearest neighbours of some vectors that are among the k nearest in a layout too.

    Parameters
    ----------
    vectors, coordinates
        ``(n, d)`` and ``(n, 2)``.
    rows
        Numbers of the vectors that are looked at.

    Returns
    -------
    In [0, 1]; a random layout gives about k / n.
    """
    pairs = zip(nearest_neighbours(vectors, rows, k=k), nearest_neighbours(coordinates, rows, k=k), strict=True)
    return float(np.mean([len(np.intersect1d(*pair)) / k for pair in pairs]))
