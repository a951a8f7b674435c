"""Attention patterns: the CLS vector and the binarised patch matrix of a head (section 5.4.1, Fig. 6)."""

import math
from functools import lru_cache

import numpy as np

from vitpanel.core.grid import Grid

MAX_SIDE = 16
TOP_SHARE = 0.01


def cls_vector(attention: np.ndarray, grid: Grid) -> np.ndarray:
    """A_CLS = concat(A[CLS, CLS], A[CLS, patches], A[patches, CLS]).

    Parameters
    ----------
    attention
        ``(..., n_tokens, n_tokens)`` of a model with a CLS token.

    Returns
    -------
    Shape ``(..., 2·size + 1)``.
    """
    cls, patches = grid.cls, grid.patches
    if cls is None:
        message = "the model has no CLS token, so A_CLS is not defined"
        raise ValueError(message)
    return np.concatenate(
        [attention[..., cls, cls, None], attention[..., cls, patches], attention[..., patches, cls]], axis=-1
    )


def pooled_side(grid: Grid) -> tuple[int, int]:
    """Rows and columns of the grid on which A_patch is kept, at most 16 × 16."""
    step = _pooling_step(grid)
    return math.ceil(grid.rows / step), math.ceil(grid.cols / step)


def _pooling_step(grid: Grid) -> int:
    return math.ceil(max(grid.rows, grid.cols) / MAX_SIDE)


@lru_cache(maxsize=8)
def _cell_starts(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Patches sorted by pooled cell, and where each cell begins in that order."""
    step = _pooling_step(grid)
    row, col = np.divmod(np.arange(grid.size), grid.cols)
    cell = (row // step) * pooled_side(grid)[1] + col // step
    order = np.argsort(cell, kind="stable")
    return order, np.searchsorted(cell[order], np.unique(cell))


def patch_matrix(attention: np.ndarray, grid: Grid) -> np.ndarray:
    """A_patch, max-pooled over both its sides when the grid is larger than 16 × 16.

    Parameters
    ----------
    attention
        ``(..., n_tokens, n_tokens)``.

    Returns
    -------
    Shape ``(..., q, q)`` with q the number of cells of `pooled_side`, at most 256; q is ``grid.size`` up to 16 × 16.
    """
    patches = attention[..., grid.patches, grid.patches]
    if _pooling_step(grid) == 1:
        return patches
    order, starts = _cell_starts(grid)
    pooled = np.maximum.reduceat(patches[..., order, :], starts, axis=-2)
    return np.maximum.reduceat(pooled[..., order], starts, axis=-1)


def n_top(n_cells: int) -> int:
    """Number of ones of a binarised matrix with ``n_cells`` rows: the largest 1 %, rounded up."""
    return math.ceil(TOP_SHARE * n_cells**2)


def top_indices(matrix: np.ndarray) -> np.ndarray:
    """Where a binarised A_patch is 1: the flat indices of the largest 1 % of the entries.

    Parameters
    ----------
    matrix
        ``(..., q, q)`` with q at most 256. Not modified.

    Returns
    -------
    Shape ``(..., n_top(q))``, uint16, ascending. Of equal values at the limit the ones with lower indices are taken,
    so that the result depends on the values alone.

    References
    ----------
    Li et al. 2023, section 5.4.1, "setting top 1% values to 1 and the rest to 0".
    """
    n_cells = matrix.shape[-1]
    count = n_top(n_cells)
    flat = matrix.reshape(-1, n_cells**2)
    limit = np.partition(flat, -count, axis=-1)[:, -count]
    result = np.empty((len(flat), count), np.uint16)
    for row, (values, lowest) in enumerate(zip(flat, limit, strict=True)):
        above = np.flatnonzero(values > lowest)
        equal = np.flatnonzero(values == lowest)[: count - len(above)]
        result[row] = np.sort(np.concatenate([above, equal]))
    return result.reshape(*matrix.shape[:-2], count)


def binary_matrices(indices: np.ndarray, n_cells: int) -> np.ndarray:
    """Binarised matrices from `top_indices`, float32 ``(..., q, q)`` of zeros and ones."""
    flat = indices.reshape(-1, indices.shape[-1]).astype(np.int64)
    result = np.zeros((len(flat), n_cells**2), np.float32)
    np.put_along_axis(result, flat, 1, axis=-1)
    return result.reshape(*indices.shape[:-1], n_cells, n_cells)
