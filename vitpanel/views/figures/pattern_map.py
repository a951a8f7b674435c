"""D1: all heads of all images as one picture, with single heads on top."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import (
    BoxSelectTool,
    ColorBar,
    ColumnDataSource,
    CustomJS,
    FixedTicker,
    HoverTool,
    LassoSelectTool,
    LinearColorMapper,
    PanTool,
    Patch,
    Scatter,
    Tool,
    WheelZoomTool,
)
from bokeh.plotting import figure
from holoviews.plotting.plot import Plot

from vitpanel.core.metrics import metric_of
from vitpanel.core.spec import head_name
from vitpanel.elements.density import LOOK, LivePicture, draw_plot
from vitpanel.elements.shading import colour_index
from vitpanel.state.patterns import MapColours, OwnHeads
from vitpanel.theme.palette import CHOSEN, MEAN, MUTED, SURFACE, TEXT, css
from vitpanel.views.base import dressed, numbers_as_text
from vitpanel.views.figures.client import script
from vitpanel.views.figures.glyphs import Overlay, add_glyph, create_sources

MOST_TICKS = 12
# Milliseconds between two reports of what is in sight.
PAUSE = 40
# Milliseconds after which a pointer rests, and how many pixels around it count as its place.
REST = 60
NEAR_PIXELS = 8
NO_COLOUR = MEAN
_CARD = (
    "position: absolute; z-index: 3; padding: 3px 6px; font: 11px/14px sans-serif; pointer-events: none; "
    f"white-space: nowrap; background: {css('surface')}; color: {css('text')}; border: 1px solid {css('muted')}"
)
_OWN = ("x", "y", "colour", "words")


@dataclass(frozen=True)
class PatternFigure:
    """Figure of D1.

    HoloViews draws it: ``plot`` with the ``picture`` of all heads. What lies on that is added to its figure: ``own``
    the chosen image's heads, ``cloud`` the chosen head on all images, ``marked`` those of the marked cluster,
    ``outline`` the line around it, ``ring`` the choice. ``drags`` are the tools that a drag can stand for. ``pointer``
    is where the pointer rests (the browser tells it), ``answer`` what is said of that place.
    """

    plot: Plot
    picture: LivePicture
    own: ColumnDataSource
    cloud: Overlay
    marked: Overlay
    outline: Overlay
    ring: ColumnDataSource
    bar: ColorBar
    drags: dict[str, Tool]
    pointer: ColumnDataSource
    answer: ColumnDataSource

    @property
    def figure(self) -> figure:
        """What HoloViews has made."""
        return self.plot.state

    @property
    def source(self) -> ColumnDataSource:
        """What the picture is drawn from."""
        return self.plot.handles["source"]


def create_pattern_figure() -> PatternFigure:
    """Draw an empty map of heads."""
    drags: dict[str, Tool] = {
        "move": PanTool(),
        "lasso": LassoSelectTool(continuous=False, renderers=[]),
        "box": BoxSelectTool(continuous=False, renderers=[]),
    }
    picture = LivePicture(**LOOK)
    plot, wheel = draw_plot(picture.element), WheelZoomTool()
    fig = dressed(plot.state)
    fig.add_tools(*drags.values(), wheel)
    fig.toolbar.update(active_drag=drags["move"], active_scroll=wheel)
    for drag in ("lasso", "box"):
        drags[drag].overlay.update(line_color=TEXT, line_width=1, fill_alpha=0.08)
    tell = CustomJS(args={"fig": fig, "pause": PAUSE}, code=script("ranges.js"))
    for span in (fig.x_range, fig.y_range):
        span.js_on_change("start", tell)
        span.js_on_change("end", tell)
    own, ring = create_sources(_OWN, ("x", "y", "colour"))
    place = {"x": "x", "y": "y"}
    # Dark on light, so that light colours have an edge on white ground, and all stand out from points of their colour.
    ground = add_glyph(fig, Scatter(**place, size=12, fill_color=SURFACE, line_color=None), own)
    points = add_glyph(fig, Scatter(**place, size=8, fill_color="colour", line_color=TEXT), own)
    around = Scatter(**place, size=13, fill_color="colour", line_color=CHOSEN, line_width=2.5)
    add_glyph(fig, around, ring, level="overlay")
    fig.add_tools(HoverTool(renderers=[points], tooltips="@words", limit=3, attachment="horizontal"))
    looks = (
        Scatter(**place, size=3, fill_color=TEXT, fill_alpha=0.5, line_color=None),
        Scatter(**place, size=4, fill_color=CHOSEN, fill_alpha=0.6, line_color=None),
        Patch(**place, fill_alpha=0, line_color=TEXT, line_dash="dashed"),
    )
    marked, cloud, outline = (Overlay(fig, [look], ("x", "y"), below=ground) for look in looks)
    bar = _colour_bar()
    fig.add_layout(bar, "below")
    return PatternFigure(plot, picture, own, cloud, marked, outline, ring, bar, drags, *_link_pointer(fig, own))


def _link_pointer(fig: figure, own: ColumnDataSource) -> tuple[ColumnDataSource, ColumnDataSource]:
    """Let the browser tell where the pointer rests, and show what is answered."""
    pointer, answer = create_sources(("x", "y"), ("x", "y", "html"))
    args = {
        "fig": fig,
        "own": own,
        "pointer": pointer,
        "answer": answer,
        "reach": NEAR_PIXELS,
        "rest_ms": REST,
        "style": _CARD,
    }
    react = CustomJS(args=args, code=script("point_at_map.js"))
    for event in ("mousemove", "mouseleave", "panstart", "wheel"):
        fig.js_on_event(event, react)
    answer.js_on_change("data", react)
    return pointer, answer


def own_columns(own: OwnHeads | None, colours: MapColours, palette: tuple[str, ...], *, metric: str) -> dict[str, Any]:
    """Columns of the chosen image's heads, none without an image."""
    if own is None:
        return {name: [] for name in _OWN}
    shades = np.array([*palette, NO_COLOUR if colours.kind == "density" else MUTED])
    numbers = zip(numbers_as_text(own.entropy, 3), numbers_as_text(own.importance, 4), strict=True)
    words = [
        f"{head_name(layer, head)} · entropy {entropy} · {metric_of(metric).title} {importance}"
        for layer, head, (entropy, importance) in zip(own.layer, own.head, numbers, strict=True)
    ]
    colour = shades[colour_index(own.value, colours, len(palette))].tolist()
    return {"x": own.x, "y": own.y, "colour": colour, "words": words}


def explain_colours(bar: ColorBar, colours: MapColours, palette: tuple[str, ...]) -> None:
    """Let the bar say what the colours mean; names of classes have no room in it."""
    n = len(colours.names)
    low, high = (-0.5, n - 0.5) if n else (colours.low, colours.high)
    ticks = list(range(0, n, -(-n // MOST_TICKS))) if n else [low, (low + high) / 2, high]
    bar.color_mapper.update(palette=list(palette), low=low, high=high)
    bar.ticker.ticks = ticks
    bar.major_label_overrides = {} if n else {tick: _number(tick) for tick in ticks}
    bar.update(title=colours.title, visible=colours.kind != "class" and not colours.reason)


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _colour_bar() -> ColorBar:
    return ColorBar(
        color_mapper=LinearColorMapper(palette=[MUTED], low=0, high=1),
        ticker=FixedTicker(ticks=[]),
        title_text_font_size="10px",
        title_text_font_style="normal",
        title_standoff=1,
        major_label_text_font_size="9px",
        label_standoff=2,
        major_tick_line_color=None,
        background_fill_alpha=0,
        height=6,
        padding=2,
        margin=0,
    )
