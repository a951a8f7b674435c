"""Attention patterns: the CLS vector and the binarised patch matrix of a head (section 5.4.1, Fig. 6)."""

import math
from functools import lru_cache

import numpy as np

from vitpanel.core.grid import Grid
from vitpanel.core.pooling import cell_of_patch, max_between, sorted_groups

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


def pooled_side(grid: Grid, *, max_side: int = MAX_SIDE) -> tuple[int, int]:
    """Rows and columns of the grid on which A_patch is kept, at most 16 × 16."""
    step = _pooling_step(grid, max_side)
    return math.ceil(grid.rows / step), math.ceil(grid.cols / step)


def _pooling_step(grid: Grid, max_side: int) -> int:
    return math.ceil(max(grid.rows, grid.cols) / max_side)


@lru_cache(maxsize=8)
def _cell_starts(grid: Grid, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Patches sorted by pooled cell, and where each cell begins in that order."""
    return sorted_groups(cell_of_patch(grid, step))


def patch_matrix(attention: np.ndarray, grid: Grid, *, max_side: int = MAX_SIDE) -> np.ndarray:
    """A_patch, max-pooled over both its sides when the grid is larger than 16 × 16.

    Parameters
    ----------
    attention
        ``(..., n_tokens, n_tokens)``.
    max_side
        Most rows and columns of the pooled grid.

    Returns
    -------
    Shape ``(..., q, q)`` with q the number of cells of `pooled_side`, at most 256; q is ``grid.size`` up to 16 × 16.
    """
    patches = attention[..., grid.patches, grid.patches]
    step = _pooling_step(grid, max_side)
    if step == 1:
        return patches
    return max_between(patches, *_cell_starts(grid, step))


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


def offset_shape(grid: Grid) -> tuple[int, int]:
    """Rows and columns of `offset_shares`, at most 31 × 31."""
    rows, cols = pooled_side(grid)
    return 2 * rows - 1, 2 * cols - 1


@lru_cache(maxsize=8)
def _offset_order(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Entries of the patch region sorted by offset, and where each offset begins in that order."""
    step, shape = _pooling_step(grid, MAX_SIDE), offset_shape(grid)
    row, col = np.divmod(np.arange(grid.size), grid.cols)
    rows, cols = (np.trunc((place - place[:, None]) / step).astype(int) for place in (row, col))
    return sorted_groups(((rows + shape[0] // 2) * shape[1] + cols + shape[1] // 2).ravel())


def offset_shares(attention: np.ndarray, grid: Grid) -> np.ndarray:
    """How much attention goes from a patch to the patch some rows and columns away, the mean over all patches.

    Parameters
    ----------
    attention
        ``(..., n_tokens, n_tokens)``.

    Returns
    -------
    Shape ``(..., 2·rows − 1, 2·cols − 1)``: the entry at ``rows − 1 + i, cols − 1 + j`` is for targets i rows below
    and j columns to the right. The sum is what a patch gives to patches; offsets that leave the grid count as 0. Grids
    larger than 16 × 16 have the rows and columns of `pooled_side` here, and offsets are divided by the step of its
    pooling, without the remainder.
    """
    order, starts = _offset_order(grid)
    patches = attention[..., grid.patches, grid.patches]
    flat = patches.reshape(*patches.shape[:-2], -1)[..., order]
    sums = np.add.reduceat(flat, starts, axis=-1) / np.float32(grid.size)
    return sums.reshape(*sums.shape[:-1], *offset_shape(grid))
