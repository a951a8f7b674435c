"""A set of heads, told by image."""

import numpy as np

from vitpanel.state.queries.numbers import head_numbers
from vitpanel.study.reader import Study

_IMAGES_AT_ONCE = 1024  # of a large study, so that no copy of all numbers is made


def mean_over_heads(values: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """Mean of each image over some heads.

    Parameters
    ----------
    values
        ``(n_images, n_layers, n_heads)``; not modified.
    heads
        Which heads count, bool ``(n_layers, n_heads)``.

    Returns
    -------
    float64 ``(n_images,)``. NaN heads are left out; NaN where no head is left.
    """
    mean = np.full(len(values), np.nan)
    for start in range(0, len(values), _IMAGES_AT_ONCE):
        rows = slice(start, start + _IMAGES_AT_ONCE)
        part = values[rows][:, heads]
        known = ~np.isnan(part)
        n = known.sum(1)
        np.divide(np.where(known, part, 0).sum(1, dtype=np.float64), n, out=mean[rows], where=n > 0)
    return mean


def head_set_means(study: Study, heads: np.ndarray, array: str) -> np.ndarray:
    """Mean number of a set of heads on each image, to colour images by.

    Parameters
    ----------
    heads
        The set, bool ``(n_layers, n_heads)``.
    array
        Name of an array over images, layers and heads; see `head_numbers`, which says what is raised. A drop of the
        probability is taken as the drop; an image without a label is judged by the model's own top class.

    Returns
    -------
    float64 ``(n_images,)``. NaN for images that are not done, and for all without a head in the set.
    """
    return mean_over_heads(head_numbers(study, array), heads)
