"""A: colour and shape of every image, by the group that it is in or by a number of a head on it."""

from dataclasses import dataclass
from itertools import cycle

import numpy as np

from vitpanel.elements.shading import RAMP
from vitpanel.state.image_groups import (
    NO_LABEL,
    NO_PREDICTION,
    NOT_JUDGED,
    RIGHT,
    WRONG,
    ImageGroups,
)
from vitpanel.state.queries.image_numbers import ImageNumbers
from vitpanel.theme.palette import MUTED, VALUE, WRONG_COLOUR, class_colours, rgba, signed_colours

MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "hex")
ALPHA = 230


@dataclass(frozen=True)
class Look:
    """How images look: ``codes`` int ``(n_images,)`` into ``colours`` and ``markers``."""

    codes: np.ndarray
    colours: tuple[str, ...]
    markers: tuple[str, ...]


def group_look(groups: ImageGroups, classes: tuple[str, ...]) -> Look:
    """Colour and shape of each group; a class looks the same whether it is a label or a prediction.

    Parameters
    ----------
    classes
        Names of all classes that occur.
    """
    if groups.kind == "class":
        colours = class_colours(classes)
        shapes = dict(zip(classes, cycle(MARKERS), strict=False))
    else:
        colours, shapes = {RIGHT: VALUE, WRONG: WRONG_COLOUR}, {RIGHT: "circle", WRONG: "triangle"}
    unknown = dict.fromkeys((NO_LABEL, NO_PREDICTION, NOT_JUDGED))
    return Look(
        groups.codes,
        tuple(MUTED if name in unknown else colours[name] for name in groups.names),
        tuple("x" if name in unknown else shapes[name] for name in groups.names),
    )


def number_colours(numbers: ImageNumbers) -> tuple[str, ...]:
    """Colours from the least to the largest number, in so many steps that they run into each other."""
    return signed_colours() if numbers.is_signed else RAMP


def number_look(numbers: ImageNumbers) -> Look:
    """Colour of each image by its number; an image without one is a grey cross."""
    colours = number_colours(numbers)
    places = np.rint(numbers.places * (len(colours) - 1))
    codes = np.where(np.isnan(places), len(colours), np.nan_to_num(places)).astype(np.int16)
    return Look(codes, (*colours, MUTED), (*[MARKERS[0]] * len(colours), "x"))


def blank_look(n_images: int) -> Look:
    """All images alike, for colours that cannot be had."""
    return Look(np.zeros(n_images, np.int16), (MUTED,), (MARKERS[0],))


def image_pixels(codes: np.ndarray, colours: tuple[str, ...]) -> np.ndarray:
    """Pixel of each image, uint32 RGBA ``(n_images,)``, from its code into the colours."""
    return np.array([rgba(colour, alpha=ALPHA) for colour in colours], np.uint32)[codes]
