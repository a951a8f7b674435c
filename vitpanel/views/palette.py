"""What each colour means, in one place."""

from itertools import cycle

import colorcet
from bokeh.palettes import Blues256, Colorblind8, Oranges256, TolRainbow, linear_palette

CLS_COLOURS = tuple(reversed(Blues256))
PATCH_COLOURS = tuple(reversed(Oranges256))
CHOSEN = "#d6006c"
MEAN = "#5b6573"
VALUE = "#1f6fb4"
MUTED = "#c4cad1"
GRID = "#e6e9ed"
TEXT = "#2b323a"


def class_colours(names: tuple[str, ...]) -> dict[str, str]:
    """Colour of each class by name, safe for the colour-blind up to 23 classes, repeated beyond 256."""
    if len(names) <= len(Colorblind8):
        colours = Colorblind8
    elif len(names) <= max(TolRainbow):
        colours = TolRainbow[len(names)]
    else:
        colours = colorcet.palette["glasbey_dark"]
    return dict(zip(names, cycle(colours), strict=False))


def layer_colours(n_layers: int) -> tuple[str, ...]:
    """Colour of each layer, dark to light, from one perceptual map."""
    return tuple(linear_palette(tuple(colorcet.bmy)[:236], n_layers)) if n_layers > 1 else (VALUE,)
