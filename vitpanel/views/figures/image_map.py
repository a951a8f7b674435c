"""A: all images, laid out by the importance of their heads."""

from dataclasses import dataclass
from itertools import cycle
from typing import Any, cast

import numpy as np
import pandas as pd
from bokeh.models import (
    BoxSelectTool,
    CDSView,
    ColumnDataSource,
    GlyphRenderer,
    IndexFilter,
    LassoSelectTool,
    PanTool,
    WheelZoomTool,
)
from bokeh.plotting import figure

from vitpanel.state.brush import LayoutRegion
from vitpanel.state.image_groups import NO_LABEL, NO_PREDICTION, NOT_JUDGED, NOT_KNOWN, RIGHT, WRONG, ImageGroups
from vitpanel.theme.palette import CHOSEN, MUTED, SHARE_COLOURS, SURFACE, TEXT, VALUE, WRONG_COLOUR, class_colours
from vitpanel.views.base import NO_AXES, create_figure
from vitpanel.views.figures.picking import padded_range

MOST_GLYPHS = 5000
# Buttons lie over the left edge of the map, points beside them.
TOOLS_WIDTH = 32
MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "hex")
STRONG, FAINT = 0.85, 0.12


@dataclass(frozen=True)
class Look:
    """Colour and shape of each group of images."""

    colours: tuple[str, ...]
    markers: tuple[str, ...]


@dataclass(frozen=True)
class ImageMap:
    """The chart of all images.

    Attributes
    ----------
    figure
        Its tools ``pan``, ``box`` and ``lasso`` are those of `tools`, one of which a drag means.
    points
        Places in the order of the image ids, and their looks where there are few enough to be drawn one by one.
    all, lit
        Draw every point, and those that stand out; None for a study whose images are painted into ``picture``.
    picture
        An image of all points in sight.
    ring
        Around the chosen image.
    region
        Outline of the brush.
    """

    figure: figure
    tools: dict[str, Any]
    points: ColumnDataSource
    all: GlyphRenderer | None
    lit: GlyphRenderer | None
    picture: ColumnDataSource
    ring: ColumnDataSource
    region: ColumnDataSource

    def place(self, layout: np.ndarray) -> None:
        """Move all images to their places in a layout, ``(n_images, 2)``, and show all of them."""
        self.points.data = dict(self.points.data) | {"x": layout[:, 0], "y": layout[:, 1]}
        self.show_all()

    def show_all(self) -> None:
        """Bring all images into sight."""
        for span, name in ((self.figure.x_range, "x"), (self.figure.y_range, "y")):
            home = padded_range(np.asarray(self.points.data[name]))
            span.update(start=home.start, end=home.end)

    def dress(self, groups: ImageGroups, look: Look) -> None:
        """Give every image the colour and shape of its group."""
        if self.all is not None:
            colours, markers = np.array(look.colours)[groups.codes], np.array(look.markers)[groups.codes]
            self.points.data = dict(self.points.data) | {"colour": colours.tolist(), "marker": markers.tolist()}

    def light(self, mask: np.ndarray | None) -> None:
        """Let some images stand out from the others, or all look alike."""
        if self.all is None or self.lit is None:
            return
        alpha = STRONG if mask is None else FAINT
        self.all.glyph.update(fill_alpha=alpha, line_alpha=alpha)
        # Another filter would be another model, for which Bokeh looks through the whole document.
        cast("IndexFilter", self.lit.view.filter).indices = [] if mask is None else np.flatnonzero(mask).tolist()


def group_look(groups: ImageGroups, classes: tuple[str, ...]) -> Look:
    """Colour and shape of each group; a class looks the same whether it is a label or a prediction.

    Parameters
    ----------
    classes
        Names of all classes that occur.
    """
    if groups.kind == "class":
        colours = class_colours(classes)
        shapes = dict(zip(classes, cycle(MARKERS), strict=False))
    elif groups.kind == "verdict":
        colours, shapes = {RIGHT: VALUE, WRONG: WRONG_COLOUR}, {RIGHT: "circle", WRONG: "triangle"}
    else:
        shares = tuple(name for name in groups.names if name != NOT_KNOWN)
        colours, shapes = dict(zip(shares, _shares(shares), strict=True)), dict.fromkeys(shares, "circle")
    unknown = dict.fromkeys((NO_LABEL, NO_PREDICTION, NOT_JUDGED, NOT_KNOWN))
    return Look(
        tuple(MUTED if name in unknown else colours[name] for name in groups.names),
        tuple("x" if name in unknown else shapes[name] for name in groups.names),
    )


