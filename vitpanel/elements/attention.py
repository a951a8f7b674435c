"""D4 and D5: one attention matrix, and how its values are distributed."""

from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from vitpanel.core.spec import short_head_name
from vitpanel.drawing.display import (
    BAR_TICKS,
    BAR_TITLES,
    FADED,
    KINDS,
    HeadDisplay,
    axis_edges,
    display_grid,
    pooling_step,
    share_above,
    threshold_value,
    token_kinds,
)
from vitpanel.drawing.token_sets import cell_runs
from vitpanel.elements.live import FOLLOWS, Displays, Live
from vitpanel.elements.shades import shades_of, shows_scale, words_at
from vitpanel.elements.streams import Chart, Frame, Layer, Shown, on_tap, present
from vitpanel.elements.style import FIGURE, PICTURE, dressed
from vitpanel.elements.token_marks import brushed_on
from vitpanel.state.queries import attention
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study
from vitpanel.theme.link_colours import KIND_COLOURS
from vitpanel.theme.palette import BRUSH, CHOSEN, MEAN, MUTED

MATRIX_COLUMNS = (*attention.CELL_COLUMNS, "threshold")
# Logarithmic axes have no 0: bars of one link must be seen.
BOTTOM = 0.7


def attention_heatmap(
    study: Study,
    selection: Selection | None = None,
    *,
    table: bool = False,
    image: int | None = None,
    layer: int | None = None,
    head: int | None = None,
    token: int | None = None,
    threshold: float | None = None,
    scale: str | None = None,
    live: Live = True,
) -> Any:
    """The attention matrix of a head on an image: rows are source tokens, CLS is wider than a patch (D4).

    Links to or from CLS, between patches, and of extra tokens have colours of their own, each with its bar; what is
    below the threshold is faded. A click chooses the source token, whose row and column are outlined; brushed tokens
    are marked along the left and the upper edge. Above 600 tokens a cell holds the largest value of some patches, and
    tokens cannot be chosen.

    Parameters
    ----------
    selection
        What the chart follows and writes to; None draws it once.
    table
        Whether to return the table behind it, with the columns `MATRIX_COLUMNS` of this module: those of
        `vitpanel.state.queries.attention.cells_of`, and the value from which on a cell is not faded.
    image, layer, head
        Which head on which image.
    token
        Token to outline.
    threshold
        Share of the largest values that is not faded, in (0, 1].
    scale
        How the shade of a colour grows with a value: ``"linear"``, ``"square root"`` or ``"log"``.
    live
        The model that is asked for the attention: True for `vitpanel.live_model`, False for none, or one of your own,
        see `vitpanel.state.live.LiveModel`. It is right but for a unit of the third digit.

    Raises
    ------
    InferenceError
        If there is no model.
    VitpanelError
        If there is nothing to draw; without a selection, or with ``table``.
    """
    kinds = [kind for index, kind in enumerate(KINDS) if index in _link_kinds(study)]
    faded = [Layer(partial(_block, kind=kind), on_tap(_choose_source) if kind == kinds[0] else None) for kind in kinds]
    strong = [Layer(partial(_strong_block, kind=kind)) for kind in kinds]
    query = Displays(live).asked(_cells)
    follows = (*FOLLOWS, "token", "tokens", "extra", "threshold", "scale")
    layers = (*faded, *strong, Layer(_numbers), Layer(_brushed_edges), Layer(_token_outline))
    chart = Chart(query, MATRIX_COLUMNS, follows, layers, needs_image=True)
    options = {"image": image, "layer": layer, "head": head, "token": token, "threshold": threshold, "scale": scale}
    return present(chart, study, selection, table=table, **options)


