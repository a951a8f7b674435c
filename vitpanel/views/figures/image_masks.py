"""D2: the image, and the image under the attention of one token."""

import io
from dataclasses import dataclass
from typing import cast

import numpy as np
from bokeh.models import ColumnDataSource, GlyphRenderer, Range1d, Title
from bokeh.plotting import figure
from PIL import Image

from vitpanel.core.grid import Grid
from vitpanel.views.base import NO_AXES, create_figure
from vitpanel.views.figures.client import READABLE, fit_to_frame
from vitpanel.views.palette import CHOSEN

NO_PIXELS = np.zeros((1, 1), np.uint32)
PICTURES = ("image", "source", "target")


@dataclass(frozen=True)
class ImageMasks:
    """Figures of D2 by `PICTURES`, the crop that all show, the masks of two of them, and what the pointer shows.

    ``mark`` outlines the patches pointed at, the target of a link with dashes; ``grids`` are the lines between patches.
    """

    figures: dict[str, figure]
    crop: ColumnDataSource
    masks: dict[str, ColumnDataSource]
    mark: ColumnDataSource
    grids: list[GlyphRenderer]


def rgba_pixels(data: bytes) -> np.ndarray:
    """Decode a crop, which is WebP, into the uint32 ``(height, width)`` that Bokeh draws."""
    with Image.open(io.BytesIO(data), formats=["WEBP"]) as picture:
        pixels = np.array(picture.convert("RGBA"))
    return pixels.view(np.uint32)[:, :, 0]


def create_image_masks(grid: Grid) -> ImageMasks:
    """Draw three pictures of one crop, ``rows × cols`` patches large, without pixels yet."""
    place = {"x": 0, "y": 0, "dw": grid.cols, "dh": grid.rows}
    crop = ColumnDataSource({"image": [NO_PIXELS]})
    mark = ColumnDataSource({"x": [], "y": [], "dash": []}, syncable=False)
    figures, masks, grids = {}, {}, []
    for name in PICTURES:
        fig = create_figure(
            **NO_AXES,
            title=" ",
            x_range=Range1d(0, grid.cols, syncable=False),
            y_range=Range1d(grid.rows, 0, syncable=False),
            min_border_right=2,
        )
        title = cast("Title", fig.title)
        title.align = "center"
        title.syncable = name == "image"
        fig.image_rgba("image", source=crop, **place)
        if name != "image":
            masks[name] = ColumnDataSource({"mask": [np.zeros((grid.rows, grid.cols), np.uint32)]}, syncable=False)
            fig.image_rgba("mask", source=masks[name], **place, name=READABLE)
        grids.append(_add_grid(fig, grid))
        fig.rect(
            "x", "y", 1, 1, source=mark, fill_alpha=0, line_color=CHOSEN, line_width=1.5, line_dash="dash",
            level="overlay",
        )  # fmt: skip
        fit_to_frame(fig, grid.cols, grid.rows)
        figures[name] = fig
    return ImageMasks(figures, crop, masks, mark, grids)


def _add_grid(fig: figure, grid: Grid) -> GlyphRenderer:
    """Add lines between the patches, not in sight until somebody points at the picture."""
    rows, cols = range(grid.rows + 1), range(grid.cols + 1)
    renderer = fig.segment(
        [0] * len(rows) + list(cols),
        list(rows) + [0] * len(cols),
        [grid.cols] * len(rows) + list(cols),
        list(rows) + [grid.rows] * len(cols),
        line_color="#8a94a0",
        line_alpha=0.6,
        line_width=0.5,
        level="overlay",
    )
    renderer.visible = False
    renderer.syncable = False
    return renderer