def create_image_map(layout: np.ndarray) -> ImageMap:
    """Scatter of all images at their places ``(n_images, 2)``, NaN for one that is not drawn.

    More than `MOST_GLYPHS` images are painted into one picture of the part in sight.
    """
    n_images = len(layout)
    is_few = n_images <= MOST_GLYPHS
    looks = {"colour": [MUTED] * n_images, "marker": ["circle"] * n_images} if is_few else {}
    points = ColumnDataSource({"x": layout[:, 0], "y": layout[:, 1]} | looks)
    ring = ColumnDataSource({"x": [], "y": []})
    region = ColumnDataSource({"x": [], "y": []})
    picture = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []})
    wheel = WheelZoomTool()
    tools = {"pan": PanTool(), "box": BoxSelectTool(renderers=[]), "lasso": LassoSelectTool(renderers=[])}
    fig = create_figure(
        **NO_AXES,
        tools=[wheel, *tools.values()],
        active_scroll=wheel,
        active_drag=tools["pan"],
        min_border_left=TOOLS_WIDTH,
        x_range=padded_range(layout[:, 0]),
        y_range=padded_range(layout[:, 1]),
        # The default of 500 ms is what makes zooming feel slow: Bokeh reports new ranges only after it.
        lod_timeout=50,
    )
    size = float(np.clip(8 - np.log10(max(n_images, 1)), 3.5, 7))
    drawn: list[GlyphRenderer] = []
    if is_few:
        look = {"fill_color": "colour", "line_color": TEXT, "line_width": 0.3, "marker": "marker", "alpha": STRONG}
        drawn = [fig.scatter("x", "y", source=points, size=size, **look)]
        view = CDSView(filter=IndexFilter([]))
        drawn.append(fig.scatter("x", "y", source=points, size=size + 1, view=view, level="overlay", **look))
    else:
        fig.image_rgba("image", x="x", y="y", dw="dw", dh="dh", source=picture)
    fig.patch(
        "x", "y", source=region, fill_color=VALUE, fill_alpha=0.06, line_color=VALUE, line_dash="4 3", level="overlay"
    )
    for width, colour in ((5, SURFACE), (2.5, CHOSEN)):
        fig.scatter(
            "x", "y", source=ring, size=size + 8, fill_alpha=0, line_color=colour, line_width=width, level="overlay"
        )
    return ImageMap(fig, tools, points, *(drawn or [None, None]), picture, ring, region)


def ring_columns(points: ColumnDataSource, image: int | None) -> dict[str, Any]:
    """Columns of the ring around an image, none without one."""
    return {name: [] if image is None else [points.data[name][image]] for name in ("x", "y")}


def region_columns(brush: object, layout: str) -> dict[str, Any]:
    """Columns of the outline of a brush, none for one that was not drawn in this layout."""
    is_here = isinstance(brush, LayoutRegion) and brush.layout == layout
    return {"x": list(brush.x), "y": list(brush.y)} if is_here else {"x": [], "y": []}


def region_of(geometry: dict[str, Any], layout: str) -> LayoutRegion:
    """What a box or a lasso, as Bokeh tells it, marks in a layout."""
    if geometry["type"] == "rect":
        x0, x1, y0, y1 = (float(geometry[name]) for name in ("x0", "x1", "y0", "y1"))
        return LayoutRegion(layout, (x0, x1, x1, x0), (y0, y0, y1, y1))
    x, y = (tuple(float(value) for value in geometry[name]) for name in ("x", "y"))
    return LayoutRegion(layout, x, y)


def image_table(images: pd.DataFrame, layout: np.ndarray, brushed: np.ndarray | None) -> pd.DataFrame:
    """What the map shows, one row an image."""
    columns = ["file", "label_name", "predicted_name", "p_true"]
    table = images[columns].reset_index().assign(x=layout[:, 0], y=layout[:, 1])
    return table if brushed is None else table.assign(brushed=brushed)


def _shares(names: tuple[str, ...]) -> list[str]:
    """Colours of those fifths that occur."""
    return [SHARE_COLOURS[round(float(name.split()[0]) * len(SHARE_COLOURS))] for name in names]
