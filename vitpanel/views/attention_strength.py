"""C: how far the patches of each head look."""

from typing import Any, ClassVar

import pandas as pd
import panel as pn

from vitpanel.core.spec import short_head_name
from vitpanel.state.queries.image_set import others_name
from vitpanel.state.queries.strength import density_table, hop_table, strength_of_brushes
from vitpanel.state.session import Session
from vitpanel.state.strength import patch_side
from vitpanel.views.base import FILLED
from vitpanel.views.bridge import Bridge
from vitpanel.views.chart import Chart
from vitpanel.views.controls import create_select, linked
from vitpanel.views.figures.density_area import create_density_area, density_columns
from vitpanel.views.figures.strength_bars import create_strength_bars
from vitpanel.views.scatter_panel import ScatterPanel
from vitpanel.views.view import Place, View

# The part with menus gets more of the height.
_GRID = {"display": "grid", "grid-template": "minmax(0, 56fr) minmax(0, 44fr) / minmax(0, 1fr)"}
MEASURE_NAMES = {"entropy": "Entropy", "distance": "Distance"}

SCATTER_FOLLOWS = (
    "image", "measure", "scatter_x", "scatter_y", "scatter_colour", "metric", "pattern", "images", "kept", "against",
    "heads", "tokens", "share_source",
)  # fmt: skip


class AttentionStrength(View):
    """All heads by two of their numbers, and the chosen head's attention over hops (Fig. 1C)."""

    title = "Attention Strength"
    slug = "attention-strength"
    place = Place(row=1, width=25, height=57)
    has_ramps = False
    redraws: ClassVar = {
        "_draw_scatter": (*SCATTER_FOLLOWS, "session.received", "view.dark"),
        "_draw_marks": ("layer", "head", "pinned"),
        "_draw_bars": ("image", "layer", "head", "images", "heads", "kept", "against"),
        "_draw_area": ("layer", "head", "measure", "images", "kept", "against"),
        "_draw_line": ("image",),
    }

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(session, bridge, **params)
        spec = session.study.spec
        self.all_heads = ScatterPanel(session, bridge)
        self.scatter, self.scatter_chart = self.all_heads.plot, self.all_heads.chart
        self.bars = create_strength_bars(spec.grid.n_hops)
        self.area = create_density_area(patch_side=patch_side(spec))
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
        self._draw_scatter()
        self._draw_bars()
        self._draw_area()
        self.follow()

    def controls(self) -> list[pn.viewable.Viewable]:
        """Which measure of how far patches look is shown."""
        return [self.measure]

    def body(self) -> pn.viewable.Viewable:
        """Put all heads above the two charts of the chosen one."""
        charts = pn.Row(self.bars_chart, self.area_chart, **FILLED)
        return pn.Column(self.all_heads, charts, **FILLED, styles=_GRID)

    def bars_table(self) -> pd.DataFrame:
        """Strength over hops."""
        return hop_table(self.session.study, self.session.selection)

    def area_table(self) -> pd.DataFrame:
        """Distribution of the measure; without a brush the density is over all images."""
        return density_table(self.session.study, self.session.selection)

    # -- answers to the selection ----------------------------------------------------------------------------------

    def _draw_scatter(self) -> None:
        self.all_heads.draw(dark=self.dark)

    def _draw_marks(self) -> None:
        self.all_heads.draw_marks()

    def _draw_bars(self) -> None:
        self.bars.figure.title.text = f"{self._head_name}: strength"
        self.draw(self.bars_chart, self._patch_bars, needs="strength")

    def _patch_bars(self) -> None:
        strength = self.session.strength()
        brushed = strength_of_brushes(self.session.study, self.session.selection)
        self.bars.show(strength, brushed, others=others_name(self.session.selection))

    def _draw_area(self) -> None:
        self.area.figure.title.text = f"{self._head_name}: distribution"
        self.draw(self.area_chart, self._patch_area, needs=self.session.selection.measure)

    def _patch_area(self) -> None:
        density = self.session.head_density()
        self.area.scale(density, others=others_name(self.session.selection))
        self.area.curve.data = density_columns(density)
        self._draw_line()

    def _draw_line(self) -> None:
        if self.session.selection.measure in self.session.study:
            value = self.session.chosen_value()
            self.area.line.update(visible=value is not None, location=value or 0)

    @property
    def _head_name(self) -> str:
        return short_head_name(*self.session.chosen_head)
