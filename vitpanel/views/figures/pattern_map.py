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
from datashader import transfer_functions as tf

from vitpanel.core.points import smoothed
from vitpanel.views.base import create_figure
from vitpanel.views.palette import CHOSEN, MEAN, layer_colours

MARGIN = 0.04
SMOOTHING = 3.0
FEW_POINTS = 20_000


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
    """Figure of D1: the picture of all, the chosen image's heads, one head on all images, and the ring of the choice."""

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


def density_picture(x: np.ndarray, y: np.ndarray, view: View2D) -> np.ndarray:
    """Smooth density of points in sight, uint32 RGBA ``(height, width)``: the denser, the less transparent."""
    counts = _canvas(view).points(pd.DataFrame({"x": x, "y": y}, copy=False), "x", "y", ds.count()).to_numpy()
    density = np.sqrt(smoothed(counts, SMOOTHING))
    alpha = np.uint32(215) * density / max(float(density.max()), 1e-9)
    red, green, blue = (int(MEAN[start : start + 2], 16) for start in (1, 3, 5))
    return alpha.astype(np.uint32) << 24 | np.uint32(blue << 16 | green << 8 | red)


def scatter_picture(x: np.ndarray, y: np.ndarray, view: View2D, *, layer: np.ndarray, n_layers: int) -> np.ndarray:
    """Points in sight, coloured by layer, uint32 RGBA ``(height, width)``; of points on one pixel the last is seen."""
    table = pd.DataFrame({"x": x, "y": y, "layer": layer}, copy=False)
    top = _canvas(view).points(table, "x", "y", ds.last("layer"))
    colours = [f"{colour[:7]}" for colour in layer_colours(n_layers)]
    palette = np.array([int(f"ff{c[5:7]}{c[3:5]}{c[1:3]}", 16) for c in colours], np.uint32)
    values = top.to_numpy()
    pixels = np.where(np.isnan(values), np.uint32(0), palette[np.nan_to_num(values).astype(int)])
    picture = tf.Image(pixels, coords=top.coords, dims=top.dims)
    return (tf.spread(picture, px=1) if len(x) <= FEW_POINTS else picture).to_numpy()


def _canvas(view: View2D) -> ds.Canvas:
    return ds.Canvas(plot_width=view.width, plot_height=view.height, x_range=view.x, y_range=view.y)


def create_pattern_figure(n_layers: int) -> PatternFigure:
    """Draw an empty map of heads; the layer's colours are explained below it."""
    fig = create_figure(
        tools="pan,wheel_zoom,reset",
        active_scroll="wheel_zoom",
        toolbar_location="right",
        x_range=Range1d(0, 1),
        y_range=Range1d(0, 1),
        # The default of 500 ms is what makes zooming feel slow: Bokeh reports new ranges only after it.
        lod_timeout=50,
    )
    fig.toolbar.logo = None
    fig.toolbar.autohide = fig.toolbar_inner = True
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
