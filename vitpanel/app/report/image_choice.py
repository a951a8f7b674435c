"""Which images of a study have a page of their own, and which head is shown of each."""

import numpy as np
import pandas as pd

from vitpanel.core.metrics import metric_keys
from vitpanel.state.ranking import ranking
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study

N_IMAGES = 6


def first_images(study: Study) -> list[int]:
    """Images at which the head that matters most on average matters most, of as many classes as there can be.

    Returns
    -------
    At most `N_IMAGES`, of those that are done; the best of every class before the second of any.
    """
    worth = _importance(study, image_selection(study, None))
    known = np.flatnonzero(~np.isnan(worth))
    order = known[np.argsort(-worth[known], kind="stable")]
    labels, predicted = (study.images[name].to_numpy()[order] for name in ("label", "predicted"))
    places = pd.Series(order).groupby(np.where(labels >= 0, labels, predicted)).cumcount().to_numpy()
    return order[np.argsort(places, kind="stable")][:N_IMAGES].tolist()


def shown_metrics(study: Study) -> list[str]:
    """Keys of the metrics that a study has; of one that has none, all, so that each says why it is not there."""
    return [key for key in metric_keys() if f"importance/{key}" in study] or metric_keys()


def most_important_heads(study: Study, metric: str, image: int | None, n: int) -> list[tuple[int, int]]:
    """The first heads by their importance on an image, or by their means over all; none where it is not known."""
    if f"importance/{metric}" not in study:
        return []
    found = ranking(study, metric, image)
    known = [int(flat) for flat in found.order if not np.isnan(found.importance[flat])]
    return [divmod(flat, study.spec.n_heads) for flat in known[:n]]


def image_selection(study: Study, image: int | None) -> Selection:
    """An image, or all of them, with the head that matters most there by the metric of a page of the study.

    Where no importance is known there, the head is that of such a page. Raises as `Selection` does.
    """
    selection = Selection(study, image=image)
    for layer, head in most_important_heads(study, selection.metric, image, 1):
        selection.choose_head(layer, head)
    return selection


def _importance(study: Study, first: Selection) -> np.ndarray:
    """Importance of the chosen head on every image, NaN on those that are not done; the same for all if not known."""
    name = f"importance/{first.metric}"
    if name in study:
        return np.asarray(study[name][:, first.layer, first.head], np.float64)
    return np.where(study.done_images, 0.0, np.nan)
