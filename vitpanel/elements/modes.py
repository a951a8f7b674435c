"""B2 and B3: which part of a head's attention matters, and what the model predicts without it."""

from textwrap import fill
from typing import Any

import holoviews as hv
import numpy as np

from vitpanel.core.metrics import metric_of
from vitpanel.core.regions import PruningMode
from vitpanel.core.spec import short_head_name
from vitpanel.elements.live import Live, on_modes
from vitpanel.elements.streams import Chart, Frame, Layer, Shown, on_tap, present
from vitpanel.elements.style import FIGURE, dressed, padded, plain_numbers, value_label
from vitpanel.state.queries import modes
from vitpanel.state.results import N_TOP
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study
from vitpanel.theme.palette import CHOSEN, MEAN, TEXT, VALUE

# Letters in a line of the name of a mode, below its bar.
LABEL_WIDTH = 10
# Letters of the name of a class that have room over its bar.
LONGEST_NAME = 56
# Of a row, which is a name, below it a bar, and the tick that reaches from the top of the bar to below it.
BAR, TICK, AIR = 0.15, 0.3, 0.05


def mode_bars(
    study: Study,
    selection: Selection | None = None,
    *,
    table: bool = False,
    metric: str | None = None,
    image: int | None = None,
    layer: int | None = None,
    head: int | None = None,
    live: Live = True,
) -> Any:
    """A metric of a head on an image under the six pruning modes, each bar from the value without pruning (B2).

    A click chooses a mode, whose predictions `prediction_bars` shows.

    Parameters
    ----------
    selection
        What the chart follows and writes to; None draws it once.
    table
        Whether to return the table behind it, with the columns `MODE_COLUMNS` of `vitpanel.state.queries.modes`.
    metric
        One of the keys of `vitpanel.core.metrics`.
    image, layer, head
        Which head on which image.
    live
        The model that is asked where the study does not have the modes: True for `vitpanel.live_model`, False for
        none, or one of your own, see `vitpanel.state.live.LiveModel`.

    Raises
    ------
    InferenceError
        If the modes are not in the study and there is no model.
    VitpanelError
        If there is nothing to draw; without a selection, or with ``table``.

    References
    ----------
    Li et al. 2023, section 5.2.3 and Fig. 4B.
    """
    layers = (Layer(_mode_chosen), Layer(_mode_bars, on_tap(_choose_mode)), Layer(_unpruned))
    follows = ("metric", "image", "layer", "head", "mode")
    chart = Chart(on_modes(modes.mode_table, live), modes.MODE_COLUMNS, follows, layers, needs_image=True)
    return present(chart, study, selection, table=table, metric=metric, image=image, layer=layer, head=head)


def prediction_bars(
    study: Study,
    selection: Selection | None = None,
    *,
    table: bool = False,
    mode: int | None = None,
    image: int | None = None,
    layer: int | None = None,
    head: int | None = None,
    live: Live = True,
) -> Any:
    """Most probable classes of an image while a head is pruned, with the probabilities without pruning as ticks (B3).

    Parameters
    ----------
    selection
        What the chart follows; None draws it once.
    table
        Whether to return the table behind it, with the columns `CLASS_COLUMNS` of `vitpanel.state.queries.modes`.
    mode
        One of `vitpanel.core.regions.PruningMode`.
    image, layer, head
        Which head on which image.
    live
        As of `mode_bars`.

    Raises
    ------
    InferenceError
        If the modes are not in the study and there is no model.
    VitpanelError
        If there is nothing to draw; without a selection, or with ``table``.
    """
    layers = (Layer(_class_bars), Layer(_class_ticks), Layer(_class_names))
    follows = ("mode", "image", "layer", "head")
    chart = Chart(on_modes(modes.class_table, live), modes.CLASS_COLUMNS, follows, layers, needs_image=True)
    return present(chart, study, selection, table=table, mode=mode, image=image, layer=layer, head=head)


