"""Shades of attention values, the same as on the page, and the bars that say which value a shade stands for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import ColorBar, FixedTicker, LinearColorMapper

from vitpanel.drawing.display import LOG_DECADES

Curve = Callable[[np.ndarray], np.ndarray]
# By the names of `vitpanel.drawing.display.SCALES`: shade of a part of the largest value, and back.
_CURVES: dict[str, Curve] = {
    "linear": lambda part: part,
    "square root": np.sqrt,
    "log": lambda part: 1 + np.log10(np.maximum(part, 10.0**-LOG_DECADES)) / LOG_DECADES,
}
_INVERSES: dict[str, Curve] = {
    "linear": lambda shade: shade,
    "square root": np.square,
    "log": lambda shade: 10.0 ** (LOG_DECADES * (shade - 1)),
}
# Pixels on both sides for half of the words at the ends of a bar.
LABEL_ROOM = 28
# Thin, and under the frame, where the page has it.
_BAR = {
    "height": 8,
    "padding": 2,
    "margin": 2,
    "title_standoff": 1,
    "label_standoff": 2,
    "title_text_font_style": "normal",
    "title_text_font_size": "8pt",
    "major_label_text_font_size": "8pt",
    "major_tick_line_color": None,
    "background_fill_alpha": 0,
}


def shades_of(values: np.ndarray, *, scale: str, most: float) -> np.ndarray:
    """Shades of values, float32 from 0 to 1, of which ``most`` and all that is more has the last.

    Parameters
    ----------
    values
        Not below 0; not modified.
    scale
        One of `vitpanel.drawing.display.SCALES`.
    most
        Value of the last shade; not above 0 where there is none, and then all shades are 0.
    """
    if not most > 0:
        return np.zeros(np.shape(values), np.float32)
    return np.clip(_CURVES[scale](np.asarray(values, np.float64) / most), 0, 1).astype(np.float32)


def words_at(shades: Sequence[float], *, scale: str, most: float) -> dict[float, str]:
    """What values the ticks of a bar stand for, with two digits, by their shades."""
    values = most * _INVERSES[scale](np.asarray(shades, np.float64))
    return {shade: plain(float(value)) for shade, value in zip(shades, values, strict=True)}


def plain(value: float) -> str:
    """Number with two digits, without an exponent from a millionth on."""
    rounded = float(f"{value:.2g}")
    is_tiny = 0 < rounded < 1e-6  # noqa: PLR2004 - from here on JavaScript writes exponents too
    return f"{rounded:g}".replace("e-0", "e-") if is_tiny else np.format_float_positional(rounded, trim="-")


def shows_scale(
    name: str, palette: Sequence[str], words: Mapping[float, str], *, title: str = "", is_shown: bool = True
) -> Callable[[Any, Any], None]:
    """Hook of an element that puts a bar below its figure, once, and writes anew what stands on it.

    HoloViews has room for one bar on a side, and knows its options when it makes it only.

    Parameters
    ----------
    name
        Of the bar in the figure.
    palette
        Colours of the shades from 0 to 1.
    words
        At the ticks, by their shades.
    is_shown
        False while there is nothing in these colours.
    """
    # A mapper of its own: a mask's own colours let the picture through.
    colours = {"palette": list(palette), "low": 0, "high": 1}

    def show(plot: Any, _: Any) -> None:
        bar = plot.handles.get(name)
        if bar is None:
            ticker = FixedTicker(ticks=list(words))
            bar = plot.handles[name] = ColorBar(color_mapper=LinearColorMapper(**colours), ticker=ticker, **_BAR)
            plot.state.add_layout(bar, "below")
            plot.state.update(min_border_left=LABEL_ROOM, min_border_right=LABEL_ROOM)
        bar.color_mapper.update(**colours)
        bar.update(major_label_overrides={**words}, title=title or None, visible=is_shown)

    return show