def attention_histogram(
    study: Study,
    selection: Selection | None = None,
    *,
    table: bool = False,
    image: int | None = None,
    layer: int | None = None,
    head: int | None = None,
    threshold: float | None = None,
    live: Live = True,
) -> Any:
    """How the values of an attention matrix are distributed, and from which one on links are drawn (D5).

    A click sets the threshold.

    Parameters
    ----------
    selection
        What the chart follows and writes to; None draws it once.
    table
        Whether to return the table behind it, with the columns `BIN_COLUMNS` of `vitpanel.state.queries.attention`.
    image, layer, head
        Which head on which image.
    threshold
        Share of the largest values that is drawn, in (0, 1].
    live
        As of `attention_heatmap`.

    Raises
    ------
    InferenceError
        If there is no model.
    VitpanelError
        If there is nothing to draw; without a selection, or with ``table``.
    """
    displays = Displays(live)

    def set_threshold(shown: Shown, x: float, _y: float) -> None:
        frame = shown.frame()
        if frame.error is None and x > 0:
            matrix = displays.of(frame.study, frame.seen).matrix
            shown.selection.threshold = share_above(matrix, min(x, float(matrix.max())))

    query = displays.asked(lambda _, seen, display: attention.bins_of(seen, display))
    layers = (Layer(_bins, on_tap(set_threshold)), Layer(_threshold))
    chart = Chart(query, attention.BIN_COLUMNS, (*FOLLOWS, "threshold"), layers, needs_image=True)
    return present(chart, study, selection, table=table, image=image, layer=layer, head=head, threshold=threshold)


def _link_kinds(study: Study) -> set[int]:
    kinds = token_kinds(study.spec.grid)
    return set(np.maximum(kinds[:, None], kinds).ravel().tolist())


def _cells(study: Study, selection: Selection, display: HeadDisplay) -> pd.DataFrame:
    """The cells, with the threshold of the whole matrix, of which they may be the largest values alone."""
    limit = threshold_value(display.matrix, selection.threshold)
    return attention.cells_of(study, selection, display).assign(threshold=limit)


def _edges(frame: Frame) -> list[float]:
    """Where the cells begin along an axis, and where the last one ends."""
    return axis_edges(display_grid(frame.study.spec.grid), with_extra=frame.seen.extra)


def _pixels(frame: Frame, column: str) -> np.ndarray:
    """A column of the table as the pixels of a square, one to a patch; a single -1 where there is nothing."""
    table, edges = frame.table, _edges(frame)
    if not len(table):
        return np.full((1, 1), -1, np.float32)
    n_cells, n_pixels = round(len(table) ** 0.5), round(edges[-1])
    cell = np.searchsorted(edges, (np.arange(n_pixels) + 0.5) * edges[-1] / n_pixels, side="right") - 1
    return table[column].to_numpy().reshape(n_cells, n_cells)[np.ix_(cell, cell)]


def _block(frame: Frame, *, kind: str) -> hv.Image:
    """All cells of one kind of link, faded, with the bar of their colours; the first that is drawn has the title."""
    most, is_shown = _darkest(frame, kind), bool((_pixels(frame, "kind") == kind).any())
    words = words_at(BAR_TICKS, scale=frame.seen.scale, most=most)
    words[1] = f"≥ {words[1]}"
    bar = shows_scale(f"bar_{kind}", KIND_COLOURS[kind], words, title=BAR_TITLES[kind], is_shown=is_shown)
    return dressed(
        _shaded(frame, kind, above=0),
        **PICTURE,
        **_colours(kind),
        alpha=FADED,
        hooks=[bar],
        tools=["tap"],
        title=frame.title(f"{short_head_name(*frame.seen.chosen_head)}, {frame.who}: attention"),
        xaxis="bare",
        yaxis="bare",
        xlabel="target token",
        ylabel="source token",
    )


def _strong_block(frame: Frame, *, kind: str) -> hv.Image:
    """The cells of one kind of link that are not below the threshold."""
    limit = frame.table["threshold"].to_numpy(float).max(initial=0)
    return dressed(_shaded(frame, kind, above=limit), **_colours(kind))


