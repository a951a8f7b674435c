"""What the chosen head attends to on the chosen image (D2 to D5)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vitpanel.core.grid import Grid
from vitpanel.drawing.display import KINDS, HeadDisplay, display_grid, display_names, threshold_value, token_kinds
from vitpanel.state.brush import mask_of
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study

LINK = ("source", "target", "value")
PLACE = ("image", "layer", "head")
CELL_COLUMNS = (*PLACE, "source_cell", "target_cell", *LINK, "kind", "darkest")
LINK_COLUMNS = (*PLACE, "source_token", "target_token", *LINK, "kind", "darkest", "is_chosen", "is_brushed")
BIN_COLUMNS = (*PLACE, "from", "to", "count", "threshold", "is_drawn")
PATCH_COLUMNS = (*PLACE, "side", "token", "row", "column", "value")


def links_table(display: HeadDisplay | None, limit: float, grid: Grid) -> pd.DataFrame:
    """D3: the links that are drawn, weakest first; no rows without a display."""
    if display is None:
        return pd.DataFrame(columns=list(LINK))
    source, target = np.divmod(display.links, np.uint32(grid.n_tokens))
    value = display.matrix[source, target]
    names = np.array([grid.name(token) for token in range(grid.n_tokens)])
    first = int(np.searchsorted(value, limit))
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


def read_tokens(study: Study, selection: Selection) -> tuple[int, ...]:
    """Tokens whose attention the masks show: the chosen one, else the brushed ones, else CLS, if there is any."""
    if selection.token is not None:
        return (selection.token,)
    brushed = () if selection.tokens is None else np.flatnonzero(mask_of(study, selection.tokens)).tolist()
    cls = study.spec.grid.cls
    return tuple(brushed) or (() if cls is None else (cls,))


def mask_table(display: HeadDisplay | None, grid: Grid, *, side: str, tokens: Sequence[int]) -> pd.DataFrame:
    """D2: attention from (``"source"``) or to (``"target"``) some tokens by patch.

    Of several tokens S it is (1 / |S|) · Σ_{t ∈ S} A[t, patch], where they look on average, and Σ_{t ∈ S} A[patch, t],
    the share of each patch's attention that goes to them. Without tokens, what all patches give on average; nobody
    knows what such a mean gets.
    """
    if display is None or (not tokens and side == "target"):
        return pd.DataFrame(columns=["token", "row", "column", "value"])
    row, column = np.divmod(np.arange(grid.size), grid.cols)
    sources = list(tokens) or grid.patches
    if side == "source":
        values = display.matrix[sources].mean(axis=0, dtype=np.float64)
    else:
        values = display.matrix[:, list(tokens)].sum(axis=1, dtype=np.float64)
    return pd.DataFrame({"token": name_of(tokens, grid), "row": row, "column": column, "value": values[grid.patches]})


def name_of(tokens: Sequence[int], grid: Grid) -> str:
    """What the tokens whose attention is shown are called."""
    if not tokens:
        return "mean of all patches"
    return grid.name(tokens[0]) if len(tokens) == 1 else f"{len(tokens)} brushed tokens"


def cells_of(study: Study, selection: Selection, display: HeadDisplay) -> pd.DataFrame:
    """The attention matrix, one row a cell, which is one token, or some patches where there are more than 600 tokens.

    Returns
    -------
    The columns `CELL_COLUMNS`: cells by their numbers and their names, the kind of their link, one of `KINDS`, and the
    value that has the darkest colour of that kind.
    """
    grid = study.spec.grid
    source, target = (index.ravel() for index in np.indices(display.pooled.shape))
    kinds = token_kinds(display_grid(grid))
    kind = np.maximum(kinds[source], kinds[target])
    table = matrix_table(display, grid).assign(source_cell=source, target_cell=target, **_kinds(kind, display))
    return _placed(table, selection, CELL_COLUMNS)


def links_of(study: Study, selection: Selection, display: HeadDisplay) -> pd.DataFrame:
    """The links that are at least as strong as the threshold, weakest first.

    Returns
    -------
    The columns `LINK_COLUMNS`: tokens by their numbers and their names, and the kind of the link, one of `KINDS`. A
    link is chosen if the chosen token is at either end, and brushed if a brushed token is.
    """
    grid = study.spec.grid
    table = links_table(display, threshold_value(display.matrix, selection.threshold), grid)
    source, target = np.divmod(display.links[len(display.links) - len(table) :].astype(np.int64), grid.n_tokens)
    kinds, brush = token_kinds(grid), selection.tokens
    is_brushed = np.zeros(grid.n_tokens, bool) if brush is None else mask_of(study, brush)
    token = -1 if selection.token is None else selection.token
    table = table.assign(
        source_token=source,
        target_token=target,
        **_kinds(np.maximum(kinds[source], kinds[target]), display),
        is_chosen=(source == token) | (target == token),
        is_brushed=is_brushed[source] | is_brushed[target],
    )
    return _placed(table, selection, LINK_COLUMNS)


def bins_of(selection: Selection, display: HeadDisplay) -> pd.DataFrame:
    """How often values occur, one row a bin, with the threshold; a bin is drawn if it reaches that far.

    Returns
    -------
    The columns `BIN_COLUMNS`.
    """
    table = histogram_table(display)
    limit = threshold_value(display.matrix, selection.threshold)
    return _placed(table.assign(threshold=limit, is_drawn=table["to"] >= limit), selection, BIN_COLUMNS)


def patches_of(study: Study, selection: Selection, display: HeadDisplay, *, side: str) -> pd.DataFrame:
    """Attention of what `read_tokens` says by patch, as `mask_table` has it.

    Parameters
    ----------
    side
        ``"source"`` for where the token looks, ``"target"`` for who looks at it.

    Returns
    -------
    The columns `PATCH_COLUMNS`; no rows where nobody knows what the mean of all patches gets.
    """
    table = mask_table(display, study.spec.grid, side=side, tokens=read_tokens(study, selection))
    return _placed(table.assign(side=side), selection, PATCH_COLUMNS)


def _kinds(kind: np.ndarray, display: HeadDisplay) -> dict[str, np.ndarray]:
    """Columns for the kinds of links, from indices into `KINDS`."""
    return {"kind": np.take(KINDS, kind), "darkest": np.take(display.limits, kind)}


def _placed(table: pd.DataFrame, selection: Selection, columns: tuple[str, ...]) -> pd.DataFrame:
    """Columns in their order, behind those that say which head on which image it is."""
    place = dict(zip(PLACE, (selection.image, *selection.chosen_head), strict=True))
    return table.assign(**place).reindex(columns=list(columns))
