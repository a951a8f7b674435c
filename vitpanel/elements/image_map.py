"""A: all images, laid out by the importance of their heads."""

from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from holoviews.streams import Params, Tap

from vitpanel.drawing.point_grid import Points
from vitpanel.drawing.viewport import Viewport, home_viewport
from vitpanel.elements import density
from vitpanel.elements.density import LivePicture, Picture, follow_viewport, ranked, rgb_element
from vitpanel.elements.image_looks import ALPHA, Look, group_look, image_pixels, number_look
from vitpanel.elements.shading import thickened
from vitpanel.elements.streams import on_outline
from vitpanel.elements.style import APART, FONTS, set_apart
from vitpanel.errors import StudyIncompleteError
from vitpanel.state.brush import InPolygon
from vitpanel.state.image_groups import BRUSHED_HEADS, HEAD_NUMBERS, NUMBERS, class_order, image_groups
from vitpanel.state.queries.image_numbers import ImageNumbers, image_numbers, shown_colouring
from vitpanel.state.selection import Selection
from vitpanel.study.metric_arrays import layout_label
from vitpanel.study.reader import Study
from vitpanel.study.schema import image_layouts
from vitpanel.theme.palette import CHOSEN, TEXT

FAINT_ALPHA = 40
# Up to so many in sight, painted images are discs of a radius of 2 pixels, else of 1.
FEW = 4000
SIDE = 440
REACH = 14
_LOOK: dict[str, Any] = {
    "xaxis": None,
    "yaxis": None,
    "frame_width": SIDE,
    "frame_height": SIDE,
    "active_tools": ["pan", "wheel_zoom"],
    "lod": {"timeout": 50},
    "show_legend": False,
    "fontsize": FONTS,
    **APART,
}


def point_size(n_images: int) -> float:
    """Diameter in pixels of a point on a map of so many."""
    return float(np.clip(8 - np.log10(max(n_images, 1)), 3.5, 7))


def point_element(
    layout: np.ndarray,
    colours: np.ndarray,
    markers: np.ndarray,
    *,
    highlighted: np.ndarray | None = None,
    **columns: Any,
) -> Any:
    """Points at the places of images ``(n_images, 2)``, NaN for one that is not drawn, in their colours and shapes.

    Parameters
    ----------
    highlighted
        Images that stand out, bool ``(n_images,)``: the others are faint.
    columns
        What else a tooltip says of each image, by name.
    """
    names = ["colour", "marker", "strength", *columns]
    strength = np.where(np.ones(len(layout), bool) if highlighted is None else highlighted, ALPHA, FAINT_ALPHA) / 255
    looks = {"colour": colours, "marker": markers, "strength": strength}
    data = pd.DataFrame({"x": layout[:, 0], "y": layout[:, 1]} | looks | columns)
    look = {"color": "colour", "marker": "marker", "line_color": TEXT, "line_width": 0.3, "alpha": "strength"}
    return hv.Points(data, ["x", "y"], names).opts(**look, size=point_size(len(layout)), backend="bokeh")


def paint_images(
    layout: np.ndarray, colours: np.ndarray, viewport: Viewport, *, highlighted: np.ndarray | None = None
) -> Picture:
    """Paint images as discs, in an order that is random but the same each time, so that no colour is always on top.

    Parameters
    ----------
    layout
        ``(n_images, 2)``, NaN for an image that is not drawn.
    colours
        Pixel of each image, uint32 RGBA ``(n_images,)``.
    highlighted
        Images that stand out, bool ``(n_images,)``: they lie on top, and the others are faint.
    """
    order = np.random.default_rng(0).permutation(len(layout))
    if highlighted is not None:
        order = order[np.argsort(highlighted[order], kind="stable")]
        colours = np.where(highlighted, colours, colours & np.uint32(0x00FFFFFF) | np.uint32(FAINT_ALPHA << 24))
    order = order[np.isfinite(layout[order]).all(1)]
    x, y = layout[order].astype(np.float32).T
    raster = ranked(Points(x, y, np.arange(len(order), dtype=np.int32)), viewport)
    top = thickened(raster, 2 if raster.counts.sum() <= FEW else 1).top
    by_rank = np.append(colours[order], np.uint32(0))  # the last one, which -1 finds, is nothing
    return Picture(viewport, by_rank[top])