def _mode_chosen(frame: Frame) -> hv.VSpans:
    mode = frame.seen.mode
    values = frame.table["value"].to_numpy(float)
    # Distances begin at 0, and a probability need not.
    low, high = padded(np.append(values, [] if metric_of(frame.seen.metric).is_signed else [0]), air=0.12)
    return dressed(
        hv.VSpans([(mode - 0.48, mode + 0.48)]),
        **FIGURE | {"height": 320},
        color=CHOSEN,
        alpha=0.13,
        title=frame.title(f"{short_head_name(*frame.seen.chosen_head)} by pruning mode, {frame.who}"),
        xlabel="what is pruned",
        ylabel=value_label(frame.seen.metric),
        yformatter=plain_numbers(),
        xlim=(-0.6, len(PruningMode) - 0.4),
        ylim=(low, high),
        xticks=[(int(mode), _broken(mode)) for mode in PruningMode],
    )


def _broken(mode: PruningMode) -> str:
    """Name of a mode in lines, which may end after an arrow."""
    words = f"{int(mode)}: {mode.label}".replace("→", "→ ").replace("↔", "↔ ")
    return fill(words, LABEL_WIDTH).replace("→ ", "→").replace("↔ ", "↔")


def _mode_bars(frame: Frame) -> hv.Rectangles:
    table = frame.table.dropna(subset=["value"])
    base = table["value"].iloc[0] if len(table) else 0.0
    sides = table.assign(left=table["mode"] - 0.36, right=table["mode"] + 0.36, bottom=base)
    sides = sides.assign(colour=np.where(table["mode"] == 0, MEAN, VALUE))
    bars = hv.Rectangles(sides, ["left", "bottom", "right", "value"], ["mode", "pruned", "change", "colour"])
    return dressed(bars, color="colour", line_alpha=0, tools=["hover", "tap"])


def _unpruned(frame: Frame) -> hv.HLines:
    values = frame.table["value"].head(1).dropna().tolist()
    return dressed(hv.HLines(values), color=TEXT, line_dash="dashed", line_width=1)


def _choose_mode(shown: Shown, x: float, _y: float) -> None:
    if round(x) in list(PruningMode):
        shown.selection.mode = round(x)


def _class_bars(frame: Frame) -> hv.Rectangles:
    table = frame.table.assign(row=np.arange(len(frame.table)), left=0.0, right=frame.table["probability"])
    sides = table.assign(bottom=table["row"] - BAR, top=table["row"] + BAR)
    names = ["class", "probability", "unpruned", "true_class"]
    return dressed(
        hv.Rectangles(sides, ["left", "bottom", "right", "top"], names),
        **FIGURE,
        color=VALUE,
        line_alpha=0,
        tools=["hover"],
        title=frame.title(f"Top classes, mode {frame.seen.mode}, {frame.who}"),
        xlabel="probability (tick: unpruned)",
        ylabel="",
        yaxis=None,
        xlim=(0, 1.02),
        ylim=(N_TOP - 0.5, -0.8),
    )


def _class_ticks(frame: Frame) -> hv.Segments:
    table = frame.table.assign(row=np.arange(len(frame.table)))
    table = table.assign(bottom=table["row"] - BAR, top=table["row"] + TICK, x1=table["unpruned"])
    return dressed(hv.Segments(table, ["unpruned", "bottom", "x1", "top"], []), color=TEXT, line_width=2.5)


def _class_names(frame: Frame) -> hv.Labels:
    """Names over the bars, where neither a bar nor a tick is."""
    table = frame.table
    is_true = table["true_class"].astype(bool)
    names = [_cut(str(name)) for name in table["class"]]
    texts = [f"✓ {name}" if true else name for name, true in zip(names, is_true, strict=True)]
    places = table.assign(x=0.0, y=np.arange(len(table)) - BAR - AIR, text=texts)
    look = {"text_font_size": "9pt", "text_align": "left", "text_baseline": "bottom"}
    return dressed(hv.Labels(places, ["x", "y"], "text"), text_color=TEXT, **look)


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].rstrip()}…"
