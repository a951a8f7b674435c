"""B1 and the list beside it: how much every head matters."""

from functools import partial
from typing import Any

import holoviews as hv
import pandas as pd

from vitpanel.core.metrics import metric_of
from vitpanel.elements.streams import AS_CHOSEN, Chart, Frame, Image, Layer, Shown, nearest_row, on_tap, present
from vitpanel.elements.style import (
    FIGURE,
    dressed,
    layer_ticks,
    metric_label,
    outlined,
    padded,
    plain_numbers,
    value_label,
)
from vitpanel.state.queries import importance, ranking
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study
from vitpanel.theme.palette import BRUSH, CHOSEN, MEAN, MUTED, TEXT, VALUE
from vitpanel.theme.shares import share_colours

LEAST_ALPHA = 0.2  # of a head that is brushed on few images
_FOLLOWS = ("metric", "image", "layer", "head", "pinned", "heads", "tokens", "share_source")


def importance_curve(
    study: Study,
    selection: Selection | None = None,
    *,
    table: bool = False,
    metric: str | None = None,
    image: Image = AS_CHOSEN,
) -> Any:
    """Importance of every head: on the chosen image, and the mean over all with its spread (B1).

    The band of the spread is cut at the limits of the metric: there is no probability above 1. A click chooses the head
    at its place. Brushed heads have a square on the mean, the fuller, the larger the share of the images on which they
    are brushed; with a brush of tokens, points show the share of attention that goes to it.

    Parameters
    ----------
    selection
        What the chart follows and writes to; None draws it once.
    table
        Whether to return the table behind it, with the columns of `vitpanel.state.queries.importance`.
    metric
        One of the keys of `vitpanel.core.metrics`.
    image
        Image whose importance is drawn beside the mean; None draws the mean alone.

    Raises
    ------
    VitpanelError
        If the study does not have the metric, or not for the image; without a selection, or with ``table``.

    References
    ----------
    Li et al. 2023, section 5.2 and Fig. 1B.
    """
    layers = (
        Layer(_band, on_tap(_choose_flat)),
        Layer(lambda frame: _curve(frame, "mean", MEAN)),
        Layer(lambda frame: _curve(frame, "unpruned", TEXT, line_dash="dashed")),
        Layer(lambda frame: _curve(frame, "chosen_image", VALUE)),
        Layer(partial(_token_shares, x="flat", y="mean")),
        Layer(partial(_brushed, x="flat", y="mean")),
        Layer(_pins),
        Layer(_chosen_line),
    )
    chart = Chart(importance.importance_table, importance.COLUMNS, _FOLLOWS, layers)
    return present(chart, study, selection, table=table, metric=metric, image=image)


def head_ranking(
    study: Study,
    selection: Selection | None = None,
    *,
    table: bool = False,
    metric: str | None = None,
    image: Image = AS_CHOSEN,
) -> Any:
    """All heads, most important first, each with the quartiles of its importance over images.

    A click chooses a head. What is brushed is marked as in `importance_curve`.

    Parameters
    ----------
    selection
        What the chart follows and writes to; None draws it once.
    table
        Whether to return the table behind it, with the columns of `vitpanel.state.queries.ranking`.
    metric
        One of the keys of `vitpanel.core.metrics`.
    image
        Image for which heads are ranked; None ranks them by their means.

    Raises
    ------
    VitpanelError
        If the study does not have the metric; without a selection, or with ``table``.
    """
    layers = (
        Layer(_quartiles),
        Layer(_ranked, on_tap(_choose_ranked)),
        Layer(partial(_token_shares, x="rank", y="importance")),
        Layer(partial(_brushed, x="rank", y="importance")),
        Layer(_ranked_chosen),
    )
    chart = Chart(ranking.ranking_table, ranking.COLUMNS, _FOLLOWS, layers)
    return present(chart, study, selection, table=table, metric=metric, image=image)


def _flat(frame: Frame) -> pd.DataFrame:
    """The table with the flat index of each head, which is its place along the axis."""
    table = frame.table
    return table.assign(flat=table["layer"].astype(int) * frame.study.spec.n_heads + table["head"].astype(int))


