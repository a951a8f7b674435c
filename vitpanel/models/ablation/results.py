"""What pruning gives."""

from dataclasses import dataclass

import numpy as np

from vitpanel.core.importance import PrunedHead, jensen_shannon


@dataclass(frozen=True)
class LeaveOneOut:
    """What pruning each head does to a batch of images.

    Parameters
    ----------
    probabilities
        Without pruning, ``(n, n_classes)``; None for a model without a class head.
    pruned
        With one head pruned, ``(n, n_layers, n_heads, n_classes)``, or None.
    cls, patch
        Eq. 5 and 6, ``(n, n_layers, n_heads)``; NaN for tokens and heads that the model does not have.
    """

    probabilities: np.ndarray | None
    pruned: np.ndarray | None
    cls: np.ndarray
    patch: np.ndarray

    def importance(self, reference: np.ndarray) -> dict[str, np.ndarray]:
        """The metrics that the model has, each ``(n, n_layers, n_heads)``.

        Parameters
        ----------
        reference
            Class of each image whose probability is kept, ``(n,)``.
        """
        result = {"patch": self.patch} if np.isnan(self.cls).all() else {"cls": self.cls, "patch": self.patch}
        if self.probabilities is None or self.pruned is None:
            return result
        kept = np.take_along_axis(self.pruned, reference[:, None, None, None], axis=-1)[..., 0]
        return {"probability": kept, "jsd": jensen_shannon(self.probabilities[:, None, None], self.pruned)} | result


@dataclass(frozen=True)
class ModeTable:
    """Heads of a batch of images under the six pruning modes; NaN for a mode that the model does not have.

    Parameters
    ----------
    probabilities
        ``(n, n_layers, n_heads, 6, n_classes)``; None for a model without a class head.
    cls, patch
        Eq. 5 and 6, ``(n, n_layers, n_heads, 6)``; NaN also for tokens that the model does not have.
    """

    probabilities: np.ndarray | None
    cls: np.ndarray
    patch: np.ndarray

    def head(self, image: int, layer: int, head: int) -> PrunedHead:
        """Return one head of one image of the batch."""
        at = (image, layer, head)
        return PrunedHead(None if self.probabilities is None else self.probabilities[at], self.cls[at], self.patch[at])


@dataclass(frozen=True)
class PrunedTogether:
    """What pruning several heads at once does to a batch of images.

    Parameters
    ----------
    unpruned, probabilities
        Without and with pruning, ``(n, n_classes)``; None for a model without a class head.
    cls, patch
        Eq. 5 and 6 for every layer, ``(n, n_layers)``: 0 before the first pruned layer, and what it does to the later
        ones; NaN for tokens that the model does not have.
    """

    unpruned: np.ndarray | None
    probabilities: np.ndarray | None
    cls: np.ndarray
    patch: np.ndarray
