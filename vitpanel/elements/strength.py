"""C: how far the patches of each head look."""

from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from vitpanel.core.spec import short_head_name
from vitpanel.elements.streams import (
    AS_CHOSEN,
    Chart,
    Frame,
    Image,
    Layer,
    Shown,
    nearest_row,
    on_box,
    on_tap,
    present,
)
from vitpanel.elements.style import FIGURE, MEASURE_LABELS, dressed, layer_colour_map, layer_ticks, outlined, padded
from vitpanel.state.brush import HEAD, Ids
from vitpanel.state.queries import strength
from vitpanel.state.queries.image_set import others_name
from vitpanel.state.selection import Selection
from vitpanel.state.strength import value_on_image
from vitpanel.study.reader import Study
from vitpanel.theme.palette import CHOSEN, MEAN, TEXT, VALUE

# Heads of a layer stand side by side over so much of its width.
SPREAD = 0.7


def head_scatter(
    study: Study,
    selection: Selection | None = None,
    *,
    table: bool = False,
    measure: str | None = None,
    image: Image = AS_CHOSEN,
) -> Any:
    """A measure of every head by layer, on an image, or its mean over all with the standard deviation (C1).

    A click chooses a head, a box brushes heads.

    Parameters
    ----------
    selection
        What the chart follows and writes to; None draws it once.
    table
        Whether to return the table behind it, with the columns `MEASURE_COLUMNS` of `vitpanel.state.queries.strength`.
    measure
        ``"entropy"`` or ``"distance"``.
    image
        Image whose values are drawn; None draws the means.

    Raises
    ------
    VitpanelError
        If the study does not have the measure, or not for the image; without a selection, or with ``table``.
    """
    layers = (Layer(_spreads), Layer(_heads, _listen_to_heads), Layer(_pinned_heads), Layer(_chosen_head))
    follows = ("image", "measure", "layer", "head", "pinned", "heads")
    chart = Chart(strength.measure_table, strength.MEASURE_COLUMNS, follows, layers)
    return present(chart, study, selection, table=table, measure=measure, image=image)


def strength_bars(
    study: Study,
    selection: Selection | None = None,
    *,
    table: bool = False,
    image: Image = AS_CHOSEN,
    layer: int | None = None,
    head: int | None = None,
    hops: int | None = None,
) -> Any:
    """Attention strength of a head over hops: on an image as bars, the mean over all as outlines (C2).

    Parameters
    ----------
    selection
        What the chart follows; None draws it once.
    table
        Whether to return the table behind it, with the columns `HOP_COLUMNS` of `vitpanel.state.queries.strength`.
    image
        Image of the bars; None draws the mean alone.
    layer, head
        Which head.
    hops
        Draw the first so many hops; None draws all.

    Raises
    ------
    VitpanelError
        If the study does not have it, or not for the image; without a selection, or with ``table``.

    References
    ----------
    Li et al. 2023, Eq. 7.
    """

    def first_hops(study: Study, selection: Selection) -> pd.DataFrame:
        return strength.hop_table(study, selection).iloc[:hops]

    layers = (Layer(lambda frame: _bars(frame, "chosen_image")), Layer(lambda frame: _bars(frame, "mean")))
    chart = Chart(first_hops, strength.HOP_COLUMNS, ("image", "layer", "head"), layers)
    return present(chart, study, selection, table=table, image=image, layer=layer, head=head)


def measure_distribution(
    study: Study,
    selection: Selection | None = None,
    *,
    table: bool = False,
    measure: str | None = None,
    image: Image = AS_CHOSEN,
    layer: int | None = None,
    head: int | None = None,
) -> Any:
    """How a measure of a head is distributed over images, brushed ones against the others or a kept brush (C3).

    Parameters
    ----------
    selection
        What the chart follows; None draws it once.
    table
        Whether to return the table behind it, with the columns `DENSITY_COLUMNS` of `vitpanel.state.queries.strength`.
    measure
        ``"entropy"`` or ``"distance"``.
    image
        Image at whose value the line is; None draws none.
    layer, head
        Which head.

    Raises
    ------
    VitpanelError
        If the study does not have the measure; without a selection, or with ``table``.
    """
    layers = (
        Layer(lambda frame: _density(frame, "density", MEAN)),
        Layer(lambda frame: _density(frame, "density_of_brush", VALUE)),
        Layer(_line_of_image),
    )
    follows = ("measure", "image", "layer", "head", "images", "kept", "against")
    chart = Chart(strength.density_table, strength.DENSITY_COLUMNS, follows, layers)
    return present(chart, study, selection, table=table, measure=measure, image=image, layer=layer, head=head)


def _placed(frame: Frame) -> pd.DataFrame:
    """The table with the place of each head along the axis."""
    table, n_heads = frame.table, frame.study.spec.n_heads
    return table.assign(x=table["layer"] + ((table["head"] + 0.5) / n_heads - 0.5) * SPREAD)


