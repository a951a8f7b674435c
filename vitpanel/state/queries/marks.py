"""Which heads of a table are chosen, pinned and brushed."""

import numpy as np
import pandas as pd

from vitpanel.state.brush import brushed_heads
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study

MARKS = ("is_chosen", "is_pinned", "is_brushed")


def all_heads(study: Study) -> pd.DataFrame:
    """One row for each head, with the columns layer and head, in the order of the flat head index."""
    layer, head = (index.ravel() for index in np.indices((study.spec.n_layers, study.spec.n_heads)))
    return pd.DataFrame({"layer": layer, "head": head})


def with_marks(table: pd.DataFrame, study: Study, selection: Selection) -> pd.DataFrame:
    """Add the columns `MARKS`; a head is brushed if it is on any image.

    Parameters
    ----------
    table
        With the columns layer and head. Not modified.
    """
    flat = table["layer"].to_numpy() * study.spec.n_heads + table["head"].to_numpy()
    pinned = [layer * study.spec.n_heads + head for layer, head in selection.pinned]
    chosen = selection.layer * study.spec.n_heads + selection.head
    brushed = brushed_heads(study, selection.heads).ravel()[flat]
    marks = (flat == chosen, np.isin(flat, pinned), brushed)
    return table.assign(**dict(zip(MARKS, marks, strict=True)))
