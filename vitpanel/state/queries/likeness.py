"""Which heads of an image attend like the chosen one."""

import numpy as np

from vitpanel.state.selection import Selection
from vitpanel.state.strength import rows_of_image
from vitpanel.study.reader import Study

# What the layouts of the map of heads are made of.
PATTERNS = {"cls": "patterns/cls", "patch": "latents", "offset": "patterns/offset"}


def pattern_distances(study: Study, selection: Selection, image: int) -> np.ndarray:
    """Distance of the pattern of each head of an image from that of the chosen head.

    The patterns are those that the map of heads shows in the chosen layout, and the distance is the Euclidean one that
    the map is made from.

    Returns
    -------
    float64 ``(n_layers, n_heads)``, 0 for the chosen head; NaN for a head that the model lacks.

    Raises
    ------
    StudyIncompleteError
        If the study does not have these patterns, or not of this image.
    """
    patterns = rows_of_image(study, PATTERNS[selection.pattern], image).astype(np.float64)
    away = np.sqrt(((patterns - patterns[selection.chosen_head]) ** 2).sum(-1))
    return np.where(study.spec.is_there, away, np.nan)
