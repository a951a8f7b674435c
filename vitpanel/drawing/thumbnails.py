"""Attention matrices as pictures of a few pixels, so that all heads of an image can be seen at once."""

import numpy as np

from vitpanel.core.grid import Grid
from vitpanel.core.pooling import max_between
from vitpanel.drawing.display import KINDS, colour_limits, token_kinds

THUMBNAIL = 32
SHADES = 256 // len(KINDS)
CLS_PIXELS = 2


def thumbnails(attention: np.ndarray, grid: Grid, size: int = THUMBNAIL) -> np.ndarray:
    """Codes of the colours of each pixel, uint8 ``(n_heads, n_rows, n_rows)``.

    CLS has two rows and columns, the other tokens before the patches have one together, the patches share what is
    left, each row one run of them in their order. ``n_rows`` is ``size``, or less where there are fewer tokens.

    Parameters
    ----------
    attention
        ``(n_heads, n_tokens, n_tokens)``.
    grid
        The tokens.
    size
        Rows at most.

    Returns
    -------
    Each pixel is the largest entry of its runs of source and target tokens, as ``kind · SHADES + shade``: the kind is
    that of the link in `KINDS`, the shade runs from 0 to ``SHADES - 1`` at the value that `colour_limits` finds for
    that head and kind, so heads can be compared in their pattern, not in their strength.
    """
    order, starts, pixels = _runs(grid, size)
    kinds = token_kinds(grid)[order][starts]
    kinds = np.repeat(kinds, pixels).astype(np.intp)
    kinds = np.maximum(kinds[:, None], kinds)
    codes = np.empty((len(attention), len(kinds), len(kinds)), np.uint8)
    for matrix, code in zip(attention, codes, strict=True):
        peaks = max_between(matrix, order, starts).repeat(pixels, 0).repeat(pixels, 1)
        limits = np.array(colour_limits(matrix, grid))[kinds]
        shares = np.divide(peaks, limits, out=np.zeros(peaks.shape), where=limits > 0)
        code[:] = kinds * SHADES + np.round(np.clip(shares, 0, 1) * (SHADES - 1)).astype(np.intp)
    return codes


def _runs(grid: Grid, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tokens with CLS first and patches last, where each run of them begins in that order, and its rows."""
    order = np.argsort(-token_kinds(grid).astype(np.intp), kind="stable")
    pixels = [] if grid.cls is None else [CLS_PIXELS]
    n_extra = grid.n_prefix - len(pixels)
    starts = list(range(len(pixels)))
    if n_extra:
        starts.append(len(pixels))
        pixels.append(1)
    n_runs = min(size - sum(pixels), grid.size)
    starts += (grid.n_prefix + np.arange(n_runs) * grid.size // n_runs).tolist()
    return order, np.array(starts), np.array(pixels + [1] * n_runs)
