"""D1: what the map's colours and a head's islands mean, in words."""

import numpy as np

from vitpanel.core.spec import short_head_name
from vitpanel.state.pattern_map import Cohesion
from vitpanel.state.patterns import MapColours
from vitpanel.views.base import escaped

# Shares of own neighbours from which on a head is said to keep together, wholly or partly.
ISLAND, PARTLY = 0.8, 0.4
STYLE = """
    .words { font: 11px/14px sans-serif; padding: 1px 8px; }
    .legend { display: flex; flex-wrap: wrap; gap: 0 8px; padding: 1px 8px; font: 10px/16px sans-serif; }
    .legend span { white-space: nowrap; max-width: 120px; overflow: hidden; text-overflow: ellipsis; }
    .legend i { display: inline-block; width: 8px; height: 8px; border-radius: 50%; margin-right: 3px; }
    :host { overflow-y: auto; max-height: 34px; }
"""


def cohesion_html(cohesion: Cohesion, layer: int, head: int) -> str:
    """Say whether a head keeps together on the map; pointing at it tells what the number is."""
    share, name = float(cohesion.share[layer, head]), short_head_name(layer, head)
    if np.isnan(share):
        return f'<div class="words">{name} has no neighbours here.</div>'
    nearest = cohesion.n_nearest
    title = (
        f"Of the {nearest} nearest neighbours of each point of {name}, {share:.1%} are {name} on another image; heads "
        f"strewn at random would give {cohesion.chance:.1%}. Near 100 %: one island, or a few."
    )
    if cohesion.n_asked < cohesion.n_points:
        title += f" {cohesion.n_asked:,} of all {cohesion.n_points:,} points were asked."
    return (
        f'<div class="words" title="{title}"><b>{name}</b>: {share:.0%} of its {nearest} nearest are {name} too '
        f"(chance {cohesion.chance:.0%}) – {_verdict(share)}.</div>"
    )


def _verdict(share: float) -> str:
    if share >= ISLAND:
        return "an island: much the same on every image"
    if share >= PARTLY:
        return "partly scattered: it depends on the image"
    return "scattered: what it does depends on the image"


def legend_html(colours: MapColours, palette: tuple[str, ...]) -> str:
    """Name the colour of each class."""
    chips = (
        f'<span title="{escaped(name)}"><i style="background:{colour}"></i>{escaped(name)}</span>'
        for name, colour in zip(colours.names, palette, strict=True)
    )
    return f'<div class="legend">{"".join(chips)}</div>'
