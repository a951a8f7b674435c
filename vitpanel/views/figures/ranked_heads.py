"""Beside B1: all heads in the order of their importance."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import param

from vitpanel.core.metrics import metric_of
from vitpanel.core.spec import short_head_name
from vitpanel.state.queries.brush_shares import BrushShares
from vitpanel.state.ranking import Ranking
from vitpanel.theme.palette import css
from vitpanel.theme.shares import BAR
from vitpanel.views.base import SHADED_ENDS
from vitpanel.views.component import Component
from vitpanel.views.figures.head_strip import HeadMarks
from vitpanel.views.figures.numbers import change_text, distance_text

_LINE_WIDTH = 56  # of the line of importance over images, where it has room
_LOOK = f"""
:host {{ overflow: hidden; }}
.ranked {{ height: 100%; display: flex; flex-direction: column; font: 11px/22px sans-serif; color: {css("text")}; }}
.title {{ font-weight: bold; padding: 0 4px 2px; line-height: 13px; }}
.title[role=alert] {{ color: {css("warning")}; }}
.list {{ flex: 1 1 0; min-height: 0; overflow-y: auto; position: relative; scrollbar-width: thin;
    {SHADED_ENDS} }}
.list:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
.place {{ flex: none; padding: 0 4px; line-height: 16px; text-align: right; color: {css("hint")}; }}
.head {{ display: flex; align-items: center; gap: 4px; height: 22px; padding: 0 2px 0 5px; cursor: pointer; }}
.head:hover {{ background: {css("grid")}; }}
.head[aria-selected=true] {{ box-shadow: inset 3px 0 0 {css("chosen")}; font-weight: bold; }}
.rank {{ flex: 0 0 auto; min-width: 15px; text-align: right; font-weight: normal; color: {css("hint")};
    font-variant-numeric: tabular-nums; }}
.name {{ flex: 1 0 44px; white-space: nowrap; }}
.value {{ flex: 0 0 42px; text-align: right; font-variant-numeric: tabular-nums; }}
.pin {{ flex: 0 0 24px; height: 22px; box-sizing: border-box; border: 1px solid transparent; border-radius: 3px;
    line-height: 20px; text-align: center; color: {css("hint")}; cursor: pointer; }}
.pin:hover {{ border-color: {css("muted")}; color: inherit; }}
.pinned .pin {{ color: inherit; font-weight: bold; border-color: {css("chosen")}; }}
.zero {{ stroke: {css("muted")}; stroke-width: 0.6; }}
.area {{ fill: {css("hint")}; fill-opacity: 0.45; stroke: {css("hint")}; stroke-width: 0.8; }}
.dot {{ fill: {css("chosen")}; }}
.effect {{ stroke: {css("brush")}; stroke-width: 6; stroke-opacity: 0.55; }}
.interval {{ stroke: {css("brush")}; stroke-width: 1; }}
.head svg {{ flex: 1 1 {_LINE_WIDTH}px; min-width: 30px; height: 14px; }}
.gauges {{ display: none; gap: 2px; height: 16px; }}
.has-heads .gauges, .has-tokens .gauges {{ display: flex; }}
.gauges i {{ display: none; width: 4px; height: 100%; background:
    linear-gradient(var(--of), var(--of)) bottom / 100% var(--part, 0) no-repeat, {css("grid")}; }}
.has-heads .of-heads {{ display: block; --of: {css("brush")}; }}
.has-tokens .of-tokens {{ display: block; --of: {BAR}; }}
.head {{ user-select: none; }}
.tools {{ flex: none; display: flex; gap: 4px; padding: 0 4px 3px; }}
.tools > *, .filter :is(button, input, select) {{ height: 20px; box-sizing: border-box; padding: 0 6px;
    font: 11px/18px sans-serif; color: {css("text")}; background: {css("surface")}; border-radius: 4px;
    border: 1px solid {css("muted")}; }}
.sort {{ flex: 1 1 0; min-width: 0; }}
.opener {{ flex: none; }}
.opener[aria-expanded=true] {{ border-color: {css("value")}; box-shadow: inset 0 0 0 1px {css("value")}; }}
:is(.opener, .filter button) {{ cursor: pointer; }}
:is(.opener, .filter button):hover {{ background: {css("grid")}; }}
:is(.tools > *, .filter :is(button, input, select)):focus-visible {{ outline: 2px solid {css("value")};
    outline-offset: -1px; }}
.filter {{ flex: none; margin: 0 4px 4px; padding: 4px; border: 1px solid {css("muted")}; border-radius: 4px;
    line-height: 14px; }}
