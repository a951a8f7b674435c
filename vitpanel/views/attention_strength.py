"""C: how far the patches of each head look."""

from typing import Any

import numpy as np
import pandas as pd
import panel as pn
from bokeh.events import Tap

from vitpanel.core.spec import short_head_name
from vitpanel.state.session import Session
from vitpanel.views.base import FILLED, Chart, View, source_table
from vitpanel.views.bridge import Bridge
from vitpanel.views.figures.entropy_density import create_entropy_area, density_columns
from vitpanel.views.figures.entropy_scatter import create_entropy_scatter, entropy_columns, head_ring_columns
from vitpanel.views.figures.picking import nearest_point
from vitpanel.views.figures.strength_bars import create_strength_bars, strength_columns


class AttentionStrength(View):
    """Entropy of all heads, and the chosen head's attention over hops (Fig. 1C)."""

    title = "Attention Strength"
    help = (
        "Top: one point for each head; low entropy means that its patches attend to one distance only, high entropy "
        "that they attend to all distances alike. Click to choose a head. Bottom left: mean attention to patches at "
        "each distance (hop); the outline is the mean over all images. Bottom right: the head's entropy over all "
        "images; the line marks the chosen image."
    )

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(session, bridge, **params)
        spec = session.study.spec
        self.scatter = create_entropy_scatter(spec.n_layers, spec.n_heads)
        self.bars = create_strength_bars(spec.grid.n_hops)
        self.area = create_entropy_area()
        self.scatter_chart = Chart(self.scatter.figure, bridge, name="attention-entropy", table=self._scatter_table)
        self.bars_chart = Chart(self.bars.figure, bridge, name="attention-strength", table=self._bars_table)
        self.area_chart = Chart(self.area.figure, bridge, name="entropy-distribution", table=self._area_table)
        self.scatter.figure.on_event(Tap, self._on_tap)
        selection = session.selection.param
        selection.watch(lambda *_: bridge.put("C image", self._draw_image), ["image"])
        selection.watch(lambda *_: bridge.put("C head", self._draw_head), ["image", "layer", "head"])
        self._draw_image()
        self._draw_head()

    def body(self) -> pn.viewable.Viewable:
        """Put all heads above the two charts of the chosen one."""
        return pn.Column(self.scatter_chart, pn.Row(self.bars_chart, self.area_chart, **FILLED), **FILLED)

    def _scatter_table(self) -> pd.DataFrame:
        entropies = self.session.entropies()
        layer, head = np.indices(entropies.entropy.shape)
        columns = {"layer": layer, "head": head, "entropy": entropies.entropy}
        if entropies.std is not None:
            columns["std"] = entropies.std
        return pd.DataFrame({name: values.ravel() for name, values in columns.items()})

    def _bars_table(self) -> pd.DataFrame:
        return source_table(self.bars.hops, hop="hop", chosen_image="chosen", mean="mean")

    def _area_table(self) -> pd.DataFrame:
        return source_table(self.area.curve, entropy="entropy", density="density")

    def _on_tap(self, event: Tap) -> None:
        heads = self.scatter.heads.data
        if len(heads["x"]) == 0:
            return
        flat = nearest_point(self.scatter.figure, (event.x, event.y), (heads["x"], heads["entropy"]))
        if flat is not None:
            self.session.selection.choose_head(*divmod(flat, self.session.study.spec.n_heads))

    def _draw_image(self) -> None:
        self.draw(self.scatter_chart, self._patch_scatter, needs="entropy")

    def _patch_scatter(self) -> None:
        self.scatter.heads.data = entropy_columns(self.session.entropies())

    def _draw_head(self) -> None:
        name = short_head_name(*self.session.chosen_head)
        self.bars.figure.title.text = f"{name}: strength"
        self.area.figure.title.text = f"{name}: distribution"
        self._patch_ring()
        self.draw(self.bars_chart, self._patch_bars, needs="strength")
        self.draw(self.area_chart, self._patch_area, needs="entropy")

    def _patch_ring(self) -> None:
        layer, head = self.session.chosen_head
        if len(self.scatter.heads.data["x"]):
            flat = layer * self.session.study.spec.n_heads + head
            self.scatter.ring.data = head_ring_columns(self.scatter.heads, flat)

    def _patch_bars(self) -> None:
        self.bars.hops.data = strength_columns(self.session.strength())

    def _patch_area(self) -> None:
        density = self.session.entropy_density()
        self.area.curve.data = density_columns(density)
        self.area.line.update(visible=density.chosen is not None, location=density.chosen or 0)