def _spreads(frame: Frame) -> hv.Segments:
    table, spec = _placed(frame), frame.study.spec
    table = table.assign(x1=table["x"], low=table["value"] - table["std"], high=table["value"] + table["std"])
    values = table[["value", "low", "high"]].to_numpy(float)
    label = MEASURE_LABELS[frame.seen.measure]
    return dressed(
        hv.Segments(table.dropna(subset=["low"]), ["x", "low", "x1", "high"], []),
        **FIGURE,
        color=MEAN,
        alpha=0.5,
        title=frame.title(f"{label.split(' ')[0].capitalize()} of all heads, {frame.who}"),
        xlabel="layer",
        xticks=layer_ticks(spec.n_layers),
        ylabel=label,
        xlim=(-0.6, spec.n_layers - 0.4),
        ylim=padded(values),
    )


def _heads(frame: Frame) -> hv.Points:
    table = _placed(frame)
    is_highlighted = table["is_brushed"].astype(bool)
    table = table.assign(alpha=np.where(is_highlighted | ~is_highlighted.any(), 1.0, 0.25))
    points = hv.Points(table, ["x", "value"], ["layer", "head", "std", "alpha"])
    colours = layer_colour_map(frame.study.spec.n_layers)
    look = {"cmap": colours, "clim": (0, max(len(colours) - 1, 1)), "alpha": "alpha"}
    return dressed(points, color="layer", **look, tools=["hover", "tap", "box_select"], **outlined(7))


def _pinned_heads(frame: Frame) -> hv.Points:
    table = _placed(frame)
    points = hv.Points(table[table["is_pinned"].astype(bool)], ["x", "value"], ["layer", "head"])
    return dressed(points, marker="square", fill_alpha=0, line_color=TEXT, line_width=1.5, size=15)


def _chosen_head(frame: Frame) -> hv.Points:
    table = _placed(frame)
    points = hv.Points(table[table["is_chosen"].astype(bool)], ["x", "value"], ["layer", "head"])
    return dressed(points, fill_alpha=0, line_color=CHOSEN, line_width=2.5, size=16)


def _listen_to_heads(source: hv.DynamicMap, shown: Shown) -> None:
    on_tap(_choose_head)(source, shown)
    on_box(_brush_heads)(source, shown)


def _choose_head(shown: Shown, x: float, y: float) -> None:
    row = nearest_row(_placed(shown.frame()), x=("x", x), y=("value", y))
    if row is not None:
        shown.selection.choose_head(row["layer"], row["head"])


def _brush_heads(shown: Shown, left: float, bottom: float, right: float, top: float) -> None:
    table = _placed(shown.frame())
    inside = table[table["x"].between(left, right) & table["value"].between(bottom, top)]
    heads = tuple((int(layer), int(head)) for layer, head in zip(inside["layer"], inside["head"], strict=True))
    shown.selection.mark(Ids(heads, HEAD))


def _bars(frame: Frame, column: str) -> hv.Rectangles:
    table = frame.table.dropna(subset=[column])
    is_mean = column == "mean"
    half = 0.46 if is_mean else 0.36
    sides = table.assign(left=table["hop"] - half, right=table["hop"] + half, bottom=0.0)
    fill = (
        {"fill_alpha": 0.12, "fill_color": MEAN, "line_color": MEAN} if is_mean else {"color": VALUE, "line_alpha": 0}
    )
    top = max(np.nanmax(frame.table[["mean", "chosen_image"]].to_numpy(float), initial=0), 1e-9)
    return dressed(
        hv.Rectangles(sides, ["left", "bottom", "right", column], ["hop"]),
        **FIGURE,
        **fill,
        tools=["hover"],
        title=frame.title(f"{short_head_name(*frame.seen.chosen_head)}: strength, {frame.who}"),
        xlabel="hop",
        ylabel="mean attention",
        ylim=(0, 1.08 * top),
    )


def _density(frame: Frame, column: str, colour: str) -> hv.Area:
    table = frame.table.dropna(subset=[column])
    label = MEASURE_LABELS[frame.seen.measure]
    known = frame.table[["density", "density_of_brush"]].to_numpy(float)
    n_brushed = int(table["n_of_brush"].iloc[0]) if len(table) else 0
    who = "over images" if frame.seen.images is None else f"on {n_brushed} brushed images and {others_name(frame.seen)}"
    return dressed(
        hv.Area(table, "value", column),
        **FIGURE,
        color=colour,
        alpha=0.35,
        title=frame.title(f"{short_head_name(*frame.seen.chosen_head)}: {label.split(' ')[0]} {who}"),
        xlabel=label,
        ylabel="density",
        ylim=(0, 1.06 * max(np.nanmax(known, initial=0), 1e-9)),
    )


def _line_of_image(frame: Frame) -> hv.VLines:
    seen = frame.seen
    known = seen.image is not None and frame.error is None
    value = value_on_image(frame.study, seen.measure, seen.chosen_head, image=seen.image) if known else None
    return dressed(hv.VLines([] if value is None else [value]), color=CHOSEN, line_width=2)
