"""D1: where all heads of all images lie in a layout of their attention patterns."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from holoviews.streams import Params, Tap

from vitpanel.drawing.viewport import Viewport, home_viewport
from vitpanel.elements.density import (
    LivePicture,
    Picture,
    density_of,
    follow_viewport,
    raster_of,
    rgb_element,
)
from vitpanel.elements.shading import (
    Density,
    colour_index,
    colour_palette,
    density_picture,
    fitting_radius,
    point_picture,
    stamped,
    thickened,
    thinned,
)
from vitpanel.elements.streams import on_outline
from vitpanel.elements.style import APART, FONTS, set_apart
from vitpanel.state.brush import InPolygon
from vitpanel.state.first_values import first_pattern
from vitpanel.state.pattern_map import PatternMap
from vitpanel.state.patterns import MapColours, OwnHeads, Patterns
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study
from vitpanel.theme.palette import CHOSEN, MUTED, TEXT

NO_POINTS = (np.empty(0), np.empty(0))
SIDE = 440
# How many pixels around a click count as its place.
REACH = 14
# What a linked map follows.
FOLLOWED = (
    "image", "layer", "head", "pattern", "map_colour", "density", "metric", "cloud", "heads", "tokens", "share_source",
)  # fmt: skip
_OWN = ("layer", "head", "entropy", "importance")
_LOOK: dict[str, Any] = {
    "xaxis": None,
    "yaxis": None,
    "frame_width": SIDE,
    "frame_height": SIDE,
    "active_tools": ["pan", "wheel_zoom"],
    "lod": {"timeout": 50},
    "fontsize": FONTS,
    **APART,
}


@dataclass(frozen=True)
class Drawing:
    """What of the map is drawn for a viewport: a picture, and single points on it.

    ``most`` is the highest density in sight, in heads per pixel, 0 where it is not looked for.
    """

    picture: Picture
    most: float
    cloud: tuple[np.ndarray, np.ndarray]
    marked: tuple[np.ndarray, np.ndarray]


def paint_map(
    patterns: Patterns, found: PatternMap, viewport: Viewport, colours: MapColours, *, dark: bool = False
) -> Drawing:
    """Draw what is in sight as the selection wants it; touches no Bokeh model, so any thread may do it."""
    selection = patterns.selection
    if selection.density:
        pixels, most = _contours(patterns, found, viewport, colours, dark=dark)
    else:
        pixels, most = _points(patterns, found, viewport, colours, dark=dark)
    is_highlighted = selection.cloud or selection.image is None
    cloud = thinned(*found.coordinates(patterns.cloud()), viewport) if is_highlighted else NO_POINTS
    marked = thinned(*found.coordinates(patterns.marked()), viewport)
    return Drawing(Picture(viewport, pixels), most, cloud, marked)


def _contours(
    patterns: Patterns, found: PatternMap, viewport: Viewport, colours: MapColours, *, dark: bool
) -> tuple[np.ndarray, float]:
    """Pixels of the density in sight, and the highest one."""
    density = Density.of_counts(density_of(found.grid, viewport))
    is_coloured = colours.kind == "density"
    palette = colour_palette(colours, n_layers=patterns.study.spec.n_layers, dark=dark) if is_coloured else None
    return density_picture(density, palette=palette, dark=dark), density.most


def _points(
    patterns: Patterns, found: PatternMap, viewport: Viewport, colours: MapColours, *, dark: bool
) -> tuple[np.ndarray, float]:
    """Pixels of the points in sight, and the highest density if that is what their colours mean."""
    palette = colour_palette(colours, n_layers=patterns.study.spec.n_layers, dark=dark)
    raster = raster_of(found.grid, viewport)
    density = Density.of_counts(raster.counts) if colours.kind == "density" else None
    thick = thickened(raster, fitting_radius(int(raster.counts.sum())))
    is_filled = thick.top >= 0
    if density is not None:
        values = density.heights[is_filled] / density.most
    else:
        # Looked up for what lies on top: to let Datashader take it along would cost ten times as much.
        values = patterns.values(found.rows[thick.top[is_filled]], colours)
    pixels = point_picture(thick, colour_index(values, colours, len(palette)), palette, dark=dark)
    return pixels, density.most if density is not None else 0.0


def map_table(patterns: Patterns, found: PatternMap, rows: np.ndarray, *, metric: str, layout: str) -> pd.DataFrame:
    """Heads of some rows of a map with their places in a layout, and what is known of them."""
    image, layer, head = np.unravel_index(rows, found.shape)
    x, y = found.coordinates(rows)
    places = {"image": image, "layer": layer, "head": head, "layout": layout, "x": x, "y": y}
    table = pd.DataFrame(places | patterns.described(rows, metric=metric))
    return table.sort_values(["image", "layer", "head"], ignore_index=True)


def pattern_map(
    study: Study,
    selection: Selection | None = None,
    *,
    layout: str | None = None,
    colour: str | None = None,
    density: bool | None = None,
    table: bool = False,
) -> Any:
    """Map of all heads on all images: near each other are heads that attend alike.

    Parameters
    ----------
    selection
        What is looked at. The map then follows it: a click chooses the nearest head, and a box or a lasso marks a
        cluster. None draws the map once.
    layout
        Name of the layout: ``"patch"``, ``"cls"`` or another one that the study has; None takes the selection's,
        and without one the layout that the page starts with.
    colour
        What colours mean: ``"layer"``, ``"head"``, ``"class"``, ``"importance"``, ``"density"``, or ``"tokens"`` for
        the share of attention that goes to the brushed tokens, as far as the study stores it; None as above.
    density
        Whether to draw contours of the density, not points; None as above.
    table
        Whether to return the table behind the map.

    Returns
    -------
    ``hv.RGB`` without a selection, else an ``hv.DynamicMap``; or a DataFrame of all heads: image, layer, head, layout,
    x, y, class, entropy and importance as far as the study has them, and is_chosen.

    Raises
    ------
    StudyIncompleteError
        If the study does not have the layout, or what the colours would mean.

    References
    ----------
    Li et al. 2023, section 5.
    """
    wanted = {"pattern": layout, "map_colour": colour, "density": density}
    shown = _ShownMap(study, selection, {name: value for name, value in wanted.items() if value is not None})
    if table:
        return shown.table()
    return shown.static() if selection is None else shown.linked()


class _ShownMap:
    """A map as an element: what a selection says, but for the options that are fixed."""

    def __init__(self, study: Study, selection: Selection | None, fixed: dict[str, Any]) -> None:
        self._outer, self._fixed = selection or Selection(pattern=first_pattern(study)), fixed
        self._patterns = Patterns(study, Selection())
        self._follow()
        self._viewport = home_viewport(self._map.home, width=SIDE, height=SIDE)

    def _follow(self) -> None:
        """Take over what the selection says now."""
        values = {name: getattr(self._outer, name) for name in FOLLOWED} | self._fixed
        self._patterns.selection.param.update(**values)
        self._map, self._colours = self._patterns.map(), self._patterns.colours()

    def static(self) -> Any:
        """The whole map, drawn once."""
        return self._painted().opts(**_LOOK, backend="bokeh")

    def table(self) -> pd.DataFrame:
        """All heads that have a place."""
        chosen = self._patterns.selection
        shown = {"metric": chosen.metric, "layout": chosen.pattern}
        table = map_table(self._patterns, self._map, self._map.rows, **shown)
        is_chosen = (table["layer"] == chosen.layer) & (table["head"] == chosen.head)
        if chosen.image is not None:
            is_chosen &= table["image"] == chosen.image
        return table.assign(is_chosen=is_chosen)

    def linked(self) -> hv.DynamicMap:
        """The map with what is chosen on top, which follows the selection and writes to it."""
        viewport, followed = self._viewport, partial(Params, self._outer, list(FOLLOWED))
        # A picture that follows what is in sight must not decide what is in sight.
        fixed = {"apply_ranges": False, "xlim": viewport.x, "ylim": viewport.y}
        live = LivePicture(self._picture, [followed()], **_LOOK | fixed, tools=["box_select", "lasso_select"])
        follow_viewport(live, self._look_at)
        self._listen(live.element)
        return set_apart(live.element * hv.DynamicMap(self._own, streams=[followed()]))

    def _paint(self, viewport: Viewport) -> Picture:
        drawing = paint_map(self._patterns, self._map, viewport, self._colours)
        return stamped(stamped(drawing.picture, drawing.marked, TEXT), drawing.cloud, CHOSEN)

    def _look_at(self, viewport: Viewport) -> Picture:
        self._viewport = viewport
        return self._paint(viewport)

    def _picture(self, **_: object) -> hv.RGB:
        self._follow()
        return self._painted()

    def _painted(self) -> Any:
        name = self._patterns.selection.pattern
        title = f"Heads on images by {self._patterns.layouts().get(name, name)}"
        if self._colours.kind == "tokens":
            title = f"{title}: {self._colours.reason or self._colours.title}"
        shown: Any = rgb_element(self._paint(self._viewport)).opts(title=title, backend="bokeh")
        return shown

    def _own(self, **_: object) -> Any:
        """The chosen image's heads, and a ring around the chosen one."""
        self._follow()
        own, chosen = self._patterns.own_heads(self._colours), self._patterns.selection
        n_heads = self._patterns.study.spec.n_heads
        flat = chosen.layer * n_heads + chosen.head
        points: Any = self._own_points(own)
        ring: Any = hv.Points(points.array([0, 1])[flat : flat + 1])
        look, fixed = {"color": "colour", "line_color": TEXT, "tools": ["hover"]}, {"apply_ranges": False}
        rings = {"fill_alpha": 0, "line_color": CHOSEN, "line_width": 2.5}
        return points.opts(**look | fixed, size=7, hover_tooltips=list(_OWN), backend="bokeh") * ring.opts(
            **rings | fixed, size=13, backend="bokeh"
        )

    def _own_points(self, own: OwnHeads | None) -> hv.Points:
        names = ["colour", *_OWN]
        if own is None:
            return hv.Points(pd.DataFrame(columns=["x", "y", *names]), ["x", "y"], names)
        palette = colour_palette(self._colours, n_layers=self._patterns.study.spec.n_layers)
        colours = np.array([*palette, MUTED])[colour_index(own.value, self._colours, len(palette))]
        known = {name: getattr(own, name) for name in ("x", "y", *_OWN)}
        return hv.Points(pd.DataFrame(known | {"colour": colours}), ["x", "y"], names)

    # -- what a person does ----------------------------------------------------------------------------------------

    def _listen(self, element: Any) -> None:
        Tap(source=element).add_subscriber(self._on_tap)
        on_outline(element, self._mark)

    def _on_tap(self, x: float | None = None, y: float | None = None, **_: object) -> None:
        near = None if x is None or y is None else self._map.near((x, y), self._viewport, pixels=REACH)
        if near is not None:
            image, layer, head = near.nearest
            self._outer.param.update(image=image, layer=layer, head=head)

    def _mark(self, x: list[float], y: list[float]) -> None:
        self._outer.mark(InPolygon(f"layout/{self._patterns.selection.pattern}", tuple(x), tuple(y)))
