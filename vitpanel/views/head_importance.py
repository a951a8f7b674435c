"""B: how much each head matters, and which part of its attention."""

from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import panel as pn
from bokeh.events import Tap

from vitpanel.core.metrics import metrics
from vitpanel.core.regions import PruningMode
from vitpanel.core.spec import short_head_name
from vitpanel.errors import VitpanelError
from vitpanel.state.queries.image_set import others_name
from vitpanel.state.session import Session
from vitpanel.views.base import FILLED, source_table
from vitpanel.views.bridge import Bridge
from vitpanel.views.chart import Chart
from vitpanel.views.checkbox import Checkbox
from vitpanel.views.controls import (
    create_button,
    create_select,
    create_stepper,
    create_toggle,
    linked,
)
from vitpanel.views.figures.importance_line import create_importance_line, pin_columns
from vitpanel.views.figures.mode_bars import create_mode_bars
from vitpanel.views.figures.prediction_bars import create_prediction_bars, prediction_columns
from vitpanel.views.head_drags import HeadDrags
from vitpanel.views.head_shares import SHARED_BY, shown_marks, shown_shares
from vitpanel.views.pinned_panel import PinnedPanel
from vitpanel.views.ranked_list import RankedList
from vitpanel.views.view import Place, View

FADED = 0.3


