"""C1: the chart of all heads with its menus, and what a person does in it."""

from contextlib import suppress
from typing import Any

import numpy as np
import panel as pn
from bokeh.events import SelectionGeometry, Tap

from vitpanel.drawing.points import is_inside
from vitpanel.errors import VitpanelError
from vitpanel.state.brush import HEAD, Ids
from vitpanel.state.head_numbers import BRUSH_SHARE, LAYER, MEASURE, TOKEN_SHARE, head_number, head_numbers
from vitpanel.state.queries.head_table import (
    Scatter,
    Shown,
    brush_of_box,
    brush_of_heads,
    scatter_keys,
    scatter_of,
    shown_number,
    table_of,
)
from vitpanel.state.session import Session
from vitpanel.state.strength import MEASURES, patch_side
from vitpanel.views import icons
from vitpanel.views.background import Background
from vitpanel.views.base import FILLED, FULL_WIDTH, NARROWED
from vitpanel.views.bridge import Bridge
from vitpanel.views.brush_ways import BrushWays
from vitpanel.views.chart import Chart
from vitpanel.views.controls import create_select, linked
from vitpanel.views.figures.head_scatter import create_head_scatter, marked_columns, tooltip_words
from vitpanel.views.figures.picking import nearest_point
from vitpanel.views.figures.scatter_colours import STYLE, point_colours, said_html
from vitpanel.views.icon_buttons import IconButton, IconButtons

TOOLS = (
    IconButton("box", "Drag a box to brush heads", icons.BOX, is_switch=True),
    IconButton("lasso", "Draw around heads to brush them", icons.LASSO, is_switch=True),
)
TOOLS_WIDTH = 30