def _darkest(frame: Frame, kind: str) -> float:
    """Value of the darkest shade of a kind of link, 1 where there is none."""
    most = frame.table["darkest"].to_numpy(float)[frame.table["kind"] == kind].max(initial=0)
    return most if most > 0 else 1.0


def _shaded(frame: Frame, kind: str, *, above: float) -> hv.Image:
    """Shades of the cells of a kind that are not below a value; the others are below the scale, and so not painted."""
    size, values = _edges(frame)[-1], _pixels(frame, "value")
    shades = shades_of(np.maximum(values, 0), scale=frame.seen.scale, most=_darkest(frame, kind))
    is_painted = (_pixels(frame, "kind") == kind) & (values >= above)
    return hv.Image(np.where(is_painted, shades, np.float32(-1)), bounds=(0, 0, size, size), vdims=[kind])


def _colours(kind: str) -> dict[str, Any]:
    return {"cmap": list(KIND_COLOURS[kind]), "clim": (0, 1), "clipping_colors": {"min": (0, 0, 0, 0)}}


def _numbers(frame: Frame) -> hv.Image:
    """What a tooltip says, of all kinds of links; not to be seen."""
    numbers = [_pixels(frame, name).astype(np.float32) for name in ("value", "source_cell", "target_cell")]
    size, names = _edges(frame)[-1], ["attention", "source", "target"]
    return dressed(hv.Image(np.dstack(numbers), bounds=(0, 0, size, size), vdims=names), alpha=0, tools=["hover"])


def _token_outline(frame: Frame) -> hv.Rectangles:
    token, edges = frame.seen.token, _edges(frame)
    bars = []
    if token is not None and frame.error is None and pooling_step(frame.study.spec.grid) == 1:
        start, end, size = edges[token], edges[token + 1], edges[-1]
        bars = [(0, size - end, size, size - start), (start, 0, end, size)]
    return dressed(hv.Rectangles(bars), fill_alpha=0, line_color=CHOSEN, line_width=1.5)


def _brushed_edges(frame: Frame) -> hv.Segments:
    grid, size = frame.study.spec.grid, _edges(frame)[-1]
    start, end = cell_runs(grid, brushed_on(frame), with_extra=frame.seen.extra)
    sides = [(0, size - a, 0, size - b) for a, b in zip(start, end, strict=True)]
    sides += [(a, size, b, size) for a, b in zip(start, end, strict=True)]
    return dressed(hv.Segments(sides), color=BRUSH, line_width=8)


def _choose_source(shown: Shown, _x: float, y: float) -> None:
    edges = _edges(shown.frame())
    source = int(np.searchsorted(edges, edges[-1] - y, side="right")) - 1
    if 0 <= source < len(edges) - 1 and pooling_step(shown.study.spec.grid) == 1:
        shown.selection.token = source


def _bins(frame: Frame) -> hv.Rectangles:
    table = frame.table[frame.table["count"] > 0]
    colour = np.where(table["is_drawn"].astype(bool), MEAN, MUTED)
    sides = table.assign(bottom=BOTTOM, colour=colour)
    top = max(table["count"].max(), 1) if len(table) else 1
    return dressed(
        hv.Rectangles(sides, ["from", "bottom", "to", "count"], ["colour"]),
        **FIGURE,
        color="colour",
        line_color="white",
        line_width=0.5,
        logx=True,
        logy=True,
        tools=["hover", "tap"],
        title=frame.title(f"{short_head_name(*frame.seen.chosen_head)}, {frame.who}: values and threshold"),
        xlabel="attention value",
        ylabel="links",
        ylim=(BOTTOM, 2 * top),
        xlim=(table["from"].min(), table["to"].max()) if len(table) else (1e-4, 1),
    )


def _threshold(frame: Frame) -> hv.Segments:
    # A line of endless height would take the logarithmic axis below 0.
    lines = [(value, BOTTOM, value, frame.table["count"].max()) for value in frame.table["threshold"].head(1)]
    return dressed(hv.Segments(lines), color=CHOSEN, line_width=2)
