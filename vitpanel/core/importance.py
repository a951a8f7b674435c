"""Head importance by leaving one head out (section 5.2, Eq. 3 to 6)."""

import numpy as np


def jensen_shannon(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence of probability vectors, in bits.

    Parameters
    ----------
    p, q
        Shape ``(..., n_classes)``, each non-negative with sum 1; broadcast against each other.

    Returns
    -------
    Shape ``(...)``, in [0, 1]; computed in float64.

    References
    ----------
    Li et al. 2023, Eq. 4. The paper does not give the base; bits make the range [0, 1].
    """
    p, q = np.broadcast_arrays(np.asarray(p, np.float64), np.asarray(q, np.float64))
    # Twice the middle: half of the smallest positive number would be 0.
    total = p + q

    def relative_entropy(a: np.ndarray) -> np.ndarray:
        ratio = np.divide(2 * a, total, out=np.ones_like(a), where=a > 0)
        return (a * np.log2(ratio)).sum(-1)

    return np.clip((relative_entropy(p) + relative_entropy(q)) / 2, 0, 1)


def cosine_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One minus the cosine of the angle between vectors, in [0, 2]; 1 where either vector is zero."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    cosine = np.divide((a * b).sum(-1), norms, out=np.zeros_like(norms), where=norms > 0)
    return 1 - np.clip(cosine, -1, 1)


def reference_class(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Class whose probability stands for an image: its label, or the model's own top-1 class where there is none.

    Parameters
    ----------
    probabilities
        Unpruned, ``(n_images, n_classes)``.
    labels
        ``(n_images,)``, -1 for an image without a label among the model's classes.
    """
    return np.where(labels >= 0, labels, probabilities.argmax(-1))


def of_class(probabilities: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Probability of one class of each row: ``(…, n_classes)`` and ``(…)``, broadcast against each other."""
    return np.take_along_axis(probabilities, np.asarray(reference)[..., None], axis=-1)[..., 0]


def accuracy_lost(unpruned: np.ndarray, pruned: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """What pruning costs an image's prediction: 100 where it was right and is wrong, −100 the other way, else 0.

    Parameters
    ----------
    unpruned, pruned
        Probabilities ``(…, n_classes)``, broadcast against each other.
    reference
        Right class ``(…)``.

    Returns
    -------
    Shape ``(…)``, float64. The mean over images is the accuracy without pruning minus the one with it, in points of
    percent.
    """
    was_right, is_right = (probabilities.argmax(-1) == reference for probabilities in (unpruned, pruned))
    return 100.0 * (was_right.astype(np.float64) - is_right)


def ranked_by_importance(importance: np.ndarray) -> np.ndarray:
    """Flat indices of an array of any shape, most important first, equals in their order; NaN comes last."""
    return np.argsort(np.where(np.isnan(importance), np.inf, -importance).ravel(), kind="stable")
