"""A: what the colours of images mean, as the legend below the map tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vitpanel.elements.image_looks import Look, blank_look, group_look, number_colours, number_look
from vitpanel.errors import VitpanelError, public_words
from vitpanel.state.image_groups import NUMBERS, ImageGroups
from vitpanel.state.queries.image_numbers import ImageNumbers, shown_colouring
from vitpanel.state.session import Session
from vitpanel.views.figures.numbers import change_text, distance_text

_N_STOPS = 65  # of the gradient that a browser draws


@dataclass(frozen=True)
class ImageColours:
    """What colours of images mean: a look, a legend as `ImageLegend` takes it, and the groups or numbers behind it.

    ``groups`` and ``numbers`` are both None where the study does not have what is asked for; the legend says why then.
    """

    look: Look
    legend: dict[str, Any]
    groups: ImageGroups | None = None
    numbers: ImageNumbers | None = None


def image_colours(
    session: Session, names: Mapping[str, str], *, classes: tuple[str, ...], dark: Mapping[str, str]
) -> ImageColours:
    """What colours of images mean now.

    Parameters
    ----------
    names
        Of the ways to colour them, for captions.
    classes
        Names of all classes that occur, which takes a while to find.
    dark
        What colours become on dark ground; empty on light.
    """
    colouring = shown_colouring(session.selection)
    if colouring not in NUMBERS:
        groups = session.image_groups()
        look, is_chosen = group_look(groups, classes), colouring == session.selection.colouring
        caption = names[colouring] if is_chosen else f"No heads are brushed any more. {names[colouring]}"
        return ImageColours(look, group_legend(groups, look, caption=caption, dark=dark), groups=groups)
    try:
        numbers = session.image_numbers()
    except VitpanelError as error:
        return ImageColours(blank_look(session.study.n_images), said_legend(public_words(error.message)))
    return ImageColours(number_look(numbers), number_legend(numbers, session.selection.image), numbers=numbers)


def group_legend(groups: ImageGroups, look: Look, *, caption: str, dark: Mapping[str, str]) -> dict[str, Any]:
    """Name, colour, shape and size of each group, as `ImageLegend` takes them.

    Parameters
    ----------
    dark
        What colours become on dark ground; empty on light.
    """
    n_images = np.bincount(groups.codes)
    records = [
        {"name": name, "colour": dark.get(colour, colour), "marker": marker, "n": int(n)}
        for name, colour, marker, n in zip(groups.names, look.colours, look.markers, n_images, strict=True)
    ]
    return {"caption": f"{caption}:", "groups": records, "scale": {}}


def number_legend(numbers: ImageNumbers, image: int | None) -> dict[str, Any]:
    """Bar from the least to the largest number, and where the chosen image is on it, as `ImageLegend` takes them."""
    if not numbers.known.size:
        return said_legend(f"{numbers.title} is not known on any image.")
    unit = f" ({numbers.unit})" if numbers.unit else ""
    return {"caption": f"{numbers.title}{unit}", "groups": [], "scale": _scale(numbers, image)}


def said_legend(reason: str) -> dict[str, Any]:
    """Say why colours mean nothing, as `ImageLegend` takes it."""
    return {"caption": reason, "groups": [], "scale": {}}


def number_text(numbers: ImageNumbers, value: float) -> str:
    """One of the numbers, with its sign where they can be negative; a dash for NaN."""
    if numbers.is_count:
        return "–" if np.isnan(value) else f"{value:g}"
    return change_text(value) if numbers.is_signed else distance_text(value)


def number_at(numbers: ImageNumbers, place: float) -> float | None:
    """Number at a place on the bar, from 0 to 1, to four digits; None at an end, which has no limit."""
    if not 0 < place < 1:
        return None
    return float(f"{numbers.low + place * (numbers.high - numbers.low):.4g}")


def _scale(numbers: ImageNumbers, image: int | None) -> dict[str, Any]:
    colours, known = number_colours(numbers), numbers.known
    stops = [colours[i] for i in np.linspace(0, len(colours) - 1, _N_STOPS).astype(int)]
    least, middle, largest = (
        number_text(numbers, value) for value in (numbers.low, (numbers.low + numbers.high) / 2, numbers.high)
    )
    # What lies beyond an end has its colour.
    ends = ("≤ " if known.min() < numbers.low else "", "≥ " if known.max() > numbers.high else "")
    place = np.nan if image is None else float(numbers.places[image])
    return {
        "colours": stops,
        "words": [ends[0] + least, middle, ends[1] + largest],
        "ends": [numbers.low, numbers.high],
        "place": -1.0 if np.isnan(place) else place,
        "note": "" if image is None else f"image {image}: {number_text(numbers, numbers.per_image[image])}",
        "n_unknown": len(numbers.per_image) - len(known),
    }
