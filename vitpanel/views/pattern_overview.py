"""D1: the attention patterns of all heads of all images, laid out by likeness."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.events import DoubleTap, RangesUpdate, SelectionGeometry, Tap

from vitpanel.core.raster import Window
from vitpanel.core.spec import short_head_name
from vitpanel.errors import VitpanelError
from vitpanel.state.cluster import Neighbourhood, Outline
from vitpanel.state.pattern_map import Cohesion, PatternMap
from vitpanel.state.patterns import MapColours
from vitpanel.state.selection import MAP_COLOURS
from vitpanel.state.session import Session
from vitpanel.views.background import Background
from vitpanel.views.base import COMPACT, FILLED, FULL_WIDTH, Chart, View, escaped
from vitpanel.views.bridge import Bridge
from vitpanel.views.cluster_card import ClusterCard
from vitpanel.views.figures.map_picture import (
    colour_index,
    colour_palette,
    density_of,
    density_picture,
    point_picture,
    thickened,
)
from vitpanel.views.figures.pattern_map import (
    create_pattern_figure,
    explain_colours,
    home_window,
    own_columns,
    thinned,
    zoomed,
)
from vitpanel.views.map_tools import MapTools

NEAR_PIXELS = 8
FIRST_SIZE = 320
N_NEIGHBOURS = 100
NO_POINTS = (np.empty(0), np.empty(0))
# Shares of own neighbours from which on a head is said to keep together, wholly or partly.
ISLAND, PARTLY = 0.8, 0.4
SWITCH = {"& .MuiToggleButton-root": {"padding": "1px 7px", "fontSize": "12px", "textTransform": "none"}}
_WORDS = """
    .words { font: 11px/14px sans-serif; padding: 1px 8px; }
    .legend { display: flex; flex-wrap: wrap; gap: 0 8px; padding: 1px 8px; font: 10px/16px sans-serif; }
    .legend span { white-space: nowrap; max-width: 120px; overflow: hidden; text-overflow: ellipsis; }
    .legend i { display: inline-block; width: 8px; height: 8px; border-radius: 50%; margin-right: 3px; }
    :host { overflow-y: auto; max-height: 34px; }
