"""A: all images of the study, and the ways to choose one or to brush many."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import panel as pn
from bokeh.events import DoubleTap, SelectionGeometry, Tap
from bokeh.models import ColumnDataSource, CustomJS

from vitpanel.drawing.viewport import Viewport
from vitpanel.elements.image_looks import image_pixels
from vitpanel.elements.image_map import image_table, paint_images
from vitpanel.errors import VitpanelError
from vitpanel.state.brush import Matches, brush_of_group
from vitpanel.state.image_groups import BRUSHED_HEADS, HEAD_NUMBERS, class_order
from vitpanel.state.queries.image_numbers import brush_of_range, shown_colouring
from vitpanel.state.session import Session
from vitpanel.study.metric_arrays import laid_out_by, layout_label
from vitpanel.theme.palette import css, dark_colours
from vitpanel.views import icons
from vitpanel.views.base import FILLED, FULL_WIDTH, NARROWED
from vitpanel.views.bridge import Bridge
from vitpanel.views.brush_ways import BrushWays, way_of
from vitpanel.views.chart import Chart
from vitpanel.views.controls import create_button, create_select
from vitpanel.views.figures.client import script
from vitpanel.views.figures.image_card import (
    STRIP_STYLE,
    card_html,
    error_html,
    strip_html,
)
from vitpanel.views.figures.image_map import (
    brush_of,
    create_image_map,
    outline_columns,
    ring_columns,
)
from vitpanel.views.figures.picking import REACH, DoubleClicks, inner_size, nearest_point
from vitpanel.views.icon_buttons import IconButton, IconButtons
from vitpanel.views.image_colouring import COLOURING_NAMES, ColouringMenu
from vitpanel.views.image_examples import ImageExamples
from vitpanel.views.image_legend import image_colours, number_at, number_legend, number_text
from vitpanel.views.image_widgets import ImageLegend, ImageSearch
from vitpanel.views.view import Place, View

TOOLS = (
    IconButton("pan", "Drag moves the map", icons.MOVE, is_switch=True),
    IconButton("box", "Drag a box to brush images", icons.BOX, is_switch=True),
    IconButton("lasso", "Draw around images to brush them", icons.LASSO, is_switch=True),
)
_CARD = (
    "position: absolute; z-index: 3; width: 196px; padding: 6px; font: 11px sans-serif; pointer-events: none; "
    f"background: {css('surface')}; color: {css('text')}; border: 1px solid {css('muted')}; border-radius: 3px"
)
TOOLS_WIDTH = 32
STRIP_HEIGHT = 62
_OVER = {"position": "absolute", "z-index": "3"}
_UNBRUSH = ".bk-btn-group > .bk-btn.bk-btn { height: 24px; font-size: 11px; }"


class ImageOverview(View):
    """Map of all images (Fig. 1A)."""

    title = "Image Overview"
    slug = "image-overview"
    place = Place(row=0, width=25, height=43)
    has_ramps = False
    redraws: ClassVar = {
        "_draw_choice": ("image",),
        "_draw_layout": ("image_layout",),
        "_draw_colours": ("colouring", "view.dark"),
        "_draw_of_head": ("layer", "head"),
        "_draw_by_metric": ("metric",),
        "_draw_heads": ("heads",),
        "_draw_brush": ("images",),
    }

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(session, bridge, **params)
        self.map = create_image_map(self._layout)
        self.chart = Chart(
            self.map.plot,
            bridge,
            name="image-overview",
            table=self._table,
            title="Map of images",
            detail=lambda: f"by-{self._layout_name}",
            legend=lambda: {name: getattr(self.legend, name) for name in ("caption", "groups", "scale")},
            python="elements.image_map(study, selection)",
        )
        self.strip = pn.pane.HTML("", height=STRIP_HEIGHT, stylesheets=[STRIP_STYLE], **FULL_WIDTH)
        # In the place of the strip while colours show a number; made then.
        self.examples: ImageExamples | None = None
        self._whole = pn.Column(**FILLED)
        self._create_controls()
        acts = {"on_range": self._on_range, "on_offer": self.colourings.take_offer}
        self.legend = ImageLegend(self._on_group, **acts, **FULL_WIDTH)
        self._create_card()
        self._follow_figure()
        self.legend.param.watch(lambda *_: bridge.put("A highlight", self._draw_highlight), "pointed")
        self._draw_colours()
        self._draw_choice()
        self._draw_brush()
        self.follow()

    def _create_controls(self) -> None:
        self.text = ImageSearch(
            lambda: self.session.study, self._on_text, self._on_match, margin=(4, 2, 0, 6), sizing_mode="stretch_width",
            min_width=60,
        )  # fmt: skip
        step: dict[str, Any] = {"width": 26}
        self.previous = create_button("Previous image", sign="‹", **step)
        self.next = create_button("Next image", sign="›", **step)
        self.everything = create_button("All", description="All images, none chosen", width=36)
        self.previous.on_click(lambda _: self.session.step_image(-1))
        self.next.on_click(lambda _: self.session.step_image(1))
        self.everything.on_click(lambda _: self.session.choose_image(""))
        place = _OVER | {"right": "0", "top": "0"}
        self.unbrush = create_button("", is_outlined=True, look=_UNBRUSH, visible=False, margin=4, styles=place)
        self.unbrush.on_click(lambda _: self.session.selection.param.update(images=None))
        self.tools = IconButtons(
            TOOLS, drags=self.map.tools, toolbar=self.map.figure.toolbar, pressed=["pan"], is_column=True,
            margin=0, styles=_OVER | {"left": "2px", "top": "0"},
        )  # fmt: skip
        selection = self.session.selection
        look = {"margin": (8, 2, 0, 2)} | NARROWED
        # What is left instead of what is lost comes last.
        known = sorted(self.session.image_layouts(), key=lambda name: laid_out_by(name)[1])
        layouts = {layout_label(name): name for name in known}
        self.layout = create_select("Layout", layouts, self._layout_name, disabled=len(layouts) == 1, **look)
        self.layout.param.watch(lambda event: selection.param.update(image_layout=event.new), "value")
        self.colourings = ColouringMenu(selection, **look)
        self.colouring = self.colourings.select

    def _create_card(self) -> None:
        """What is shown of the image under the pointer: found in the browser, written here when it is asked for."""
        self.pointer = ColumnDataSource({"image": [-1]})
        self.answer = ColumnDataSource({"image": [], "html": []})
        args = {"fig": self.map.figure, "points": self.map.points, "pointer": self.pointer, "answer": self.answer}
        point = CustomJS(args=args | {"reach": REACH, "style": _CARD}, code=script("point_at_image.js"))
        for event in ("mousemove", "mouseleave", "panstart", "panend", "tap"):
            self.map.figure.js_on_event(event, point)
        show = CustomJS(args={"answer": self.answer, "pointer": self.pointer}, code=script("show_card.js"))
        self.answer.js_on_change("data", show)
        self.pointer.on_change("data", self._on_pointer)

    def _follow_figure(self) -> None:
        fig = self.map.figure
        self._double_clicks, self._image_before = DoubleClicks(), self.session.selection.image
        fig.on_event(Tap, self._on_tap)
        fig.on_event(DoubleTap, self._on_tap)
        fig.on_event(SelectionGeometry, self._on_geometry)
        self._ways = BrushWays(fig, self.session.selection)
        if self.map.all is None:
            fig.on_change("inner_width", self._on_viewport)
            fig.on_change("inner_height", self._on_viewport)
            for span in (fig.x_range, fig.y_range):
                span.on_change("start", self._on_viewport)
                span.on_change("end", self._on_viewport)

    def controls(self) -> list[pn.viewable.Viewable]:
        """Return steps from image to image, and back to all."""
        return [self.previous, self.next, self.everything]

    def body(self) -> pn.viewable.Viewable:
        """Stack the ways to choose, the map, what its colours mean, and the chosen image."""
        choose = pn.Row(self.text, self.layout, self.colouring, **FULL_WIDTH, height=38)
        styles = {"position": "relative", "min-height": "0"}
        # Buttons lie over the left edge, points beside them.
        beside = self.chart.placed(**{"margin-left": f"{TOOLS_WIDTH}px"})
        chart = pn.Column(beside, self.tools, self.unbrush, styles=styles, **FILLED)
        self._whole.objects = [choose, chart, self.legend, self.strip, *filter(None, [self.examples])]
        return self._whole

    @property
    def _layout(self) -> np.ndarray:
        """Places of the images, NaN where the study has none."""
        study, name = self.session.study, self.session.image_layout
        return study[name] if name in study else np.full((study.n_images, 2), np.nan)

    @property
    def _layout_name(self) -> str:
        layouts = self.session.image_layouts()
        return next(name for name, array in layouts.items() if array == self.session.image_layout)

    def _table(self) -> pd.DataFrame:
        images = self.session.study.images
        table = image_table(images, self._layout, brushed=self.session.brushed, numbers=self.colours.numbers)
        return table.assign(layout=self._layout_name)

    # -- acts of the person ----------------------------------------------------------------------------------------

    def _on_tap(self, event: Tap | DoubleTap) -> None:
        if self._double_clicks.is_second(event):
            self.bridge.put("choose image", self._undo_choice_and_show_all)
            return
        self._image_before = self.session.selection.image
        points = self.map.points.data
        image = nearest_point(self.map.figure, (event.x, event.y), (points["x"], points["y"]))
        if image is not None:
            self.bridge.put("choose image", lambda: self.session.selection.param.update(image=image))

    def _undo_choice_and_show_all(self) -> None:
        self.session.selection.image = self._image_before
        self.map.show_all()

    def _on_text(self, text: str) -> None:
        try:
            self.session.choose_image(text)
        except VitpanelError as error:
            # After what waits to be drawn of the image before, which would write over it.
            words = error_html(error.message, error.hint)
            self.bridge.put("refused", partial(self._show_below, words))
            self.text.refuse()
        else:
            self._put("_draw_choice")

    def _on_match(self, text: str, held: Mapping[str, bool]) -> None:
        selection = self.session.selection
        selection.mark(Matches(text), how=way_of(held) or selection.way)

    def _on_viewport(self, _attribute: str, _old: object, _new: object) -> None:
        self.bridge.put("A viewport", partial(self._draw_picture, is_moved=True))

    def _on_geometry(self, event: SelectionGeometry) -> None:
        if event.final and event.geometry is not None:
            self.session.selection.mark(brush_of(event.geometry, self.session.image_layout), how=self._ways.way)

    def _on_group(self, group: int, held: Mapping[str, bool]) -> None:
        selection = self.session.selection
        selection.mark(
            brush_of_group(self.colours.groups, group, selection.colouring), how=way_of(held) or selection.way
        )

    def _on_range(self, start: float, end: float, held: Mapping[str, bool]) -> None:
        """Brush the images whose number lies in a part of the scale, from 0 to 1; what lies beyond an end is in it."""
        numbers, selection = self.colours.numbers, self.session.selection
        if numbers is None:
            return
        low, high = (number_at(numbers, place) for place in (start, end))
        brush = brush_of_range(selection, shown_colouring(selection), low=low, high=high)
        selection.mark(brush, how=way_of(held) or selection.way)

    def _on_example(self, image: int) -> None:
        self.session.selection.image = image

    def _on_pointer(self, _attribute: str, _old: object, new: dict[str, Any]) -> None:
        image = int(new["image"][0])
        if 0 <= image < self.session.study.n_images:
            self.bridge.put("A card", partial(self._write_card, image))

    def _write_card(self, image: int) -> None:
        numbers, more = self.colours.numbers, ""
        if numbers is not None:
            more = f"{numbers.title}: {number_text(numbers, numbers.per_image[image])}"
        html = card_html(self.session.study, image, more=more)
        self.answer.data = {"image": [image], "html": [html]}

    # -- answers to the selection ----------------------------------------------------------------------------------

    def _draw_choice(self) -> None:
        study, image = self.session.study, self.session.selection.image
        self.text.show_text("" if image is None else str(image))
        self.previous.disabled = image == 0
        self.next.disabled = image == study.n_images - 1
        self.everything.disabled = image is None
        if self.colours.numbers is not None:
            self.legend.param.update(**number_legend(self.colours.numbers, image))
        if self.examples is not None:
            self.examples.chosen = -1 if image is None else image
        self._show_below()
        self._draw_ring()

    def _show_below(self, error: str = "") -> None:
        """Show below the legend what goes wrong, else images by what colours show of a head, else the chosen one."""
        study, image = self.session.study, self.session.selection.image
        has_examples = self.examples is not None and bool(self.examples.examples)
        self.strip.param.update(object=error or strip_html(study, image), visible=bool(error) or not has_examples)
        if self.examples is not None:
            self.examples.visible = has_examples and not error

    def _draw_of_head(self) -> None:
        if self.session.selection.colouring in HEAD_NUMBERS:
            self._draw_colours()

    def _draw_by_metric(self) -> None:
        if self.session.selection.colouring in {"importance", BRUSHED_HEADS}:
            self._draw_colours()

    def _draw_heads(self) -> None:
        """Offer colours by the brushed heads while there are any; colours change only where they show them already."""
        self._show_colouring()
        if self.session.selection.colouring == BRUSHED_HEADS:
            self._draw_colours()

    def _show_colouring(self) -> None:
        self.colourings.show()
        self.legend.offer = self.colourings.offer

    def _draw_colours(self) -> None:
        self._show_colouring()
        dark = dark_colours(self.session.study.spec.n_layers) if self.dark else {}
        self.colours = image_colours(self.session, COLOURING_NAMES, classes=class_order(self.session.study), dark=dark)
        look = self.colours.look
        self.legend.param.update(**self.colours.legend, pointed=-1)
        self._pixels = image_pixels(look.codes, tuple(dark.get(colour, colour) for colour in look.colours))
        self.map.dress(look)
        self._forget_cards()
        self._draw_examples()
        self._draw_highlight()

    def _forget_cards(self) -> None:
        """Let the browser ask again for what it says of images: their number has changed."""
        if len(self.answer.data["image"]):
            self.pointer.data = {"image": [-1]}
            self.answer.data = {"image": [], "html": []}

    def _draw_examples(self) -> None:
        study, numbers, image = self.session.study, self.colours.numbers, self.session.selection.image
        if self.examples is None and numbers is not None:
            self.examples = ImageExamples(self._on_example, height=STRIP_HEIGHT, **FULL_WIDTH)
            if len(self._whole):  # laid out already
                self._whole.append(self.examples)
        if self.examples is not None:
            self.examples.show_numbers(study, numbers)
            self.examples.chosen = -1 if image is None else image
        self._show_below()

    def _draw_ring(self) -> None:
        image = self.session.selection.image
        self.draw(
            self.chart,
            lambda: self.map.ring.update(data=ring_columns(self.map.points, image)),
            needs=self.session.image_layout,
        )

    def _draw_layout(self) -> None:
        self.layout.value = self._layout_name
        self.map.place(self._layout)
        self._draw_ring()
        self._draw_brush()

    def _draw_brush(self) -> None:
        mask = self.session.brushed
        self.unbrush.visible = mask is not None
        self.unbrush.label = "" if mask is None else f"Clear {int(mask.sum())} brushed"
        self.map.outline.data = outline_columns(self.session.selection.images, self.session.image_layout)
        self._draw_highlight()

    def _draw_highlight(self) -> None:
        self.map.highlight(self._highlighted)
        self._draw_picture()

    @property
    def _highlighted(self) -> np.ndarray | None:
        """Images that stand out: those pointed at in the legend, else the brush."""
        pointed = self.legend.pointed
        return self.session.brushed if pointed < 0 else self.colours.look.codes == pointed

    def _draw_picture(self, *, is_moved: bool = False) -> None:
        fig, picture = self.map.figure, self.map.picture
        if picture is None:
            return
        viewport = Viewport(
            (fig.x_range.start, fig.x_range.end), (fig.y_range.start, fig.y_range.end), *inner_size(fig)
        )
        painted = paint_images(self._layout, self._pixels, viewport, highlighted=self._highlighted)
        if is_moved:
            picture.move(painted)
        else:
            picture.draw(painted)
