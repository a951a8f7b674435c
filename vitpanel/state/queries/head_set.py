"""A set of heads, told by image."""

import numpy as np

from vitpanel.core.stats import mean_over_heads
from vitpanel.state.queries.numbers import head_numbers
from vitpanel.study.reader import Study


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