"""


@dataclass(frozen=True)
class Drawing:
    """What of the map is drawn for a window: a picture, and single points on it."""

    window: Window
    pixels: np.ndarray
    most: float
    cloud: tuple[np.ndarray, np.ndarray]
    marked: tuple[np.ndarray, np.ndarray]


class PatternOverview(View):
    """A map of all heads; a click chooses a head, and its image with it; a lasso marks a cluster."""

    title = "Pattern Overview"
    help = (
        "Every head on every image is one place; heads that attend in a similar way lie together. Shading: how many "
        "there are. Points: the heads of the chosen image, the chosen head ringed. Click a point to choose that head; "
        "click elsewhere to jump to the nearest head of any image, and take Back to return. Wheel to zoom, drag to "
        "move. Draw a lasso or a box, or take the neighbours of the chosen head, to see what a cluster is made of. "
        "Light the chosen head on all images to see whether it is one island, so that it does the same on every image."
    )

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(session, bridge, **params)
        self.plot = create_pattern_figure()
        self.chart = Chart(self.plot.figure, bridge)
        self.card = ClusterCard(session, bridge)
        self._painter, self._counter = Background(bridge), Background(bridge, is_slow=True)
        self._map: PatternMap | None = None
        self._colours = MapColours("layer", "layer")
        self._palette: tuple[str, ...] = ()
        self._seen = Window((0.0, 1.0), (0.0, 1.0), FIRST_SIZE, FIRST_SIZE)
        self._is_home = True
        self._create_controls()
        self._listen()
        self._on_pattern()

    def _create_controls(self) -> None:
        selection = self.session.selection
        small = {"size": "small", "margin": (2, 4), "sx": SWITCH}
        layouts = {label: name for name, label in self.session.patterns.layouts().items()}
        colours = {name.capitalize(): name for name in MAP_COLOURS}
        look = {"size": "small", "label": "", "margin": (0, 2), "sx": COMPACT, "description": ""}
        self._density = pmui.RadioButtonGroup(options={"Density": True, "Points": False}, **small)
        if len(layouts) <= 2:  # noqa: PLR2004 - more have no room side by side
            self._pattern = pmui.RadioButtonGroup(options=layouts, **small)
        else:
            self._pattern = pmui.Select(options=layouts, width=90, **look)
        self._colour = pmui.Select(options=colours, width=100, **look)
        self._widgets = {"density": self._density, "pattern": self._pattern, "map_colour": self._colour}
        for name, widget in self._widgets.items():
            widget.value = getattr(selection, name)
            widget.param.watch(lambda event, name=name: selection.param.update({name: event.new}), "value")
        self._back = pmui.Button(label="Back", icon="undo", variant="text", size="small", disabled=True, margin=(8, 4))
        self._back.on_click(lambda _: self.session.go_back())
        self.tools = MapTools(selection)
        self.tools.zoom_in.on_click(lambda _: self._zoom(2))
        self.tools.zoom_out.on_click(lambda _: self._zoom(0.5))
        self.tools.home.on_click(lambda _: self._show_home())
        self.tools.around.on_click(lambda _: self._mark_around())
        self.tools.param.watch(self._on_drag, "drag")
        self._words = pn.pane.HTML("", stylesheets=[_WORDS], **FULL_WIDTH)
        self._legend = pn.pane.HTML("", stylesheets=[_WORDS], visible=False, **FULL_WIDTH)

    def _listen(self) -> None:
        fig, selection = self.plot.figure, self.session.selection.param
        # The second of two quick clicks comes as a DoubleTap, wherever it is.
        fig.on_event(Tap, self._on_tap)
        fig.on_event(DoubleTap, self._on_tap)
        fig.on_event(RangesUpdate, self._on_ranges)
        fig.on_event(SelectionGeometry, self._on_outline)
        fig.on_change("inner_width", self._on_size)
        fig.on_change("inner_height", self._on_size)
        selection.watch(self._on_pattern, "pattern")
        selection.watch(self._on_look, ["density", "map_colour", "metric"])
        selection.watch(self._on_choice, ["image", "layer", "head"])
        selection.watch(lambda *_: self._draw(), "cloud")
        selection.watch(self._on_cluster, "cluster")
        self.session.param.watch(lambda event: self._back.param.update(disabled=not event.new), "jumps")

    def controls(self) -> list[pn.viewable.Viewable]:
        """Return the way back from a jump."""
        return [self._back]

    def body(self) -> pn.viewable.Viewable:
        """Put the map between its switches and what can be said of it."""
        switches = pn.Row(self._density, self._colour, pn.HSpacer(), self._pattern, **FULL_WIDTH, height=32)
        place = pn.Column(self.chart, self.tools, **FILLED, styles={"position": "relative", "min-height": "0"})
        return pn.Column(switches, place, self._legend, self._words, self.card, **FILLED, styles={"min-height": "0"})

    def table(self) -> pd.DataFrame:
        """Heads in sight with their places, and what their colours stand for."""
        if self._map is None:
            return pd.DataFrame({name: [] for name in ("image", "layer", "head", "x", "y", self._colours.kind)})
        x, y, rows = self._map.within(self._seen)
        image, layer, head = np.unravel_index(rows, self._map.shape)
        values = self.session.patterns.values(rows)
        names = self._colours.names
        shown = [names[int(v)] if v == v else "" for v in values] if self._colours.kind == "class" else values
        found = {"image": image, "layer": layer, "head": head, "x": x, "y": y}
        colour = {} if self._colours.kind in {"layer", "head", "density"} else {self._colours.kind: shown}
        return pd.DataFrame(found | colour).sort_values(["image", "layer", "head"], ignore_index=True)

    # -- what the session says -------------------------------------------------------------------------------------

    def _on_pattern(self, *_: Any) -> None:
        self._pattern.value = self.session.selection.pattern
        try:
            self._map = self.session.patterns.map()
        except VitpanelError as error:
            self._map = None
            self._words.object = ""
            self.chart.say(error.message, hint=error.hint)
            return
        self._on_look()
        self._show_home()
        self._counter.run(self.session.patterns.cohesion, self._say_cohesion)

    def _on_look(self, *_: Any) -> None:
        selection, patterns = self.session.selection, self.session.patterns
        self._density.value, self._colour.value = selection.density, selection.map_colour
        if self._map is None:
            return
        try:
            self._colours = patterns.colours()
        except VitpanelError as error:
            self.chart.say(error.message, hint=error.hint)
            return
        self.chart.clear()
        self._palette = colour_palette(self._colours, n_layers=self.session.study.spec.n_layers)
        is_named = self._colours.kind == "class"
        self._legend.param.update(visible=is_named, object=self._legend_html() if is_named else "")
        colours, palette = self._colours, self._palette
        self.bridge.put((self, "bar"), lambda: explain_colours(self.plot.bar, colours, palette))
        self._on_choice()

    def _on_choice(self, *_: Any) -> None:
        if self._map is None:
            return
        own = self.session.patterns.own_heads()
        columns = own_columns(own, self._colours, self._palette, metric=self.session.selection.metric)
        layer, head = self.session.chosen_head
        flat = layer * self.session.study.spec.n_heads + head
        ring = {name: columns[name][flat : flat + 1] for name in ("x", "y")}

        def draw() -> None:
            self.plot.own.data = columns
            self.plot.ring.data = ring

        self.bridge.put((self, "choice"), draw)
        self._draw()
        if self._cohesion is not None:
            self._say_cohesion(self._cohesion)

    _cohesion: Cohesion | None = None

    def _say_cohesion(self, cohesion: Cohesion) -> None:
        self._cohesion = cohesion
        self._words.object = cohesion_html(cohesion, *self.session.chosen_head)

    def _on_cluster(self, *_: Any) -> None:
        cluster = self.session.selection.cluster
        line = (cluster.x, cluster.y) if isinstance(cluster, Outline) else NO_POINTS
        columns = {"x": list(line[0]), "y": list(line[1])}
        self.bridge.put((self, "outline"), lambda: self.plot.outline.update(data=columns))
        self._draw()

    # -- the part of the map in sight ------------------------------------------------------------------------------

    def _show_home(self) -> None:
        if self._map is not None:
            self._is_home = True
            self._look_at(home_window(self._map.home, width=self._seen.width, height=self._seen.height))

    def _zoom(self, factor: float) -> None:
        """Zoom about the chosen head where it is in sight, else about the middle."""
        ring, seen = self.plot.ring.data, self._seen
        middle = (sum(seen.x) / 2, sum(seen.y) / 2)
        if len(ring["x"]):
            x, y = float(ring["x"][0]), float(ring["y"][0])
            if seen.x[0] <= x <= seen.x[1] and seen.y[0] <= y <= seen.y[1]:
                middle = (x, y)
        self._is_home = False
        self._look_at(zoomed(seen, middle, factor))

    def _look_at(self, window: Window) -> None:
        self._seen = window

        def move() -> None:
            self.plot.figure.x_range.update(start=window.x[0], end=window.x[1])
            self.plot.figure.y_range.update(start=window.y[0], end=window.y[1])

        self.bridge.put((self, "ranges"), move)
        self._draw()

    def _on_ranges(self, event: RangesUpdate) -> None:
        window = replace(self._seen, x=(event.x0, event.x1), y=(event.y0, event.y1))
        if window != self._seen:
            self._seen, self._is_home = window, False
            self._draw()

    def _on_size(self, _attr: str, _old: object, _new: object) -> None:
        fig = self.plot.figure
        if fig.inner_width > 0 and fig.inner_height > 0:
            self._seen = replace(self._seen, width=fig.inner_width, height=fig.inner_height)
            if self._is_home:
                self._show_home()
            else:
                self._draw()

    def _draw(self) -> None:
        if self._map is not None:
            found, window = self._map, self._seen
            self._painter.run(lambda: self._paint(found, window), self._show)

    def _paint(self, found: PatternMap, window: Window) -> Drawing:
        """Runs beside the event loop."""
        selection, patterns = self.session.selection, self.session.patterns
        colours, palette = self._colours, self._palette
        raster = found.raster(window)
        most = 0.0
        if selection.density or colours.kind == "density":
            density = density_of(raster)
            most = float(density.max())
        if selection.density:
            pixels = density_picture(density, palette if colours.kind == "density" else None)
        else:
            raster = thickened(raster)
            values = density / most if colours.kind == "density" and most else patterns.values(raster.top)
            pixels = point_picture(raster, colour_index(values, colours, len(palette)), palette)
        is_lit = selection.cloud or selection.image is None
        cloud, marked = (
            thinned(*found.places(rows), window) if is_shown else NO_POINTS
            for rows, is_shown in ((patterns.cloud(), is_lit), (patterns.marked(), selection.cluster is not None))
        )
        return Drawing(window, pixels, most, cloud, marked)

    def _show(self, drawing: Drawing) -> None:
        seen, plot = drawing.window, self.plot
        place = {"x": seen.x[0], "y": seen.y[0], "dw": seen.x[1] - seen.x[0], "dh": seen.y[1] - seen.y[0]}
        plot.picture.data = {"image": [drawing.pixels], **{name: [value] for name, value in place.items()}}
        for source, (x, y) in ((plot.cloud, drawing.cloud), (plot.marked, drawing.marked)):
            if len(x) or len(source.data["x"]):
                source.data = {"x": x, "y": y}
        if self._colours.kind == "density":
            explain_colours(plot.bar, replace(self._colours, high=drawing.most or 1.0), self._palette)

    def _legend_html(self) -> str:
        chips = (
            f'<span title="{escaped(name)}"><i style="background:{colour}"></i>{escaped(name)}</span>'
            for name, colour in zip(self._colours.names, self._palette, strict=True)
        )
        return f'<div class="legend">{"".join(chips)}</div>'

    # -- what a person does ----------------------------------------------------------------------------------------

    def _on_tap(self, event: Tap | DoubleTap) -> None:
        if self._map is None or event.x is None or event.y is None:
            return
        at = (event.x, event.y)
        own = self._own_head(at)
        if own is not None:
            self.session.selection.choose_head(*own)
            return
        found = self._map.nearest(at, self._seen)
        if found is not None:
            self.session.jump(*found)

    def _own_head(self, at: tuple[float, float]) -> tuple[int, int] | None:
        """Head of the chosen image within a few pixels of a place."""
        image = self.session.selection.image
        if self._map is None or image is None:
            return None
        offsets = (self._map.layout[image].reshape(-1, 2) - at) * self._seen.scale
        distance = np.nan_to_num(np.hypot(*offsets.T), nan=np.inf)
        flat = int(distance.argmin())
        return divmod(flat, self._map.shape[2]) if distance[flat] <= NEAR_PIXELS else None

    def _on_drag(self, event: Any) -> None:
        tool = self.plot.drags[event.new]
        self.bridge.put((self, "drag"), lambda: self.plot.figure.toolbar.update(active_drag=tool))

    def _on_outline(self, event: SelectionGeometry) -> None:
        if not event.final or self._map is None:
            return
        shape: dict[str, Any] = event.geometry
        if shape["type"] == "rect":
            x0, x1, y0, y1 = (shape[name] for name in ("x0", "x1", "y0", "y1"))
            x, y = (x0, x1, x1, x0), (y0, y0, y1, y1)
        else:
            x, y = (tuple(float(at) for at in shape[axis]) for axis in ("x", "y"))
        self.session.selection.cluster = Outline(self.session.selection.pattern, x, y)

    def _mark_around(self) -> None:
        image, pattern = self.session.selection.image, self.session.selection.pattern
        if image is not None:
            self.session.selection.cluster = Neighbourhood(pattern, image, *self.session.chosen_head, N_NEIGHBOURS)


def cohesion_html(cohesion: Cohesion, layer: int, head: int) -> str:
    """Say in words whether a head keeps together on the map."""
    share, name = float(cohesion.share[layer, head]), short_head_name(layer, head)
    if np.isnan(share):
        return f'<div class="words">{name} has no neighbours here.</div>'
    verdict = (
        "an island: it does much the same on every image"
        if share >= ISLAND
        else "partly scattered: it depends on the image"
        if share >= PARTLY
        else "scattered: what it does depends on the image"
    )
    asked = (
        ""
        if cohesion.n_asked == cohesion.n_points
        else f" Asked of {cohesion.n_asked:,} of {cohesion.n_points:,} points."
    )
    title = (
        f"Of the {cohesion.n_nearest} nearest neighbours of each point of {name}, {share:.1%} are {name} on another "
        f"image; heads strewn at random would give {cohesion.chance:.1%}. Near 100 %: one island, or a few.{asked}"
    )
    return (
        f'<div class="words" title="{title}"><b>{name}</b>: {share:.0%} of its {cohesion.n_nearest} nearest are {name} '
        f"too (chance {cohesion.chance:.0%}) – {verdict}.</div>"
    )
