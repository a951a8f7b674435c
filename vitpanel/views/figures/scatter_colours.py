"""C1: colours of the points, and the line below the chart that says what colours, rings and absences mean."""

from dataclasses import dataclass

import numpy as np

from vitpanel.elements.shading import RAMP
from vitpanel.state.head_numbers import HEAD_INDEX, LAYER, TOKEN_SHARE
from vitpanel.state.queries.head_table import Scatter, Shown
from vitpanel.theme.palette import MUTED, css, layer_colours, signed_colours
from vitpanel.theme.shares import share_colours
from vitpanel.views.base import counted, escaped
from vitpanel.views.figures.numbers import change_text, distance_text

_N_STOPS = 17  # of the gradient that a browser draws
STYLE = f"""
    :host {{ overflow-y: auto; max-height: 34px; }}
    .said {{ display: flex; flex-wrap: wrap; gap: 0 10px; padding: 0 8px; font: 11px/15px sans-serif;
        color: {css("text")}; }}
    .said .scale {{ display: flex; align-items: center; gap: 4px; min-width: 0; }}
    .said .caption {{ overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
    .said .bar {{ flex: 0 0 48px; height: 8px; border-radius: 2px; }}
    .said .ring {{ display: inline-block; width: 6px; height: 6px; margin-right: 4px; border-radius: 50%;
        border: 2px solid {css("brush")}; }}
    .said .hint {{ color: {css("hint")}; }}
"""


@dataclass(frozen=True)
class PointColours:
    """Colour of each head over the flat head index, and the ramp behind them from ``low`` to ``high``.

    The ramp is empty for layers; ``low`` and ``high`` are NaN where no value is known.
    """

    colours: list[str]
    ramp: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0


def point_colours(shown: Shown, *, dark: bool) -> PointColours:
    """Colours of a number of all heads; grey where it is not known.

    Parameters
    ----------
    shown
        What colours mean. Around 0 both sides of a signed number reach equally far.
    dark
        Whether they are on dark ground, where the browser does not exchange them.
    """
    values = shown.values
    if shown.key == LAYER:
        n_layers, n_heads = shown.found.per_head.shape
        return PointColours([colour for colour in layer_colours(n_layers) for _ in range(n_heads)])
    if shown.key == TOKEN_SHARE:
        found = share_colours(values, dark=dark)
        return PointColours(found.colours, found.ramp, 0.0, found.largest)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (np.nan, np.nan)
    ramp = signed_colours() if shown.number.is_signed else RAMP
    if shown.number.is_signed:
        high = max(-low, high)
        low = -high
    span = (high - low) or 1.0
    places = np.nan_to_num((values - low) / span) * (len(ramp) - 1)
    colours = [
        MUTED if np.isnan(value) else ramp[round(place)] for value, place in zip(values, places, strict=True)
    ]  # fmt: skip
    return PointColours(colours, ramp, low, high)


def said_html(scatter: Scatter, colours: PointColours, *, ring_title: str) -> str:
    """What has to be said of the points; empty where colours are those of layers and nothing is brushed or missing.

    Parameters
    ----------
    ring_title
        What rings mean; empty where there are none.
    """
    parts = [_scale(scatter.colour, colours)] if colours.ramp else []
    if ring_title:
        parts.append(f'<span><i class="ring"></i>{escaped(ring_title)}</span>')
    words = {shown.number.label: shown.found.words for shown in (scatter.x, scatter.y, scatter.colour)}
    notes = [f"{label} {covered}" for label, covered in words.items() if covered]
    if scatter.no_colour:
        notes.append(f"No colours by attention to the brushed tokens: {scatter.no_colour}")
    if scatter.n_unknown:
        notes.append(f"{counted(scatter.n_unknown, 'head')} {'has' if scatter.n_unknown == 1 else 'have'} no value.")
    parts += [f'<span class="hint">{escaped(note)}</span>' for note in notes]
    return f'<div class="said">{"".join(parts)}</div>' if parts else ""


def _scale(shown: Shown, colours: PointColours) -> str:
    """Name of what colours mean, and a bar with its ends."""
    stops = (colours.ramp[i] for i in np.linspace(0, len(colours.ramp) - 1, _N_STOPS).astype(int))
    low, high = (_end_text(shown, end) for end in (colours.low, colours.high))
    label, gradient = escaped(shown.label), f"linear-gradient(to right, {', '.join(stops)})"
    return (
        f'<span class="scale"><span class="caption" title="{label}">{label}</span><span>{low}</span>'
        f'<i class="bar" style="background: {gradient}"></i><span>{high}</span></span>'
    )


def _end_text(shown: Shown, value: float) -> str:
    if np.isnan(value):
        return "–"
    if shown.number.is_share:
        return f"{value:.1%}" if 0 < value < 0.1 else f"{value:.0%}"  # noqa: PLR2004 - a digit more for small shares
    if shown.key == HEAD_INDEX:
        return f"{value:.0f}"
    return change_text(value) if shown.number.is_signed else distance_text(value)
