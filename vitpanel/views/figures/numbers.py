"""How numbers are written: the same on axes, on bars and in lists."""

import numpy as np
from bokeh.models import CustomJSTickFormatter

from vitpanel.views.figures.client import script

_FLOOR = 1e-6  # near 1, float32 cannot tell smaller changes from none


def change_text(value: float) -> str:
    """Value with its sign in at most six characters, a dash for NaN."""
    size = distance_text(abs(value))
    if np.isnan(value) or size.startswith("<"):
        return size
    if value == 0:
        return "±0"
    return f"{'−' if value < 0 else '+'}{size}"


def distance_text(value: float) -> str:
    """Value that cannot be negative in at most five characters, a dash for NaN."""
    if np.isnan(value):
        return "–"
    if value < _FLOOR:
        return "0" if value == 0 else "<1e-6"
    is_plain = value >= 0.0005  # noqa: PLR2004 - below this three decimals would read 0.000
    return f"{value:.3f}" if is_plain else f"{value:.0e}".replace("e-0", "e-")


def plain_ticks() -> CustomJSTickFormatter:
    """Ticks as the bars are labelled: 0.25, and 3e-4 rather than 3.000e−4."""
    return CustomJSTickFormatter(code=script("plain_tick.js"))
