"""What a session derives from a study for the views, one class per chart."""

from dataclasses import dataclass

import numpy as np

N_TOP = 5


@dataclass(frozen=True)
class ImportanceCurve:
    """B1: what is drawn of a metric over all heads, each array ``(n_layers, n_heads)``.

    ``chosen`` is the chosen image's, None without one; ``reference`` is the probability without pruning that what is
    left of it is held against (of the chosen image, else the mean over all), None for other metrics. While the
    mean is an estimate, its 95 % confidence interval is ± ``half_width`` and there is no ``std``; else it is None.
    ``words`` say what the mean comes from while images are missing, and are empty when it is over all.
    """

    metric: str
    mean: np.ndarray
    std: np.ndarray | None
    chosen: np.ndarray | None
    reference: float | None
    half_width: np.ndarray | None = None
    words: str = ""


@dataclass(frozen=True)
class Predictions:
    """B3: the `N_TOP` most probable classes of the chosen image under a mode, most probable first.

    The true class comes last when it is not among them; ``is_true`` is False everywhere for an image without a label.
    ``probabilities`` and ``unpruned`` have one value per name.
    """

    names: tuple[str, ...]
    probabilities: np.ndarray
    unpruned: np.ndarray
    is_true: np.ndarray


@dataclass(frozen=True)
class PinnedHead:
    """B4, B5, C4, C5: a head that is kept for comparison.

    Parameters
    ----------
    head
        Layer and index.
    metric
        The chosen one.
    modes
        What is drawn of the metric on the chosen image under each pruning mode, ``(6,)``; None while it is not known.
    message
        Why it is not known.
    strength, mean_strength
        Over hops ``(n_hops,)``, of the chosen image (None without one) and on average; NaN where the study has none.
    grid, density
        Density of the head's entropy over all images at places along its axis; empty where it is not known.
    span
        Ends of that axis.
    entropy
        Of the chosen image; None without one, or where it is not known.
    is_current
        Whether ``modes`` belong to the chosen image.
    """

    head: tuple[int, int]
    metric: str
    modes: np.ndarray | None
    message: str
    strength: np.ndarray | None
    mean_strength: np.ndarray
    grid: np.ndarray
    density: np.ndarray
    span: tuple[float, float]
    entropy: float | None
    is_current: bool = True


def top_predictions(
    probabilities: np.ndarray, *, unpruned: np.ndarray, label: int, names: tuple[str, ...]
) -> Predictions:
    """Sort out the most probable classes.

    Parameters
    ----------
    probabilities, unpruned
        ``(n_classes,)``, under a pruning mode and without.
    label
        Index of the true class, -1 for none.
    names
        Of the classes.
    """
    top = np.argsort(-probabilities, kind="stable")[:N_TOP]
    if label >= 0 and label not in top:
        top = np.append(top, label)
    return Predictions(tuple(names[index] for index in top), probabilities[top], unpruned[top], top == label)
