"""How elements look, and what they say where there is nothing to see."""

from collections.abc import Sequence
from functools import reduce
from operator import mul
from typing import Any

import holoviews.plotting.bokeh  # noqa: F401 - without a backend no options can be set
import numpy as np
from bokeh.models import BasicTickFormatter, LegendItem

from vitpanel.core.metrics import metric_of
from vitpanel.theme.link_colours import KIND_COLOURS
from vitpanel.theme.palette import GRID, TEXT, layer_colours

WIDTH, HEIGHT = 460, 300
MEASURE_LABELS = {"entropy": "entropy", "distance": "distance (patches)"}
FONTS = {"title": "11pt", "labels": "10pt", "ticks": "9pt", "legend": "9pt"}
_LEGEND = {"orientation": "horizontal", "padding": 0, "margin": 0, "border_line_alpha": 0, "background_fill_alpha": 0}
# Its place and its ranges are its own, whatever stands beside it.
APART: dict[str, Any] = {"shared_axes": False, "backend_opts": {"plot.frame_align": False}}
FIGURE: dict[str, Any] = {
    "width": WIDTH,
    "height": HEIGHT,
    "fontsize": FONTS,
    "show_grid": True,
    "gridstyle": {"grid_line_color": GRID},
    **APART,
}
PICTURE: dict[str, Any] = {
    "frame_width": HEIGHT,
    "frame_height": HEIGHT,
    "fontsize": FONTS,
    **APART,
}


def layer_ticks(n_layers: int) -> list[int]:
    """Layers that an axis names, so that their numbers do not touch."""
    return list(range(0, n_layers, 1 + n_layers // 17))


def dressed(element: Any, **look: Any) -> Any:
    """Return an element with options of the bokeh backend.

    Its ranges are its own: dimensions of other charts that have the same name are not the same.
    """
    return element.opts(**{"framewise": True, "axiswise": True} | look, backend="bokeh")


def laid_over(elements: Sequence[Any]) -> Any:
    """Elements over each other, lowest first, as one chart."""
    look = {"shared_axes": False, "legend_position": "top", "legend_opts": _LEGEND, "hooks": [_name_what_is_drawn]}
    return reduce(mul, elements).opts({"Overlay": look}, backend="bokeh")


def _name_what_is_drawn(plot: Any, _: Any) -> None:
    """Leave out of the legend what has no points now; HoloViews names all that may have some."""
    for item in (item for legend in plot.state.legend for item in legend.items):
        item.visible = _has_points(item)


def _has_points(item: LegendItem) -> bool:
    sources: list[Any] = [drawn.data_source for drawn in item.renderers]
    return any(len(column) for source in sources for column in source.data.values())


def set_apart(overlay: Any) -> Any:
    """Elements over each other that share no axes with what stands beside them."""
    return overlay.opts({"Overlay": {"shared_axes": False}}, backend="bokeh")


def metric_label(metric: str) -> str:
    """What an importance is called, with its unit."""
    return metric_of(metric).legend


def value_label(metric: str) -> str:
    """What is drawn of a metric: of the probability what is left, not the loss."""
    return metric_of(metric).axis_label


def layer_colour_map(n_layers: int) -> list[str]:
    """Colours of the layers, first to last."""
    return list(layer_colours(n_layers))


def kind_colours(kind: str) -> list[str]:
    """Colours of a kind of link, weak to strong; the weakest is white and so left out."""
    ramp = KIND_COLOURS[kind]
    return list(ramp[len(ramp) // 12 :])


def plain_numbers() -> BasicTickFormatter:
    """Ticks of an axis as on the page, 0.007 rather than 7.000e−3; each figure has one of its own."""
    return BasicTickFormatter(power_limit_low=-6)


def padded(values: np.ndarray, *, air: float = 0.06) -> tuple[float, float]:
    """Ends of an axis that holds all values that are numbers, with some air; 0 to 1 where there are none."""
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if not known.size:
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    room = air * (high - low) or 0.5
    return low - room, high + room


def outlined(size: float) -> dict[str, Any]:
    """Points that are legible in light colours too."""
    return {"size": size, "line_color": TEXT, "line_width": 0.6}
