"""What the figures of D2 to D5 show, as tables to be saved."""

import numpy as np
import pandas as pd

from vitpanel.core.display import HeadDisplay, display_names
from vitpanel.core.grid import Grid

LINK = ("source", "target", "value")


def links_table(display: HeadDisplay | None, threshold: float, grid: Grid) -> pd.DataFrame:
    """D3: the links that are drawn, weakest first; no rows without a display."""
    if display is None:
        return pd.DataFrame(columns=list(LINK))
    source, target = np.divmod(display.links, np.uint32(grid.n_tokens))
    value = display.matrix[source, target]
    names = np.array([grid.name(token) for token in range(grid.n_tokens)])
    first = int(np.searchsorted(value, threshold))
    columns = (names[source[first:]], names[target[first:]], value[first:])
    return pd.DataFrame(dict(zip(LINK, columns, strict=True)))


def histogram_table(display: HeadDisplay | None) -> pd.DataFrame:
    """D5: the bars."""
    histogram = display and display.histogram
    columns = (histogram.edges[:-1], histogram.edges[1:], histogram.counts) if histogram else ([], [], [])
    return pd.DataFrame(dict(zip(("from", "to", "count"), columns, strict=True)))


def matrix_table(display: HeadDisplay | None, grid: Grid) -> pd.DataFrame:
    """D4: one row for each cell of the heatmap."""
    if display is None:
        return pd.DataFrame(columns=list(LINK))
    names = display_names(grid)
    source, target = np.indices(display.pooled.shape)
    columns = (np.take(names, source.ravel()), np.take(names, target.ravel()), display.pooled.ravel())
    return pd.DataFrame(dict(zip(LINK, columns, strict=True)))


def mask_table(display: HeadDisplay | None, grid: Grid, *, side: str, token: int | None) -> pd.DataFrame:
    """D2: attention from (``"source"``) or to (``"target"``) a token by patch.

    Without a token, what all patches give on average; nobody knows what such a mean gets.
    """
    if display is None or (token is None and side == "target"):
        return pd.DataFrame(columns=["token", "row", "column", "value"])
    row, column = np.divmod(np.arange(grid.size), grid.cols)
    if token is None:
        values = display.matrix[grid.patches].mean(axis=0, dtype=np.float64)
    else:
        values = display.matrix[token] if side == "source" else display.matrix[:, token]
    name = "mean of all patches" if token is None else grid.name(token)
    return pd.DataFrame({"token": name, "row": row, "column": column, "value": values[grid.patches]})
