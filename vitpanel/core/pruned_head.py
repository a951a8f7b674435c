"""One head of one image under the six pruning modes (section 5.2.3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from vitpanel.core.importance import of_class
from vitpanel.core.metrics import importance_from_pruned, metric_of


@dataclass(frozen=True)
class PrunedHead:
    """One head of one image under the six pruning modes.

    Parameters
    ----------
    probabilities
        ``(6, n_classes)``, row 0 is unpruned; None for a model without a class head. NaN for a mode that the model
        does not have, and for classes that are not known.
    layer
        Importance by each metric of the layer, ``(6,)``; NaN where the model has no such token.
    known
        Importance by metrics of the predictions, ``(6,)``; what is not here is taken from the probabilities, which must
        then be whole.
    """

    probabilities: np.ndarray | None
    layer: Mapping[str, np.ndarray]
    known: Mapping[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])

    @property
    def n_modes(self) -> int:
        """Number of pruning modes."""
        return len(next(iter(self.layer.values())))

    def importance(self, metric: str, reference_class: int) -> np.ndarray:
        """Importance of what each mode prunes, ``(6,)``; NaN where it is not defined, 0 for the mode without pruning.

        Parameters
        ----------
        metric
            Key of a metric.
        reference_class
            That the image is judged by.
        """
        given = {**self.layer, **self.known}
        if metric in given:
            return given[metric]
        if self.probabilities is None:
            return np.full(self.n_modes, np.nan)
        reference = np.array([reference_class])
        return importance_from_pruned(self.probabilities[:1], self.probabilities, reference)[metric]

    def drawn(self, metric: str, reference_class: int) -> np.ndarray:
        """What charts draw of the importance by a metric, ``(6,)``; see `Metric.drawn`."""
        importance, baseline = self.importance(metric, reference_class), np.nan
        if self.probabilities is not None:
            baseline = of_class(self.probabilities[0], np.array(reference_class))
        return metric_of(metric).drawn(importance, baseline)
