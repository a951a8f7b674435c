"""D1: what the map's colours and a head's clusters mean, in words."""

import numpy as np

from vitpanel.core.spec import short_head_name
from vitpanel.state.pattern_map import Cohesion, Near
from vitpanel.state.patterns import MapColours
from vitpanel.theme.palette import css
from vitpanel.views.base import escaped

# Share of own neighbours from which on a head is said to keep to itself, and spread up to which it is in one place.
SEPARATE, ONE_PLACE = 0.75, 0.3
STYLE = f"""
    .words {{ color: {css("text")}; font: 11px/14px sans-serif; padding: 1px 8px; }}
    .legend {{ display: flex; flex-wrap: wrap; gap: 0 8px; padding: 1px 8px; font: 10px/16px sans-serif;
        color: {css("text")}; }}
    .legend span {{ white-space: nowrap; max-width: 120px; overflow: hidden; text-overflow: ellipsis; }}
    .legend i {{ display: inline-block; width: 8px; height: 8px; border-radius: 50%; margin-right: 3px; }}
    :host {{ overflow-y: auto; max-height: 44px; }}
"""


def cohesion_html(cohesion: Cohesion, layer: int, head: int) -> str:
    """Say whether a head keeps together on the map; pointing at it tells what the number is."""
    share, name = float(cohesion.share[layer, head]), short_head_name(layer, head)
    if np.isnan(share):
        return f'<div class="words">{name} has no neighbours here.</div>'
    nearest = cohesion.n_nearest
    spread = float(cohesion.spread[layer, head])
    title = (
        f"Of the {nearest} nearest neighbours of each point of {name}, {share:.1%} are {name} on another image; heads "
        f"strewn at random would give {cohesion.chance:.1%}. The points of {name} lie {spread:.0%} as far apart as "
        f"all points. A head in one place does much the same on every image; what a scattered one does depends on the "
        f"image."
    )
    if cohesion.n_asked < cohesion.n_points:
        title += f" {cohesion.n_asked:,} of all {cohesion.n_points:,} points were asked."
    return (
        f'<div class="words" title="{title}"><b>{name}</b>, {_verdict(share, spread)}: {_percent(share)} of its '
        f"{nearest} nearest neighbours are {name} too ({_percent(cohesion.chance)} by chance).</div>"
    )


def near_html(near: Near, *, label: str, pixels: int) -> str:
    """Say what lies under the pointer; ``label`` is that of the nearest head's image, or empty."""
    image, layer, head = near.nearest
    heads = "one head" if near.count == 1 else f"{near.count:,} heads"
    of = f", {escaped(label)}" if label else ""
    return f"<b>{heads}</b> within {pixels} pixels<br>nearest: {short_head_name(layer, head)} on image {image}{of}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _verdict(share: float, spread: float) -> str:
    if share >= SEPARATE:
        return "one separate cluster" if spread <= ONE_PLACE else "mostly separate clusters"
    return "one place, shared with other heads" if spread <= ONE_PLACE else "scattered among other heads"


def legend_html(colours: MapColours, palette: tuple[str, ...]) -> str:
    """Name the colour of each class, or say which heads have colours; empty where the colour bar says all."""
    if colours.kind == "tokens":
        only = f"Only the heads of image {colours.image} have colours: the share is known for the chosen image alone."
        return f'<div class="words">{escaped(colours.reason or only)}</div>'
    if colours.kind != "class":
        return ""
    chips = (
        f'<span title="{escaped(name)}"><i style="background:{colour}"></i>{escaped(name)}</span>'
        for name, colour in zip(colours.names, palette, strict=True)
    )
    return f'<div class="legend">{"".join(chips)}</div>'