.filter[hidden] {{ display: none; }}
.filter > div {{ display: flex; flex-wrap: wrap; align-items: center; gap: 3px; margin-bottom: 3px; }}
.filter input {{ width: 46px; padding: 0 2px 0 4px; }}
.filter div:nth-child(2) select:first-child {{ flex: 1 0 100%; min-width: 0; }}
.filter div:nth-child(2) input {{ flex: 1 1 0; }}
.filter button {{ margin-left: auto; }}
.filter .range {{ margin: 0; color: {css("hint")}; }}
"""


class RankedHeads(Component):
    """Rows of rank, name, importance over images, and value; one is chosen, some are pinned.

    What a person does comes as a message, since a value that is set to what it is already tells nobody:
    ``{"choose": flat, "asked": n}`` chooses a head, as the n-th choice; ``{"toggle": flat}`` asks to pin one or to let
    it go, ``{"sort": key}`` asks for another order, ``{"brush": flat}`` to brush one or to let it go,
    ``{"add": flats}`` to brush several more, ``{"filter": True}`` for the `measures`, ``{"layers": [first, last]}`` and
    ``{"measure": key, "end": "low" or "high", "value": number}`` for a brush.
    """

    names = param.List(default=[], doc="Short names by flat head index.")
    # In one property, so that lines are never drawn on the limits of others.
    profiles = param.Dict(
        default={"lines": [], "limits": [0, 1]},
        doc="Heights of each head's line, rising, None for NaN; and the least and largest that there is room for.",
    )
    ranks = param.Dict(default={"order": [], "texts": [], "places": None, "heights": [], "title": ""}, doc="The order.")
    # Beside `ranks`, which says where they stand.
    effects = param.Dict(
        default={"values": None, "words": []},
        doc="Effect of a brush of images on each head: low, middle and high of its interval, and words.",
    )
    shares = param.Dict(
        default={"heads": None, "tokens": None, "words": []},
        doc="How much of each head is brushed, and of its attention goes to brushed tokens: parts of the largest.",
    )
    orders = param.Dict(default={"options": [], "chosen": ""}, doc="Orders to choose from, each a key with its words.")
    measures = param.List(default=[], doc="Numbers to brush heads by: key, words, and what they range over.")
    n_layers = param.Integer(default=1, doc="Layers of the model.")
    choice = param.List(
        default=[0, 0, 0],
        doc="Flat index of the chosen head, how often one was told, and the last choice of the person's that is known.",
    )
    pinned = param.List(default=[], doc="Flat indices of pinned heads.")
    reason = param.String(default="", doc="Why there is no order; in the place of the title.")

    _module = ("vitpanel.views.figures", "ranked_heads.js")
    _stylesheets = [_LOOK]  # noqa: RUF012 - Panel's name and type

    def refuse(self, words: str) -> None:
        """Say in the place of the title what could not be done, until a person does the next thing."""
        self._send_msg({"refusal": words})

    @property
    def chosen(self) -> int:
        """Flat index of the chosen head."""
        return self.choice[0]

    def mark(self, flat: int, *, heard: int) -> None:
        """Say which head is chosen, to a browser that may have marked another one since it was told the same.

        Parameters
        ----------
        flat
            Index of the head.
        heard
            Which choice of the person's is known. A browser where more have been made waits for the answer to the last:
            by this one, keys that are pressed quickly would go back.
        """
        self.choice = [flat, self.choice[1] + 1, heard]


def head_names(n_layers: int, n_heads: int) -> list[str]:
    """Short names by flat head index."""
    return [short_head_name(layer, head) for layer in range(n_layers) for head in range(n_heads)]


def rank_columns(ranks: Ranking, metric: str, *, title: str) -> dict[str, Any]:
    """What the rows show, by flat head index."""
    text = change_text if metric_of(metric).is_signed else distance_text
    return {
        "order": ranks.order.tolist(),
        "texts": [text(value) for value in ranks.importance],
        "heights": _listed(ranks.importance),
        "places": None if ranks.places is None else _listed(ranks.places),
        "title": title,
    }


def effect_columns(table: pd.DataFrame | None, *, others: str = "the rest") -> dict[str, Any]:
    """How much more each head matters on the brushed images than on the others; see `set_table`.

    The effect is that of importance, high where a head matters more on the brushed images.

    Parameters
    ----------
    others
        What the brushed images are held against, in words.
    """
    if table is None:
        return {"values": None, "words": []}
    ends = table[["effect_low", "effect", "effect_high"]].to_numpy()
    words = [_effect_words(row, others) for row in ends]
    return {"values": [_listed(row) for row in ends], "words": words}


def share_columns(shares: Mapping[str, BrushShares | None], marks: Mapping[str, HeadMarks | None]) -> dict[str, Any]:
    """How much of each head is brushed, and how much of its attention goes to the brushed tokens, with words for both.

    Parameters
    ----------
    shares, marks
        By `HEADS` and `TOKENS`; None without such a brush.
    """
    parts = {name: None if found is None else _parts(found) for name, found in shares.items()}
    lines = [[f"{row.title}: {text}" for text in row.texts] for row in marks.values() if row is not None]
    return parts | {"words": ["\n".join(words) for words in zip(*lines, strict=True)]}


def by_size(order: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Flat head indices by a number of each head, the largest first; of equal ones in the given order, NaN last."""
    sizes = np.nan_to_num(values.ravel()[order], nan=-np.inf)
    return order[np.argsort(-sizes, kind="stable")]


def _parts(shares: BrushShares) -> list[float | None]:
    """Shares as parts of the largest one, by flat head index."""
    return _listed(np.ravel(shares.values) / (np.nanmax(shares.values, initial=0) or 1))


def _effect_words(ends: np.ndarray, others: str) -> str:
    if np.isnan(ends).any():
        return "The effect of the brush is not defined: it takes two images on either side, and a spread."
    low, effect, high = (f"{end:+.2f}".replace("-", "−") for end in ends)
    return f"Brush against {others}: effect {effect} standard deviations (95 % from {low} to {high})"


def profile_columns(profiles: np.ndarray) -> dict[str, Any]:
    """Lines of all heads on one scale that contains 0."""
    return {
        "lines": [_listed(profile) for profile in profiles],
        "limits": [float(np.nanmin(profiles, initial=0)), float(np.nanmax(profiles, initial=0))],
    }


def _listed(values: np.ndarray) -> list[float | None]:
    """Numbers as JSON has them, None for NaN."""
    return [None if np.isnan(value) else float(f"{value:.4g}") for value in values]
