"""Beside B1: the list of all heads by importance, where one is chosen and up to four are pinned."""

from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import panel as pn

from vitpanel.core.metrics import metric_of
from vitpanel.errors import VitpanelError, public_words
from vitpanel.state.queries.image_set import others_name
from vitpanel.state.session import Session
from vitpanel.views.bridge import Bridge
from vitpanel.views.figures.ranked_heads import (
    RankedHeads,
    by_effect,
    effect_columns,
    head_names,
    profile_columns,
    rank_columns,
)

WIDTH = 206


class RankedList(pn.viewable.Viewer):
    """Keeps the list in step with a session, and the session with what a person does in the list."""

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(**params)
        self.session = session
        self._bridge = bridge
        spec = session.study.spec
        self._n_heads = spec.n_heads
        names = head_names(spec.n_layers, spec.n_heads)
        self.heads = RankedHeads(names=names, width=WIDTH, sizing_mode="stretch_height", margin=0)
        self.heads.on_msg(self._on_message)
        selection = session.selection.param
        selection.watch(lambda *_: bridge.put("B list", self._on_metric), "metric")
        selection.watch(lambda *_: bridge.put("B ranks", self._on_image), "image")
        selection.watch(lambda *_: bridge.put("B effects", self._on_brush), ["images", "kept", "against", "metric"])
        selection.watch(lambda *_: bridge.put("B list head", self._on_head), ["layer", "head"])
        selection.watch(self._on_pinned, "pinned")
        self._on_head()
        self._on_pinned()
        self._is_by_effect = False
        self._effects: pd.DataFrame | None = None
        self._on_brush()
        self._on_metric()

    # -- acts of the person ----------------------------------------------------------------------------------------

    def _on_message(self, message: Any) -> None:
        for act, flat in message.data.items():
            if act == "sort":
                self._is_by_effect = flat == "effect"
                self._show_effects()
                self._on_image()
            if flat not in range(len(self.heads.names)):
                continue
            layer, head = divmod(flat, self._n_heads)
            if act == "choose":
                self._bridge.put("choose head", partial(self.session.selection.choose_head, layer, head))
                self._bridge.put("B list head", self._on_head)
            elif act == "toggle":
                self.toggle(layer, head)

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
        title = f"{metric_of(selection.metric).caption}, {where}"
        ranks = self.session.ranking()
        if self._is_by_effect and self._effects is not None:
            ranks = replace(ranks, order=by_effect(ranks.order, self._effects))
        self.heads.ranks = rank_columns(ranks, selection.metric, title=title)

    def _on_brush(self, *_: Any) -> None:
        """Say how much more each head matters on the brushed images than on what they are held against."""
        try:
            self._effects = self.session.set_against_rest(as_drawn=False)
        except VitpanelError:  # of a metric that the study does not have, which is said
            self._effects = None
        self._show_effects()
        if self._is_by_effect:
            self._on_image()

    def _show_effects(self) -> None:
        self.heads.effects = effect_columns(
            self._effects, is_order=self._is_by_effect, others=others_name(self.session.selection)
        )

    def _on_head(self, *_: Any) -> None:
        layer, head = self.session.chosen_head
        self.heads.mark(layer * self._n_heads + head)

    def _on_pinned(self, *_: Any) -> None:
        pinned = [layer * self._n_heads + head for layer, head in self.session.selection.pinned]
        self.heads.pinned = pinned

    def __panel__(self) -> pn.viewable.Viewable:
        """Return the list."""
        return self.heads
