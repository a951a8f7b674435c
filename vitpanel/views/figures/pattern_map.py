"""D1: all heads of all images as one picture, with single heads on top."""

from dataclasses import dataclass

import datashader as ds
import numpy as np
import pandas as pd
from bokeh.models import (
    ColorBar,
    ColumnDataSource,
    FixedTicker,
    HoverTool,
    LinearColorMapper,
    Range1d,
)
from bokeh.plotting import figure

from vitpanel.core.points import smoothed
from vitpanel.views.base import create_figure
from vitpanel.views.palette import CHOSEN, MEAN, dark_colour, layer_colours

MARGIN = 0.04
SMOOTHING = 3.0
FEW_POINTS = 20_000
POINT_ALPHA = 110


@dataclass(frozen=True)
class View2D:
    """What part of a map is seen: ranges of x and y, and the size of the frame in pixels."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: int
    height: int

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels per unit along x and y."""
        return self.width / (self.x[1] - self.x[0]), self.height / (self.y[1] - self.y[0])


@dataclass(frozen=True)
class PatternFigure:
    """Figure of D1: the picture of all, the chosen image's heads, one head on all images, the ring of the choice."""

    figure: figure
    picture: ColumnDataSource
    own: ColumnDataSource
    cloud: ColumnDataSource
    ring: ColumnDataSource


def home_ranges(x: np.ndarray, y: np.ndarray) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ranges of x and y that show all points with a margin."""

    def padded(values: np.ndarray) -> tuple[float, float]:
        low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
        margin = MARGIN * (high - low) or 1.0
        return low - margin, high + margin

    return padded(x), padded(y)


def density_picture(x: np.ndarray, y: np.ndarray, view: View2D, *, dark: bool = False) -> np.ndarray:
    """Smooth density of points in sight, uint32 RGBA ``(height, width)``: the denser, the less transparent."""
    canvas = ds.Canvas(plot_width=view.width, plot_height=view.height, x_range=view.x, y_range=view.y)
    counts = canvas.points(pd.DataFrame({"x": x, "y": y}, copy=False), "x", "y", ds.count()).to_numpy()
    density = np.sqrt(smoothed(counts, SMOOTHING))
    alpha = 215 * density / max(float(density.max()), 1e-9)
    return alpha.astype(np.uint32) << 24 | np.uint32(_rgba(dark_colour(MEAN) if dark else MEAN, alpha=0))


def warm_up() -> None:
    """Compile what draws densities, so that the first page does not wait for it."""
    density_picture(np.zeros(1, np.float32), np.zeros(1, np.float32), View2D((-1, 1), (-1, 1), 8, 8))


def scatter_picture(
    x: np.ndarray, y: np.ndarray, view: View2D, *, layer: np.ndarray, n_layers: int, dark: bool = False
) -> np.ndarray:
    """Points in sight, coloured by layer, uint32 RGBA ``(height, width)``; of points on one pixel the last is seen."""
    scale, reach = view.scale, 1 if len(x) <= FEW_POINTS else 0
    col = np.floor((x - np.float32(view.x[0])) * np.float32(scale[0]))
    row = np.floor((y - np.float32(view.y[0])) * np.float32(scale[1]))
    inside = (col >= reach) & (col < view.width - reach) & (row >= reach) & (row < view.height - reach)
    col, row = col[inside].astype(np.int64), row[inside].astype(np.int64)
    palette = np.array([_rgba(colour, alpha=POINT_ALPHA) for colour in layer_colours(n_layers, dark=dark)], np.uint32)
    colours = palette[layer[inside].astype(np.int64)]
    pixels = np.zeros((view.height, view.width), np.uint32)
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            pixels[row + down, col + right] = colours
    return pixels


def _rgba(colour: str, *, alpha: int) -> int:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return alpha << 24 | blue << 16 | green << 8 | red


def create_pattern_figure(n_layers: int) -> PatternFigure:
    """Draw an empty map of heads; the layer's colours are explained below it."""
    fig = create_figure(
        tools="pan,wheel_zoom",
        active_scroll="wheel_zoom",
        x_range=Range1d(0, 1),
        y_range=Range1d(0, 1),
        # The default of 500 ms is what makes zooming feel slow: Bokeh reports new ranges only after it.
        lod_timeout=50,
    )
    fig.grid.visible = fig.axis.visible = False
    picture = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []})
    fig.image_rgba("image", x="x", y="y", dw="dw", dh="dh", source=picture)
    cloud = ColumnDataSource({"x": [], "y": []})
    fig.scatter("x", "y", source=cloud, size=4, color=CHOSEN, alpha=0.35, line_color=None)
    own = ColumnDataSource({"x": [], "y": [], "layer": [], "name": []})
    colours = LinearColorMapper(palette=list(layer_colours(n_layers)), low=-0.5, high=n_layers - 0.5)
    colour = {"field": "layer", "transform": colours}
    points = fig.scatter("x", "y", source=own, size=8, fill_color=colour, line_color="white", line_width=0.8)
    ring = ColumnDataSource({"x": [], "y": []})
    fig.scatter("x", "y", source=ring, size=15, fill_alpha=0, line_color=CHOSEN, line_width=2.5, level="overlay")
    fig.add_tools(HoverTool(renderers=[points], tooltips="@name"))
    fig.add_layout(_layer_bar(colours, n_layers), "below")
    return PatternFigure(fig, picture, own, cloud, ring)


def _layer_bar(colours: LinearColorMapper, n_layers: int) -> ColorBar:
    step = -(-n_layers // 12)
    return ColorBar(
        color_mapper=colours,
        ticker=FixedTicker(ticks=list(range(0, n_layers, step))),
        title="layer",
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
