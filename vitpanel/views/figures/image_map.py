"""A: all images, laid out by the importance of their heads."""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from bokeh.models import ColumnDataSource, HoverTool
from bokeh.plotting import figure

from vitpanel.views.base import create_figure
from vitpanel.views.figures.picking import padded_range, reset_on_double_click
from vitpanel.views.palette import CHOSEN, MUTED, TEXT

NO_LABEL = "no label"
WEBGL_FROM = 5000
_TOOLTIP = """
<div style="display:flex;gap:8px;align-items:center;max-width:280px;font:11px sans-serif">
  <img src="@thumbnail" alt="" style="width:56px;height:56px;object-fit:contain;image-rendering:pixelated">
  <div><b>image @image</b><br>label: @label<br>predicted: @predicted<br>p(true): @p_true{0.000}</div>
</div>"""
_TOOLTIP_WITHOUT_PICTURE = "<b>image @image</b><br>label: @label<br>predicted: @predicted<br>p(true): @p_true{0.000}"


@dataclass(frozen=True)
class ImageMap:
    """The chart, its points in the order of the image ids, and the ring around the chosen one."""

    figure: figure
    points: ColumnDataSource
    ring: ColumnDataSource


def data_uri(picture: bytes) -> str:
    """WebP or PNG bytes as the source of an HTML image."""
    kind = "png" if picture.startswith(b"\x89PNG") else "webp"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def image_columns(images: pd.DataFrame, layout: np.ndarray, colours: dict[str, str]) -> dict[str, Any]:
    """Columns of the map.

    Parameters
    ----------
    images
        The table of a study.
    layout
        Place of each image, ``(n_images, 2)``; NaN for an image that is not drawn.
    colours
        Colour of each label name.
    """
    return {
        "x": layout[:, 0],
        "y": layout[:, 1],
        "image": np.arange(len(images)),
        "label": [name or NO_LABEL for name in images["label_name"]],
        "predicted": [name or "–" for name in images["predicted_name"]],
        "p_true": images["p_true"].to_numpy(np.float32),
        "colour": [colours.get(name, MUTED) for name in images["label_name"]],
    }


def create_image_map(columns: dict[str, Any], *, thumbnails: list[str] | None = None) -> ImageMap:
    """Scatter of all images.

    Parameters
    ----------
    columns
        As `image_columns` gives them.
    thumbnails
        Data URI of each image for the tooltip, None for a tooltip without picture.
    """
    points = ColumnDataSource(columns if thumbnails is None else columns | {"thumbnail": thumbnails})
    ring = ColumnDataSource({"x": [], "y": [], "colour": []})
    n_images = len(columns["image"])
    fig = create_figure(
        tools="pan,wheel_zoom,reset",
        active_scroll="wheel_zoom",
        x_range=padded_range(columns["x"]),
        y_range=padded_range(columns["y"]),
        output_backend="webgl" if n_images > WEBGL_FROM else "canvas",
    )
    fig.axis.visible = False
    fig.grid.visible = False
    size = float(np.clip(8 - np.log10(max(n_images, 1)), 3.5, 7))
    drawn = fig.scatter("x", "y", source=points, size=size, color="colour", alpha=0.85, line_color=TEXT, line_width=0.3)
    drawn.nonselection_glyph = None
    for width, colour in ((5, "white"), (2.5, CHOSEN)):
        fig.scatter(
            "x", "y", source=ring, size=size + 8, fill_color="colour", line_color=colour, line_width=width,
            level="overlay",
        )  # fmt: skip
    tooltip = _TOOLTIP_WITHOUT_PICTURE if thumbnails is None else _TOOLTIP
    fig.add_tools(HoverTool(renderers=[drawn], tooltips=tooltip, attachment="horizontal", limit=1))
    reset_on_double_click(fig)
    return ImageMap(fig, points, ring)


def ring_columns(points: ColumnDataSource, image: int | None) -> dict[str, Any]:
    """Columns of the ring around an image, none without one."""
    return {name: [] if image is None else [points.data[name][image]] for name in ("x", "y", "colour")}
