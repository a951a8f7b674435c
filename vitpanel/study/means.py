"""Mean importance of every head over all images: exact, or estimated as long as exact values are missing."""
# pyright: standard
# (pandas comes without type stubs)

from dataclasses import dataclass, replace

import numpy as np

from vitpanel.core.control_variate import mean_with_control
from vitpanel.core.metrics import Metric, metric_of
from vitpanel.core.stats import known_moments
from vitpanel.study.kept import kept_with_study
from vitpanel.study.metric_arrays import mean_array, stand_in
from vitpanel.study.reader import Study


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
    return mean_array(metric_of(metric)) if _stands_in(study) else f"importance/{metric}"


def importance_mean(study: Study, metric: str) -> ImportanceMean:
    """Mean importance over all images of a study, or over those that are done where nothing was estimated.

    Metrics that speak of a class leave images out as `judged_images` says.

    As long as images are missing, the means of ``--fast-means`` stand in: those of the layer metrics are exact, of the
    others `mean_with_control` gives the interval. A drop of the probability has a control variate, the first-order
    estimate of every image; others, which have none worth its cost, are the mean of the sample.

    Raises
    ------
    StudyIncompleteError
        If the study does not have the metric.
    """
    if not _is_estimated(study, metric):
        return ImportanceMean(*_moments(study, metric, is_left=False), words=_mean_words(study, metric))
    found = _estimated(study, metric)
    if metric_of(metric).higher_is_more_important:
        return found
    return replace(found, mean=(unpruned_mean(study) - found.mean).astype(np.float32))


def drawn_mean(study: Study, metric: str) -> ImportanceMean:
    """Mean of what charts draw of a metric, as `importance_mean` has that of the importance; raises as it does."""
    if _is_estimated(study, metric):
        return _estimated(study, metric)
    is_left = not metric_of(metric).higher_is_more_important
    return ImportanceMean(*_moments(study, metric, is_left=is_left), words=_mean_words(study, metric))


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
    if importance_array(study, metric).startswith("means/"):
        return ""
    covered, judged = coverage_words(study), judged_images(study, metric)
    if len(judged) == study.n_images:
        return covered and f"over {covered}"
    if not covered:
        return f"over {label_words(study)}"
    n_there = int(study.done_images[judged].sum())
    return f"over {n_there} images whose label is a class; {covered}"


def judged_images(study: Study, metric: str) -> np.ndarray:
    """Images that speak in the mean of a metric, ascending: those with a label, for a metric of the label's class.

    An image without one is judged by the model's own top-1 class, which is another quantity. Where no image has a label
    that is a class, all speak.
    """
    return _labelled(study) if metric_of(metric).of_reference else np.arange(study.n_images)


def label_words(study: Study) -> str:
    """How many images the mean of a metric of the label's class is over, where some are left out; else empty."""
    n_judged = len(_labelled(study))
    return "" if n_judged == study.n_images else f"{n_judged} of {study.n_images} images, whose label is a class"


def drawn_values(study: Study, metric: Metric) -> np.ndarray:
    """What charts draw of a metric, float32 ``(n_images, n_layers, n_heads)``; NaN for images that are not done.

    Raises
    ------
    StudyIncompleteError
        If the study does not have the metric.
    """
    return metric.drawn(study[f"importance/{metric.key}"], study.images["p_true"].to_numpy()[:, None, None])


def unpruned_mean(study: Study) -> float:
    """Mean probability of the label (or of the top-1 class) with all heads, over the images with a label if any."""
    rows = _labelled(study)
    if _stands_in(study):
        return float(np.mean(study["means/unpruned"][rows]))
    known = study.images["p_true"].to_numpy()[rows]
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else np.nan


def _labelled(study: Study) -> np.ndarray:
    """Images with a label that is a class, or all where there is none."""
    labelled = np.flatnonzero(study.images["label"].to_numpy() >= 0)
    return labelled if len(labelled) else np.arange(study.n_images)


def _stands_in(study: Study) -> bool:
    return study.n_done < study.n_images and mean_array(stand_in()) in study


def _is_estimated(study: Study, metric: str) -> bool:
    return _stands_in(study) and metric_of(metric).from_pruned is not None


@kept_with_study(16)
def _moments(study: Study, metric: str, *, is_left: bool) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation over the images of the mean, float32: of the importance, or of what is left."""
    values = drawn_values(study, metric_of(metric)) if is_left else study[importance_array(study, metric)]
    is_judged = np.zeros(study.n_images, bool)
    is_judged[judged_images(study, metric)] = True
    found = known_moments(values, is_judged)
    return found.mean.astype(np.float32), found.std.astype(np.float32)


@kept_with_study(8)
def _estimated(study: Study, metric: str) -> ImportanceMean:
    """Estimate of the mean of what charts draw; the control variate was measured for what is left (docs/metrics.md)."""
    record, judged = metric_of(metric), judged_images(study, metric)
    unpruned = study["means/unpruned"][judged, None, None]
    sample = record.drawn(study[mean_array(record)][judged], unpruned)
    control = record.drawn(study["means/estimate"][judged], unpruned)
    chosen = np.flatnonzero(~np.isnan(sample[:, 0, 0]))
    beta = 0 if record.higher_is_more_important else None
    found = mean_with_control(sample[chosen], control, chosen=chosen, beta=beta)
    words = f"estimated from {len(chosen)} of {len(judged)} images, ± 95 %"
    return ImportanceMean(found.mean.astype(np.float32), None, found.half_width.astype(np.float32), words)
