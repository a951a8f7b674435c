"""The questions that a diagnosis begins with: which heads on which images, and in what order (section 6.4)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vitpanel.core.stats import Moments, known_moments
from vitpanel.state.queries.diagnosis_cases import (
    DROP,
    JSD,
    Case,
    is_right_without,
    layer_words,
    opposing_words,
    plain_words,
    prediction_words,
)
from vitpanel.study.kept import kept_with_study
from vitpanel.study.metric_arrays import stand_in
from vitpanel.study.reader import Study

UNUSUAL = 2.0  # standard deviations from the mean of the head
MATTERS, NEGLIGIBLE = 0.9, 0.5  # quantiles over all heads on all images


@dataclass(frozen=True)
class Preset:
    """A set of heads on images.

    Parameters
    ----------
    key
        Name in addresses.
    title, help
        Name in menus; what is in the set and in what order, in a sentence.
    scores
        Of each head on each image, float32 ``(n_images, n_layers, n_heads)``: the largest comes first, NaN is not in
        the set.
    words
        Why a head on an image is in it, as a sentence.
    """

    key: str
    title: str
    help: str
    scores: Callable[[Study], np.ndarray]
    words: Callable[[Study, Case], str]


def presets(study: Study) -> dict[str, Preset]:
    """All presets by their keys. What they ask of predictions without a head depends on what the study stores."""
    about_predictions = (MAY_MEND, MAY_BREAK) if is_right_without(study) is None else (MENDS, BREAKS)
    found = (ALL, about_predictions[0], OPPOSING, about_predictions[1], UNSTABLE, IN_LAYER)
    return {preset.key: preset for preset in found}


def true_drops(study: Study) -> np.ndarray:
    """Drop of the label's probability, float32 ``(n_images, n_layers, n_heads)``; NaN for images without a label.

    Raises
    ------
    StudyIncompleteError
        If the model has no class head.
    """
    return _where(_labelled(study), study[DROP])


def scores_of(study: Study, preset: Preset) -> np.ndarray:
    """Scores of a preset, kept for the next page; read-only."""
    return _scores(study, preset)


@kept_with_study(3)
def _scores(study: Study, preset: Preset) -> np.ndarray:
    found = preset.scores(study)
    found.flags.writeable = False
    return found


def _mending(study: Study) -> np.ndarray:
    return _where(_is_wrong(study) & np.asarray(is_right_without(study)), -study[DROP])


def _perhaps_mending(study: Study) -> np.ndarray:
    gains = -study[DROP]
    left = _column(study, "p_true") + gains
    return _where(_is_wrong(study) & (gains > 0) & (left >= 1 / study.spec.n_classes), gains)


def _breaking(study: Study) -> np.ndarray:
    return _where(_is_right(study) & ~np.asarray(is_right_without(study)), study[DROP])


def _perhaps_breaking(study: Study) -> np.ndarray:
    drops = study[DROP]
    left = _column(study, "p_true") - drops
    return _where(_is_right(study) & (drops > 0) & (left <= 1 / 2), drops)


def _opposing(study: Study) -> np.ndarray:
    """The two heads of each image with the largest drop and rise, by the smaller of both."""
    drops = true_drops(study)
    flat = drops.reshape(len(drops), -1)
    known = np.flatnonzero(~np.isnan(flat).all(axis=1))
    most, least = (np.where(np.isnan(flat[known]), 0, flat[known]) * sign for sign in (1, -1))
    heads = most.argmax(1), least.argmax(1)
    weaker = np.minimum(most.max(1), least.max(1))
    found = np.full(flat.shape, np.nan, np.float32)
    for head in heads:
        found[known, head] = np.where(weaker > 0, weaker, np.nan)
    return found.reshape(drops.shape)


def _unstable(study: Study) -> np.ndarray:
    usual = usual_drops(study)
    away = np.abs(true_drops(study) - usual.mean.astype(np.float32))
    return _where(away > UNUSUAL * usual.std, away)


def _in_layer(study: Study) -> np.ndarray:
    turned, bits = (_where(_labelled(study), study[name]) for name in (f"importance/{stand_in().key}", JSD))
    return _where((turned >= _quantile(turned, MATTERS)) & (bits <= _quantile(bits, NEGLIGIBLE)), turned)


@kept_with_study(3)
def usual_drops(study: Study) -> Moments:
    """Mean and spread of each head's drop over the images with a label."""
    return known_moments(study[DROP], _labelled(study).ravel())


