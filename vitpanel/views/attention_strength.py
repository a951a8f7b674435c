"""C: how far the patches of each head look."""

from typing import Any, ClassVar

import pandas as pd
import panel as pn
from bokeh.events import Tap

from vitpanel.core.spec import short_head_name
from vitpanel.errors import VitpanelError
from vitpanel.state.queries.strength import density_table, hop_table, measure_table
from vitpanel.state.session import Session
from vitpanel.state.strength import MEASURES, patch_side
from vitpanel.views.base import FILLED
from vitpanel.views.bridge import Bridge
from vitpanel.views.chart import Chart
from vitpanel.views.controls import create_select, linked
from vitpanel.views.figures.density_area import create_density_area, density_columns
from vitpanel.views.figures.head_scatter import create_head_scatter, head_columns, marked_columns, value_texts
from vitpanel.views.figures.picking import nearest_point
from vitpanel.views.figures.strength_bars import create_strength_bars, strength_columns
from vitpanel.views.view import Place, View

MEASURE_NAMES = {"entropy": "Entropy", "distance": "Distance"}


class AttentionStrength(View):
    """A measure of all heads, and the chosen head's attention over hops (Fig. 1C)."""

    title = "Attention Strength"
    slug = "attention-strength"
    place = Place(row=1, width=25, height=57)
    has_ramps = False
    redraws: ClassVar = {
        "_draw_scatter": ("image", "measure"),
        "_draw_marks": ("layer", "head", "pinned"),
        "_draw_bars": ("image", "layer", "head"),
        "_draw_area": ("layer", "head", "measure", "images"),
        "_draw_line": ("image",),
    }

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(session, bridge, **params)
        spec = session.study.spec
        self.side = patch_side(spec)
        self.scatter = create_head_scatter(spec.n_layers, spec.n_heads)
        self.bars = create_strength_bars(spec.grid.n_hops)
        self.area = create_density_area(patch_side=self.side)
        self.scatter_chart = Chart(
            self.scatter.figure, bridge, name="all-heads", table=self.scatter_table,
            python="elements.head_scatter(study, selection)",
        )  # fmt: skip
        self.bars_chart = Chart(
            self.bars.figure, bridge, name="attention-strength", table=self.bars_table,
            python="elements.strength_bars(study, selection)",
        )  # fmt: skip
        self.area_chart = Chart(
            self.area.figure, bridge, name="distribution", table=self.area_table,
            python="elements.measure_distribution(study, selection)",
        )  # fmt: skip
        names = {name: measure for measure, name in MEASURE_NAMES.items()}
        measure = create_select("Measure", names, session.selection.measure, width=88)
        self.measure = linked(measure, session.selection, "measure")
        self.scatter.figure.on_event(Tap, self._on_tap)
        self._draw_scatter()
        self._draw_bars()
        self._draw_area()
        self.follow()

    def controls(self) -> list[pn.viewable.Viewable]:
        """Which measure is shown."""
        return [self.measure]

    def body(self) -> pn.viewable.Viewable:
        """Put all heads above the two charts of the chosen one."""
        return pn.Column(self.scatter_chart, pn.Row(self.bars_chart, self.area_chart, **FILLED), **FILLED)

    def scatter_table(self) -> pd.DataFrame:
        """Measure of all heads as it is drawn."""
        return measure_table(self.session.study, self.session.selection)

    def bars_table(self) -> pd.DataFrame:
        """Strength over hops."""
        return hop_table(self.session.study, self.session.selection)

    def area_table(self) -> pd.DataFrame:
        """Distribution of the measure; without a brush the density is over all images."""
        return density_table(self.session.study, self.session.selection)

    # -- acts of the person ----------------------------------------------------------------------------------------

    def _on_tap(self, event: Tap) -> None:
        heads = self.scatter.heads.data
        if len(heads["x"]) == 0:
            return
        flat = nearest_point(self.scatter.figure, (event.x, event.y), (heads["x"], heads["value"]))
        if flat is not None:
            layer, head = divmod(flat, self.session.study.spec.n_heads)
            self.bridge.put("choose head", lambda: self.session.selection.choose_head(layer, head))

    # -- answers to the selection ----------------------------------------------------------------------------------

    def _draw_scatter(self) -> None:
        self.draw(self.scatter_chart, self._patch_scatter, needs=self.session.selection.measure)

    def _patch_scatter(self) -> None:
        image, values = self.session.selection.image, self.session.head_values()
        texts = {measure: self._texts(measure, values.per_head.size) for measure in MEASURES}
        who = "mean ± std" if image is None else f"image {image}"
        self.scatter.figure.title.text = f"{MEASURE_NAMES[values.measure]} of all heads, {who}"
        self.scatter.scale(values)
        self.scatter.heads.data = head_columns(values, texts)
        self._draw_marks()

    def _texts(self, measure: str, n_heads: int) -> list[str]:
        """Values of a measure for the tooltip, dashes where there are none."""
        try:
            return value_texts(self.session.head_values(measure), patch_side=self.side)
        except VitpanelError:
            return ["–"] * n_heads

    def _draw_marks(self) -> None:
        if not len(self.scatter.heads.data["x"]):
            return
        n_heads = self.session.study.spec.n_heads
        chosen, pinned = (
            [layer * n_heads + head for layer, head in heads]
            for heads in ([self.session.chosen_head], self.session.selection.pinned)
        )
        self.scatter.ring.data = marked_columns(self.scatter.heads, chosen)
        self.scatter.pins.data = marked_columns(self.scatter.heads, pinned)

    def _draw_bars(self) -> None:
        self.bars.figure.title.text = f"{self._head_name}: strength"
        self.draw(self.bars_chart, self._patch_bars, needs="strength")

    def _patch_bars(self) -> None:
        strength = self.session.strength()
        self.bars.scale(strength)
        self.bars.hops.data = strength_columns(strength)

    def _draw_area(self) -> None:
        self.area.figure.title.text = f"{self._head_name}: distribution"
        self.draw(self.area_chart, self._patch_area, needs=self.session.selection.measure)

    def _patch_area(self) -> None:
        density = self.session.head_density()
        self.area.scale(density)
        self.area.curve.data = density_columns(density)
        self._draw_line()

    def _draw_line(self) -> None:
        if self.session.selection.measure in self.session.study:
            value = self.session.chosen_value()
            self.area.line.update(visible=value is not None, location=value or 0)

    @property
    def _head_name(self) -> str:
        return short_head_name(*self.session.chosen_head)
