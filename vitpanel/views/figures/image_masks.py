"""D2: the image, and the image under the attention of one token."""

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np
from bokeh.models import ColumnDataSource, GlyphRenderer, ImageRGBA, Range1d, Rect, Segment, Text, Title
from bokeh.plotting import figure
from PIL import Image

from vitpanel.core.grid import Grid
from vitpanel.theme.mask_ramps import N_SHADES
from vitpanel.theme.palette import CHOSEN, TEXT
from vitpanel.views.base import NO_AXES, create_figure
from vitpanel.views.figures.client import READABLE, fit_to_frame
from vitpanel.views.figures.glyphs import add_glyph, create_sources

NO_PIXELS = np.zeros((1, 1), np.uint32)
NEUTRAL = np.full((1, 1), 0xFF808080, np.uint32)  # ground of masks that are of many images
PICTURES = ("image", "source", "target")
# Where the strip of colours below a mask lies, from the top in heights of the picture, and pixels for its numbers.
STRIP, NUMBERS_ROOM = (1.03, 1.09), 15
_HIDDEN = {"visible": False, "syncable": False}  # the browser alone shows and hides it


@dataclass(frozen=True)
class ImageMasks:
    """Figures of D2 by `PICTURES`, the crop that all show, the masks of two of them, and what the pointer shows.

    ``grey`` is the crop darkened, which ``dimmed`` draw below masks of light and ``clear`` the crop below others.
    ``scales`` has the strip of colours below each mask, ``ticks`` its values. ``mark`` outlines the patches pointed at,
    the target of a link with dashes; ``grids`` are the lines between patches.
    """

    figures: dict[str, figure]
    crop: ColumnDataSource
    grey: ColumnDataSource
    clear: list[GlyphRenderer]
    dimmed: list[GlyphRenderer]
    masks: dict[str, ColumnDataSource]
    scales: dict[str, ColumnDataSource]
    ticks: dict[str, ColumnDataSource]
    mark: ColumnDataSource
    grids: list[GlyphRenderer]


@lru_cache(maxsize=64)
def rgba_pixels(data: bytes) -> np.ndarray:
    """Decode a crop, which is WebP, into the uint32 ``(height, width)`` that Bokeh draws; read-only.

    The last ones are kept for all sessions: a class looks at the same images, and everyone begins with the first.
    """
    with Image.open(io.BytesIO(data), formats=["WEBP"]) as picture:
        pixels = np.array(picture.convert("RGBA"))
    pixels.flags.writeable = False
    return pixels.view(np.uint32)[:, :, 0]


def create_image_masks(grid: Grid) -> ImageMasks:
    """Draw three pictures of one crop, ``rows × cols`` patches large, without pixels yet."""
    crop = ColumnDataSource({"image": [NO_PIXELS]})
    grey, mark, lines = create_sources(
        {"image": [NO_PIXELS]}, ("x", "y", "width", "height", "dash"), _grid_lines(grid), syncable=False
    )
    made = ImageMasks({}, crop, grey, [], [], {}, {}, {}, mark, [])
    for name in PICTURES:
        fig = made.figures[name] = _create_picture(grid, has_title_of_server=name == "image")
        if name == "image":
            add_glyph(fig, ImageRGBA(image="image", **_place(grid)), crop)
        else:
            made.clear.append(add_glyph(fig, ImageRGBA(image="image", **_place(grid)), crop, **_HIDDEN))
            _add_mask(made, name, grid)
        made.grids.append(_add_grid(fig, lines))
        outline = Rect(
            x="x",
            y="y",
            width="width",
            height="height",
            fill_alpha=0,
            line_color=CHOSEN,
            line_width=1.5,
            line_dash="dash",
        )
        add_glyph(fig, outline, mark, level="overlay")
        if name == "image":
            fit_to_frame(fig, grid.cols, grid.rows)
        else:
            fit_to_frame(fig, grid.cols, STRIP[1] * grid.rows, room=NUMBERS_ROOM)
    return made


def _place(grid: Grid) -> dict[str, Any]:
    return {"x": 0, "y": 0, "dw": grid.cols, "dh": grid.rows}


def _create_picture(grid: Grid, *, has_title_of_server: bool) -> figure:
    fig = create_figure(
        **NO_AXES,
        title=" ",
        x_range=Range1d(0, grid.cols, syncable=False),
        y_range=Range1d(grid.rows, 0, syncable=False),
        min_border_right=2,
    )
    title = cast("Title", fig.title)
    title.align = "center"
    title.syncable = has_title_of_server
    return fig


def _add_mask(made: ImageMasks, name: str, grid: Grid) -> None:
    """Add a darkened picture, the mask over it, and below the scale of its colours."""
    fig, place = made.figures[name], _place(grid)
    made.dimmed.append(add_glyph(fig, ImageRGBA(image="image", **place), made.grey, syncable=False))
    pixels, strip = np.zeros((grid.rows, grid.cols), np.uint32), np.zeros((1, N_SHADES), np.uint32)
    ends = {"x": [0, grid.cols / 2, grid.cols], "align": ["left", "center", "right"], "text": [""] * 3}
    made.masks[name], made.scales[name], made.ticks[name] = create_sources(
        {"mask": [pixels]}, {"image": [strip]}, ends, syncable=False
    )
    add_glyph(fig, ImageRGBA(image="mask", **place), made.masks[name], name=READABLE)
    top, bottom = (grid.rows * share for share in STRIP)
    add_glyph(fig, ImageRGBA(image="image", x=0, y=top, dw=grid.cols, dh=bottom - top), made.scales[name])
    words = Text(
        x="x", y=bottom, text="text", text_align="align", text_baseline="top", y_offset=1, text_font_size="10px",
        text_color=TEXT,
    )  # fmt: skip
    add_glyph(fig, words, made.ticks[name])


def _grid_lines(grid: Grid) -> dict[str, list[int]]:
    """Ends of the lines between the patches."""
    rows, cols = range(grid.rows + 1), range(grid.cols + 1)
    return {
        "x0": [0] * len(rows) + list(cols),
        "y0": list(rows) + [0] * len(cols),
        "x1": [grid.cols] * len(rows) + list(cols),
        "y1": list(rows) + [grid.rows] * len(cols),
    }


def _add_grid(fig: figure, lines: ColumnDataSource) -> GlyphRenderer:
    """Add lines between the patches, not in sight until somebody points at the picture."""
    ends = {name: name for name in lines.data}
    thin = Segment(**ends, line_color="#8a94a0", line_alpha=0.6, line_width=0.5)
    return add_glyph(fig, thin, lines, level="overlay", **_HIDDEN)