class ScatterPanel(pn.viewable.Viewer):
    """All heads by two of their numbers: a click chooses a head, a box or a lasso brushes heads."""

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(**params)
        self.session, self.bridge = session, bridge
        spec = session.study.spec
        self._side = patch_side(spec)
        self.plot = create_head_scatter(spec.n_layers, spec.n_heads)
        self.chart = Chart(
            self.plot.figure, bridge, name="all-heads", table=lambda: table_of(session), detail=self._detail,
            python="elements.head_scatter(study, selection)",
        )  # fmt: skip
        self._counter = Background(bridge, is_slow=True)
        self._dark = False
        self._create_menus()
        # Below the chart; made when there is something to say.
        self.said: pn.pane.HTML | None = None
        self._layout = pn.Column(**FILLED)
        self.plot.figure.on_event(Tap, self._on_tap)
        self.plot.figure.on_event(SelectionGeometry, self._on_geometry)
        self._ways = BrushWays(self.plot.figure, session.selection)

    def _create_menus(self) -> None:
        selection = self.session.selection
        numbers = {number.label: key for key, number in head_numbers().items()}
        look = {"margin": (8, 2, 0, 2)} | NARROWED
        self.across = linked(create_select("Across", numbers, selection.scatter_x, **look), selection, "scatter_x")
        up = create_select("Up", {"Measure": MEASURE} | numbers, selection.scatter_y, **look)
        self.up = linked(up, selection, "scatter_y")
        colour = create_select("Colour", numbers, selection.scatter_colour, **look)
        self.colour = linked(colour, selection, "scatter_colour")
        styles = {"position": "absolute", "z-index": "3", "left": "2px", "top": "0"}
        self.tools = IconButtons(
            TOOLS, drags=self.plot.tools, toolbar=self.plot.figure.toolbar, pressed=["box"], is_column=True, margin=0,
            styles=styles,
        )  # fmt: skip

    def _detail(self) -> str:
        across, up, _ = scatter_keys(self.session.selection)
        return f"{up}-by-{across}"

    # -- acts of the person ----------------------------------------------------------------------------------------

    def _on_tap(self, event: Tap) -> None:
        heads = self.plot.heads.data
        if len(heads["x"]) == 0 or event.x is None or event.y is None:
            return
        flat = nearest_point(self.plot.figure, (event.x, event.y), (heads["x"], heads["value"]))
        if flat is not None:
            layer, head = divmod(flat, self.session.study.spec.n_heads)
            self.bridge.put("choose head", lambda: self.session.selection.choose_head(layer, head))

    def _on_geometry(self, event: SelectionGeometry) -> None:
        shape: Any = event.geometry
        if not event.final or shape is None or self.chart.message or len(self.plot.heads.data["x"]) == 0:
            return
        if shape["type"] == "rect":
            across, up = ((float(shape[f"{axis}0"]), float(shape[f"{axis}1"])) for axis in "xy")
            brush = brush_of_box(self.session, across, up)
        else:
            x, y = (np.asarray(self.plot.heads.data[name], np.float64) for name in ("x", "value"))
            line = np.array(shape["x"], np.float64), np.array(shape["y"], np.float64)
            brush = brush_of_heads(self.session, is_inside(x, y, line))
        selection = self.session.selection
        if brush == Ids((), HEAD) and self._ways.way == "replace":
            selection.heads = None  # drawn around nothing
        else:
            selection.mark(brush, how=self._ways.way)

    # -- answers to the session ------------------------------------------------------------------------------------

    def draw(self, *, dark: bool) -> None:
        """Draw all heads, or say why that cannot be; what takes long to count is counted first, beside the page."""
        self._dark = dark
        try:
            work = self._work()
            if work:
                self.chart.say(f"Counting {' and '.join(work)} …")
                self._counter.run(lambda: [each() for each in work.values()], self._on_counted, refuse=self._refuse)
            else:
                self._show(scatter_of(self.session))
                self.chart.clear()
        except VitpanelError as error:
            self._refuse(error)

    def _on_counted(self, _: object) -> None:
        self.draw(dark=self._dark)

    def _refuse(self, error: VitpanelError) -> None:
        self.chart.say(error.message, hint=error.hint)
        self._say("")

    def _work(self) -> dict[str, Any]:
        """What has to be counted first, by the name of the number."""
        selection = self.session.selection
        numbers = [head_number(key, selection) for key in scatter_keys(selection)]
        work = {number.label.lower(): number.work(self.session) for number in numbers}
        return {name: each for name, each in work.items() if each is not None}

    def _show(self, scatter: Scatter) -> None:
        selection = self.session.selection
        has_whiskers = scatter.x.key == LAYER
        who = f"mean{' ± std' if has_whiskers else ''}" if selection.image is None else f"image {selection.image}"
        what = f"{scatter.y.number.label} of all heads" if has_whiskers else "All heads"
        self.plot.figure.title.text = f"{what}, {who}"
        colours = point_colours(scatter.colour, dark=self._dark)
        told = self._told(scatter)
        words = tooltip_words(list(told.values()), patch_side=self._side)
        self.plot.show(scatter, colours=colours.colours, words=words)
        brush = selection.heads
        self.plot.show_brushed(told[BRUSH_SHARE].found.per_head if brush is not None else None)
        rings = "" if brush is None else "brushed heads" if brush.item == HEAD else "share of images"
        self._say(said_html(scatter, colours, ring_title=rings))
        self.draw_marks()

    def _told(self, scatter: Scatter) -> dict[str, Shown]:
        """What a tooltip says: what is drawn, both measures, and what the brushes say."""
        told, selection = {shown.key: shown for shown in (scatter.y, scatter.x, scatter.colour)}, self.session.selection
        brushes = {BRUSH_SHARE: selection.heads, TOKEN_SHARE: selection.tokens}
        for key in (*MEASURES, *(key for key, brush in brushes.items() if brush is not None)):
            if key not in told:
                with suppress(VitpanelError):  # said where it is asked for by name
                    told[key] = shown_number(self.session, key)
        return told

    def draw_marks(self) -> None:
        """Ring the chosen head, and put pinned ones in squares."""
        if not len(self.plot.heads.data["x"]):
            return
        n_heads = self.session.study.spec.n_heads
        chosen, pinned = (
            [layer * n_heads + head for layer, head in heads]
            for heads in ([self.session.chosen_head], self.session.selection.pinned)
        )
        self.plot.ring.data = marked_columns(self.plot.heads, chosen)
        self.plot.pins.data = marked_columns(self.plot.heads, pinned)

    def _say(self, html: str) -> None:
        """Write what has to be said below the chart; its place is made when there is something."""
        if self.said is None and html:
            self.said = pn.pane.HTML(html, stylesheets=[STYLE], **FULL_WIDTH)
            if len(self._layout):  # laid out already
                self._layout.append(self.said)
        if self.said is not None:
            self.said.param.update(object=html, visible=bool(html))

    def __panel__(self) -> pn.viewable.Viewable:
        """Stack the menus, the chart beside its buttons, and what has to be said."""
        menus = pn.Row(self.across, self.up, self.colour, **FULL_WIDTH, height=38)
        beside = self.chart.placed(**{"margin-left": f"{TOOLS_WIDTH}px"})
        chart = pn.Column(beside, self.tools, styles={"position": "relative", "min-height": "0"}, **FILLED)
        self._layout.objects = [menus, chart, *filter(None, [self.said])]
        return self._layout