def image_table(
    images: pd.DataFrame, layout: np.ndarray, *, brushed: np.ndarray | None = None, numbers: ImageNumbers | None = None
) -> pd.DataFrame:
    """What the map shows, one row an image; what is brushed and the numbers that colours show have columns if given."""
    columns = ["file", "label_name", "predicted_name", "p_true"]
    table = images[columns].reset_index().assign(x=layout[:, 0], y=layout[:, 1])
    more = {} if brushed is None else {"brushed": brushed}
    return table.assign(**more | ({} if numbers is None else {numbers.name: numbers.per_image}))


def image_map(
    study: Study,
    selection: Selection | None = None,
    *,
    layout: str | None = None,
    colour: str | None = None,
    table: bool = False,
) -> Any:
    """Map of all images: near each other are images to which the same heads matter.

    Parameters
    ----------
    selection
        What is looked at. The map then follows it: a click chooses the nearest image, and a box or a lasso brushes
        images, which then stand out. None draws the map once.
    layout
        What images are laid out by: ``"drop"``, ``"jsd"``, ``"cls"``, ``"patch"`` or ``"probability"``, as far as the
        study has them; None takes the selection's.
    colour
        What colours mean: ``"label"``, ``"predicted"``, ``"correct"``, or a number: ``"p_true"``, of the chosen head
        ``"importance"``, ``"entropy"`` or ``"distance"``, or ``"brush"``, which is the mean importance of the brushed
        heads, or of brushed heads on images how many of an image's are; while there are none, colours are those of the
        label, and the title says so. Numbers are from dark to light or, where they have a sign, from blue to orange;
        None as above.
    table
        Whether to return the table behind the map.

    Returns
    -------
    ``hv.Points``, ``hv.RGB`` of more than `MOST_GLYPHS` images, or an ``hv.DynamicMap`` with a selection; or a
    DataFrame of all images: image, file, label_name, predicted_name, p_true, x, y, layout and is_chosen; and the number
    that colours show, as ``importance_jsd``, ``entropy`` or ``n_brushed``.

    Raises
    ------
    StudyIncompleteError
        If the study does not have the layout, or what colours would show.

    References
    ----------
    Li et al. 2023, section 5.
    """
    shown = _ShownImages(study, selection or Selection(study, image=None), layout, colour)
    if table:
        return shown.table()
    return shown.static() if selection is None else shown.linked()


