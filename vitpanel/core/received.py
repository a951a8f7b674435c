"""What each token receives of a head's attention."""

import numpy as np

from vitpanel.core.grid import Grid


def received_attention(attention: np.ndarray, grid: Grid) -> np.ndarray:
    """What each token t gets from CLS, and what it gets from all patches on average.

    received[0, …, t] = A[CLS, t],
    received[1, …, t] = (1 / P) · Σ_{i ∈ patches} A[i, t], with P patches.

    What a token gives itself counts. Rows of A sum to 1, so both sum to 1 over all tokens, and what a set of tokens
    gets is the sum of what its tokens get.

    Parameters
    ----------
    attention
        A, float ``(…, n_tokens, n_tokens)``; rows are source tokens. Not modified.
    grid
        The tokens.

    Returns
    -------
    float32 ``(2, …, n_tokens)`` in [0, 1] but for rounding; the first is NaN for a model without CLS.
    """
    # As a product it is several times as fast as a mean.
    from_patches = np.full(grid.size, 1 / grid.size, attention.dtype) @ attention[..., grid.patches, :]
    from_cls = np.full_like(from_patches, np.nan) if grid.cls is None else attention[..., grid.cls, :]
    return np.stack([from_cls, from_patches]).astype(np.float32)
