"""C: how far the patches of each head look."""

from collections.abc import Callable
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import BasicTicker, FixedTicker

from vitpanel.core.spec import short_head_name
from vitpanel.elements.shading import RAMP
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
from vitpanel.elements.style import (
    FIGURE,
    MEASURE_LABELS,
    dressed,
    layer_colour_map,
    layer_ticks,
    outlined,
    padded,
    plain_numbers,
)
from vitpanel.state.head_numbers import HEAD_INDEX, LAYER, TOKEN_SHARE, axis_places, head_number
from vitpanel.state.queries import head_table, strength
from vitpanel.state.queries.image_set import others_name
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.state.strength import value_on_image
from vitpanel.study.reader import Study
from vitpanel.theme.palette import BRUSH, CHOSEN, MEAN, MUTED, TEXT, VALUE, signed_colours
from vitpanel.theme.shares import share_colours

INDICES = (LAYER, HEAD_INDEX)


def head_scatter(
    study: Study,
    selection: Selection | None = None,
    *,
    table: bool = False,
    x: str | None = None,
    y: str | None = None,
    colour: str | None = None,
    measure: str | None = None,
    image: Image = AS_CHOSEN,
) -> Any:
    """All heads by two of their numbers, on an image or their means over all with the standard deviation (C1).

    A click chooses a head, a box brushes heads.

    Parameters
    ----------
    selection
        What the chart follows and writes to; None draws it once.
    table
        Whether to return all numbers of every head, with the columns of `vitpanel.state.queries.head_table`.
    x, y, colour
        What goes across, what goes up, and what colours mean: ``"layer"``, ``"head"``, ``"entropy"``, ``"distance"``,
        ``"importance_jsd"`` and the like for each metric, ``"cohesion"``, ``"to_cls"``, ``"effect"`` of the brushed
        images by the chosen metric, ``"brush_share"``, ``"token_share"``; ``y="measure"`` is the measure.
    measure
        ``"entropy"`` or ``"distance"``.
    image
        Image whose values are drawn; None draws the means.

    Raises
    ------
    VitpanelError
        If one of the numbers cannot be had; without a selection, or with ``table``.
    """
    layers = (
        Layer(_spreads),
        Layer(_zero_lines),
        Layer(_heads, _listen_to_heads),
        Layer(_brushed_heads),
        Layer(_pinned_heads),
        Layer(_chosen_head),
    )
    follows = (
        "image", "measure", "layer", "head", "pinned", "heads", "scatter_x", "scatter_y", "scatter_colour", "metric",
        "pattern", "images", "kept", "against", "tokens", "share_source",
    )  # fmt: skip
    chart = Chart(head_table.head_table, head_table.table_columns(), follows, layers)
    options = {"scatter_x": x, "scatter_y": y, "scatter_colour": colour, "measure": measure, "image": image}
    return present(chart, study, selection, table=table, **options)


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

    With a brush of images, its mean over them with a band of one standard deviation, and over the others dashed; with a
    brush of heads, the mean over these dotted.

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

    layers = (
        Layer(lambda frame: _bars(frame, "chosen_image")),
        Layer(lambda frame: _bars(frame, "mean")),
        Layer(_band_of_brush),
        Layer(lambda frame: _line(frame, "mean_of_rest", MEAN, line_dash="dashed")),
        Layer(lambda frame: _line(frame, "mean_of_heads", BRUSH, line_dash="dotted")),
        Layer(lambda frame: _line(frame, "mean_of_brush", BRUSH)),
    )
    follows = ("image", "layer", "head", "images", "kept", "against", "heads")
    chart = Chart(first_hops, strength.HOP_COLUMNS, follows, layers)
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
    """The table with the coordinates of each head, ``x`` and ``value``."""
    table, (x, y, _) = frame.table, head_table.scatter_keys(frame.seen)
    places = (
        axis_places(
            table[key].to_numpy(float),
            table["head"].to_numpy(int),
            key=key,
            other=other,
            n_heads=frame.study.spec.n_heads,
        )
        for key, other in ((x, y), (y, x))
    )
    return table.assign(**dict(zip(("x", "value"), places, strict=True)))


def _axis(frame: Frame, name: str, key: str, values: np.ndarray) -> dict[str, Any]:
    """Options of an axis: its label, its ends, and whole numbers for layers and heads."""
    number, spec = head_number(key, frame.seen), frame.study.spec
    sizes = {LAYER: spec.n_layers, HEAD_INDEX: spec.n_heads}
    span = (-0.6, sizes[key] - 0.4) if key in sizes else padded(values)
    return {f"{name}label": number.axis_label(frame.seen), f"{name}lim": span}


def _ticks(frame: Frame) -> Callable[[Any, Any], None]:
    """What gives axes of layers and heads whole numbers; HoloViews takes an option for the first frame alone."""
    spec, (x, y, _) = frame.study.spec, head_table.scatter_keys(frame.seen)
    sizes = {LAYER: spec.n_layers, HEAD_INDEX: spec.n_heads}

    def show(plot: Any, _: Any) -> None:
        for name, key in (("xaxis", x), ("yaxis", y)):
            is_index = key in sizes
            plot.handles[name].ticker = FixedTicker(ticks=layer_ticks(sizes[key])) if is_index else BasicTicker()

    return show


def _bar_title(words: str) -> Callable[[Any, Any], None]:
    """What names the bar of colours and its numbers; HoloViews takes an option for the first frame alone."""

    def show(plot: Any, _: Any) -> None:
        plot.handles["color_colorbar"].update(title=words, formatter=plain_numbers())

    return show


