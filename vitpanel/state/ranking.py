"""Which heads matter, and on how many images."""

from dataclasses import dataclass
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np

from vitpanel.core.importance import ranked_by_importance
from vitpanel.study.means import importance_mean, judged_images, unpruned_mean
from vitpanel.study.reader import Study

N_PLACES = 25
_profiles: WeakKeyDictionary[Study, dict[str, np.ndarray]] = WeakKeyDictionary()
_lock = Lock()


@dataclass(frozen=True)
class Ranking:
    """All heads by importance.

    Parameters
    ----------
    order
        Flat indices of the heads that there are, most important first; heads without a value come last.
    importance
        By flat head index, of the chosen image or the mean over all; NaN where it is not defined.
    profiles
        Importance over images, ``(n_layers * n_heads, N_PLACES)``: quantiles from the least to the most.
    places
        Where the chosen image stands in the profile of each head, from 0 to 1; None without a chosen image.
    """

    order: np.ndarray
    importance: np.ndarray
    profiles: np.ndarray
    places: np.ndarray | None


def ranking(study: Study, metric: str, image: int | None) -> Ranking:
    """Rank all heads for an image, or for all.

    Raises
    ------
    StudyIncompleteError
        If the study does not have the metric.
    """
    profiles = importance_profiles(study, metric)
    found = importance_mean(study, metric).mean if image is None else study[f"importance/{metric}"][image]
    importance = found.astype(np.float64).ravel()
    places = None if image is None else _places(profiles, importance)
    return Ranking(_order(study, importance), importance, profiles, places)


def ranked_heads(study: Study, metric: str) -> list[tuple[int, int]]:
    """Layer and index of each head by its mean importance, in the order of `Ranking`; raises as `ranking` does."""
    order = _order(study, importance_mean(study, metric).mean)
    return [divmod(int(flat), study.spec.n_heads) for flat in order]


def importance_profiles(study: Study, metric: str) -> np.ndarray:
    """Quantiles of each head's importance over the images that are done and judged, made once for all sessions.

    Returns
    -------
    Float32 ``(n_layers * n_heads, N_PLACES)``, rising along the last axis; NaN for a head without any value.
    """
    with _lock:
        known = _profiles.setdefault(study, {})
        if metric not in known:
            known[metric] = _quantiles(study, metric)
        return known[metric]


def _order(study: Study, importance: np.ndarray) -> np.ndarray:
    order = ranked_by_importance(importance)
    return order[study.spec.is_there.ravel()[order]]


def _quantiles(study: Study, metric: str) -> np.ndarray:
    judged = judged_images(study, metric)
    values = study[f"importance/{metric}"][judged].reshape(len(judged), -1)
    values = values[~np.isnan(values).all(axis=1)]
    if not len(values):
        return np.full((values.shape[1], N_PLACES), np.nan, np.float32)
    places = np.rint(np.linspace(0, 1, N_PLACES) * (len(values) - 1)).astype(int)
    return np.sort(np.ascontiguousarray(values.T), axis=1)[:, places]


def unpruned_probability(study: Study, image: int | None) -> float:
    """Probability of an image's label (or of the top-1 class) with all heads; the mean over what is known for None."""
    return unpruned_mean(study) if image is None else float(study.images["p_true"].to_numpy()[image])


def _places(profiles: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Where each value cuts its profile, linear between two quantiles; NaN for NaN."""
    last = profiles.shape[1] - 1
    step = np.clip((profiles <= values[:, None]).sum(axis=1) - 1, 0, last - 1)
    heads = np.arange(len(profiles))
    low, high = profiles[heads, step].astype(np.float64), profiles[heads, step + 1].astype(np.float64)
    share = np.divide(values - low, high - low, out=np.ones_like(low), where=high > low)
    return np.where(np.isnan(values), np.nan, (step + np.clip(share, 0, 1)) / last)
