"""A number of every image that colours show, of the chosen head or of the brushed ones, and the images in its order."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from vitpanel.core.metrics import metric_of
from vitpanel.core.spec import short_head_name
from vitpanel.errors import ChoiceError, StudyIncompleteError
from vitpanel.state.brush import HEAD, IMAGE, Brush, Holding, InRange, OfHead, OfHeads, mask_of
from vitpanel.state.image_groups import BRUSHED_HEADS, COLOURINGS, P_TRUE
from vitpanel.state.queries.head_set import head_set_means
from vitpanel.state.queries.instances import heads_per_image
from vitpanel.state.queries.numbers import head_numbers
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study

PERCENTS = (1, 10, 50, 90, 99)
PERCENTILE_COLUMNS = ("percent", "image", "value")
_ENDS = (1, 99)


@dataclass(frozen=True)
class ImageNumbers:
    """One number of every image.

    Parameters
    ----------
    name
        Of the column in tables, such as ``"importance_jsd"``.
    title
        What it is, and of which head or heads.
    unit
        Empty for none.
    per_image
        float64 ``(n_images,)``; NaN for an image that is not done, and where the number is not defined.
    low, high
        Ends of what colours tell apart: all but the outermost hundredths of the images lie between them, and around 0
        both are equally far. NaN when no image has a number.
    is_signed
        Whether 0 is in the middle.
    is_count
        Whether the numbers are whole.
    """

    name: str
    title: str
    unit: str
    per_image: np.ndarray
    low: float
    high: float
    is_signed: bool
    is_count: bool = False

    @property
    def known(self) -> np.ndarray:
        """The numbers that there are."""
        return self.per_image[np.isfinite(self.per_image)]

    @property
    def places(self) -> np.ndarray:
        """Place of each image between the ends, from 0 to 1, float64 ``(n_images,)``; 0.5 where all are equal."""
        span = self.high - self.low
        if not span > 0:
            return np.where(np.isnan(self.per_image), np.nan, 0.5)
        return np.clip((self.per_image - self.low) / span, 0, 1)


def image_numbers(study: Study, selection: Selection, colouring: str) -> ImageNumbers:
    """Number of every image that colours show.

    Parameters
    ----------
    colouring
        One of `vitpanel.state.image_groups.NUMBERS`: the probability of the label; of the chosen head the importance by
        the chosen metric, the entropy or the distance; or of the brushed heads the mean importance, of brushed heads on
        images how many of the image's are brushed. An image without a label is judged by the model's own top class.

    Raises
    ------
    ChoiceError
        If it is of the brushed heads and none are brushed.
    StudyIncompleteError
        If the study does not have it; the message is the reason.
    """
    if colouring == P_TRUE:
        return _p_true(study)
    if colouring == BRUSHED_HEADS:
        return _of_brush(study, selection)
    metric, name = metric_of(selection.metric), short_head_name(*selection.chosen_head)
    is_importance = colouring == "importance"
    array = f"importance/{metric.key}" if is_importance else colouring
    if reason := study.reason(array):
        raise StudyIncompleteError(reason, hint="Choose another colour.")
    values = head_numbers(study, array)[(slice(None), *selection.chosen_head)].astype(np.float64)
    is_signed = is_importance and metric.is_signed
    title = f"{metric.title} without {name}" if is_importance else f"{colouring} of {name}"
    unit = metric.unit if is_importance else "patches" if colouring == "distance" else ""
    ends = _ends(values[np.isfinite(values)], is_signed=is_signed)
    return ImageNumbers(array.replace("/", "_"), title[0].upper() + title[1:], unit, values, *ends, is_signed)


def shown_colouring(selection: Selection, colouring: str | None = None) -> str:
    """What the colours of images mean: what is chosen, or the label where that is of brushed heads and none are.

    Parameters
    ----------
    colouring
        Stands for the one that the selection has; None for that.
    """
    chosen = colouring or selection.colouring
    return COLOURINGS[0] if chosen == BRUSHED_HEADS and selection.heads is None else chosen


def brush_of_range(selection: Selection, colouring: str, *, low: float | None, high: float | None) -> Brush:
    """Brush of the images whose number that colours show lies in a range, ends included.

    Parameters
    ----------
    colouring
        As for `image_numbers`, which has answered for it.
    low, high
        Ends of the range; None for no end.
    """
    importance = f"importance/{selection.metric}"
    if colouring == P_TRUE:
        return InRange(P_TRUE, low, high, IMAGE)
    if colouring != BRUSHED_HEADS:
        return OfHead(importance if colouring == "importance" else colouring, *selection.chosen_head, low, high)
    brush = _heads(selection)
    return OfHeads(importance, brush, low, high) if brush.item == HEAD else Holding(brush, low, high)


def percentile_table(values: np.ndarray) -> pd.DataFrame:
    """Images at `PERCENTS` of a number, from the least to the largest.

    Parameters
    ----------
    values
        Number of each image, ``(n_images,)``; NaN where it is not known. Not modified.

    Returns
    -------
    The columns `PERCENTILE_COLUMNS`. The image at p % is the nearest one by rank; of equal numbers the lower id comes
    first, and one of few images may stand for several shares. No rows when no number is known.
    """
    order = np.argsort(values, kind="stable")[: np.count_nonzero(~np.isnan(values))]
    if not len(order):
        return pd.DataFrame(columns=list(PERCENTILE_COLUMNS))
    images = order[np.rint(np.array(PERCENTS) / 100 * (len(order) - 1)).astype(int)]
    return pd.DataFrame(dict(zip(PERCENTILE_COLUMNS, (PERCENTS, images, values[images]), strict=True)))


def _p_true(study: Study) -> ImageNumbers:
    values = study.images[P_TRUE].to_numpy(np.float64)
    if not np.isfinite(values).any() and (reason := study.reason("probabilities")):
        raise StudyIncompleteError(reason, hint="Choose another colour.")
    return ImageNumbers(P_TRUE, "p(label)", "", values, 0.0, 1.0, is_signed=False)


def _of_brush(study: Study, selection: Selection) -> ImageNumbers:
    brush, metric = _heads(selection), metric_of(selection.metric)
    mask = mask_of(study, brush)
    if brush.item != HEAD:
        counts = np.where(study.done_images, heads_per_image(mask), np.nan)
        unit, most = f"of {np.count_nonzero(study.spec.is_there)}", float(np.nanmax(counts, initial=0))
        return ImageNumbers("n_brushed", "Heads in the brush", unit, counts, 0.0, most, is_signed=False, is_count=True)
    array, n_heads = f"importance/{metric.key}", np.count_nonzero(mask & study.spec.is_there)
    if reason := study.reason(array):
        raise StudyIncompleteError(reason, hint="Choose another colour.")
    values = head_set_means(study, mask, array)
    title = f"{metric.title} without one, mean of {n_heads} brushed head{'' if n_heads == 1 else 's'}"
    ends = _ends(values[np.isfinite(values)], is_signed=metric.is_signed)
    name = f"{array.replace('/', '_')}_brushed"
    return ImageNumbers(name, title[0].upper() + title[1:], metric.unit, values, *ends, metric.is_signed)


def _heads(selection: Selection) -> Brush:
    if selection.heads is None:
        message = "No heads are brushed."
        raise ChoiceError(message, hint="Brush heads, or choose another colour.")
    return selection.heads


def _ends(known: np.ndarray, *, is_signed: bool) -> tuple[float, float]:
    if not known.size:
        return np.nan, np.nan
    low, high = (float(end) for end in np.percentile(known, _ENDS))
    most = max(-low, high)
    return (-most, most) if is_signed else (low, high)
