"""Head importance by leaving one head out (section 5.2, Eq. 3 to 6)."""

from dataclasses import dataclass

import numpy as np

METRICS = ("probability", "jsd", "cls", "patch")


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


def ranked_by_importance(metric: str, values: np.ndarray, reference: float) -> np.ndarray:
    """Flat head indices, most important first.

    Parameters
    ----------
    metric
        One of `METRICS`.
    values
        The metric of each head, ``(n_layers, n_heads)``. For ``"probability"`` this is what is left of the true
        class's probability, so the importance is ``reference - values`` (Eq. 3).
    reference
        Probability of the same class without pruning; not used by the other metrics.

    Returns
    -------
    Indices into ``values.ravel()``; heads whose metric is NaN come last.
    """
    importance = reference - values if metric == "probability" else values
    return np.argsort(np.where(np.isnan(importance), np.inf, -importance).ravel(), kind="stable")


@dataclass(frozen=True)
class PrunedHead:
    """One head of one image under the six pruning modes.

    Parameters
    ----------
    probabilities
        ``(6, n_classes)``, row 0 is unpruned; None for a model without a class head. NaN for a mode that the model
        does not have, and for classes that are not known.
    cls, patch
        Cosine distances of Eq. 5 and 6, ``(6,)``; NaN where the model has no such token.
    jsd
        Divergences of Eq. 4, ``(6,)``; None takes them from the probabilities, which must then be whole.
    """

    probabilities: np.ndarray | None
    cls: np.ndarray
    patch: np.ndarray
    jsd: np.ndarray | None = None

    def metric(self, name: str, reference_class: int) -> np.ndarray:
        """One of `METRICS` for each mode, ``(6,)``; NaN where it is not defined.

        ``"probability"`` is what is left of the probability of ``reference_class`` (section 5.2.4).
        """
        if name in {"cls", "patch"}:
            return getattr(self, name)
        if self.probabilities is None:
            return np.full(len(self.cls), np.nan)
        if name == "jsd" and self.jsd is not None:
            return self.jsd
        if name == "jsd":
            return jensen_shannon(self.probabilities[:1], self.probabilities)
        return self.probabilities[:, reference_class]
