"""D1: the attention patterns of all heads of all images, laid out by likeness."""

from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param
from bokeh.events import DoubleTap, RangesUpdate, Tap

from vitpanel.core.points import nearest_point
from vitpanel.core.spec import head_name
from vitpanel.errors import StudyIncompleteError
from vitpanel.state.pattern_map import PatternMap
from vitpanel.state.session import Session
from vitpanel.views.base import FILLED, FULL_WIDTH, Chart, View, source_table
from vitpanel.views.bridge import Bridge
from vitpanel.views.figures.pattern_map import (
    View2D,
    create_pattern_figure,
    density_picture,
    home_ranges,
    scatter_picture,
)

NEAR_PIXELS = 8
MAX_CLOUD = 2000
FIRST_SIZE = 320
SWITCH = {"& .MuiToggleButton-root": {"padding": "1px 8px", "fontSize": "12px", "textTransform": "none"}}


class PatternOverview(View):
    """A map of all heads; a click chooses a head, and its image with it."""

    title = "Pattern Overview"
    help = (
        "Every head on every image is one place; heads that attend in a similar way lie together. Grey: how many "
        "there are. Points: the heads of the chosen image, coloured by layer, the chosen head ringed; without an "
        "image, the chosen head on all images. Click a point to choose that head; click elsewhere to jump to the "
        "nearest head of any image, and take Back to return. Wheel to zoom, drag to move. Patch: patterns between "
        "patches. CLS: patterns from and to the CLS token."
    )

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(session, bridge, **params)
        self.plot = create_pattern_figure(session.study.spec.n_layers)
        self.chart = Chart(self.plot.figure, bridge, name="pattern-overview", table=self._table)
        self._map: PatternMap | None = None
        self._jumps: list[tuple[int | None, int, int]] = []
        self._seen = View2D((0.0, 1.0), (0.0, 1.0), FIRST_SIZE, FIRST_SIZE)
        selection = session.selection
        small = {"size": "small", "margin": (2, 8), "sx": SWITCH}
        self._density = pmui.RadioButtonGroup(options={"Density": True, "Points": False}, **small)
        self._pattern = pmui.RadioButtonGroup(options={"Patch": "patch", "CLS": "cls"}, **small)
        self._back = pmui.Button(label="Back", icon="undo", variant="text", size="small", disabled=True, margin=(8, 4))
        self._density.value, self._pattern.value = selection.density, selection.pattern
        self._density.param.watch(lambda event: selection.param.update(density=event.new), "value")
        self._pattern.param.watch(lambda event: selection.param.update(pattern=event.new), "value")
        self._home = pmui.IconButton(icon="zoom_out_map", size="small", description="Show all", margin=(9, 0), width=28)
        self._back.on_click(self._on_back)
        self._home.on_click(lambda _: self._show_home())
        fig = self.plot.figure
        # The second of two quick clicks comes as a DoubleTap, wherever it is.
        fig.on_event(Tap, self._on_tap)
        fig.on_event(DoubleTap, self._on_tap)
        fig.on_event(RangesUpdate, self._on_ranges)
        fig.on_change("inner_width", self._on_size)
        fig.on_change("inner_height", self._on_size)
        selection.param.watch(self._on_pattern, "pattern")
        selection.param.watch(self._on_density, "density")
        selection.param.watch(self._on_choice, ["image", "layer", "head"])
        self.param.watch(lambda *_: self._draw_all(), "dark")
        self._on_pattern()

    def controls(self) -> list[pn.viewable.Viewable]:
        """Return the ways back: from a jump, and from a closer look."""
        return [self._back, self._home]

    def body(self) -> pn.viewable.Viewable:
        """Return the map below its two switches."""
        switches = pn.Row(self._density, pn.HSpacer(), self._pattern, **FULL_WIDTH, height=30)
        return pn.Column(switches, self.chart, **FILLED)

    def _table(self) -> pd.DataFrame:
        """Places of the chosen image's heads."""
        return source_table(self.plot.own, head="name", layer="layer", x="x", y="y")

    # -- what the session says -------------------------------------------------------------------------------------

    def _on_pattern(self, *_: param.parameterized.Event) -> None:
        self._pattern.value = self.session.selection.pattern
        try:
            self._map = self.session.pattern_map()
        except StudyIncompleteError as error:
            self._map = None
            self.chart.say(error.message, hint=error.hint)
            return
        self.chart.clear()
        self._show_home()
        self._on_choice()

    def _on_density(self, *_: param.parameterized.Event) -> None:
        self._density.value = self.session.selection.density
        self._draw_all()

    def _on_choice(self, *_: param.parameterized.Event) -> None:
        if self._map is None:
            return
        image, (layer, head) = self.session.selection.image, self.session.chosen_head
        layout, plot = self._map.layout, self.plot
        own = np.empty((0, 2), np.float32) if image is None else layout[image].reshape(-1, 2)
        n_heads = layout.shape[2]
        places = [divmod(flat, n_heads) for flat in range(len(own))]
        columns = {
            "x": own[:, 0],
            "y": own[:, 1],
            "layer": [place[0] for place in places],
            "name": [head_name(*place) for place in places],
        }
        step = -(-len(layout) // MAX_CLOUD)
        cloud = layout[::step, layer, head] if image is None else own[:0]
        ring = own[layer * n_heads + head][None] if len(own) else own

        def draw() -> None:
            plot.own.data = columns
            plot.cloud.data = {"x": cloud[:, 0], "y": cloud[:, 1]}
            plot.ring.data = {"x": ring[:, 0], "y": ring[:, 1]}

        self.bridge.put((self, "choice"), draw)

    # -- the part of the map in sight ------------------------------------------------------------------------------

    def _show_home(self) -> None:
        if self._map is None:
            return
        x, y = home_ranges(self._map.x, self._map.y)
        self._seen = View2D(x, y, self._seen.width, self._seen.height)

        def move() -> None:
            fig = self.plot.figure
            fig.x_range.update(start=x[0], end=x[1])
            fig.y_range.update(start=y[0], end=y[1])

        self.bridge.put((self, "ranges"), move)
        self._draw_all()

    def _on_ranges(self, event: RangesUpdate) -> None:
        self._seen = View2D((event.x0, event.x1), (event.y0, event.y1), self._seen.width, self._seen.height)
        self._draw_all()

    def _on_size(self, _attr: str, _old: object, _new: object) -> None:
        fig = self.plot.figure
        if fig.inner_width > 0 and fig.inner_height > 0:
            self._seen = View2D(self._seen.x, self._seen.y, fig.inner_width, fig.inner_height)
            self._draw_all()

    def _draw_all(self) -> None:
        self.bridge.put((self, "picture"), self._draw_picture)

    def _draw_picture(self) -> None:
        if self._map is None:
            return
        found, seen = self._map, self._seen
        if self.session.selection.density:
            pixels = density_picture(found.x, found.y, seen, dark=self.dark)
        else:
            n_layers = self.session.study.spec.n_layers
            pixels = scatter_picture(found.x, found.y, seen, layer=found.layer, n_layers=n_layers, dark=self.dark)
        place = {"x": seen.x[0], "y": seen.y[0], "dw": seen.x[1] - seen.x[0], "dh": seen.y[1] - seen.y[0]}
        self.plot.picture.data = {"image": [pixels], **{name: [value] for name, value in place.items()}}

    # -- what a person does ----------------------------------------------------------------------------------------

    def _on_tap(self, event: Tap | DoubleTap) -> None:
        if self._map is None or event.x is None or event.y is None:
            return
        at, selection = (event.x, event.y), self.session.selection
        own = self._own_head(at)
        if own is not None:
            selection.choose_head(*own)
            return
        image, layer, head = self._map.nearest(at, scale=self._seen.scale)
        if image != selection.image:
            self._jumps.append((selection.image, selection.layer, selection.head))
            self._back.disabled = False
        self.session.choose_pattern(image, layer, head)

    def _own_head(self, at: tuple[float, float]) -> tuple[int, int] | None:
        """Head of the chosen image within a few pixels of a place."""
        image = self.session.selection.image
        if self._map is None or image is None:
            return None
        x, y = self._map.layout[image].reshape(-1, 2).T
        scale = self._seen.scale
        flat = nearest_point(np.nan_to_num(x, nan=np.inf), y, at, scale=scale)
        if flat < 0 or np.hypot((x[flat] - at[0]) * scale[0], (y[flat] - at[1]) * scale[1]) > NEAR_PIXELS:
            return None
        return divmod(flat, self._map.layout.shape[2])

    def _on_back(self, _: param.parameterized.Event) -> None:
        if self._jumps:
            image, layer, head = self._jumps.pop()
            self._back.disabled = not self._jumps
            self.session.choose_pattern(image, layer, head)
