"""Attention as it looks on the page: shades, what is faded, and the bars that say what a shade stands for."""

from collections.abc import Callable
from typing import Any

import holoviews as hv
import numpy as np
import pytest
from bokeh.models import ColorBar

from tests.fakes import FakeModel
from vitpanel import Selection, elements
from vitpanel.drawing.display import SCALES
from vitpanel.elements.attention import FADED
from vitpanel.elements.shades import plain, shades_of, words_at
from vitpanel.study.reader import Study
from vitpanel.theme.link_colours import KIND_COLOURS
from vitpanel.views.figures import heatmap

KINDS = ("patch", "cls")


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        ("linear", [0, 0.0001, 0.01, 0.25, 1, 1]),
        ("square root", [0, 0.01, 0.1, 0.5, 1, 1]),
        ("log", [0, 0, 1 / 3, None, 1, 1]),
    ],
)
def test_shades_are_those_of_the_page(scale: str, expected: list[float | None]):
    shades = shades_of(np.array([0, 0.0002, 0.02, 0.5, 2, 3]), scale=scale, most=2.0)
    for shade, value in zip(shades, expected, strict=True):
        assert value is None or shade == pytest.approx(value)
    assert not shades_of(np.ones(3), scale=scale, most=0.0).any()


@pytest.mark.parametrize("scale", SCALES)
def test_words_are_of_the_values_that_have_these_shades(scale: str):
    words = words_at((0.5, 1), scale=scale, most=0.4)
    assert float(shades_of(np.array([float(words[0.5])]), scale=scale, most=0.4)[0]) == pytest.approx(0.5, abs=0.02)
    assert words[1] == "0.4"


def test_numbers_are_plain():
    texts = [plain(value) for value in (0.0, 0.0714, 0.00891, 1.0, 12.0, 0.00001234, 3e-8)]
    assert texts == ["0", "0.071", "0.0089", "1", "12", "0.000012", "3e-8"]


def images_of(element: Any, kind: str) -> list[hv.Image]:
    """Cells of a kind of link: those that are faded, and those that are not."""
    return [layer for layer in element.values() if isinstance(layer, hv.Image) and layer.vdims[0].name == kind]


def bars_of(figure: Any) -> dict[str, ColorBar]:
    """Bars below a figure by their titles."""
    return {str(bar.title or ""): bar for bar in figure.below if isinstance(bar, ColorBar) and bar.visible}


@pytest.mark.parametrize("scale", SCALES)
def test_the_matrix_has_the_shades_of_the_page_and_fades_what_is_below_the_threshold(
    study: Study, model: FakeModel, scale: str
):
    options = {"image": 3, "threshold": 0.1, "scale": scale, "live": model}
    element = elements.attention_heatmap(study, **options)
    table = elements.attention_heatmap(study, table=True, **options)
    limit = table["threshold"].iloc[0]
    assert (table["value"] >= limit).mean() == pytest.approx(0.1, abs=0.01)
    for kind in KINDS:
        faded, strong = (image.dimension_values(kind) for image in images_of(element, kind))
        own = table[table["kind"] == kind]
        shades = shades_of(own["value"].to_numpy(), scale=scale, most=own["darkest"].iloc[0])
        assert np.allclose(np.unique(faded[faded >= 0]), np.unique(shades))
        is_strong = own["value"].to_numpy() >= limit
        assert np.allclose(np.unique(strong[strong >= 0]), np.unique(shades[is_strong]))


def test_colours_are_those_of_the_page(study: Study, model: FakeModel, plot: Callable[[Any], Any]):
    assert FADED == heatmap.FADED
    element = elements.attention_heatmap(study, image=3, live=model)
    figure = plot(element).state
    mappers = [r.glyph for r in figure.renderers if hasattr(r.glyph, "color_mapper")]
    for kind in KINDS:
        own = [glyph for glyph in mappers if tuple(glyph.color_mapper.palette) == KIND_COLOURS[kind]]
        assert [
            glyph.global_alpha.value if hasattr(glyph.global_alpha, "value") else glyph.global_alpha for glyph in own
        ] == [FADED, 1]
        assert {(glyph.color_mapper.low, glyph.color_mapper.high) for glyph in own} == {(0, 1)}


def test_each_kind_of_link_has_a_bar_that_follows(study: Study, model: FakeModel, plot: Callable[[Any], Any]):
    selection = Selection(study, image=3)
    figure = plot(elements.attention_heatmap(study, selection, live=model)).state
    bars = bars_of(figure)
    assert set(bars) == {"patch → patch", "to or from CLS"}
    table = elements.attention_heatmap(study, selection, table=True, live=model)
    darkest = {kind: table.loc[table["kind"] == kind, "darkest"].iloc[0] for kind in KINDS}
    for title, kind in (("patch → patch", "patch"), ("to or from CLS", "cls")):
        words = bars[title].major_label_overrides
        assert (words[0], words[1]) == ("0", f"≥ {plain(darkest[kind])}")
        assert tuple(bars[title].color_mapper.palette) == KIND_COLOURS[kind]
    before = dict(bars["patch → patch"].major_label_overrides)
    selection.scale = "log"
    assert bars_of(figure)["patch → patch"].major_label_overrides[0] == plain(darkest["patch"] / 1000)
    assert bars_of(figure)["patch → patch"] is bars["patch → patch"]
    selection.param.update(scale="linear", image=4)
    assert bars["patch → patch"].major_label_overrides != before
    selection.image = None
    assert bars_of(figure) == {}


def test_a_mask_has_a_scale(study: Study, model: FakeModel, plot: Callable[[Any], Any]):
    selection = Selection(study, image=3, token=2)
    figure = plot(elements.attention_masks(study, selection, live=model)).state
    (bar,) = bars_of(figure).values()
    most = elements.attention_masks(study, selection, table=True, live=model)["value"].max()
    assert bar.major_label_overrides == {0: "0", 0.5: plain(most / 2), 1: plain(most)}
    selection.scale = "log"
    assert bar.major_label_overrides[0] == f"≤ {plain(most / 1000)}"
    patch_colours = list(bar.color_mapper.palette)
    selection.token = 0
    assert bar.color_mapper.palette != patch_colours
    assert all(str(colour).endswith("ff") for colour in bar.color_mapper.palette), "nothing of the page shows through"
    selection.image = None
    assert not bar.visible
