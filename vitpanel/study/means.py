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

    That of the probability leaves images out as `judged_images` says.

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
    over = "" if name.startswith("means/") else _mean_words(study, metric)
    if len(judged_images(study, metric)) < study.n_images:
        return ImportanceMean(*_moments_of(study, name), words=over)
    return ImportanceMean(study.mean(name), study.std(name), words=over)


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


def _mean_words(study: Study, metric: str) -> str:
    """What images an exact mean of a metric is over; empty where it is over all."""
    covered, judged = coverage_words(study), judged_images(study, metric)
    if len(judged) == study.n_images:
        return covered and f"over {covered}"
    if not covered:
        return f"over {label_words(study)}"
    n_there = int(study.done_images[judged].sum())
    return f"over {n_there} images whose label is a class; {covered}"


def judged_images(study: Study, metric: str) -> np.ndarray:
    """Images that speak in the mean of a metric, ascending: of the probability those with a label among the classes.

    An image without one has the probability of the model's own top-1 class, which is another quantity. Where no image
    has a label that is a class, all speak.
    """
    labelled = np.flatnonzero(study.images["label"].to_numpy() >= 0)
    return labelled if metric == "probability" and len(labelled) else np.arange(study.n_images)


def label_words(study: Study) -> str:
    """How many images the mean probability is over, where it leaves some out; empty where it does not."""
    n_judged = len(judged_images(study, "probability"))
    return "" if n_judged == study.n_images else f"{n_judged} of {study.n_images} images, whose label is a class"


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
    rows = judged_images(study, "probability")
    if _stands_in(study):
        return float(np.mean(study["means/unpruned"][rows]))
    known = study.images["p_true"].to_numpy()[rows]
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else np.nan


def _stands_in(study: Study) -> bool:
    return study.n_done < study.n_images and "means/patch" in study


@lru_cache(maxsize=8)
def _moments_of(study: Study, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of an array over the images that the probability's mean is over, float32."""
    values = study[name][judged_images(study, "probability")]
    # Places without a head are NaN in every image.
    some = values[~np.isnan(values).all(axis=(1, 2))].astype(np.float64)
    if not len(some):
        nothing = np.full(values.shape[1:], np.nan, np.float32)
        return nothing, nothing
    return some.mean(0).astype(np.float32), some.std(0).astype(np.float32)


@lru_cache(maxsize=8)
def _estimated(study: Study, metric: str) -> ImportanceMean:
    judged = judged_images(study, metric)
    sample = study[f"means/sample_{metric}"][judged]
    chosen = np.flatnonzero(~np.isnan(sample[:, 0, 0]))
    beta = None if metric == "probability" else 0
    found = mean_with_control(sample[chosen], study["means/estimate"][judged], chosen=chosen, beta=beta)
    words = f"estimated from {len(chosen)} of {len(judged)} images, ± 95 %"
    return ImportanceMean(found.mean.astype(np.float32), None, found.half_width.astype(np.float32), words)
