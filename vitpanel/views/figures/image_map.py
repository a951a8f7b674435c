"""A: all images, laid out by the importance of their heads."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from bokeh.models import (
    BoxSelectTool,
    CDSView,
    ColumnDataSource,
    GlyphRenderer,
    IndexFilter,
    LassoSelectTool,
    PanTool,
    Patch,
    Scatter,
    WheelZoomTool,
)
from bokeh.plotting import figure
from holoviews.plotting.plot import Plot

from vitpanel.elements import density
from vitpanel.elements.density import LOOK, LivePicture, draw_plot
from vitpanel.elements.image_looks import MARKERS, Look
from vitpanel.elements.image_map import point_element, point_size
from vitpanel.state.brush import InPolygon
from vitpanel.theme.palette import CHOSEN, MUTED, SURFACE, TEXT, VALUE
from vitpanel.views.base import dressed
from vitpanel.views.figures.glyphs import Overlay, add_glyph, create_sources
from vitpanel.views.figures.picking import padded_range

STRONG, FAINT = 0.85, 0.12


@dataclass(frozen=True)
class ImageMap:
    """The chart of all images.

    Attributes
    ----------
    plot
        What HoloViews has drawn; the rest is added to its figure.
    tools
        ``pan``, ``box`` and ``lasso``, one of which a drag means.
    points
        Places in the order of the image ids, and their looks where there are few enough to be drawn one by one.
    all, highlighted
        Draw every point, and those that stand out; None for a study whose images are painted into ``picture``.
    picture
        All images in sight as one; None where they are drawn one by one.
    ring
        Around the chosen image.
    outline
        Around what the brush marks.
    """

    plot: Plot
    tools: dict[str, Any]
    points: ColumnDataSource
    all: GlyphRenderer | None
    highlighted: GlyphRenderer | None
    picture: LivePicture | None
    ring: ColumnDataSource
    outline: Overlay

    @property
    def figure(self) -> figure:
        """What HoloViews has made."""
        return self.plot.state

    @property
    def source(self) -> ColumnDataSource:
        """What HoloViews draws from."""
        return self.plot.handles["source"]

    def place(self, layout: np.ndarray) -> None:
        """Move all images to their places in a layout, ``(n_images, 2)``, and show all, unless they are there."""
        if all(np.array_equal(self.points.data[name], layout[:, at], equal_nan=True) for at, name in enumerate("xy")):
            return
        self.points.data = dict(self.points.data) | {"x": layout[:, 0], "y": layout[:, 1]}
        self.show_all()

    def show_all(self) -> None:
        """Bring all images into sight."""
        for span, name in ((self.figure.x_range, "x"), (self.figure.y_range, "y")):
            home = padded_range(np.asarray(self.points.data[name]))
            span.update(start=home.start, end=home.end)

    def dress(self, look: Look) -> None:
        """Give every image its colour and shape."""
        if self.all is not None:
            colours, markers = np.array(look.colours)[look.codes], np.array(look.markers)[look.codes]
            self.points.data = dict(self.points.data) | {"colour": colours.tolist(), "marker": markers.tolist()}

    def highlight(self, mask: np.ndarray | None) -> None:
        """Let some images stand out from the others, or all look alike."""
        if self.all is None or self.highlighted is None:
            return
        alpha = STRONG if mask is None else FAINT
        self.all.glyph.update(fill_alpha=alpha, line_alpha=alpha)
        # Another filter would be another model, for which Bokeh looks through the whole document.
        indices = [] if mask is None else np.flatnonzero(mask).tolist()
        cast("IndexFilter", self.highlighted.view.filter).indices = indices


def create_image_map(layout: np.ndarray) -> ImageMap:
    """Map of all images at their places ``(n_images, 2)``, NaN for one that is not drawn; drawn by HoloViews.

    More than `MOST_GLYPHS` images are painted into one picture of the part in sight.
    """
    size = point_size(len(layout))
    if len(layout) > density.MOST_GLYPHS:
        picture, drawn = LivePicture(**LOOK), ()
        plot = draw_plot(picture.element)
        points = ColumnDataSource({"x": layout[:, 0], "y": layout[:, 1]})
    else:
        picture, plot = None, draw_plot(_points(layout))
        points, drawn = plot.handles["source"], _drawn(plot, size)
    fig, wheel = dressed(plot.state), WheelZoomTool()
    tools = {"pan": PanTool(), "box": BoxSelectTool(renderers=[]), "lasso": LassoSelectTool(renderers=[])}
    fig.add_tools(wheel, *tools.values())
    fig.toolbar.update(active_scroll=wheel, active_drag=tools["pan"])
    (ring,) = create_sources(("x", "y"))
    for width, colour in ((5, SURFACE), (2.5, CHOSEN)):
        around = Scatter(x="x", y="y", size=size + 8, fill_alpha=0, line_color=colour, line_width=width)
        add_glyph(fig, around, ring, level="overlay")
    brush = Patch(x="x", y="y", fill_color=VALUE, fill_alpha=0.06, line_color=VALUE, line_dash="4 3")
    outline = Overlay(fig, [brush], ("x", "y"), level="overlay")
    found = ImageMap(plot, tools, points, *(drawn or (None, None)), picture, ring, outline)
    found.show_all()
    return found


def _points(layout: np.ndarray) -> Any:
    """Element of images that have no looks yet."""
    n_images = len(layout)
    colours, markers = np.full(n_images, MUTED), np.full(n_images, MARKERS[0])
    return point_element(layout, colours, markers).opts(**LOOK, backend="bokeh")


def _drawn(plot: Plot, size: float) -> tuple[GlyphRenderer, GlyphRenderer]:
    """What draws all images, and those that stand out.

    The columns that HoloViews has made of colours and shapes are exchanged for ours: those of colours must have
    "colour" in their names to follow the theme.
    """
    source, everything = plot.handles["source"], plot.handles["glyph_renderer"]
    known, n_images = source.data, len(source.data["x"])
    looks = {"colour": [MUTED] * n_images, "marker": [MARKERS[0]] * n_images}
    source.data = {"x": known["x"], "y": known["y"]} | looks
    look = {"fill_color": "colour", "line_color": TEXT, "line_width": 0.3, "marker": "marker"}
    look |= {"fill_alpha": STRONG, "line_alpha": STRONG}
    everything.glyph.update(**look, size=size)
    larger, view = Scatter(x="x", y="y", size=size + 1, **look), CDSView(filter=IndexFilter([]))
    return everything, add_glyph(plot.state, larger, source, view=view, level="overlay")


def ring_columns(points: ColumnDataSource, image: int | None) -> dict[str, Any]:
    """Columns of the ring around an image, none without one."""
    return {name: [] if image is None else [points.data[name][image]] for name in ("x", "y")}


def outline_columns(brush: object, layout: str) -> dict[str, Any]:
    """Columns of the outline of a brush, none for one that was not drawn in this layout."""
    is_here = isinstance(brush, InPolygon) and brush.layout == layout
    return {"x": list(brush.x), "y": list(brush.y)} if is_here else {"x": [], "y": []}


def brush_of(geometry: dict[str, Any], layout: str) -> InPolygon:
    """What a box or a lasso, as Bokeh tells it, marks in a layout."""
    if geometry["type"] == "rect":
        x0, x1, y0, y1 = (float(geometry[name]) for name in ("x0", "x1", "y0", "y1"))
        return InPolygon(layout, (x0, x1, x1, x0), (y0, y0, y1, y1))
    x, y = (tuple(float(value) for value in geometry[name]) for name in ("x", "y"))
    return InPolygon(layout, x, y)
