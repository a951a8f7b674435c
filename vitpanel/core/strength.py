"""Attention strength over k-hop neighbours and its entropy (section 5.3.1, Eq. 7 and 8, Fig. 5); attention distance."""

from functools import lru_cache

import numpy as np

from vitpanel.core.grid import Grid


@lru_cache(maxsize=8)
def _ring_weights(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Hop and weight of every (source, target) pair of patches, both flat; the strength is a weighted histogram."""
    hops = grid.hops
    in_ring = np.stack([(hops == hop).sum(1) for hop in range(grid.n_hops)], axis=1)
    n_sources = (in_ring > 0).sum(0)
    weights = 1 / (np.take_along_axis(in_ring, hops, axis=1) * n_sources[hops])
    return hops.ravel(), weights.ravel()


def strength_vectors(attention: np.ndarray, grid: Grid) -> np.ndarray:
    """Mean attention of all patches to their k-hop neighbours.

    Parameters
    ----------
    attention
        ``(..., n_tokens, n_tokens)``, rows are source tokens. Not modified.
    grid
        Token layout; ``n_hops = max(rows, cols)``.

    Returns
    -------
    Shape ``(..., n_hops)``, float32 in [0, 1]. A hop that some patches lack is averaged over those that have it;
    a hop that no patch has is NaN.

    Raises
    ------
    ValueError
        If the attention is not over ``grid.n_tokens`` tokens; the message gives the numbers.

    References
    ----------
    Li et al. 2023, Eq. 7-8 and Fig. 5; hops of a non-square grid run to the longer side.
    """
    patches = _between_patches(attention, grid)
    hops, weights = _ring_weights(grid)
    flat = patches.reshape(-1, grid.size**2)
    strength = np.stack([np.bincount(hops, weights * row, grid.n_hops) for row in flat])
    return strength.reshape(*patches.shape[:-2], grid.n_hops).astype(np.float32)


def _between_patches(attention: np.ndarray, grid: Grid) -> np.ndarray:
    """Attention of patches to patches; `ValueError` if it is over other tokens."""
    if attention.shape[-2:] != (grid.n_tokens, grid.n_tokens):
        message = f"attention is over {attention.shape[-2:]} tokens, but the grid has {grid.n_tokens}"
        raise ValueError(message)
    return np.asarray(attention)[..., grid.patches, grid.patches]


def strength_entropy(strength: np.ndarray) -> np.ndarray:
    """Entropy of strength vectors, over its largest possible value.

    Parameters
    ----------
    strength
        ``(..., n_hops)``; normalised here to sum 1.

    Returns
    -------
    Shape ``(...)``, float32 in [0, 1]: 0 when all attention is on one hop, 1 when every hop gets the same. NaN for a
    zero vector (a head whose patches attend to no patch) and for a grid of one hop.

    References
    ----------
    Li et al. 2023, section 5.3.2; the paper says "normalized", we divide by the logarithm of the number of hops.
    """
    strength = np.asarray(strength, np.float64)
    total = strength.sum(-1, keepdims=True)
    n_hops = strength.shape[-1]
    if n_hops == 1:
        return np.full(strength.shape[:-1], np.nan, np.float32)
    share = np.divide(strength, total, out=np.full_like(strength, np.nan), where=total > 0)
    logarithm = np.log(np.where(share > 0, share, 1))
    entropy = -(share * logarithm).sum(-1) / np.log(n_hops)
    return np.where(np.isnan(entropy), np.nan, np.clip(entropy, 0, 1)).astype(np.float32)


def attention_distance(attention: np.ndarray, grid: Grid) -> np.ndarray:
    """Mean attention distance: how far away the patches look, in patches.

    The distance of each target from its source is weighted by the attention, summed over the targets, and averaged over
    the sources.

    Parameters
    ----------
    attention
        ``(..., n_tokens, n_tokens)``, rows are source tokens. Not modified.
    grid
        Token layout.

    Returns
    -------
    Shape ``(...)``, float32, Euclidean, in units of one patch; from 0 to `longest_distance`.

    Raises
    ------
    ValueError
        If the attention is not over ``grid.n_tokens`` tokens; the message gives the numbers.

    Notes
    -----
    Prefix tokens have no place. Rows are not normalised again, as with the strength: what a patch attends to prefix
    tokens counts as if it had stayed where it is.

    References
    ----------
    Dosovitskiy et al. 2021 (Fig. 7, appendix D.7) and Raghu et al. 2021 (section 3); references [5] and [28] of
    Li et al. 2023.
    """
    patches = _between_patches(attention, grid)
    return (np.einsum("...ij,ij->...", patches, _distances(grid)) / grid.size).astype(np.float32)


def longest_distance(grid: Grid) -> float:
    """Largest value that the attention distance can take: every patch attends to the one farthest away."""
    return float(_distances(grid).max(1).mean())


@lru_cache(maxsize=8)
def _distances(grid: Grid) -> np.ndarray:
    """Euclidean distance between every two patches, ``(size, size)``."""
    row, col = np.divmod(np.arange(grid.size), grid.cols)
    return np.hypot(row[:, None] - row, col[:, None] - col)
