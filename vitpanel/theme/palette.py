"""What each colour means, in one place, on light and on dark ground."""

from functools import lru_cache
from itertools import cycle

import colorcet
import numpy as np
from bokeh.palettes import Blues256, Colorblind8, Greys256, Oranges256, TolRainbow, Viridis, linear_palette

CLS_COLOURS = tuple(reversed(Blues256))
PATCH_COLOURS = tuple(reversed(Oranges256))
EXTRA_COLOURS = tuple(reversed(Greys256))[:190]
CHOSEN = "#d6006c"
MEAN = "#5b6573"
VALUE = "#1f6fb4"
BRUSH = "#7a3e9d"
MUTED = "#c4cad1"
GRID = "#e6e9ed"
TEXT = "#2b323a"
SURFACE = "white"
WARNING = "#b3261e"
WRONG_COLOUR = "#d55e00"
# From little to much, of numbers without a sign.
SEQUENTIAL = tuple(Viridis[5])
# Of the wide line below and the thin one upon it, around a part of a photograph; of no ramp, so that no theme
# exchanges them.
OVER_IMAGE = ("#fdfdff", "#7b3f9e")
BOKEH_TEXT = "#444444"

# What stands for a colour on dark ground. No colour may be on both sides, so in figures these are in capitals.
_DARK = {
    CHOSEN: "#ff5fa8",
    MEAN: "#a7b1bd",
    VALUE: "#5aaaeb",
    BRUSH: "#c792ea",
    MUTED: "#59626d",
    GRID: "#33383f",
    TEXT: "#e3e6ea",
    SURFACE: "#1e1e1e",
    WARNING: "#ff8a80",
    BOKEH_TEXT: "#d5d8dc",
    "#000000": "#f4f4f4",
}
# Over a darkened picture, which has the same ground in both themes: strong attention is bright.
_HEAT = {
    CLS_COLOURS: ("#123a63", "#1f6fc0", "#3fa2f7", "#9fd3ff", "#f2f9ff"),
    PATCH_COLOURS: ("#5a2305", "#b44d06", "#f28a1e", "#ffc477", "#fff6ea"),
    EXTRA_COLOURS: ("#33383e", "#67707a", "#98a2ad", "#c8d0d8", "#f6f8fa"),
}
# From a gain to a loss, with neither in the middle; legible on light and on dark ground.
_SIGNED = ("#0b4f91", "#4f9bd9", "#a9b0b8", "#f08a3c", "#a83c00")
_CSS_NAMES = {
    "text": TEXT,
    "hint": MEAN,
    "muted": MUTED,
    "grid": GRID,
    "surface": SURFACE,
    "chosen": CHOSEN,
    "value": VALUE,
    "brush": BRUSH,
    "warning": WARNING,
}
_DARK_RAMPS = {
    CLS_COLOURS: ("#182530", "#1f4f7d", "#3c8ad0", "#8dc5f6", "#e4f3ff"),
    PATCH_COLOURS: ("#2e1f14", "#7c3d0e", "#d8741c", "#ffb168", "#fff1de"),
    EXTRA_COLOURS: ("#26292d", "#535a61", "#8a939b", "#bcc6ce", "#e9f1f6"),
}


def css(name: str) -> str:
    """Colour for HTML that follows the theme; its names are those of `css_variables` without their ``--vp-``.

    Inside a view it is a CSS variable that the view's `ViewTools` sets; elsewhere the colour on light ground.
    """
    return f"var(--vp-{name}, {_CSS_NAMES[name]})"


def css_of_themes() -> str:
    """Return rules of CSS that give a page the colours of both themes."""
    return "".join(
        f"{where} {{ {' '.join(f'{name}: {value};' for name, value in css_variables(dark=dark).items())} }}\n"
        for where, dark in ((":root", False), (":root.vp-dark", True))
    )


def css_variables(*, dark: bool) -> dict[str, str]:
    """CSS variables behind `css`."""
    return {f"--vp-{name}": _DARK[colour] if dark else colour for name, colour in _CSS_NAMES.items()}


def dark_colour(colour: str) -> str:
    """What one of the colours named here is on dark ground."""
    return _DARK[colour]


def dark_colours(n_layers: int) -> dict[str, str]:
    """What single colours become on dark ground, beside those of `dark_ramps`; others are legible on both."""
    layers = dict(zip(layer_colours(n_layers), layer_colours(n_layers, dark=True), strict=True))
    return {light: dark.upper() for light, dark in (layers | _DARK).items()}


def dark_ramps() -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Ramps of values and what they become on dark ground, where weak is dark and strong is bright."""
    return [
        (ramp, tuple(colour.upper() for colour in _ramp(anchors, len(ramp)))) for ramp, anchors in _DARK_RAMPS.items()
    ]


def signed_colours(n_colours: int = 255) -> tuple[str, ...]:
    """Colours of values from a gain to a loss, with 0 in the middle."""
    return _ramp(_SIGNED, n_colours)


def interpolated(anchors: tuple[str, ...], n_colours: int = 255) -> tuple[str, ...]:
    """Colours evenly from the first of some to the last."""
    return _ramp(anchors, n_colours)


def heat_colours(ramp: tuple[str, ...], n_colours: int) -> tuple[str, ...]:
    """Colours of one of the ramps of values as light on a darkened picture, weak to strong."""
    return _ramp(_HEAT[ramp], n_colours)


def class_colours(names: tuple[str, ...]) -> dict[str, str]:
    """Colour of each class by name, safe for the colour-blind up to 23 classes, repeated beyond 256."""
    if len(names) <= len(Colorblind8):
        colours = Colorblind8
    elif len(names) <= max(TolRainbow):
        colours = TolRainbow[len(names)]
    else:
        colours = colorcet.palette["glasbey_dark"]
    return dict(zip(names, cycle(colours), strict=False))


def layer_colours(n_layers: int, *, dark: bool = False) -> tuple[str, ...]:
    """Colour of each layer, dark to light, of a perceptual map that keeps away from `CHOSEN`; lighter on dark ground.

    The lightest are pale on white: what has them needs an outline.
    """
    colours = linear_palette(tuple(colorcet.bgy)[:236], n_layers) if n_layers > 1 else (VALUE,)
    return tuple(_mixed(colour, "#ffffff", 0.35) for colour in colours) if dark else tuple(colours)


def rgb(colour: str) -> np.ndarray:
    """Red, green and blue of ``#rrggbb``, float64 ``(3,)`` from 0 to 255."""
    return np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)], np.float64)


def rgba(colour: str, *, alpha: int) -> int:
    """Pixel of ``#rrggbb`` as Bokeh's images have it."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return alpha << 24 | blue << 16 | green << 8 | red


def _mixed(colour: str, other: str, share: float) -> str:
    red, green, blue = np.rint((1 - share) * rgb(colour) + share * rgb(other)).astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"


@lru_cache
def _ramp(anchors: tuple[str, ...], n_colours: int) -> tuple[str, ...]:
    """Colours evenly from the first anchor to the last."""
    at, last = np.linspace(0, len(anchors) - 1, n_colours), len(anchors) - 2
    parts = [(min(int(place), last), place) for place in at]
    return tuple(_mixed(anchors[part], anchors[part + 1], place - part) for part, place in parts)
