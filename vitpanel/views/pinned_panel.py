"""B4, B5, C4, C5: the pinned heads side by side."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import pandas as pd
import panel as pn
from bokeh.events import Tap
from bokeh.plotting import figure

from vitpanel.core.spec import short_head_name
from vitpanel.state.pins import Head
from vitpanel.state.results import PinnedHead
from vitpanel.state.session import Session
from vitpanel.views.base import FILLED, source_table
from vitpanel.views.bridge import Bridge
from vitpanel.views.chart import Chart
from vitpanel.views.figures.pinned_heads import PinnedHeads, create_pinned_heads

NO_PINS = "No head is pinned."
SHARES = (44, 30, 26)
WAY_TO_PIN = "Pin up to four heads with + in the list, or the chosen one with Pin."


class PinnedPanel(pn.viewable.Viewer):
    """Small multiples that are drawn only while they are shown."""

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(**params)
        self.session, self.bridge = session, bridge
        self.charts = (
            self._chart("modes", self._modes_table, "mode_bars(study, selection{})"),
            self._chart("strength", self._strength_table, "strength_bars(study, selection{})"),
            self._chart("entropy", self._entropy_table, 'measure_distribution(study, selection{}, measure="entropy")'),
        )
        self._last: dict[Head, PinnedHead] = {}
        session.pinned.param.watch(self._on_change, ["answers", "is_shown"])
        session.selection.param.watch(self._on_change, ["image", "metric"])
        self._layout = pn.Column(**FILLED, visible=False)
        self._is_built = False

    def _chart(self, name: str, table: Callable[[], pd.DataFrame], call: str) -> Chart:
        """Chart of one of the figures; ``call`` is the element for one head, with ``{}`` where the head is named."""

        def python() -> str:
            heads = [f", layer={layer}, head={head}" for layer, head in self.session.selection.pinned]
            return " + ".join(f"elements.{call.format(head)}" for head in heads)

        make = partial(self._figure, name)
        return Chart(make, self.bridge, name=f"pinned-{name}", table=table, python=python)

    def _figure(self, name: str) -> figure:
        return getattr(self.figures, name)

    @cached_property
    def figures(self) -> PinnedHeads:
        """Figures of the charts, made when they are wanted."""
        figures = create_pinned_heads(self.session.study.spec.grid.n_hops)
        for fig in (figures.modes, figures.strength, figures.entropy):
            fig.on_event(Tap, self._on_tap)
        return figures

    def set_shown(self, *, is_shown: bool) -> None:
        """Show the panel, and let the live model be asked; or hide it."""
        if is_shown and not self._is_built:
            self._build()
        self._layout.visible = is_shown
        self.session.pinned.is_shown = is_shown

    def _build(self) -> None:
        """Let the charts be built in the browser, which is spared that until somebody compares."""
        self._is_built = True
        self._layout.objects = [
            pn.Column(chart, **FILLED, styles={"flex": f"{share} 1 0", "min-height": "0"})
            for chart, share in zip(self.charts, SHARES, strict=True)
        ]

    # -- what can be saved -----------------------------------------------------------------------------------------

    def _modes_table(self) -> pd.DataFrame:
        names = {"head": "head", "mode": "mode", "pruned": "label", "value": "number"}
        return source_table(self.figures.mode_bars, **names).assign(metric=self.session.selection.metric)

    def _strength_table(self) -> pd.DataFrame:
        return source_table(self.figures.hops, head="head", hop="hop", chosen_image="chosen", mean="mean")

    def _entropy_table(self) -> pd.DataFrame:
        parts = [
            pd.DataFrame({"head": short_head_name(*head.head), "entropy": head.grid, "density": head.density})
            for head in self._last.values()
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["head", "entropy", "density"])

    # -- acts of the person ----------------------------------------------------------------------------------------

    def _on_tap(self, event: Tap) -> None:
        heads = self.session.selection.pinned
        if event.x is not None and 0 <= event.x < len(heads):
            self.session.selection.choose_head(*heads[int(event.x)])

    # -- answers to the selection ----------------------------------------------------------------------------------

    def _on_change(self, *_: Any) -> None:
        if self.session.pinned.is_shown:
            self.bridge.put("pinned", self._draw)

    def _draw(self) -> None:
        heads = [self._with_last(head) for head in self.session.pinned_heads()]
        self._last = {head.head: head for head in heads}
        self.figures.show(heads)
        if heads:
            self.charts[0].clear()
        else:
            self.charts[0].say(NO_PINS, hint=WAY_TO_PIN)

    def _with_last(self, head: PinnedHead) -> PinnedHead:
        """Keep the old bars of a head that waits for new ones, as long as they have the same metric."""
        last = self._last.get(head.head)
        is_waiting = head.modes is None and self.session.pinned.answers[head.head].status == "running"
        if not is_waiting or last is None or last.metric != head.metric:
            return head
        return replace(head, modes=last.modes, is_current=False)

    def __panel__(self) -> pn.viewable.Viewable:
        """Return the one layout of this panel."""
        return self._layout
