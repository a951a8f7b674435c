"""What pruning gives."""

from dataclasses import dataclass

import numpy as np

from vitpanel.core.metrics import importance_from_pruned
from vitpanel.core.pruned_head import PrunedHead


@dataclass(frozen=True)
class LeaveOneOut:
    """What pruning each head does to a batch of images.

    Parameters
    ----------
    probabilities
        Without pruning, ``(n, n_classes)``; None for a model without a class head.
    pruned
        With one head pruned, ``(n, n_layers, n_heads, n_classes)``, or None.
    layer
        By each metric of a layer, ``(n, n_layers, n_heads)``; NaN for tokens that the model does not have.
    """

    probabilities: np.ndarray | None
    pruned: np.ndarray | None
    layer: dict[str, np.ndarray]

    def importance(self, reference: np.ndarray) -> dict[str, np.ndarray]:
        """Importance by the metrics that the model has, each float32 ``(n, n_layers, n_heads)``.

        Parameters
        ----------
        reference
            Class that each image is judged by, ``(n,)``.
        """
        result = {key: values for key, values in self.layer.items() if not np.isnan(values).all()}
        if self.probabilities is None or self.pruned is None:
            return result
        unpruned = self.probabilities[:, None, None]
        return importance_from_pruned(unpruned, self.pruned, reference[:, None, None]) | result


@dataclass(frozen=True)
class ModeTable:
    """Heads of a batch of images under the six pruning modes; NaN for a mode that the model does not have.

    Parameters
    ----------
    probabilities
        ``(n, n_layers, n_heads, 6, n_classes)``; None for a model without a class head.
    layer
        By each metric of a layer, ``(n, n_layers, n_heads, 6)``; NaN also for tokens that the model does not have.
    """

    probabilities: np.ndarray | None
    layer: dict[str, np.ndarray]

    def head(self, image: int, layer: int, head: int) -> PrunedHead:
        """Return one head of one image of the batch."""
        at = (image, layer, head)
        probabilities = None if self.probabilities is None else self.probabilities[at]
        return PrunedHead(probabilities, {key: values[at] for key, values in self.layer.items()})


@dataclass(frozen=True)
class PrunedTogether:
    """What pruning several heads at once does to a batch of images.

    Parameters
    ----------
    unpruned, probabilities
        Without and with pruning, ``(n, n_classes)``; None for a model without a class head.
    layer
        By each metric of a layer and for every layer, ``(n, n_layers)``: 0 before the first pruned layer, and what it
        does to the later ones; NaN for tokens that the model does not have.
    """

    unpruned: np.ndarray | None
    probabilities: np.ndarray | None
    layer: dict[str, np.ndarray]
