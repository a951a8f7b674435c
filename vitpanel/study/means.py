"""Mean importance of every head over all images: exact, or estimated as long as exact values are missing."""
# pyright: standard
# (pandas comes without type stubs)

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vitpanel.core.control_variate import mean_with_control
from vitpanel.study.reader import Study

_ESTIMATED = frozenset({"probability", "jsd"})


@dataclass(frozen=True)
class ImportanceMean:
    """Mean of a metric over images, each array ``(n_layers, n_heads)``.

    Parameters
    ----------
    std
        Over the images; None for an estimate.
    half_width
        Of the estimate's 95 % confidence interval; None where the mean is exact.
    words
        What an estimate comes from; empty where the mean is exact.
    """

    mean: np.ndarray
    std: np.ndarray | None
    half_width: np.ndarray | None = None
    words: str = ""


def importance_array(study: Study, metric: str) -> str:
    """Name of the array that the mean of a metric comes from."""
    if not _stands_in(study):
        return f"importance/{metric}"
    return f"means/sample_{metric}" if metric in _ESTIMATED else f"means/{metric}"


def importance_mean(study: Study, metric: str) -> ImportanceMean:
    """Mean of a metric over all images of a study, or over those that are done where nothing was estimated.

    As long as images are missing, the means of ``--fast-means`` stand in: those of the layer metrics are exact, of the
    others `mean_with_control` gives the interval. The probability has a control variate, the first-order estimate of
    every image; the divergence, which has none worth its cost, is the mean of the sample.

    Raises
    ------
    StudyIncompleteError
        If the study does not have the metric.
    """
    name = importance_array(study, metric)
    if _stands_in(study) and metric in _ESTIMATED:
        return _estimated(study, metric)
    return ImportanceMean(study.mean(name), study.std(name))


def importance_values(study: Study, metric: str) -> np.ndarray:
    """How much each head matters to each image, float32 ``(n_images, n_layers, n_heads)``; high is important.

    For the probability it is the loss of Eq. 3, of the class by which an image is judged: its label, or the model's
    top-1 class where it has none. For the other metrics it is the metric itself.

    Raises
    ------
    StudyIncompleteError
        If the study does not have the metric.
    """
    values = study[f"importance/{metric}"]
    if metric != "probability":
        return values
    return study.images["p_true"].to_numpy(np.float32)[:, None, None] - values


def unpruned_mean(study: Study) -> float:
    """Mean probability of the label (or of the top-1 class) with all heads, over the images of `importance_mean`."""
    return float(np.mean(study["means/unpruned"]) if _stands_in(study) else np.nanmean(study.images["p_true"]))


def _stands_in(study: Study) -> bool:
    return study.n_done < study.n_images and "means/patch" in study


@lru_cache(maxsize=8)
def _estimated(study: Study, metric: str) -> ImportanceMean:
    sample = study[f"means/sample_{metric}"]
    chosen = np.flatnonzero(~np.isnan(sample[:, 0, 0]))
    beta = None if metric == "probability" else 0
    found = mean_with_control(sample[chosen], study["means/estimate"], chosen=chosen, beta=beta)
    words = f"estimated from {len(chosen)} of {study.n_images} images, ± 95 %"
    return ImportanceMean(found.mean.astype(np.float32), None, found.half_width.astype(np.float32), words)
