"""All heads of one image as small heatmaps that are buttons."""

import base64
import io
from typing import Any, ClassVar

import numpy as np
import param
from PIL import Image

from vitpanel.drawing.display import KINDS
from vitpanel.drawing.thumbnails import SHADES
from vitpanel.theme.link_colours import KIND_COLOURS
from vitpanel.theme.palette import css, dark_ramps, rgb
from vitpanel.views.component import Component

_STYLE = f"""
.atlas {{ display: flex; flex-wrap: wrap; gap: 4px; height: 100%; overflow-y: auto; align-content: flex-start;
  padding: 3px 8px; box-sizing: border-box; scrollbar-width: thin; }}
/* Over the lowest heads in sight while there are more below. */
.atlas::after {{ content: ""; flex: none; position: sticky; bottom: -3px; width: 100%; height: 16px;
  pointer-events: none; background: linear-gradient(transparent, {css("surface")} 70%); }}
.atlas button {{ all: unset; cursor: pointer; width: 46px; height: 58px; content-visibility: auto;
  font: 9px/11px sans-serif; text-align: center; color: {css("text")}; }}
.atlas i {{ display: block; width: 42px; height: 42px; margin: 1px auto; background-repeat: no-repeat;
  image-rendering: pixelated; outline: 1px solid {css("grid")}; }}
.atlas button[aria-selected="true"] {{ color: {css("chosen")}; font-weight: bold; }}
.atlas button[aria-selected="true"] i {{ outline: 2px solid {css("chosen")}; }}
.atlas button:focus-visible {{ box-shadow: 0 0 0 2px {css("value")}; border-radius: 2px; }}
.atlas button:hover {{ background: {css("grid")}; }}
"""


class AtlasStrip(Component):
    """Buttons cut from one picture; arrow keys go from one to the next, Enter and a click choose.

    A choice comes as a message ``{"choose": place}``.
    """

    sheet = param.String(default="", doc="All thumbnails side by side, a row for each layer, as a data URL of a PNG.")
    labels = param.List(default=[], doc="What is said of each head, layer by layer: short name and words on hover.")
    n_heads = param.Integer(default=1, bounds=(1, None), doc="Heads of a layer.")
    order = param.List(default=[], doc="Places of the heads in `labels`, in the order in which they are shown.")
    chosen = param.Integer(default=-1, doc="Place of the chosen head; written by the server alone.")

    _module = ("vitpanel.views.figures", "atlas.js")
    _stylesheets: ClassVar[list[str]] = [_STYLE]

    def send(self, picture: dict[str, Any]) -> None:
        """Let the browser save a picture as a PNG: the name of the ``file``, and the lines of its ``caption``."""
        self._send_msg(picture)


def atlas_sheet(thumbnails: np.ndarray, *, dark: bool) -> str:
    """Thumbnails ``(n_layers, n_heads, n_rows, n_rows)`` of `vitpanel.drawing.thumbnails` as a data URL of a PNG."""
    n_layers, n_heads, size, _ = thumbnails.shape
    picture = Image.fromarray(thumbnails.swapaxes(1, 2).reshape(n_layers * size, n_heads * size), "P")
    picture.putpalette(_palette(dark=dark))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _palette(*, dark: bool) -> list[int]:
    """Red, green and blue of each code of a thumbnail."""
    ramps: Any = dict(dark_ramps()) if dark else {}
    colours = []
    for kind in KINDS:
        ramp = ramps.get(KIND_COLOURS[kind], KIND_COLOURS[kind])
        places = np.linspace(0, len(ramp) - 1, SHADES).round().astype(int)
        colours += [part for place in places for part in rgb(ramp[place]).astype(int).tolist()]
    return colours
