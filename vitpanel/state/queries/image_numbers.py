"""A number of the chosen head on every image, as colours show it, and the images at some places in its order."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from vitpanel.core.metrics import metric_of
from vitpanel.core.spec import short_head_name
from vitpanel.errors import StudyIncompleteError
from vitpanel.state.queries.numbers import head_numbers
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study

PERCENTS = (1, 10, 50, 90, 99)
PERCENTILE_COLUMNS = ("percent", "image", "value")
_ENDS = (1, 99)


@dataclass(frozen=True)
class ImageNumbers:
    """One number of one head on every image.

    Parameters
    ----------
    name
        Of the column in tables, such as ``"importance_jsd"``.
    title
        What it is, and of which head.
    unit
        Empty for none.
    per_image
        float64 ``(n_images,)``; NaN for an image that is not done, and where the number is not defined.
    low, high
        Ends of what colours tell apart: all but the outermost hundredths of the images lie between them, and around 0
        both are equally far. NaN when no image has a number.
    is_signed
        Whether 0 is in the middle.
    """

    name: str
    title: str
    unit: str
    per_image: np.ndarray
    low: float
    high: float
    is_signed: bool

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
    """Number of the chosen head on every image.

    Parameters
    ----------
    colouring
        One of `vitpanel.state.image_groups.NUMBERS`: the importance by the chosen metric, the entropy or the distance.
        An image without a label is judged by the model's own top class.

    Raises
    ------
    StudyIncompleteError
        If the study does not have it; the message is the reason.
    """
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


def _ends(known: np.ndarray, *, is_signed: bool) -> tuple[float, float]:
    if not known.size:
        return np.nan, np.nan
    low, high = (float(end) for end in np.percentile(known, _ENDS))
    most = max(-low, high)
    return (-most, most) if is_signed else (low, high)
