"""Beside B1: all heads in the order of their importance."""

from typing import Any

import numpy as np
import pandas as pd
import param
from panel.custom import JSComponent

from vitpanel.core.metrics import metric_of
from vitpanel.core.spec import short_head_name
from vitpanel.state.ranking import Ranking
from vitpanel.theme.palette import css
from vitpanel.views.figures.numbers import change_text, distance_text
from vitpanel.views.scripts import module_text

_LOOK = f"""
:host {{ overflow: hidden; }}
.ranked {{ height: 100%; display: flex; flex-direction: column; font: 11px/22px sans-serif; color: {css("text")}; }}
.title {{ font-weight: bold; padding: 0 4px 2px; line-height: 13px; }}
.title[role=alert] {{ color: {css("warning")}; }}
.list {{ flex: 1 1 0; min-height: 0; overflow-y: auto; position: relative; scrollbar-width: thin;
    --shade: {css("muted")}; --ground: {css("surface")};
    background: linear-gradient(var(--ground) 40%, transparent) top / 100% 24px no-repeat local,
        linear-gradient(transparent, var(--ground) 60%) bottom / 100% 24px no-repeat local,
        linear-gradient(var(--shade), transparent) top / 100% 7px no-repeat scroll,
        linear-gradient(transparent, var(--shade)) bottom / 100% 7px no-repeat scroll; }}
.list:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
.place {{ flex: none; padding: 0 4px; line-height: 16px; text-align: right; color: {css("hint")}; }}
.head {{ display: flex; align-items: center; gap: 4px; height: 22px; padding: 0 2px 0 5px; cursor: pointer; }}
.head:hover {{ background: {css("grid")}; }}
.head[aria-selected=true] {{ box-shadow: inset 3px 0 0 {css("chosen")}; font-weight: bold; }}
.rank {{ flex: 0 0 auto; min-width: 15px; text-align: right; font-weight: normal; color: {css("hint")};
    font-variant-numeric: tabular-nums; }}
.name {{ flex: 1 0 44px; white-space: nowrap; }}
.value {{ flex: 0 0 42px; text-align: right; font-variant-numeric: tabular-nums; }}
.pin {{ flex: 0 0 24px; height: 22px; padding: 0; border: 1px solid transparent; border-radius: 3px; font: inherit;
    line-height: 20px; color: {css("hint")}; background: none; cursor: pointer; }}
.pin:hover {{ border-color: {css("muted")}; color: inherit; }}
.pinned .pin {{ color: inherit; font-weight: bold; border-color: {css("chosen")}; }}
.zero {{ stroke: {css("muted")}; stroke-width: 0.6; }}
.area {{ fill: {css("hint")}; fill-opacity: 0.45; stroke: {css("hint")}; stroke-width: 0.8; }}
.dot {{ fill: {css("chosen")}; }}
.effect {{ stroke: {css("brush")}; stroke-width: 6; stroke-opacity: 0.55; }}
.interval {{ stroke: {css("brush")}; stroke-width: 1; }}
.sort {{ flex: none; height: 18px; margin: 0 4px 2px; padding: 0 6px; font: 10.5px/16px sans-serif;
    color: {css("text")}; background: none; border: 1px solid {css("brush")}; border-radius: 9px; cursor: pointer; }}
.sort[aria-pressed=true] {{ background: {css("grid")}; font-weight: bold; }}
.sort:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: 1px; }}
.sort[hidden] {{ display: none; }}
"""


class RankedHeads(JSComponent):
    """Rows of rank, name, importance over images, and value; one is chosen, some are pinned.

    What a person does comes as a message, since a value that is set to what it is already tells nobody:
    ``{"choose": flat}`` chooses a head, ``{"toggle": flat}`` asks to pin one or to let it go, ``{"sort": words}`` asks
    for another order.
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
        default={"values": None, "words": [], "is_order": False},
        doc="Effect of a brush on each head: low, middle and high of its interval, words, and whether it is the order.",
    )
    choice = param.List(default=[0, 0], doc="Flat index of the chosen head, and how often one was told.")
    pinned = param.List(default=[], doc="Flat indices of pinned heads.")
    reason = param.String(default="", doc="Why there is no order; in the place of the title.")

    _esm = module_text("vitpanel.views.figures", "ranked_heads.js")
    _stylesheets = [_LOOK]  # noqa: RUF012 - Panel's name and type

    def refuse(self, words: str) -> None:
        """Say in the place of the title what could not be done, until a person does the next thing."""
        self._send_msg({"refusal": words})

    @property
    def chosen(self) -> int:
        """Flat index of the chosen head."""
        return self.choice[0]

    def mark(self, flat: int) -> None:
        """Say which head is chosen, to a browser that may have marked another one since it was told the same."""
        self.choice = [flat, self.choice[1] + 1]


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


def effect_columns(table: pd.DataFrame | None, *, is_order: bool, others: str = "the rest") -> dict[str, Any]:
    """How much more each head matters on the brushed images than on the others; see `set_table`.

    The effect is that of importance, high where a head matters more on the brushed images.

    Parameters
    ----------
    others
        What the brushed images are held against, in words.
    """
    if table is None:
        return {"values": None, "words": [], "is_order": False}
    ends = table[["effect_low", "effect", "effect_high"]].to_numpy()
    words = [_effect_words(row, others) for row in ends]
    return {"values": [_listed(row) for row in ends], "words": words, "is_order": is_order}


def by_effect(order: np.ndarray, table: pd.DataFrame) -> np.ndarray:
    """Flat head indices in the order of the size of the brush's effect, the largest first; without one, last."""
    size = np.nan_to_num(table["effect"].abs().to_numpy()[order], nan=-1.0)
    return order[np.argsort(-size, kind="stable")]


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
