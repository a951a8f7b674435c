"""The marks of brushes in the curve and in the ranking."""

from collections.abc import Callable
from typing import Any

import holoviews as hv
import numpy as np
import pytest
from bokeh.models import GlyphRenderer

from vitpanel import Selection, elements
from vitpanel.state.brush import Ids
from vitpanel.study.reader import Study
from vitpanel.theme.palette import BRUSH
from vitpanel.theme.shares import share_colours


@pytest.mark.parametrize(
    ("name", "x", "y"), [("importance_curve", "flat", "mean"), ("head_ranking", "rank", "importance")]
)
def test_brushes_are_marked_once_there_are_some(study: Study, plot: Callable[[Any], Any], name: str, x: str, y: str):
    selection, make = Selection(study, image=3), getattr(elements, name)
    element = make(study, selection)
    drawn = plot(element)

    def points(column: str) -> hv.Points:
        layers = element[()].values()
        return next(layer for layer in layers if isinstance(layer, hv.Points) and column in layer.vdims)

    assert len(points("brush_share")) == len(points("token_share")) == 0
    selection.mark(Ids(((0, 1), (1, 2)), "head"))
    selection.mark(Ids((2, 3), "token"))
    table = make(study, selection, table=True)
    table = table.assign(flat=table["layer"] * study.spec.n_heads + table["head"])
    brushed = table[table["brush_share"] == 1]
    assert len(brushed) == 2
    assert np.array_equal(points("brush_share").array([x, y]), brushed[[x, y]])
    colours = share_colours(table["token_share"].to_numpy()).colours
    assert list(points("token_share").dimension_values("colour")) == colours
    assert points("token_share").array([x, y]).tolist() == table[[x, y]].to_numpy().tolist()
    glyphs = [renderer.glyph for renderer in drawn.state.renderers if isinstance(renderer, GlyphRenderer)]
    assert BRUSH in [getattr(glyph, "line_color", None) for glyph in glyphs]
