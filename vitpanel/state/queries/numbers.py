"""Numbers of heads on images, by the name of their array, and the images that count in what is said of them."""

import numpy as np

from vitpanel.core.metrics import metric_of
from vitpanel.errors import ChoiceError
from vitpanel.state.brush import INSTANCE, mask_shape
from vitpanel.study.means import judged_images
from vitpanel.study.reader import Study

_IMPORTANCE = "importance/"


def head_numbers(study: Study, array: str) -> np.ndarray:
    """An array with one number for each head on each image, ``(n_images, n_layers, n_heads)``; NaN where unknown.

    Parameters
    ----------
    array
        Such as ``"importance/jsd"``, ``"entropy"`` or ``"distance"``.

    Raises
    ------
    ChoiceError
        If the array has more or less than that.
    StudyError
        If the study does not have it.
    """
    values = study[array]
    if values.shape != mask_shape(study, INSTANCE):
        message = f"{array} has no number for each head on each image."
        raise ChoiceError(message, hint="Choose an importance, entropy or distance.")
    return values


def counting_images(study: Study, array: str) -> np.ndarray:
    """Which images count in a mean of an array, bool ``(n_images,)``: for a metric of the label's class those with one.

    See `vitpanel.study.means.judged_images`; images that are not done are NaN, and left out by that.
    """
    if not array.startswith(_IMPORTANCE):
        return np.ones(study.n_images, bool)
    counts = np.zeros(study.n_images, bool)
    counts[judged_images(study, array.removeprefix(_IMPORTANCE))] = True
    return counts


def drawn_baseline(study: Study, array: str) -> np.ndarray | None:
    """What charts draw the numbers of an array as the rest of, ``(n_images,)``; None where they draw them as they are.

    That is the probability without pruning, for a drop of it: what is left is drawn.
    """
    if not array.startswith(_IMPORTANCE) or metric_of(array.removeprefix(_IMPORTANCE)).higher_is_more_important:
        return None
    return study.images["p_true"].to_numpy(np.float64)