class _ShownImages:
    """The map as an element: what a selection says, but for the layout and the colours if they are fixed."""

    def __init__(self, study: Study, selection: Selection, layout: str | None, colour: str | None) -> None:
        self._study, self._selection = study, selection
        self._fixed_layout, self._fixed_colour = layout, colour
        self._classes = class_order(study)
        x, y = (span_of(values) for values in self._layout.T)
        self._viewport = home_viewport((x, y), width=SIDE, height=SIDE)

    @property
    def _layout_name(self) -> str:
        return self._fixed_layout or self._selection.image_layout

    @property
    def _array(self) -> str:
        """Name of the array of the layout."""
        return image_layouts(self._study.spec).get(self._layout_name, f"layout/images_{self._layout_name}")

    @property
    def _layout(self) -> np.ndarray:
        if self._array not in self._study:
            raise StudyIncompleteError(self._study.reason(self._array))
        return self._study[self._array]

    def table(self) -> pd.DataFrame:
        """All images."""
        table = image_table(self._study.images, self._layout, numbers=self._numbers).rename(
            columns={"image_id": "image"}
        )
        return table.assign(layout=self._layout_name, is_chosen=table["image"] == self._selection.image)

    def static(self) -> Any:
        """The whole map, drawn once."""
        return self._images().opts(**_LOOK, backend="bokeh")

    def linked(self) -> hv.DynamicMap:
        """The map with a ring around the chosen image."""
        followed = partial(Params, self._selection)
        what, fixed = self._followed, {"apply_ranges": False, "backend": "bokeh"}
        limits = {"xlim": self._viewport.x, "ylim": self._viewport.y, "tools": ["hover", "box_select", "lasso_select"]}
        if self._study.n_images > density.MOST_GLYPHS:
            limits |= {"tools": limits["tools"][1:], "apply_ranges": False}
            live = LivePicture(self._images, [followed(what)], **_LOOK | limits)
            follow_viewport(live, self._look_at)
            images: Any = live.element
        else:
            images = hv.DynamicMap(self._images, streams=[followed(what)]).opts(**_LOOK | fixed | limits)
        self._listen(images)
        ring: Any = hv.DynamicMap(self._ring, streams=[followed(["image", "image_layout"])])
        look = {"fill_alpha": 0, "line_color": CHOSEN, "line_width": 2.5, "size": point_size(self._study.n_images) + 8}
        return set_apart(images * ring.opts(**look | fixed))

    @property
    def _highlighted(self) -> np.ndarray | None:
        """Images that are brushed."""
        brush = self._selection.images
        return None if brush is None else brush.to_mask(self._study)

    @property
    def _followed(self) -> list[str]:
        """Parameters of the selection that change the images."""
        changing = ["layer", "head", "metric", "heads"]
        if self._fixed_colour is not None and self._fixed_colour not in {*HEAD_NUMBERS, BRUSHED_HEADS}:
            changing = []
        return ["image_layout", "colouring", "images", *changing]

    @property
    def _colouring(self) -> str:
        return shown_colouring(self._selection, self._fixed_colour)

    @property
    def _numbers(self) -> ImageNumbers | None:
        """Number that colours show, None where they show groups."""
        colouring = self._colouring
        return image_numbers(self._study, self._selection, colouring) if colouring in NUMBERS else None

    def _look(self, numbers: ImageNumbers | None) -> Look:
        if numbers is not None:
            return number_look(numbers)
        return group_look(image_groups(self._study, self._colouring), self._classes)

    def _images(self, **_: object) -> Any:
        title, numbers = f"Images by {layout_label(self._layout_name)}", self._numbers
        if numbers is not None:
            unit = f" {numbers.unit}" if numbers.unit else ""
            title += f" · {numbers.title}, {numbers.low:.3g} to {numbers.high:.3g}{unit}"
        elif self._colouring != (self._fixed_colour or self._selection.colouring):
            title += " · no heads are brushed"
        return self._drawn(numbers).opts(title=title, backend="bokeh")

    def _drawn(self, numbers: ImageNumbers | None) -> Any:
        if self._study.n_images > density.MOST_GLYPHS:
            return rgb_element(self._look_at(self._viewport))
        look = self._look(numbers)
        colours, markers = (np.array(values)[look.codes] for values in (look.colours, look.markers))
        images = self._study.images
        known = {"image": np.arange(len(images)), "label": images["label_name"], "predicted": images["predicted_name"]}
        known |= {} if numbers is None else {numbers.name: numbers.per_image}
        tooltips = list(known)
        points = point_element(self._layout, colours, markers, highlighted=self._highlighted, **known)
        return points.opts(tools=["hover"], hover_tooltips=tooltips, backend="bokeh")

    def _look_at(self, viewport: Viewport) -> Picture:
        self._viewport = viewport
        look = self._look(self._numbers)
        pixels = image_pixels(look.codes, look.colours)
        return paint_images(self._layout, pixels, viewport, highlighted=self._highlighted)

    def _ring(self, **_: object) -> hv.Points:
        image = self._selection.image
        return hv.Points(self._layout[:0] if image is None else self._layout[[image]], ["x", "y"])

    # -- what a person does ----------------------------------------------------------------------------------------

    def _listen(self, element: Any) -> None:
        Tap(source=element).add_subscriber(self._on_tap)
        on_outline(element, self._mark)

    def _mark(self, x: list[float], y: list[float]) -> None:
        self._selection.mark(InPolygon(self._array, tuple(x), tuple(y)))

    def _on_tap(self, x: float | None = None, y: float | None = None) -> None:
        if x is None or y is None:
            return
        distance = np.hypot(*((self._layout - (x, y)) * self._viewport.scale).T)
        nearest = int(np.nan_to_num(distance, nan=np.inf).argmin())
        if distance[nearest] <= REACH:
            self._selection.image = nearest


def span_of(values: np.ndarray) -> tuple[float, float]:
    """Lowest and highest of all values but NaN; 0 and 1 when there are none."""
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
