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
        What it comes from, as in "over 32 of 80 images, 3 of 4 classes so far"; empty for the exact mean over all
        images.
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
    over = "" if name.startswith("means/") else coverage_words(study)
    return ImportanceMean(study.mean(name), study.std(name), words=over and f"over {over}")


def coverage_words(study: Study) -> str:
    """How many images of a study are done, and of how many of its classes; empty when all are.

    Means over the images of a study that is not finished are of these alone.
    """
    if study.n_done == study.n_images:
        return ""
    words = f"{study.n_done} of {study.n_images} images"
    names = study.images["label_name"].to_numpy()
    there, n_classes = set(names[study.done_images]) - {""}, len(set(names) - {""})
    return f"{words}, {len(there)} of {n_classes} classes so far" if n_classes else f"{words} so far"


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