def _spreads(frame: Frame) -> hv.Segments:
    table, (x, y, _) = _placed(frame), head_table.scatter_keys(frame.seen)
    std = table[f"{y}_std"] if x == LAYER and f"{y}_std" in table else np.full(len(table), np.nan)
    table = table.assign(x1=table["x"], low=table["value"] - std, high=table["value"] + std)
    number = head_number(y, frame.seen)
    what = f"{number.label} of all heads" if x == LAYER else "All heads"
    return dressed(
        hv.Segments(table.dropna(subset=["low"]), ["x", "low", "x1", "high"], []),
        **FIGURE,
        color=MEAN,
        alpha=0.5,
        title=frame.title(f"{what}, {frame.who}"),
        hooks=[_ticks(frame)],
        xformatter=plain_numbers(),
        yformatter=plain_numbers(),
        **_axis(frame, "x", x, table["x"].to_numpy(float)),
        **_axis(frame, "y", y, table[["value", "low", "high"]].to_numpy(float)),
    )


def _zero_lines(frame: Frame) -> hv.Segments:
    """Lines at 0 of numbers for which it is a limit, as wide as all points."""
    table, (x, y, _) = _placed(frame), head_table.scatter_keys(frame.seen)
    (left, right), (low, high) = (padded(table[name].to_numpy(float)) for name in ("x", "value"))
    lines = {x: (0.0, low, 0.0, high), y: (left, 0.0, right, 0.0)}
    drawn = [line for key, line in lines.items() if head_number(key, frame.seen).is_signed]
    return dressed(hv.Segments(drawn, ["x", "low", "x1", "high"], []), color=MEAN, line_dash="dashed")


def _heads(frame: Frame) -> hv.Points:
    table, (x, y, colour) = _placed(frame), head_table.scatter_keys(frame.seen)
    is_highlighted = table["is_brushed"].astype(bool)
    table = table.assign(alpha=np.where(is_highlighted | ~is_highlighted.any(), 1.0, 0.25))
    told = dict.fromkeys(key for key in (x, y, colour) if key not in INDICES)
    columns = ["layer", "head", *told, *(f"{key}_std" for key in told if f"{key}_std" in table), "alpha"]
    points = hv.Points(table, ["x", "value"], columns)
    look = {**_colours(frame, colour), "alpha": "alpha"}
    return dressed(points, color=colour, **look, tools=["hover", "tap", "box_select"], **outlined(7))


def _colours(frame: Frame, key: str) -> dict[str, Any]:
    """Options of colours that mean a number."""
    if key == LAYER:
        colours = layer_colour_map(frame.study.spec.n_layers)
        ends = (0, max(len(colours) - 1, 1))
        return {"cmap": colours, "clim": ends, "colorbar": True, "hooks": [_bar_title("layer")]}
    values = frame.table[key].to_numpy(float)
    number, known = head_number(key, frame.seen), values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    ramp = RAMP
    if key == TOKEN_SHARE:
        ramp, low = share_colours(values).ramp, 0.0
    elif number.is_signed:
        ramp, low, high = signed_colours(), -max(-low, high), max(-low, high)
    named = {"colorbar": True, "hooks": [_bar_title(number.axis_label(frame.seen))]}
    return named | {
        "cmap": list(ramp),
        "clim": (low, high if high > low else low + 1),
        "clipping_colors": {"NaN": MUTED},
    }


def _brushed_heads(frame: Frame) -> hv.Points:
    """Rings around brushed heads, the fainter the fewer its images."""
    table = _placed(frame)
    table = table[table["brush_share"] > 0]
    points = hv.Points(table, ["x", "value"], ["layer", "head", "brush_share"])
    alpha = 0.25 + 0.75 * hv.dim("brush_share")
    return dressed(points, fill_alpha=0, line_color=BRUSH, line_width=2, size=13, line_alpha=alpha)


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
    session = Session(shown.study, selection=shown.frame().seen.but())
    shown.selection.mark(head_table.brush_of_box(session, (left, right), (bottom, top)))


def _bars(frame: Frame, column: str) -> hv.Rectangles:
    table = frame.table.dropna(subset=[column])
    is_mean = column == "mean"
    half = 0.46 if is_mean else 0.36
    sides = table.assign(left=table["hop"] - half, right=table["hop"] + half, bottom=0.0)
    fill = (
        {"fill_alpha": 0.12, "fill_color": MEAN, "line_color": MEAN} if is_mean else {"color": VALUE, "line_alpha": 0}
    )
    drawn = ["mean", "chosen_image", "mean_of_brush", "mean_of_rest", "mean_of_heads"]
    top = max(np.nanmax(frame.table[drawn].to_numpy(float), initial=0), 1e-9)
    return dressed(
        hv.Rectangles(sides, ["left", "bottom", "right", column], ["hop"]),
        **FIGURE,
        **fill,
        tools=["hover"],
        title=frame.title(f"{short_head_name(*frame.seen.chosen_head)}: strength, {frame.who}"),
        xlabel="hop",
        ylabel="mean attention",
        yformatter=plain_numbers(),
        ylim=(0, 1.08 * top),
    )


def _band_of_brush(frame: Frame) -> hv.Area:
    table = frame.table
    mean, std = table["mean_of_brush"], table["std_of_brush"]
    table = table.assign(low=(mean - std).clip(lower=0), high=mean + std).dropna(subset=["low"])
    return dressed(hv.Area(table, "hop", ["low", "high"]), color=BRUSH, alpha=0.25, line_alpha=0)


def _line(frame: Frame, column: str, colour: str, **look: Any) -> hv.Curve:
    curve = hv.Curve(frame.table.dropna(subset=[column]), "hop", column)
    return dressed(curve, color=colour, line_width=1.8, **look)


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
