"""What pruning each head does to the probability of each image's true class, page by page (section 6.4)."""

from dataclasses import dataclass
from math import prod

import numpy as np
import pandas as pd

from vitpanel.errors import ChoiceError
from vitpanel.state.brush import IMAGE, TOKEN, Brush, mask_of
from vitpanel.state.queries.diagnosis_cases import DROP, case_of
from vitpanel.state.queries.diagnosis_presets import Preset, presets, scores_of, true_drops
from vitpanel.state.queries.paging import page_of
from vitpanel.study.kept import kept_with_study
from vitpanel.study.reader import Study

COLUMNS = (
    "image", "layer", "head", "label", "predicted", "p_true", "drop", "rank_in_layer", "rank_in_image", "why",
)  # fmt: skip
SORTS = COLUMNS[:-1]


@dataclass(frozen=True)
class DiagnosisPage:
    """Some rows of the table with the columns `COLUMNS`, how many rows there are, and the preset that they are of."""

    table: pd.DataFrame
    n_rows: int
    preset: Preset


def diagnosis_page(
    study: Study,
    preset: str = "all",
    *,
    among: Brush | None = None,
    by: str | None = None,
    descending: bool = True,
    start: int = 0,
    count: int = 20,
) -> DiagnosisPage:
    """Heads on images that are in a preset, as one page of a table of them all.

    Parameters
    ----------
    preset
        Key of one of `presets`.
    among
        Brush of images, heads or heads on images that the rows are limited to.
    by
        One of `SORTS`; None for the order of the preset, for which ``descending`` means nothing. Classes are sorted by
        their number; equals stand by image, layer and head.
    start, count
        First row of the page from 0, and most rows of it.

    Returns
    -------
    The columns `COLUMNS`: ``label`` and ``predicted`` are names of classes; ``drop`` is what is lost of ``p_true``
    without the head, below 0 where the model does better; ranks count from 1 for the largest drop, in the layer and
    over all heads of the image; ``why`` is a sentence. Images without a label have no true class and no row.

    Raises
    ------
    ChoiceError
        If there is no such preset or column, or tokens are brushed.
    StudyIncompleteError
        If the model has no class head.
    """
    found = _preset(study, preset)
    scores = scores_of(study, found)
    if among is not None:
        scores = np.where(_mask(study, among), scores, np.float32(np.nan))
    n_rows = scores.size - int(np.count_nonzero(np.isnan(scores)))
    if by is not None:
        keys = _keys(study, by)
        scores = np.where(np.isnan(scores), np.float32(np.nan), keys if descending else -keys)
    places = np.unravel_index(page_of(scores, start, count), scores.shape)
    return DiagnosisPage(_table(study, np.stack(places, axis=1), found), n_rows, found)


def ranks(drops: np.ndarray) -> np.ndarray:
    """Place of each drop along the last axis, from 1 for the largest; equals by index, NaN comes last."""
    order = np.argsort(-drops, axis=-1, kind="stable")
    found = np.empty(drops.shape, np.int16)
    np.put_along_axis(found, order, np.arange(1, drops.shape[-1] + 1, dtype=np.int16), axis=-1)
    return found


def _ranks_in_image(drops: np.ndarray) -> np.ndarray:
    return ranks(drops.reshape(len(drops), prod(drops.shape[1:]))).reshape(drops.shape)


@kept_with_study(2)
def _all_ranks(study: Study, by: str) -> np.ndarray:
    """Ranks of all heads on all images, kept for the next page."""
    drops = true_drops(study)
    return ranks(drops) if by == "rank_in_layer" else _ranks_in_image(drops)


def _table(study: Study, places: np.ndarray, preset: Preset) -> pd.DataFrame:
    drops = study[DROP][places[:, 0]]
    in_layer, in_image = ranks(drops), _ranks_in_image(drops)
    rows = []
    for row, (image, layer, head) in enumerate(places.tolist()):
        case, at = case_of(study, image, layer, head), (row, layer, head)
        numbers = case.p_true, float(drops[at]), int(in_layer[at]), int(in_image[at])
        rows.append((image, layer, head, case.label, case.predicted, *numbers, preset.words(study, case)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _preset(study: Study, key: str) -> Preset:
    known = presets(study)
    if key not in known:
        message = f"There is no diagnosis {key!r}."
        raise ChoiceError(message, hint=f"Choose one of {', '.join(known)}.")
    return known[key]


def _mask(study: Study, brush: Brush) -> np.ndarray:
    """Mask of a brush that is broadcast to heads on images."""
    if brush.item == TOKEN:
        message = "A diagnosis has no tokens."
        raise ChoiceError(message, hint="Brush images, heads or heads on images.")
    mask = mask_of(study, brush)
    return mask[:, None, None] if brush.item == IMAGE else mask


def _keys(study: Study, by: str) -> np.ndarray:
    """What a column is sorted by, float32, broadcast to heads on images."""
    if by not in SORTS:
        message = f"A diagnosis cannot be sorted by {by!r}."
        raise ChoiceError(message, hint=f"The columns are {', '.join(SORTS)}.")
    if by == "drop":
        return study[DROP]
    if by in {"rank_in_layer", "rank_in_image"}:
        return _all_ranks(study, by).astype(np.float32)
    if by in {"label", "predicted", "p_true"}:
        return study.images[by].to_numpy(np.float32)[:, None, None]
    sizes = study.n_images, study.spec.n_layers, study.spec.n_heads
    return np.indices(sizes, dtype=np.float32, sparse=True)[SORTS.index(by)]