def _band(frame: Frame) -> hv.Area:
    table, spec, metric = _flat(frame), frame.study.spec, metric_of(frame.seen.metric)
    mean, spread, (least, largest) = table["mean"], table["spread"], metric.drawn_bounds
    table = table.assign(lower=(mean - spread).clip(lower=least), upper=(mean + spread).clip(upper=largest))
    middle = (spec.n_heads - 1) / 2
    return dressed(
        hv.Area(table.dropna(subset=["lower"]), "flat", ["lower", "upper"]),
        **FIGURE,
        color=MEAN,
        alpha=0.2,
        line_alpha=0,
        title=frame.title(f"Importance by {metric.label}, {frame.who}"),
        xlabel=f"layer ({spec.n_heads} heads each)",
        ylabel=value_label(frame.seen.metric),
        yformatter=plain_numbers(),
        xlim=(-0.5, spec.n_layers * spec.n_heads - 0.5),
        xticks=[(layer * spec.n_heads + middle, str(layer)) for layer in layer_ticks(spec.n_layers)],
    )


def _curve(frame: Frame, column: str, colour: str, **look: Any) -> hv.Curve:
    table = _flat(frame).dropna(subset=[column])
    curve = hv.Curve(table, "flat", [column, "layer", "head"], label=column.replace("_", " "))
    return dressed(curve, color=colour, line_width=1.6, tools=["hover"], **look)


def _pins(frame: Frame) -> hv.Points:
    table = _flat(frame)
    pinned = table[table["is_pinned"].astype(bool)]
    points = hv.Points(pinned, ["flat", "mean"], ["layer", "head"])
    return dressed(points, marker="square", color=CHOSEN, size=8)


def _brushed(frame: Frame, *, x: str, y: str) -> hv.Points:
    """Squares around the brushed heads, the fuller, the larger their share."""
    table = _flat(frame)
    table = table[table["brush_share"] > 0]
    points = hv.Points(table, [x, y], ["layer", "head", "brush_share"])
    alpha = LEAST_ALPHA + (1 - LEAST_ALPHA) * hv.dim("brush_share")
    return dressed(points, marker="square", fill_alpha=0, line_color=BRUSH, line_width=2, line_alpha=alpha, size=11)


def _token_shares(frame: Frame, *, x: str, y: str) -> hv.Points:
    """Points in the colours of the shares of attention that go to the brushed tokens."""
    table = _flat(frame).dropna(subset=["token_share"])
    colours = share_colours(table["token_share"].to_numpy(float)).colours
    points = hv.Points(table.assign(colour=colours), [x, y], ["layer", "head", "token_share", "colour"])
    return dressed(points, color="colour", tools=["hover"], **outlined(6))


def _chosen_line(frame: Frame) -> hv.VLine:
    flat = frame.seen.layer * frame.study.spec.n_heads + frame.seen.head
    return dressed(hv.VLine(flat), color=CHOSEN, line_width=2)


def _choose_flat(shown: Shown, x: float, _y: float) -> None:
    spec = shown.study.spec
    flat = min(max(round(x), 0), spec.n_layers * spec.n_heads - 1)
    shown.selection.choose_head(*divmod(flat, spec.n_heads))


def _quartiles(frame: Frame) -> hv.Segments:
    table, label = frame.table, metric_label(frame.seen.metric)
    ends = ["rank", "lower_quartile", "rank_", "upper_quartile"]
    values = table[["lower_quartile", "upper_quartile", "importance"]].to_numpy(float)
    return dressed(
        hv.Segments(table.assign(rank_=table["rank"]), ends, []),
        **FIGURE,
        color=MUTED,
        line_width=3,
        title=frame.title(f"Heads by importance, {frame.who}"),
        xlabel="rank",
        ylabel=label,
        yformatter=plain_numbers(),
        ylim=padded(values),
    )


def _ranked(frame: Frame) -> hv.Points:
    names = ["layer", "head", "median", "lower_quartile", "upper_quartile"]
    points = hv.Points(frame.table, ["rank", "importance"], names)
    return dressed(points, color=VALUE, tools=["hover", "tap"], **outlined(6))


def _ranked_chosen(frame: Frame) -> hv.Points:
    table = frame.table
    chosen = table[table["is_chosen"].astype(bool)]
    points = hv.Points(chosen, ["rank", "importance"], ["layer", "head"])
    return dressed(points, fill_alpha=0, line_color=CHOSEN, line_width=2.5, size=14)


def _choose_ranked(shown: Shown, x: float, y: float) -> None:
    row = nearest_row(shown.frame().table, x=("rank", x), y=("importance", y))
    if row is not None:
        shown.selection.choose_head(row["layer"], row["head"])
