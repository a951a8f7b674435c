"""How a mask shows attention over a picture: as light on a darkened one, or by what it covers."""

import numpy as np

from vitpanel.drawing.display import CUT_OUT
from vitpanel.theme.link_colours import KIND_COLOURS
from vitpanel.theme.palette import heat_colours, rgb

N_SHADES = 256
# Weak attention leaves the picture in sight, the strongest all but hides it.
STRONGEST, CURVE = 0.92, 0.7
# Slate: black would hide what is attended to in black images.
COVER = "#404a58"
# A picture below light is grey, from this brightness on, and its own brightness counts so much.
DARKEST, DIMMED = 24, 0.42
UNDER_LIGHT, UNDER_COVER = 36, 226


def mask_ramps() -> dict[str, list[int]]:
    """Pixels from no attention to the strongest, RGBA as Bokeh has them: by kind of link, and for ``"cut-out"``."""
    part = np.linspace(0, 1, N_SHADES)
    opacity = STRONGEST * part**CURVE
    light = {kind: _pixels(heat_colours(ramp, N_SHADES), opacity) for kind, ramp in KIND_COLOURS.items()}
    return light | {CUT_OUT: _pixels([COVER] * N_SHADES, 1 - part)}


def ramp_strips() -> dict[str, list[int]]:
    """The ramps of `mask_ramps` as opaque pixels on an even ground, to be shown beside their values."""
    return {
        name: [_on_ground(pixel, UNDER_COVER if name == CUT_OUT else UNDER_LIGHT) for pixel in ramp]
        for name, ramp in mask_ramps().items()
    }


def _pixels(colours: list[str] | tuple[str, ...], opacity: np.ndarray) -> list[int]:
    channels = [rgb(colour).astype(int) for colour in colours]
    alpha = np.rint(255 * opacity).astype(int)
    return [int(a) << 24 | int(b) << 16 | int(g) << 8 | int(r) for (r, g, b), a in zip(channels, alpha, strict=True)]


def _on_ground(pixel: int, ground: int) -> int:
    alpha = (pixel >> 24) / 255
    channels = [round(alpha * (pixel >> shift & 255) + (1 - alpha) * ground) for shift in (0, 8, 16)]
    return 255 << 24 | channels[2] << 16 | channels[1] << 8 | channels[0]
