"""Some of all heads of a study, read block by block."""

from collections.abc import Sequence

import numpy as np

from vitpanel.study.reader import Study


def sampled_rows(n: int, *, n_most: int, seed: int) -> np.ndarray:
    """Ascending numbers of at most ``n_most`` of n rows, drawn by the seed."""
    if n <= n_most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, n_most, replace=False))


def head_rows(study: Study, *, n_most: int, seed: int) -> np.ndarray:
    """Ascending flat numbers (image, layer, head) of at most ``n_most`` of the heads that there are, by the seed."""
    there = np.flatnonzero(np.tile(study.spec.is_there.ravel(), study.n_images))
    return there[sampled_rows(len(there), n_most=n_most, seed=seed)]


def sampled_heads(study: Study, name: str, *, n_most: int, seed: int) -> np.ndarray:
    """Values of at most ``n_most`` heads, drawn over all images; never more than a block besides is in memory.

    Parameters
    ----------
    name
        Of an array ``(image, layer, head, value)``.

    Returns
    -------
    Shape ``(n, n_values)``, in the order of `head_rows`.
    """
    _, n_layers, n_heads, n_values = study.arrays[name].shape
    rows = head_rows(study, n_most=n_most, seed=seed)
    sample = np.empty((len(rows), n_values), study.arrays[name].dtype)
    for block in range(study.manifest.n_blocks):
        images = study.manifest.block_images(block)
        first, last = (image * n_layers * n_heads for image in (images.start, images.stop))
        chosen = slice(*np.searchsorted(rows, [first, last]))
        sample[chosen] = study.block(name, block).reshape(-1, n_values)[rows[chosen] - first]
    return sample


def block_order(label_names: Sequence[str], block_size: int, *, seed: int) -> list[int]:
    """Blocks of images in the order in which they are computed: shuffled, those with a label not seen before first.

    Images lie by folders, so that in their own order a mean over the first blocks would be of the first classes alone.
    The order depends on the labels and the seed, and on nothing that a run has done: one that goes on keeps it.

    Parameters
    ----------
    label_names
        Of all images of the study.
    """
    labels = [frozenset(label_names[start : start + block_size]) for start in range(0, len(label_names), block_size)]
    seen: set[str] = set()
    first: list[int] = []
    later: list[int] = []
    for block in np.random.default_rng(seed).permutation(len(labels)).tolist():
        (later if labels[block] <= seen else first).append(block)
        seen |= labels[block]
    return first + later
