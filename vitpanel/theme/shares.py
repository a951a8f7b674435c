"""Colours of shares of attention, from none to the largest share that is shown."""

from dataclasses import dataclass

import numpy as np
from bokeh.palettes import Greens256

from vitpanel.theme.palette import MUTED, dark_colour

# On light ground more is darker, on dark ground brighter; what would not stand out from the ground is left away.
_UNSEEN = 24
_LIGHT = tuple(reversed(Greens256))[_UNSEEN:]
_DARK = tuple(Greens256)[_UNSEEN:]
# Of a bar whose length is the share, on any ground.
BAR = Greens256[112]


@dataclass(frozen=True)
class ShareColours:
    """Colours of some shares, and what a legend says of them.

    Parameters
    ----------
    colours
        Hex colour of each share; grey where it is not known.
    ramp
        Hex colours from the share 0 to the largest one.
    largest
        Largest share that is shown, the end of the ramp; NaN where none is known.
    """

    colours: list[str]
    ramp: tuple[str, ...]
    largest: float


def share_colours(values: np.ndarray, *, dark: bool = False) -> ShareColours:
    """Colour of each share.

    Parameters
    ----------
    values
        Shares in [0, 1] of any shape, which are taken in flat order; NaN where not known. Not modified.
    dark
        Whether they are shown on dark ground.
    """
    ramp, unknown = (_DARK, dark_colour(MUTED)) if dark else (_LIGHT, MUTED)
    flat = np.asarray(values, np.float64).ravel()
    known = ~np.isnan(flat)
    largest = float(flat[known].max()) if known.any() else np.nan
    places = np.zeros(len(flat), int)
    if largest > 0:
        places[known] = np.rint(flat[known] / largest * (len(ramp) - 1)).astype(int)
    colours = [ramp[place] if is_known else unknown for place, is_known in zip(places, known, strict=True)]
    return ShareColours(colours, ramp, largest)
