import numpy as np
import pytest

from vitpanel.theme.palette import (
    CHOSEN,
    OVER_IMAGE,
    class_colours,
    css,
    css_variables,
    dark_colour,
    dark_colours,
    dark_ramps,
    layer_colours,
    rgb,
    signed_colours,
)


@pytest.mark.parametrize("n_classes", [1, 3, 8, 10, 23, 24, 100, 256])
def test_class_colours_differ(n_classes):
    names = tuple(f"class {i}" for i in range(n_classes))
    colours = class_colours(names)
    assert tuple(colours) == names
    assert len(set(colours.values())) == n_classes


def test_class_colours_of_very_many_classes_repeat():
    assert len(class_colours(tuple(map(str, range(1000))))) == 1000


@pytest.mark.parametrize("n_layers", [1, 2, 12, 48])
def test_layer_colours_differ(n_layers):
    assert len(set(layer_colours(n_layers))) == n_layers


def contrast(colour, ground):
    """Of WCAG 2.2, from 1 to 21."""

    def luminance(name):
        value = rgb("#ffffff" if name == "white" else name) / 255
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in value]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(colour), luminance(ground)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("n_layers", [1, 6, 12, 24, 40])
def test_exchanging_colours_twice_changes_nothing_more(n_layers):
    colours = dark_colours(n_layers)
    assert not set(colours) & set(colours.values())


@pytest.mark.parametrize("n_layers", [1, 6, 12, 24, 40])
def test_lines_over_a_photograph_are_the_same_in_both_themes(n_layers):
    colours = dark_colours(n_layers)
    assert not set(OVER_IMAGE) & {*colours, *colours.values()}
    assert contrast(*OVER_IMAGE) > 4.5


@pytest.mark.parametrize("dark", [False, True])
def test_text_is_legible(dark):
    variables = css_variables(dark=dark)
    for name, least in (("text", 10), ("hint", 4.5), ("warning", 4.5), ("value", 4.5), ("chosen", 4.5)):
        assert contrast(variables[f"--vp-{name}"], variables["--vp-surface"]) >= least, name
    assert css("text") == "var(--vp-text, #2b323a)"


def test_layers_are_legible_on_dark_ground():
    assert all(contrast(colour, "#1e1e1e") > 2.5 for colour in layer_colours(24, dark=True))


def test_ramps_go_from_the_ground_to_strong_in_both_themes():
    for light, dark in dark_ramps():
        assert len(light) == len(dark)
        assert contrast(light[0], "white") < 1.2
        assert contrast(dark[0], "#1e1e1e") < 1.3
        assert contrast(light[-1], "white") > 5
        assert contrast(dark[-1], "#1e1e1e") > 5


@pytest.mark.parametrize("n_layers", [1, 6, 12, 24, 40])
@pytest.mark.parametrize("dark", [False, True])
def test_no_layer_has_the_colour_of_what_is_chosen(n_layers, dark):
    chosen = rgb(dark_colour(CHOSEN) if dark else CHOSEN)
    distances = [np.linalg.norm(rgb(colour) - chosen) for colour in layer_colours(n_layers, dark=dark)]
    assert min(distances) > 100


def test_signed_colours_have_neither_side_in_the_middle():
    low, middle, high = (rgb(signed_colours()[place]) for place in (0, 127, 254))
    assert low[2] > low[0]
    assert high[0] > high[2]
    assert np.ptp(middle) < 20
    assert contrast(signed_colours()[127], "white") > 2
    assert contrast(signed_colours()[127], "#1e1e1e") > 2
