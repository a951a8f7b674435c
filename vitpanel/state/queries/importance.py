"""How much every head matters (B1)."""

import numpy as np
import pandas as pd

from vitpanel.core.metrics import metric_of
from vitpanel.state.queries.marks import MARKS, all_heads, with_marks
from vitpanel.state.queries.share_columns import SHARES, with_shares
from vitpanel.state.ranking import unpruned_probability
from vitpanel.state.results import ImportanceCurve
from vitpanel.state.selection import Selection
from vitpanel.state.strength import rows_of_image
from vitpanel.study.means import drawn_mean
from vitpanel.study.reader import Study

COLUMNS = ("layer", "head", "metric", "chosen_image", "mean", "spread", "spread_is", "unpruned", *MARKS, *SHARES)
STD, INTERVAL = "std", "half_width_95"


def importance_curve(study: Study, selection: Selection) -> ImportanceCurve:
    """What is drawn of all heads by the chosen metric, on the chosen image and over all.

    Raises
    ------
    StudyIncompleteError
        If the study does not have the metric, or not for the chosen image.
    """
    metric, image = selection.metric, selection.image
    record, chosen = metric_of(metric), None
    baseline = unpruned_probability(study, image)
    if image is not None:
        chosen = record.drawn(rows_of_image(study, f"importance/{metric}", image), baseline)
    reference = None if record.higher_is_more_important else baseline
    over_all = drawn_mean(study, metric)
    return ImportanceCurve(metric, over_all.mean, over_all.std, chosen, reference, over_all.half_width, over_all.words)


def importance_table(study: Study, selection: Selection) -> pd.DataFrame:
    """The curve, one row a head; raises as `importance_curve`.

    Returns
    -------
    The columns `COLUMNS`. ``chosen_image`` is NaN without an image. ``spread`` belongs to the mean: ``spread_is`` says
    whether it is the standard deviation over images or half the width of an estimate's 95 % interval. ``unpruned`` is
    the probability with all heads that what is left is held against, NaN for metrics that are drawn themselves.
    ``brush_share`` and ``token_share`` are those of `with_shares`.
    """
    curve = importance_curve(study, selection)
    unknown = np.full(curve.mean.size, np.nan)
    spread = curve.std if curve.half_width is None else curve.half_width
    values = {
        "metric": curve.metric,
        "chosen_image": unknown if curve.chosen is None else curve.chosen.ravel(),
        "mean": curve.mean.ravel(),
        "spread": unknown if spread is None else spread.ravel(),
        "spread_is": STD if curve.half_width is None else INTERVAL,
        "unpruned": np.nan if curve.reference is None else curve.reference,
    }
    return with_shares(with_marks(all_heads(study).assign(**values), study, selection), study, selection)
