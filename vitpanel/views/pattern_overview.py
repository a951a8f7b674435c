"""D1: the attention patterns of all heads of all images, laid out by likeness."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import pandas as pd
import panel as pn
from bokeh.events import DoubleTap, SelectionGeometry, Tap

from vitpanel.elements.pattern_map import NO_POINTS, Drawing, map_table, paint_map
from vitpanel.elements.shading import colour_palette
from vitpanel.errors import VitpanelError
from vitpanel.state.brush import InPolygon, Near
from vitpanel.state.pattern_map import Cohesion, PatternMap
from vitpanel.state.patterns import MapColours
from vitpanel.state.selection import MAP_COLOURS
from vitpanel.state.session import Session
from vitpanel.views import icons
from vitpanel.views.background import Background
from vitpanel.views.base import FILLED, FULL_WIDTH, NARROWED
from vitpanel.views.bridge import Bridge
from vitpanel.views.brush_ways import BrushWays
from vitpanel.views.chart import Chart
from vitpanel.views.cluster_card import ClusterCard
from vitpanel.views.controls import create_button, create_choice, create_select
from vitpanel.views.figures.map_words import STYLE, cohesion_html, legend_html, near_html
from vitpanel.views.figures.pattern_map import (
    NEAR_PIXELS,
    create_pattern_figure,
    explain_colours,
    own_columns,
)
from vitpanel.views.icon_buttons import NO_DRAG, IconButton, IconButtons
from vitpanel.views.map_clicks import MapClicks
from vitpanel.views.map_viewport import MapViewport
from vitpanel.views.tables import TABLE_KINDS
from vitpanel.views.view import Place, View

N_NEIGHBOURS = 100
TOOLS = (
    IconButton("zoom in", "Zoom in about the chosen head", icons.MORE),
    IconButton("zoom out", "Zoom out", icons.LESS),
    IconButton("home", "Show all", icons.WHOLE),
    IconButton("lasso", "Select a cluster with a lasso", icons.LASSO, is_switch=True),
    IconButton("box", "Select a cluster with a box", icons.BOX, is_switch=True),
    IconButton("around", f"Select the {N_NEIGHBOURS} heads most like the chosen one", icons.AROUND),
    IconButton("cloud", "Highlight the chosen head on all images", icons.LAMP, is_switch=True),
)


class PatternOverview(View):
    """A map of all heads; a click chooses a head, and its image with it; a lasso marks a cluster."""

    title = "Pattern Overview"
    slug = "pattern-overview"
    place = Place(row=1, width=24, height=57)
    redraws: ClassVar = {
        "_draw_map": ("pattern",),
        "_draw_viewport": ("viewport",),
        "_draw_look": ("density", "map_colour", "metric"),
        "_draw_token_shares": ("tokens", "share_source", "image", "session.received", "view.dark"),
        "_draw_choice": ("image", "layer", "head"),
        "_draw": ("cloud", "images", "view.dark"),
        "_draw_outline": ("heads",),
        "_draw_way_back": ("jumps",),
    }

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(session, bridge, **params)
        self.plot = create_pattern_figure()
        self.chart = Chart(
            self.plot.plot,
            bridge,
            name="pattern-overview",
            table=self.table,
            title="Map of heads",
            detail=lambda: f"{session.selection.pattern}-by-{session.selection.map_colour}",
            legend=self._class_legend,
            python="elements.pattern_map(study, selection)",
        )
        self.card = ClusterCard(session, bridge)
        self.cluster_chart = self.card.chart
        self._painter, self._counter = Background(bridge), Background(bridge, is_slow=True)
        self._clicks = MapClicks(session, bridge)
        self._map: PatternMap | None = None
        self._cohesion: Cohesion | None = None
        self._colours = MapColours("layer", "layer")
        self._palette: tuple[str, ...] = ()
        self.viewport = MapViewport(self.plot.figure, session.selection, bridge, self._draw)
        self._is_of_all = True
        # What the picture shows, wherever: map, colours, and whether contours, on which ground.
        self._look: tuple[Any, ...] = ()
        self._create_controls()
        self._listen()
        self._draw_map()
        self.follow()

    def _create_controls(self) -> None:
        selection = self.session.selection
        small = {"margin": (10, 2, 2, 4)}
        layouts = {label: name for name, label in self.session.patterns.layouts().items()}
        colours = {name.capitalize(): name for name in MAP_COLOURS}
        look = {"margin": (8, 2, 0, 2)} | NARROWED
        self._density = create_choice({"Density": True, "Points": False}, selection.density, **small)
        if len(layouts) <= 2:  # noqa: PLR2004 - more have no room side by side
            self._pattern = create_choice(layouts, selection.pattern, **small)
        else:
            self._pattern = create_select("Layout", layouts, selection.pattern, **look)
        self._colour = create_select("Colour", colours, selection.map_colour, **look)
        self._widgets = {"density": self._density, "pattern": self._pattern, "map_colour": self._colour}
        for name, widget in self._widgets.items():
            widget.param.watch(lambda event, name=name: selection.param.update({name: event.new}), "value")
        self._back = create_button("↶ Back")
        self._back.disabled = not selection.jumps
        self._back.on_click(lambda _: self.session.selection.go_back())
        acts = {
            "zoom in": partial(self._zoom, 2),
            "zoom out": partial(self._zoom, 0.5),
            "home": partial(self.viewport.choose, None),
            "around": self._mark_around,
        }
        drags = {(NO_DRAG if name == "move" else name): tool for name, tool in self.plot.drags.items()}
        self.tools = IconButtons(
            TOOLS, lambda name: acts[name](), drags=drags, toolbar=self.plot.figure.toolbar, margin=(0, 0, 0, 4)
        )
        self.tools.switch("cloud", is_on=selection.cloud)
        self.tools.param.watch(lambda _: selection.param.update(cloud=self.tools.is_on("cloud")), "pressed")
        selection.param.watch(lambda event: self.tools.switch("cloud", is_on=event.new), "cloud")
        self._words = pn.pane.HTML("", stylesheets=[STYLE], **FULL_WIDTH)
        self._legend = pn.pane.HTML("", stylesheets=[STYLE], visible=False, **FULL_WIDTH)

    def _listen(self) -> None:
        fig = self.plot.figure
        fig.on_event(Tap, self._on_tap)
        fig.on_event(DoubleTap, self._on_tap)
        fig.on_event(SelectionGeometry, self._on_outline)
        self._ways = BrushWays(fig, self.session.selection)
        self.plot.pointer.on_change("data", self._on_pointer)

    def controls(self) -> list[pn.viewable.Viewable]:
        """Return the way back from a jump."""
        return [self._back]

    def body(self) -> pn.viewable.Viewable:
        """Put the map between its switches and what can be said of it."""
        switches = pn.Row(self._density, self._colour, self._pattern, **FULL_WIDTH, height=40)
        parts = (switches, self.tools, self.chart, self._legend, self._words, self.card)
        return pn.Column(*parts, **FILLED, styles={"min-height": "0"})

    def table(self) -> pd.DataFrame:
        """Heads in sight with their places, and what is known of them."""
        return self._table_maker()()

    def _class_legend(self) -> dict[str, Any] | None:
        """Names of the classes for files of the map, which a colour bar has no room for."""
        if self._colours.kind != "class":
            return None
        looks = zip(self._colours.names, self._palette, strict=True)
        groups = [{"name": name, "colour": colour, "marker": "circle"} for name, colour in looks]
        return {"caption": f"{self._colours.title}:", "groups": groups}

    def save(self, stem: str, kind: str, *, scale: int = 1) -> None:
        """Save one of the charts, or its table; that of millions of heads takes a while."""
        if kind in TABLE_KINDS and stem == self.chart.stem and not self.chart.message:
            self.view_tools.say("The table is being made; it is saved when it is ready.")
        super().save(stem, kind, scale=scale)

    def table_maker(self, chart: Chart) -> Callable[[], pd.DataFrame]:
        """What makes the table of a chart; that of millions of heads in sight is made in another thread."""
        return self._table_maker() if chart is self.chart else super().table_maker(chart)

    def _table_maker(self) -> Callable[[], pd.DataFrame]:
        """What makes the table of what is in sight now, in any thread."""
        shown = {"metric": self.session.selection.metric, "layout": self.session.selection.pattern}
        patterns, found, seen = self.session.patterns, self._map, self.viewport.seen
        if found is None:
            return pd.DataFrame
        return lambda: map_table(patterns, found, found.within(seen)[2], **shown)

    # -- what the session says -------------------------------------------------------------------------------------

    def _draw_map(self) -> None:
        self._pattern.value = self.session.selection.pattern
        try:
            self._map = self.session.patterns.map()
        except VitpanelError as error:
            self._map = self.viewport.home = None
            self._words.object = ""
            self._refuse(error)
            return
        self._cohesion = None
        self._draw_look()
        self.viewport.show(self._map.home)
        self._draw_outline()
        found = self._map
        self._counter.run(lambda: found.cohesion, partial(self._on_cohesion, found))

    def _draw_look(self) -> None:
        selection, patterns = self.session.selection, self.session.patterns
        self._density.value, self._colour.value = selection.density, selection.map_colour
        if self._map is None:
            return
        try:
            self._colours = patterns.colours()
        except VitpanelError as error:
            self._palette = ()
            self._refuse(error)
            return
        self.chart.clear()
        # The browser exchanges the other colours with the theme.
        is_dark = self.dark and self._colours.kind == "tokens"
        self._palette = colour_palette(self._colours, n_layers=self.session.study.spec.n_layers, dark=is_dark)
        words = legend_html(self._colours, self._palette)
        self._legend.param.update(visible=bool(words), object=words)
        colours, palette = self._colours, self._palette
        self.bridge.put((self, "bar"), lambda: explain_colours(self.plot.bar, colours, palette))
        self._draw_choice()
        self._draw()

    def _draw_token_shares(self) -> None:
        if self.session.selection.map_colour == "tokens":
            self._draw_look()

    def _draw_choice(self) -> None:
        if not self._can_draw:
            return
        own = self.session.patterns.own_heads(self._colours)
        columns = own_columns(own, self._colours, self._palette, metric=self.session.selection.metric)
        layer, head = self.session.chosen_head
        flat = layer * self.session.study.spec.n_heads + head
        ring = {name: columns[name][flat : flat + 1] for name in ("x", "y", "colour")}

        def draw() -> None:
            self.plot.own.data = columns
            self.plot.ring.data = ring

        self.bridge.put((self, "choice"), draw)
        was_of_all, self._is_of_all = self._is_of_all, self.session.selection.image is None
        if self.session.selection.cloud or self._is_of_all or was_of_all:
            self._draw()
        self._say_cohesion()

    def _draw_way_back(self) -> None:
        self._back.disabled = not self.session.selection.jumps

    def _on_cohesion(self, found: PatternMap, cohesion: Cohesion) -> None:
        if found is self._map:
            self._cohesion = cohesion
            self._say_cohesion()

    def _say_cohesion(self) -> None:
        known = self._cohesion
        self._words.object = "" if known is None else cohesion_html(known, *self.session.chosen_head)

    def _draw_outline(self) -> None:
        brush, pattern = self.session.selection.heads, self.session.selection.pattern
        is_here = isinstance(brush, InPolygon) and brush.layout == f"layout/{pattern}"
        line = (brush.x, brush.y) if is_here else NO_POINTS
        columns = {"x": list(line[0]), "y": list(line[1])}
        self._words.visible = brush is None
        self.bridge.put((self, "outline"), lambda: setattr(self.plot.outline, "data", columns))
        self._draw()

    # -- the picture -----------------------------------------------------------------------------------------------

    def _draw_viewport(self) -> None:
        self.viewport.follow()

    def _zoom(self, factor: float) -> None:
        """Zoom about the chosen head."""
        x, y = (self.plot.ring.data[axis] for axis in "xy")
        self.viewport.zoom(factor, about=(float(x[0]), float(y[0])) if len(x) else None)

    @property
    def _can_draw(self) -> bool:
        """Whether there is a map, and what its colours stand for."""
        return self._map is not None and bool(self._palette)

    def _draw(self) -> None:
        if self._map is not None and self._can_draw:
            if not self._map.is_sorted:
                self.chart.wait()
            paint = partial(
                paint_map, self.session.patterns, self._map, self.viewport.seen, self._colours, dark=self.dark
            )
            look = (self._map, self._colours, self.session.selection.density, self.dark)
            self._painter.run(paint, partial(self._show, look), refuse=self._refuse)

    def _refuse(self, error: VitpanelError) -> None:
        self.chart.say(error.message, hint=error.hint)

    def _show(self, look: tuple[Any, ...], drawing: Drawing) -> None:
        plot = self.plot
        self.chart.clear()
        if look == self._look:
            plot.picture.move(drawing.picture)
        else:
            plot.picture.draw(drawing.picture)
        self._look = look
        for source, (x, y) in ((plot.cloud, drawing.cloud), (plot.marked, drawing.marked)):
            if len(x) or len(source.data["x"]):
                source.data = {"x": x, "y": y}
        if self._colours.kind == "density":
            explain_colours(plot.bar, replace(self._colours, high=drawing.most or 1.0), self._palette)

    # -- what a person does ----------------------------------------------------------------------------------------

    def _on_tap(self, event: Tap | DoubleTap) -> None:
        if self._map is None or event.x is None or event.y is None:
            return
        if self._clicks.is_double(event):
            self.viewport.choose(None)
        else:
            self._clicks.choose((event.x, event.y), self._map, self.viewport.seen)

    def _on_pointer(self, _attr: str, _old: object, new: dict[str, Any]) -> None:
        """Say what lies where the pointer rests."""
        if self._map is None or not self._map.is_sorted:
            return
        (x,), (y,) = new["x"], new["y"]
        near = self._map.near((x, y), self.viewport.seen, pixels=NEAR_PIXELS)
        if near is None:
            return
        label = str(self.session.study.images["label_name"].iloc[near.nearest[0]])
        answer = {"x": [x], "y": [y], "html": [near_html(near, label=label, pixels=NEAR_PIXELS)]}
        self.bridge.put((self, "near"), lambda: self.plot.answer.update(data=answer))

    def _on_outline(self, event: SelectionGeometry) -> None:
        shape: Any = event.geometry
        if not event.final or self._map is None or shape is None:
            return
        if shape["type"] == "rect":
            x0, x1, y0, y1 = (shape[name] for name in ("x0", "x1", "y0", "y1"))
            x, y = (x0, x1, x1, x0), (y0, y0, y1, y1)
        else:
            x, y = (tuple(float(at) for at in shape[axis]) for axis in ("x", "y"))
        brush = InPolygon(f"layout/{self.session.selection.pattern}", x, y)
        self.session.selection.mark(brush, how=self._ways.way)

    def _mark_around(self) -> None:
        image, pattern = self.session.selection.image, self.session.selection.pattern
        if image is not None:
            middle = (image, *self.session.chosen_head)
            self.session.selection.mark(Near(f"layout/{pattern}", middle, N_NEIGHBOURS))
