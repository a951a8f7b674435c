"""Which heads matter most, and on how many images (the list beside B1)."""

import numpy as np
import pandas as pd

from vitpanel.state.queries.marks import MARKS, all_heads, with_marks
from vitpanel.state.queries.share_columns import SHARES, with_shares
from vitpanel.state.ranking import N_PLACES, ranking
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study

QUANTILES = {"least": 0.0, "lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75, "most": 1.0}
COLUMNS = ("rank", "layer", "head", "metric", "importance", *QUANTILES, *MARKS, *SHARES)


def ranking_table(study: Study, selection: Selection) -> pd.DataFrame:
    """All heads by the chosen metric, most important first; heads without a value come last.

    Returns
    -------
    The columns `COLUMNS`. ``importance`` is that on the chosen image, or the mean over all, for the probability the
    loss of Eq. 3; the quantiles are those over images. The last columns are those of `with_shares`.

    Raises
    ------
    StudyIncompleteError
        If the study does not have the metric.
    """
    found = ranking(study, selection.metric, selection.image)
    quantiles = {name: found.profiles[:, round(share * (N_PLACES - 1))] for name, share in QUANTILES.items()}
    table = all_heads(study).assign(metric=selection.metric, importance=found.importance, **quantiles)
    table = table.iloc[found.order].reset_index(drop=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return with_shares(with_marks(table, study, selection), study, selection)
