"""D1: all heads of all images as one picture, with single heads on top."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
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
    Range1d,
    Tool,
)
from bokeh.plotting import figure

from vitpanel.core.raster import Window
from vitpanel.core.spec import head_name
from vitpanel.state.pattern_map import PatternMap
from vitpanel.state.patterns import MapColours, OwnHeads, Patterns
from vitpanel.theme.palette import CHOSEN, MEAN, MUTED, SURFACE, TEXT, css
from vitpanel.views.base import NO_AXES, create_figure, numbers_as_text
from vitpanel.views.figures.client import script
from vitpanel.views.figures.map_picture import colour_index

MARGIN = 0.04
MOST_TICKS = 12
# Milliseconds between two reports of what is in sight.
PAUSE = 40
# Milliseconds after which a pointer rests, and how many pixels around it count as its place.
REST = 60
NEAR_PIXELS = 8
NO_COLOUR = MEAN
IMPORTANCE_WORDS = {
    "probability": "probability lost",
    "jsd": "JSD",
    "cls": "CLS distance",
    "patch": "patch distance",
}
_CARD = (
    "position: absolute; z-index: 3; padding: 3px 6px; font: 11px/14px sans-serif; pointer-events: none; "
    f"white-space: nowrap; background: {css('surface')}; color: {css('text')}; border: 1px solid {css('muted')}"
)
_OWN = ("x", "y", "colour", "words")


@dataclass(frozen=True)
class PatternFigure:
    """Figure of D1.

    ``picture`` holds the picture of all heads, ``own`` the chosen image's, ``cloud`` the chosen head on all images,
    ``marked`` those of the marked cluster, ``outline`` the line around it, ``ring`` the choice; ``drags`` are the
    tools that a drag can stand for. ``pointer`` is where the pointer rests (the browser tells it), ``answer`` what is
    said of that place.
    """

    figure: figure
    picture: ColumnDataSource
    own: ColumnDataSource
    cloud: ColumnDataSource
    marked: ColumnDataSource
    outline: ColumnDataSource
    ring: ColumnDataSource
    bar: ColorBar
    drags: dict[str, Tool]
    pointer: ColumnDataSource
    answer: ColumnDataSource


def home_window(home: tuple[tuple[float, float], tuple[float, float]], *, width: int, height: int) -> Window:
    """Window that shows all points with a margin, with units of x and y equally long on the screen."""
    sizes = [(high - low) * (1 + 2 * MARGIN) or 1.0 for low, high in home]
    unit = max(size / pixels for size, pixels in zip(sizes, (width, height), strict=True))
    limits = [
        ((low + high - unit * pixels) / 2, (low + high + unit * pixels) / 2)
        for (low, high), pixels in zip(home, (width, height), strict=True)
    ]
    return Window(limits[0], limits[1], width, height)


def zoomed(window: Window, at: tuple[float, float], factor: float) -> Window:
    """Window with ``at`` in the middle and everything ``factor`` times as large."""
    (x0, x1), (y0, y1) = window.x, window.y
    half = (x1 - x0) / factor / 2, (y1 - y0) / factor / 2
    return Window((at[0] - half[0], at[0] + half[0]), (at[1] - half[1], at[1] + half[1]), window.width, window.height)


def resized(window: Window, *, width: int, height: int) -> Window:
    """Window of another size in pixels, with the same middle and the same scale."""
    limits: list[tuple[float, float]] = []
    for (low, high), old, new in ((window.x, window.width, width), (window.y, window.height, height)):
        half = (high - low) / old * new / 2
        limits.append(((low + high) / 2 - half, (low + high) / 2 + half))
    return Window(limits[0], limits[1], width, height)


def create_pattern_figure() -> PatternFigure:
    """Draw an empty map of heads."""
    drags: dict[str, Tool] = {
        "move": PanTool(),
        "lasso": LassoSelectTool(continuous=False, renderers=[]),
        "box": BoxSelectTool(continuous=False, renderers=[]),
    }
    fig = create_figure(
        **NO_AXES,
        tools=[*drags.values(), "wheel_zoom"],
        active_drag=drags["move"],
        active_scroll="wheel_zoom",
        x_range=Range1d(0, 1),
        y_range=Range1d(0, 1),
    )
    for drag in ("lasso", "box"):
        drags[drag].overlay.update(line_color=TEXT, line_width=1, fill_alpha=0.08)
    tell = CustomJS(args={"fig": fig, "pause": PAUSE}, code=script("ranges.js"))
    for span in (fig.x_range, fig.y_range):
        span.js_on_change("start", tell)
        span.js_on_change("end", tell)
    picture, cloud, marked, own, outline, ring = (
        ColumnDataSource({name: [] for name in names})
        for names in (("image", "x", "y", "dw", "dh"), *[("x", "y")] * 2, _OWN, ("x", "y"), ("x", "y", "colour"))
    )
    fig.image_rgba("image", x="x", y="y", dw="dw", dh="dh", source=picture)
    fig.scatter("x", "y", source=marked, size=3, color=TEXT, alpha=0.5, line_color=None)
    fig.scatter("x", "y", source=cloud, size=4, color=CHOSEN, alpha=0.6, line_color=None)
    fig.patch("x", "y", source=outline, fill_alpha=0, line_color=TEXT, line_dash="dashed")
    # Dark on light, so that light colours have an edge on white ground, and all stand out from points of their colour.
    fig.scatter("x", "y", source=own, size=12, fill_color=SURFACE, line_color=None)
    points = fig.scatter("x", "y", source=own, size=8, fill_color="colour", line_color=TEXT, line_width=1)
    fig.scatter("x", "y", source=ring, size=13, fill_color="colour", line_color=CHOSEN, line_width=2.5, level="overlay")
    fig.add_tools(HoverTool(renderers=[points], tooltips="@words", limit=3, attachment="horizontal"))
    bar = _colour_bar()
    fig.add_layout(bar, "below")
    return PatternFigure(fig, picture, own, cloud, marked, outline, ring, bar, drags, *_link_pointer(fig, own))


def _link_pointer(fig: figure, own: ColumnDataSource) -> tuple[ColumnDataSource, ColumnDataSource]:
    """Let the browser tell where the pointer rests, and show what is answered."""
    pointer, answer = ColumnDataSource({"x": [], "y": []}), ColumnDataSource({"x": [], "y": [], "html": []})
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
        f"{head_name(layer, head)} · entropy {entropy} · {IMPORTANCE_WORDS[metric]} {importance}"
        for layer, head, (entropy, importance) in zip(own.layer, own.head, numbers, strict=True)
    ]
    colour = shades[colour_index(own.value, colours, len(palette))].tolist()
    return {"x": own.x, "y": own.y, "colour": colour, "words": words}


def map_table(
    patterns: Patterns, found: PatternMap | None, window: Window, *, metric: str, layout: str
) -> pd.DataFrame:
    """Heads in sight with their places in a layout, and what is known of them."""
    nothing = np.empty(0, np.int32)
    x, y, rows = (nothing, nothing, nothing) if found is None else found.within(window)
    image, layer, head = np.unravel_index(rows, (1, 1, 1) if found is None else found.shape)
    places = {"image": image, "layer": layer, "head": head, "layout": layout, "x": x, "y": y}
    table = pd.DataFrame(places | patterns.described(rows, metric=metric))
    return table.sort_values(["image", "layer", "head"], ignore_index=True)


def explain_colours(bar: ColorBar, colours: MapColours, palette: tuple[str, ...]) -> None:
    """Let the bar say what the colours mean; names of classes have no room in it."""
    n = len(colours.names)
    low, high = (-0.5, n - 0.5) if n else (colours.low, colours.high)
    ticks = list(range(0, n, -(-n // MOST_TICKS))) if n else [low, (low + high) / 2, high]
    bar.color_mapper.update(palette=list(palette), low=low, high=high)
    bar.ticker.ticks = ticks
    bar.major_label_overrides = {} if n else {tick: _number(tick) for tick in ticks}
    bar.update(title=colours.title, visible=colours.kind != "class")


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
