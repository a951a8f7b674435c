"""D2: the image, and the image under the attention of one token."""

import io
from dataclasses import dataclass
from typing import cast

import numpy as np
from bokeh.models import ColumnDataSource, Range1d, Title
from bokeh.plotting import figure
from PIL import Image

from vitpanel.core.grid import Grid
from vitpanel.views.base import create_figure
from vitpanel.views.figures.client import fit_to_frame
from vitpanel.views.palette import CHOSEN

NO_PIXELS = np.zeros((1, 1), np.uint32)
PICTURES = ("image", "source", "target")


@dataclass(frozen=True)
class ImageMasks:
    """Figures of D2 by `PICTURES`, the crop that all show, the masks of two of them and the patch pointed at."""

    figures: dict[str, figure]
    crop: ColumnDataSource
    masks: dict[str, ColumnDataSource]
    mark: ColumnDataSource


def rgba_pixels(data: bytes) -> np.ndarray:
    """Decode an image into the uint32 ``(height, width)`` that Bokeh draws."""
    with Image.open(io.BytesIO(data)) as picture:
        pixels = np.array(picture.convert("RGBA"))
    return pixels.view(np.uint32)[:, :, 0]


def create_image_masks(grid: Grid) -> ImageMasks:
    """Draw three pictures of one crop, ``rows × cols`` patches large, without pixels yet."""
    place = {"x": 0, "y": 0, "dw": grid.cols, "dh": grid.rows}
    crop = ColumnDataSource({"image": [NO_PIXELS]})
    mark = ColumnDataSource({"x": [], "y": []}, syncable=False)
    figures, masks = {}, {}
    for name in PICTURES:
        fig = create_figure(
            title=" ",
            x_range=Range1d(0, grid.cols, syncable=False),
            y_range=Range1d(grid.rows, 0, syncable=False),
            min_border_right=2,
        )
        fig.grid.visible = fig.axis.visible = False
        title = cast("Title", fig.title)
        title.align = "center"
        title.syncable = name == "image"
        fig.image_rgba("image", source=crop, **place)
        if name != "image":
            masks[name] = ColumnDataSource({"mask": [np.zeros((grid.rows, grid.cols), np.uint32)]}, syncable=False)
            fig.image_rgba("mask", source=masks[name], **place)
        fig.rect("x", "y", 1, 1, source=mark, fill_alpha=0, line_color=CHOSEN, line_width=1.5, level="overlay")
        fit_to_frame(fig, grid.cols, grid.rows)
        figures[name] = fig
    return ImageMasks(figures, crop, masks, mark)