class HeadImportance(View):
    """Importance of all heads, of one head by pruning mode, and the predictions (Fig. 1B)."""

    title = "Head Importance"
    slug = "head-importance"
    place = Place(row=0, width=75, height=43)
    has_ramps = False
    redraws: ClassVar = {
        "_draw_curve": ("image", "metric"),
        "_draw_brush": ("images", "kept", "against", "metric"),
        "_draw_marks": (*SHARED_BY, "session.received", "view.dark"),
        "_draw_head": ("layer", "head"),
        "_draw_modes": ("mode", "metric", "session.modes", "session.mean_modes"),
        "_draw_pins": ("pinned",),
        "_arrange": ("view.maximised",),
    }

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(session, bridge, **params)
        spec = session.study.spec
        self.n_layers, self.n_heads = spec.n_layers, spec.n_heads
        self.curve = create_importance_line(self.n_layers, self.n_heads, heads_words=spec.heads_words)
        self.ranked = RankedList(session, bridge)
        self.modes = create_mode_bars()
        self.predictions = create_prediction_bars()
        self.curve_chart = Chart(
            self.curve.figure, bridge, name="head-importance", table=self._curve_table,
            python="elements.importance_curve(study, selection)",
        )  # fmt: skip
        self.modes_chart = Chart(
            self.modes.figure, bridge, name="pruning-modes", table=self._modes_table,
            python=lambda: "" if session.selection.image is None else "elements.mode_bars(study, selection)",
        )  # fmt: skip
        self.predictions_chart = Chart(
            self.predictions.figure, bridge, name="predictions", table=self._predictions_table,
            detail=lambda: f"mode{session.selection.mode}",
            python="elements.prediction_bars(study, selection)",
        )  # fmt: skip
        self.pinned = PinnedPanel(session, bridge)
        self.pinned_modes, self.pinned_strength, self.pinned_entropy = self.pinned.charts
        self.drags = HeadDrags(session, bridge, self.curve)
        self._create_controls()
        self.chosen = pn.Row(pn.Column(self.modes_chart, self.retry, **FILLED), self.predictions_chart, **FILLED)
        self.curve.picked.on_change("data", self._on_picked)
        self.modes.figure.on_event(Tap, self._on_modes_tap)
        self._draw_head()
        self._draw_pins()
        self._draw_curve()
        self._draw_brush()
        self._draw_marks()
        self._draw_modes()
        self.follow()

    def _create_controls(self) -> None:
        selection = self.session.selection
        options = {metric.label: metric.key for metric in metrics()}
        self.metric = linked(create_select("Metric", options, selection.metric, width=128), selection, "metric")
        modes = {f"{int(mode)}: {mode.label}": int(mode) for mode in PruningMode}
        self.mode = linked(create_select("Pruning mode", modes, selection.mode, width=224), selection, "mode")
        self.layer = create_stepper("Layer", value=0, width=66)
        self.head = create_stepper("Head", value=0, width=66)
        self.layer.param.watch(partial(self._on_stepper, "layer"), "value")
        self.head.param.watch(partial(self._on_stepper, "head"), "value")
        self.context = Checkbox(label="Mean", value=True, margin=(6, 6, 0, 3))
        self.context.param.watch(lambda *_: self.bridge.put("B1 context", self._draw_context), "value")
        self.pin = create_button("Pin", is_outlined=True, width=52, margin=(6, 3, 0, 3))
        self.pin.on_click(lambda _: self.ranked.toggle(*self.session.chosen_head))
        self.compare = create_toggle("Compare", width=88, margin=(6, 3, 0, 3))
        self.compare.param.watch(self._arrange, "value")
        self.retry = create_button("Try again", is_outlined=True, visible=False, margin=4, align="center")
        self.retry.on_click(lambda _: self.session.ask_again())

    def controls(self) -> list[pn.viewable.Viewable]:
        """Metric, head and mode without a pointer."""
        return [self.context, self.metric, self.layer, self.head, self.pin, self.mode, self.compare]

    def body(self) -> pn.viewable.Viewable:
        """Put the curve and the list at the left of the chosen head's charts, or of the pinned heads."""
        right = pn.Column(self.chosen, self.pinned, styles={"flex": "0 0 44%", "min-width": "0"}, **FILLED)
        curve = pn.Column(self.curve_chart, self.drags.buttons, styles={"position": "relative"}, **FILLED)
        return pn.Row(curve, self.ranked, right, **FILLED)

    # -- what can be saved -----------------------------------------------------------------------------------------

    def _curve_table(self) -> pd.DataFrame:
        table = source_table(self.curve.heads, flat="flat", chosen_image="chosen", mean="mean", band="band")
        over_all = self.session.importance_curve()
        table = table.rename(columns={"band": "std" if over_all.half_width is None else "half_width_95"})
        layer, head = np.divmod(table.pop("flat"), self.n_heads)
        if len(self.curve.brush.data["flat"]):
            table["brush_mean"] = self.curve.brush.data["mean"]
            table["others_mean"] = self.curve.brush.data["others"]
        for name, shares in zip(("brush_share", "token_share"), shown_shares(self.session).values(), strict=True):
            if shares is not None:
                table[name] = np.ravel(shares.values)
        place = {"layer": layer, "head": head, "metric": self.session.selection.metric}
        return pd.concat([pd.DataFrame(place), table], axis=1)

    def _modes_table(self) -> pd.DataFrame:
        table = source_table(self.modes.bars, mode="mode", pruned="label", value="value")
        change = table["value"] - table["value"].head(1).sum()
        return table.assign(change=change, metric=self.session.selection.metric)

    def _predictions_table(self) -> pd.DataFrame:
        columns = {"class": "name", "probability": "probability", "unpruned": "unpruned", "true_class": "truth"}
        return source_table(self.predictions.rows, **columns).assign(mode=self.session.selection.mode)

    # -- acts of the person ----------------------------------------------------------------------------------------

    def _choose_flat(self, flat: int) -> None:
        if 0 <= flat < self.n_layers * self.n_heads:
            layer, head = divmod(int(flat), self.n_heads)
            self.bridge.put("choose head", lambda: self.session.selection.choose_head(layer, head))

    def _on_stepper(self, name: str, event: Any) -> None:
        if event.new is not None:
            # A typed number may lie outside; the stepper then shows the nearest.
            _, last = self.session.selection.param[name].bounds
            nearest = min(max(event.new, 0), last)
            self.session.selection.param.update({name: nearest})
        self._show_head()

    def _on_picked(self, _attribute: str, _old: Any, new: Any) -> None:
        self._choose_flat(new["flat"][0])

    def _on_modes_tap(self, event: Tap) -> None:
        mode = round(event.x)
        if mode in list(PruningMode):
            self.session.selection.mode = mode

    def _arrange(self, *_: Any) -> None:
        """Show the chosen head or the pinned ones; both where there is room."""
        self.chosen.visible = self.maximised or not self.compare.value
        has_pins = bool(self.session.selection.pinned)
        self.pinned.set_shown(is_shown=self.compare.value or (self.maximised and has_pins))

    # -- answers to the selection ----------------------------------------------------------------------------------

    def _draw_curve(self) -> None:
        self.draw(self.curve_chart, self._patch_curve, needs=self.session.importance_array)

    def _patch_curve(self) -> None:
        curve = self.session.importance_curve()
        self.curve.show(curve)
        self.context.is_off = curve.chosen is None
        self._draw_context()

    def _draw_brush(self) -> None:
        try:
            table, unpruned = self.session.set_against_rest(as_drawn=True), self.session.brush_reference()
        except VitpanelError:  # the chart says why there is no curve at all
            table = unpruned = None
        selection = self.session.selection
        others = None if selection.against is None else others_name(selection)
        self.curve.show_brush(table, selection.metric, others=others, unpruned=unpruned)
        self._draw_context()

    def _draw_marks(self) -> None:
        self.curve.show_marks(shown_marks(self.session, dark=self.dark))
        self._draw_context()

    def _draw_context(self) -> None:
        self.curve.show_context(is_shown=self.context.value or self.context.is_off)

    def _draw_head(self) -> None:
        layer, head = self.session.chosen_head
        self._show_head()
        self.curve.move(layer * self.n_heads + head)

    def _show_head(self) -> None:
        layer, head = self.session.chosen_head
        self.layer.value = layer
        self.head.value = head
        self.pin.label = "Unpin" if (layer, head) in self.session.selection.pinned else "Pin"

    def _draw_pins(self) -> None:
        pinned = self.session.selection.pinned
        self._show_head()
        self.compare.label = f"Compare {len(pinned)}" if pinned else "Compare"
        self.curve.pins.data = pin_columns(pinned, self.n_layers, self.n_heads)
        self._arrange()

    def _draw_modes(self) -> None:
        online, name = self.session.modes, short_head_name(*self.session.chosen_head)
        self.modes.figure.title.text = f"{name} by pruning mode"
        self.predictions.figure.title.text = f"Top classes, mode {self.session.selection.mode}"
        self.retry.visible = online.status == "failed"
        if list(self.modes.chosen.data["mode"]) != [self.session.selection.mode]:
            self.modes.chosen.data = {"mode": [self.session.selection.mode]}
        if self.session.selection.image is None:
            self.predictions_chart.say(online.message)
            self._draw_mean_modes(name)
        elif online.status == "running":
            for chart, source in ((self.modes_chart, self.modes.bars), (self.predictions_chart, self.predictions.rows)):
                source.patch({"alpha": [(slice(None), [FADED] * len(source.data["alpha"]))]})
                chart.wait()
        elif online.status == "done":
            self.draw(self.modes_chart, self._patch_modes, needs=f"importance/{self.session.selection.metric}")
            self.draw(self.predictions_chart, self._patch_predictions, needs="probabilities")
        else:
            self.modes_chart.say(online.message, hint=online.hint)
            self.predictions_chart.say(online.message)

    def _draw_mean_modes(self, name: str) -> None:
        """Draw means over images where none is chosen, as far as they are known."""
        online, found = self.session.mean_modes, self.session.mean_mode_values()
        self.retry.visible = online.status == "failed"
        if online.status in {"idle", "failed"}:
            self.modes_chart.say(online.message, hint=online.hint)
        elif found is None:
            self.modes_chart.wait()
        else:
            metric = self.session.selection.metric
            self.modes.figure.title.text = f"{name}, {found.words}"
            self.draw(
                self.modes_chart, lambda: self.modes.show(found.values, metric, of="mean"), needs=f"importance/{metric}"
            )
            if online.status == "running" and not self.modes_chart.message:
                self.modes_chart.wait()  # more images are on their way

    def _patch_modes(self) -> None:
        values = self.session.mode_values()
        if values is not None:
            self.modes.show(values, self.session.selection.metric)

    def _patch_predictions(self) -> None:
        predictions = self.session.predictions()
        if predictions is not None:
            self.predictions.rows.data = prediction_columns(predictions)
