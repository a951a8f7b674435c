"""Beside B1: the list of all heads by importance, where one is chosen, some are brushed and up to four are pinned."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import panel as pn

from vitpanel.core.metrics import metric_of
from vitpanel.errors import VitpanelError, public_words
from vitpanel.state.queries.brush_shares import BrushShares
from vitpanel.state.queries.image_set import others_name
from vitpanel.state.session import Session
from vitpanel.views.bridge import Bridge
from vitpanel.views.figures.head_strip import HEADS, TOKENS
from vitpanel.views.figures.ranked_heads import (
    RankedHeads,
    by_size,
    effect_columns,
    head_names,
    profile_columns,
    rank_columns,
    share_columns,
)
from vitpanel.views.head_brushing import HeadBrushing
from vitpanel.views.head_shares import SHARED_BY, shown_marks, shown_shares

WIDTH = 206
IMPORTANCE = "importance"
ORDERS = {
    IMPORTANCE: "by importance",
    "effect": "by effect of image brush",
    "share": "by share in the brush",
    "tokens": "by attention to tokens",
}


class RankedList(pn.viewable.Viewer):
    """Keeps the list in step with a session, and the session with what a person does in the list."""

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(**params)
        self.session = session
        self._bridge = bridge
        spec = session.study.spec
        self._n_heads = spec.n_heads
        names = head_names(spec.n_layers, spec.n_heads)
        look = {"width": WIDTH, "sizing_mode": "stretch_height", "margin": 0}
        self.heads = RankedHeads(names=names, n_layers=spec.n_layers, **look)
        self.heads.on_msg(self._on_message)
        self._brushing = HeadBrushing(session, bridge, self.heads)
        selection = session.selection.param
        selection.watch(lambda *_: bridge.put("B list", self._on_metric), "metric")
        selection.watch(lambda *_: bridge.put("B ranks", self._on_image), "image")
        selection.watch(lambda *_: bridge.put("B effects", self._on_brush), ["images", "kept", "against", "metric"])
        selection.watch(lambda *_: bridge.put("B shares", self._on_shares), list(SHARED_BY))
        session.param.watch(lambda *_: bridge.put("B shares", self._on_shares), "received")
        selection.watch(lambda *_: bridge.put("B list head", self._on_head), ["layer", "head"])
        selection.watch(self._on_pinned, "pinned")
        self._heard = 0  # the last choice that a person has made in the list
        self._on_head()
        self._on_pinned()
        self._asked = IMPORTANCE
        self._effects: pd.DataFrame | None = None
        self._shares: dict[str, BrushShares | None] = {HEADS: None, TOKENS: None}
        self._on_brush()
        self._on_shares()
        self._on_metric()

    # -- acts of the person ----------------------------------------------------------------------------------------

    def _on_message(self, message: Any) -> None:
        data = message.data
        if "sort" in data:
            self._asked = str(data["sort"])
            self._on_image()
        if isinstance(data.get("asked"), int):
            self._heard = data["asked"]
        for act, flat in data.items():
            if act not in {"choose", "toggle"} or flat not in range(len(self.heads.names)):
                continue
            layer, head = divmod(flat, self._n_heads)
            if act == "choose":
                self._bridge.put("choose head", partial(self.session.selection.choose_head, layer, head))
                self._bridge.put("B list head", self._on_head)
            else:
                self.toggle(layer, head)
        self._brushing.hear(data)

    def toggle(self, layer: int, head: int) -> None:
        """Pin a head or let it go; say in the list why that cannot be."""
        try:
            self.session.selection.toggle_pin(layer, head)
        except VitpanelError as error:
            self.heads.refuse(public_words(f"{error.message} {error.hint}"))

    # -- answers to the selection ----------------------------------------------------------------------------------

    def _on_metric(self, *_: Any) -> None:
        self.heads.reason = self.session.study.reason(f"importance/{self.session.selection.metric}")
        if not self.heads.reason:
            self.heads.profiles = profile_columns(self.session.ranking().profiles)
            self._on_image()

    def _on_image(self, *_: Any) -> None:
        selection = self.session.selection
        if self.session.study.reason(f"importance/{selection.metric}"):
            return
        study = self.session.study
        which = "all images" if study.n_done == study.n_images else f"{study.n_done:,} of {study.n_images:,} images"
        where = f"mean of {which}" if selection.image is None else "this image"
        title = f"{metric_of(selection.metric).legend}, {where}"
        ranks, orders = self.session.ranking(), self._orders
        # The order of a brush that is gone comes back with the next one.
        chosen = self._asked if self._asked in orders else IMPORTANCE
        if chosen != IMPORTANCE:
            ranks = replace(ranks, order=by_size(ranks.order, orders[chosen]))
        options = [[key, words] for key, words in ORDERS.items() if key in orders]
        self.heads.param.update(
            ranks=rank_columns(ranks, selection.metric, title=title), orders={"options": options, "chosen": chosen}
        )

    @property
    def _orders(self) -> dict[str, np.ndarray]:
        """Numbers of all heads that they can be put in order by now."""
        heads, tokens = self._shares[HEADS], self._shares[TOKENS]
        orders = {IMPORTANCE: np.array([])}
        if self._effects is not None:
            orders["effect"] = self._effects["effect"].abs().to_numpy()
        if heads is not None:
            orders["share"] = np.ravel(heads.values)
        if tokens is not None and not tokens.reason:
            orders["tokens"] = np.ravel(tokens.values)
        return orders

    def _on_brush(self, *_: Any) -> None:
        """Say how much more each head matters on the brushed images than on what they are held against."""
        try:
            self._effects = self.session.set_against_rest(as_drawn=False)
        except VitpanelError:  # of a metric that the study does not have, which is said
            self._effects = None
        self.heads.effects = effect_columns(self._effects, others=others_name(self.session.selection))
        self._on_image()

    def _on_shares(self, *_: Any) -> None:
        """Say how much of each head is brushed, and of its attention goes to the brushed tokens."""
        before, self._shares = self._shares, shown_shares(self.session)
        if any(shares is not None for shares in (*before.values(), *self._shares.values())):
            self.heads.shares = share_columns(self._shares, shown_marks(self.session, dark=False))
            self._on_image()

    def _on_head(self, *_: Any) -> None:
        layer, head = self.session.chosen_head
        self.heads.mark(layer * self._n_heads + head, heard=self._heard)

    def _on_pinned(self, *_: Any) -> None:
        pinned = [layer * self._n_heads + head for layer, head in self.session.selection.pinned]
        self.heads.pinned = pinned

    def __panel__(self) -> pn.viewable.Viewable:
        """Return the list."""
        return self.heads
