"""D3: all tokens as two rows, and links between them."""

from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from vitpanel.core.spec import short_head_name
from vitpanel.drawing.display import KINDS, axis_edges, token_kinds
from vitpanel.drawing.token_sets import axis_runs
from vitpanel.elements.live import FOLLOWS, Displays, Live
from vitpanel.elements.shades import shades_of
from vitpanel.elements.streams import Chart, Frame, Layer, Shown, on_tap, present
from vitpanel.elements.style import FIGURE, dressed, kind_colours
from vitpanel.elements.token_marks import brushed_on
from vitpanel.state.queries import attention
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study
from vitpanel.theme.palette import BRUSH, CHOSEN

SOURCES, TARGETS = 1.0, 0.0
FADED = 0.15
# Shades of the marks of tokens, in the ramps of their kinds.
_MARKS = {"patch": 150, "extra": 120, "cls": 170}


def token_lines(
    study: Study,
    selection: Selection | None = None,
    *,
    table: bool = False,
    image: int | None = None,
    layer: int | None = None,
    head: int | None = None,
    token: int | None = None,
    threshold: float | None = None,
    live: Live = True,
) -> Any:
    """The strongest links of an attention matrix, from the row of source tokens to the row of target tokens (D3).

    A click chooses the token at its place; links that do not touch the chosen token, or without one a brushed token,
    are faded. Brushed tokens are marked on their rows.

    Parameters
    ----------
    selection
        What the chart follows and writes to; None draws it once.
    table
        Whether to return the table behind it, with the columns `LINK_COLUMNS` of `vitpanel.state.queries.attention`.
    image, layer, head
        Which head on which image.
    token
        Token whose links stand out.
    threshold
        Share of the largest values that is drawn, in (0, 1].
    live
        The model that is asked for the attention, as of `attention_heatmap`.

    Raises
    ------
    InferenceError
        If there is no model.
    VitpanelError
        If there is nothing to draw; without a selection, or with ``table``.
    """
    query = Displays(live).asked(attention.links_of)
    kinds = token_kinds(study.spec.grid)
    links = [Layer(partial(_links, kind=kind)) for index, kind in enumerate(KINDS) if index in kinds]
    layers = (*links, Layer(_tokens, on_tap(_choose_token)), Layer(_brushed_tokens), Layer(_chosen_token))
    follows = (*FOLLOWS, "token", "tokens", "threshold", "scale")
    chart = Chart(query, attention.LINK_COLUMNS, follows, layers, needs_image=True)
    options = {"image": image, "layer": layer, "head": head, "token": token, "threshold": threshold}
    return present(chart, study, selection, table=table, **options)


def _centres(frame: Frame) -> np.ndarray:
    """Place of each token along the axis."""
    edges = np.array(axis_edges(frame.study.spec.grid))
    return (edges[:-1] + edges[1:]) / 2


def _links(frame: Frame, *, kind: str) -> hv.Segments:
    everything = frame.table
    is_highlighted = everything["is_brushed" if frame.seen.token is None else "is_chosen"].astype(bool)
    with_alpha = everything.assign(alpha=np.where(is_highlighted | ~is_highlighted.any(), 1.0, FADED))
    table: Any = with_alpha[everything["kind"] == kind]
    places = _centres(frame)
    source, target = (places[table[name].to_numpy(int)] for name in ("source_token", "target_token"))
    darkest = table["darkest"].to_numpy(float).max(initial=0)
    shade = shades_of(table["value"].to_numpy(float), scale=frame.seen.scale, most=darkest)
    ends = table.assign(x0=source, y0=SOURCES, x1=target, y1=TARGETS, shade=shade)
    size = float(places[-1]) + 1
    return dressed(
        hv.Segments(ends, ["x0", "y0", "x1", "y1"], ["shade", "value", "source", "target", "alpha"]),
        **FIGURE | {"show_grid": False},
        color="shade",
        cmap=kind_colours(kind),
        clim=(0, 1),
        alpha="alpha",
        tools=["hover", "tap"],
        title=frame.title(f"{short_head_name(*frame.seen.chosen_head)}, {frame.who}: links from sources to targets"),
        xaxis=None,
        yaxis=None,
        xlim=(-0.02 * size, 1.02 * size),
        ylim=(-0.1, 1.1),
    )


def _tokens(frame: Frame) -> hv.Rectangles:
    """Marks of all tokens in both rows."""
    grid, edges = frame.study.spec.grid, axis_edges(frame.study.spec.grid)
    colours = [kind_colours(KINDS[kind])[_MARKS[KINDS[kind]]] for kind in token_kinds(grid)]
    names = [grid.label(token) for token in range(grid.n_tokens)]
    marks = pd.DataFrame({"left": edges[:-1], "right": edges[1:], "token": names, "colour": colours})
    rows = [marks.assign(bottom=bottom, top=bottom + 0.04) for bottom in (SOURCES, TARGETS - 0.04)]
    both = pd.concat(rows, ignore_index=True)
    rectangles = hv.Rectangles(both, ["left", "bottom", "right", "top"], ["token", "colour"])
    return dressed(rectangles, color="colour", line_alpha=0, tools=["hover"])


def _brushed_tokens(frame: Frame) -> hv.Rectangles:
    """Marks upon those of the brushed tokens, in both rows."""
    grid = frame.study.spec.grid
    left, right = axis_runs(grid, brushed_on(frame))
    boxes = [
        (start, low, end, low + 0.05)
        for low in (SOURCES, TARGETS - 0.05)
        for start, end in zip(left, right, strict=True)
    ]
    return dressed(hv.Rectangles(boxes), color=BRUSH, line_color=BRUSH)


def _chosen_token(frame: Frame) -> hv.Points:
    token = frame.seen.token
    place = [] if token is None else [(_centres(frame)[token], row) for row in (SOURCES, TARGETS)]
    return dressed(hv.Points(place), color=CHOSEN, size=9)


def _choose_token(shown: Shown, x: float, _y: float) -> None:
    edges = axis_edges(shown.study.spec.grid)
    if edges[0] <= x <= edges[-1]:
        shown.selection.token = min(int(np.searchsorted(edges, x, side="right")) - 1, len(edges) - 2)
