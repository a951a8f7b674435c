"""Groups of tokens, such as squares of patches, and the largest attention between them."""

import math

import numpy as np

from vitpanel.core.grid import Grid


def cell_of_patch(grid: Grid, step: int) -> np.ndarray:
    """Number of the square of ``step`` × ``step`` patches that each patch lies in, row by row, ``(size,)``."""
    row, col = np.divmod(np.arange(grid.size), grid.cols)
    return row // step * math.ceil(grid.cols / step) + col // step


def sorted_groups(owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Members of groups, group by group, and where each group begins in that order.

    Parameters
    ----------
    owner
        Group of each member, ``(n,)``: whole numbers from 0, none left out.
    """
    sizes = np.bincount(owner)
    return np.argsort(owner, kind="stable"), np.cumsum(sizes) - sizes


def max_between(attention: np.ndarray, order: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Largest attention from any member of a group to any of another.

    Parameters
    ----------
    attention
        ``(..., n, n)``. Not modified.
    order, starts
        The groups as `sorted_groups` gives them.

    Returns
    -------
    Shape ``(..., len(starts), len(starts))``.
    """
    rows = np.maximum.reduceat(attention[..., order, :], starts, axis=-2)
    return np.maximum.reduceat(rows[..., order], starts, axis=-1)
