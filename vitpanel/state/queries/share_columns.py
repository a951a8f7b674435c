"""Columns that say how much of each head of a table is brushed."""

import numpy as np
import pandas as pd

from vitpanel.state.queries.brush_shares import shares_of_heads, shares_of_tokens
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study

SHARES = ("brush_share", "token_share")


def with_shares(table: pd.DataFrame, study: Study, selection: Selection) -> pd.DataFrame:
    """Add the columns `SHARES`.

    ``brush_share`` is the share of the images on which a head is brushed, 1 or 0 for a brush of heads; ``token_share``
    that of its attention on the chosen image which goes to the brushed tokens. NaN without such a brush, and where it
    is not known.

    Parameters
    ----------
    table
        With the columns layer and head. Not modified.
    """
    heads, tokens, places = selection.heads, selection.tokens, (table["layer"].to_numpy(), table["head"].to_numpy())
    values = {name: np.full(len(table), np.nan) for name in SHARES}
    if heads is not None:
        values["brush_share"] = np.asarray(shares_of_heads(study, heads).values)[places]
    if tokens is not None:
        found = shares_of_tokens(study, tokens, image=selection.image, source=selection.share_source)
        values["token_share"] = np.asarray(found.values)[places]
    return table.assign(**values)
