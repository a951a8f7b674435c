"""Beside B1: all heads in the order of their importance."""

from typing import Any

import numpy as np
import param
from panel.custom import JSComponent

from vitpanel.core.spec import short_head_name
from vitpanel.state.ranking import Ranking
from vitpanel.views.figures.client import script
from vitpanel.views.palette import css

_LOOK = f"""
:host {{ overflow: hidden; }}
.ranked {{ height: 100%; display: flex; flex-direction: column; font: 11px/18px sans-serif; color: {css("text")}; }}
.title {{ font-weight: bold; padding: 0 4px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }}
.title[role=alert] {{ white-space: normal; line-height: 13px; color: {css("warning")}; }}
.list {{ flex: 1 1 0; min-height: 0; overflow-y: auto; position: relative; scrollbar-width: thin; }}
.list:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
.head {{ display: flex; align-items: center; gap: 4px; height: 18px; padding: 0 4px; cursor: pointer; }}
.head:hover {{ background: {css("grid")}; }}
.head[aria-selected=true] {{ box-shadow: inset 3px 0 0 {css("chosen")}; font-weight: bold; }}
.name {{ flex: 1 0 44px; white-space: nowrap; }}
.value {{ flex: 0 0 42px; text-align: right; font-variant-numeric: tabular-nums; }}
.pin {{ flex: 0 0 16px; height: 16px; padding: 0; border: 1px solid transparent; border-radius: 3px; font: inherit;
    line-height: 14px; color: inherit; background: none; opacity: 0.5; cursor: pointer; }}
.pin:hover {{ border-color: {css("muted")}; opacity: 1; }}
.pinned .pin {{ opacity: 1; font-weight: bold; border-color: {css("chosen")}; }}
.zero {{ stroke: {css("muted")}; stroke-width: 0.6; }}
.area {{ fill: {css("hint")}; fill-opacity: 0.45; stroke: {css("hint")}; stroke-width: 0.8; }}
.dot {{ fill: {css("chosen")}; }}
"""


class RankedHeads(JSComponent):
    """Rows of name, importance over images, and value; one is chosen, some are pinned.

    ``picked`` is what a person chose here; a message ``{"toggle": flat}`` asks to pin a head or to let it go.
    """

    names = param.List(default=[], doc="Short names by flat head index.")
    profiles = param.List(default=[], doc="Heights of each head's line, rising; None for NaN.")
    limits = param.List(default=[0, 1], doc="Least and largest value that a line has room for.")
    ranks = param.Dict(default={"order": [], "texts": [], "places": None, "heights": [], "title": ""}, doc="The order.")
    chosen = param.Integer(default=0, doc="Flat index of the chosen head.")
    pinned = param.List(default=[], doc="Flat indices of pinned heads.")
    picked = param.Integer(default=0, doc="Flat index of the head that was last picked here.")

    message = param.String(
        default="", doc="What could not be done, or why there is no order; in the place of the title."
    )

    _esm = script("ranked_heads.js")
    _stylesheets = [_LOOK]  # noqa: RUF012 - Panel's name and type


def head_names(n_layers: int, n_heads: int) -> list[str]:
    """Short names by flat head index."""
    return [short_head_name(layer, head) for layer in range(n_layers) for head in range(n_heads)]


def rank_columns(ranks: Ranking, metric: str, *, title: str) -> dict[str, Any]:
    """What the rows show, by flat head index."""
    text = change_text if metric == "probability" else distance_text
    return {
        "order": ranks.order.tolist(),
        "texts": [text(value) for value in ranks.importance],
        "heights": _listed(ranks.importance),
        "places": None if ranks.places is None else _listed(ranks.places),
        "title": title,
    }


def profile_columns(profiles: np.ndarray) -> dict[str, Any]:
    """Lines of all heads on one scale that contains 0."""
    return {
        "profiles": [_listed(profile) for profile in profiles],
        "limits": [float(np.nanmin(profiles, initial=0)), float(np.nanmax(profiles, initial=0))],
    }


def change_text(value: float) -> str:
    """Value with its sign, a dash for NaN."""
    if np.isnan(value):
        return "–"
    return f"{value:+.3f}".replace("-", "−") if abs(value) >= 0.0005 else "0.000"  # noqa: PLR2004 - else −0.000


def distance_text(value: float) -> str:
    """Value that cannot be negative in at most five characters, a dash for NaN."""
    if np.isnan(value):
        return "–"
    is_plain = value == 0 or value >= 0.0005  # noqa: PLR2004 - below this three decimals would read 0.000
    return f"{value:.3f}" if is_plain else f"{value:.0e}".replace("e-0", "e-")


def _listed(values: np.ndarray) -> list[float | None]:
    """Numbers as JSON has them, None for NaN."""
    return [None if np.isnan(value) else round(float(value), 5) for value in values]
