"""Colours of images by a number of a head."""

import numpy as np
import pytest

from vitpanel.elements.image_looks import blank_look, image_pixels, number_colours, number_look
from vitpanel.state.queries.image_numbers import ImageNumbers
from vitpanel.theme.palette import MUTED, rgb


def numbers_of(values: list[float], *, is_signed: bool) -> ImageNumbers:
    return ImageNumbers("a", "A", "", np.array(values), -1.0 if is_signed else 0.0, 1.0, is_signed=is_signed)


@pytest.mark.parametrize("is_signed", [False, True])
def test_colours_run_into_each_other(*, is_signed: bool):
    colours = number_colours(numbers_of([0.0], is_signed=is_signed))
    assert len(set(colours)) >= 64
    steps = np.abs(np.diff([rgb(colour) for colour in colours], axis=0)).max(1)
    assert steps.max() < 12


def test_the_least_has_the_first_colour_and_no_number_is_a_grey_cross():
    look = number_look(numbers_of([0.0, 0.5, 2.0, np.nan], is_signed=False))
    colours = [look.colours[code] for code in look.codes]
    ramp = number_colours(numbers_of([0.0], is_signed=False))
    assert colours[0] == ramp[0]
    assert colours[1] in ramp[len(ramp) // 2 - 1 : len(ramp) // 2 + 1]
    assert colours[2:] == [ramp[-1], MUTED]
    assert [look.markers[code] for code in look.codes] == ["circle"] * 3 + ["x"]


def test_zero_has_the_colour_of_neither_side():
    look = number_look(numbers_of([-1.0, 0.0, 1.0], is_signed=True))
    low, middle, high = (rgb(look.colours[code]) for code in look.codes)
    assert low[2] > low[0]
    assert high[0] > high[2]
    assert np.ptp(middle) < 20


def test_pixels_are_those_of_the_colours():
    look = number_look(numbers_of([0.0, 1.0, np.nan], is_signed=False))
    pixels = image_pixels(look.codes, look.colours)
    assert len(set(pixels.tolist())) == 3
    assert len(set(image_pixels(blank_look(5).codes, blank_look(5).colours).tolist())) == 1