def unstable_words(study: Study, case: Case) -> str:
    """What the head does here and what it usually does."""
    usual, place = usual_drops(study), (case.layer, case.head)
    lost = case.p_true - case.left
    usually = f"{usual.mean[place]:.2f} ± {usual.std[place]:.2f}"
    return f"{case.change}: a loss of {lost:.2f}, where this head costs {usually} on average over images."


def _column(study: Study, name: str) -> np.ndarray:
    return study.images[name].to_numpy()[:, None, None]


def _labelled(study: Study) -> np.ndarray:
    return _column(study, "label") >= 0


def _is_right(study: Study) -> np.ndarray:
    return _labelled(study) & (_column(study, "label") == _column(study, "predicted"))


def _is_wrong(study: Study) -> np.ndarray:
    return _labelled(study) & (_column(study, "label") != _column(study, "predicted"))


def _quantile(values: np.ndarray, share: float) -> float:
    """Quantile of the values that are known; NaN without any."""
    known = values[~np.isnan(values)]
    return float(np.quantile(known, share)) if known.size else np.nan


def _where(is_in: np.ndarray, scores: np.ndarray) -> np.ndarray:
    return np.where(is_in, scores, np.float32(np.nan))


ALL = Preset(
    "all",
    "All heads on all images",
    "Every head on every image with a label, those first without which the probability of the label falls most.",
    true_drops,
    plain_words,
)
MENDS = Preset(
    "mends",
    "Pruning mends the prediction",
    "Images that are predicted wrong, and right without the head; those first where the probability of the label rises "
    "most.",
    _mending,
    prediction_words,
)
MAY_MEND = Preset(
    "mends",
    "Pruning may mend the prediction",
    "Images that are predicted wrong, with heads without which the probability of the label rises, most first, to one "
    "in the number of classes or more. The study does not store what is predicted without a head; above a half it is "
    "the label. Pruning modes computed beforehand say it of all.",
    _perhaps_mending,
    prediction_words,
)
OPPOSING = Preset(
    "opposing",
    "Opposing heads in one image",
    "The two heads of an image without which the probability of the label falls most and rises most; those images "
    "first where the smaller of both effects is largest.",
    _opposing,
    opposing_words,
)
BREAKS = Preset(
    "breaks",
    "Pruning breaks a right prediction",
    "Images that are predicted right, and wrong without the head; those first where the probability of the label falls "
    "most.",
    _breaking,
    prediction_words,
)
MAY_BREAK = Preset(
    "breaks",
    "Pruning may break a right prediction",
    "Images that are predicted right, with heads without which the probability of the label falls, most first, to a "
    "half or less. The study does not store what is predicted without a head; below one in the number of classes it is "
    "another. Pruning modes computed beforehand say it of all.",
    _perhaps_breaking,
    prediction_words,
)
UNSTABLE = Preset(
    "unstable",
    "Unstable heads",
    f"Heads on images where the drop of the label's probability is more than {UNUSUAL:g} standard deviations away from "
    "the head's mean over images; those first that are farthest from it.",
    _unstable,
    unstable_words,
)
IN_LAYER = Preset(
    "layer",
    "Matters in its layer only",
    "Heads on images that are in the tenth that changes the patches of its own layer most, and in the half that "
    "changes the predictions least; those first that change their layer most.",
    _in_layer,
    layer_words,
)
