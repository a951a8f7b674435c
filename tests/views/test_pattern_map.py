"""The figure of D1."""

import numpy as np

from vitpanel.state.patterns import MapColours, OwnHeads
from vitpanel.views.figures.pattern_map import (
    create_pattern_figure,
    explain_colours,
    own_columns,
)

OWN = OwnHeads(
    *(np.arange(4.0), np.arange(4.0) * 2),
    np.array([0, 0, 1, 1]),
    np.array([0, 1, 0, 1]),
    np.array([0.5, 0.25, np.nan, 1]),
    np.array([0.1, -0.2, np.nan, 0.3]),
    np.array([0.0, 0, 1, np.nan]),
)
LAYERS = MapColours("layer", "layer", ("0", "1"))


def test_own_heads_say_what_they_are():
    columns = own_columns(OWN, LAYERS, ("#111111", "#222222"), metric="jsd")
    assert columns["words"][1] == "layer 0 head 1 · entropy 0.250 · JSD −0.2000"
    assert columns["words"][2] == "layer 1 head 0 · entropy – · JSD –"
    assert columns["colour"][0] == "#111111"
    assert columns["colour"][2] == "#222222"
    assert len(set(columns["colour"])) == 3
    assert own_columns(None, LAYERS, (), metric="jsd")["x"] == []


def test_the_bar_explains_categories_and_ranges():
    bar = create_pattern_figure().bar
    explain_colours(bar, MapColours("head", "head", tuple(str(i) for i in range(16))), ("#111111",) * 16)
    assert (bar.color_mapper.low, bar.color_mapper.high) == (-0.5, 15.5)
    assert bar.ticker.ticks == list(range(0, 16, 2))
    explain_colours(bar, MapColours("importance", "JSD", low=0.125, high=0.25), ("#111111",) * 256)
    assert bar.major_label_overrides[0.125] == "0.125"
    assert bar.title == "JSD"
    assert bar.visible
    explain_colours(bar, MapColours("class", "class", ("a", "b")), ("#111111", "#222222"))
    assert not bar.visible
