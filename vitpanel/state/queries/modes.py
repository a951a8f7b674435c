"""Which part of the chosen head's attention matters, and what the model predicts without it (B2, B3)."""

import numpy as np
import pandas as pd

from vitpanel.core.metrics import metric_of
from vitpanel.core.pruned_head import PrunedHead
from vitpanel.core.regions import PruningMode
from vitpanel.errors import StudyIncompleteError
from vitpanel.state.results import Predictions, top_predictions
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study

MODE_COLUMNS = ("image", "layer", "head", "mode", "pruned", "metric", "value", "change", "is_chosen")
CLASS_COLUMNS = ("image", "layer", "head", "mode", "class", "probability", "unpruned", "true_class")


def reference_class(study: Study, image: int | None) -> int | None:
    """Class of an image that probabilities speak of: its label, else the model's top-1 class.

    None without an image, and for an image without a label that the study has no prediction of.
    """
    if image is None:
        return None
    row = study.images.iloc[image]
    found = int(row["label"] if row["label"] >= 0 else row["predicted"])
    return found if found >= 0 else None


def drawn_modes(pruned: PrunedHead, metric: str, reference: int | None) -> np.ndarray:
    """What charts draw of a head under each mode, ``(6,)``; NaN for a metric of a class where that is not known."""
    if reference is None and metric_of(metric).of_reference:
        return np.full(pruned.n_modes, np.nan)
    # The other metrics do not read the class.
    return pruned.drawn(metric, 0 if reference is None else reference)


def mode_values(study: Study, selection: Selection, pruned: PrunedHead | None) -> np.ndarray | None:
    """What is drawn of the chosen head under each mode, ``(6,)``, NaN where undefined; None while unknown."""
    if pruned is None or selection.image is None:
        return None
    return drawn_modes(pruned, selection.metric, reference_class(study, selection.image))


def mode_table(study: Study, selection: Selection, pruned: PrunedHead) -> pd.DataFrame:
    """The metric under the six pruning modes, one row a mode.

    Returns
    -------
    The columns `MODE_COLUMNS`; ``change`` is against no pruning, ``is_chosen`` the mode whose predictions are shown.
    """
    values = mode_values(study, selection, pruned)
    values = np.full(len(PruningMode), np.nan) if values is None else values
    place = {"image": selection.image, "layer": selection.layer, "head": selection.head}
    modes = {"mode": [int(mode) for mode in PruningMode], "pruned": [mode.label for mode in PruningMode]}
    table = pd.DataFrame(place | modes | {"metric": selection.metric, "value": values, "change": values - values[0]})
    return table.assign(is_chosen=table["mode"] == selection.mode)


def predictions(study: Study, selection: Selection, pruned: PrunedHead | None) -> Predictions | None:
    """Most probable classes under the chosen mode; None while they are not known.

    Raises
    ------
    StudyIncompleteError
        If the model has no class head, or the mode prunes nothing that the model has.
    """
    image = selection.image
    if not study.class_names:
        raise StudyIncompleteError(study.reason("probabilities"))
    if image is None or pruned is None or pruned.probabilities is None:
        return None
    probabilities = pruned.probabilities[selection.mode]
    if np.isnan(probabilities).all():
        message = f"Mode {selection.mode} is not defined for this model."
        raise StudyIncompleteError(message, hint="Choose another mode.")
    label, names = int(study.images["label"].iloc[image]), study.class_names
    return top_predictions(probabilities, unpruned=pruned.probabilities[0], label=label, names=names)


def class_table(study: Study, selection: Selection, pruned: PrunedHead) -> pd.DataFrame:
    """Most probable classes under the chosen mode, one row a class; raises as `predictions`.

    Returns
    -------
    The columns `CLASS_COLUMNS`, most probable first; ``unpruned`` is the probability with all heads.
    """
    found = predictions(study, selection, pruned)
    if found is None:
        return pd.DataFrame(columns=list(CLASS_COLUMNS))
    place = {"image": selection.image, "layer": selection.layer, "head": selection.head, "mode": selection.mode}
    values = {"class": found.names, "probability": found.probabilities, "unpruned": found.unpruned}
    return pd.DataFrame(place | values | {"true_class": found.is_true})
