"""The curve of all heads, and the marks of brushes in it and in the ranking."""

from collections.abc import Callable
from typing import Any

import holoviews as hv
import numpy as np
import pytest
from bokeh.models import GlyphRenderer

from vitpanel import Selection, elements
from vitpanel.core.metrics import metric_of
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


def legend(figure: Any) -> list[str]:
    """What the legend of a figure names."""
    return [item.label["value"] for item in figure.legend[0].items if item.visible]


@pytest.mark.parametrize("metric", ["probability", "jsd", "cls", "accuracy"])
def test_the_band_is_cut_at_the_limits_of_the_metric(study: Study, monkeypatch: pytest.MonkeyPatch, metric: str):
    table = elements.importance_curve(study, metric=metric, table=True)
    least, largest = metric_of(metric).drawn_bounds
    # As wide as the whole scale for the one half of the heads, and within it for the other.
    table["spread"] = np.where(table["layer"] == 0, largest - least, 0.001)
    monkeypatch.setattr("vitpanel.state.queries.importance.importance_table", lambda *_: table)
    element = elements.importance_curve(study, metric=metric)
    (band,) = [layer for layer in element.values() if isinstance(layer, hv.Area)]
    lower, upper, mean = band.dimension_values("lower"), band.dimension_values("upper"), table["mean"].to_numpy(float)
    is_wide = table["layer"].to_numpy() == 0
    assert (lower[is_wide] == least).all()
    assert (upper[is_wide] == largest).all()
    assert np.allclose(upper[~is_wide] - mean[~is_wide], 0.001)
    assert np.allclose(mean[~is_wide] - lower[~is_wide], 0.001)


def test_title_and_legend_say_what_is_drawn(study: Study, plot: Callable[[Any], Any]):
    of_jsd = plot(elements.importance_curve(study, metric="jsd")).state
    assert of_jsd.title.text == "Importance by JSD, mean of all images"
    assert legend(of_jsd) == ["mean"]
    of_probability = plot(elements.importance_curve(study, metric="probability")).state
    assert of_probability.title.text == "Importance by Probability, mean of all images"
    assert legend(of_probability) == ["mean", "unpruned"]


def test_the_legend_follows_what_is_chosen(study: Study, plot: Callable[[Any], Any]):
    selection = Selection(study, image=None, metric="jsd")
    figure = plot(elements.importance_curve(study, selection)).state
    assert legend(figure) == ["mean"]
    selection.param.update(image=3, metric="probability")
    assert legend(figure) == ["mean", "unpruned", "chosen image"]
    selection.param.update(metric="jsd")
    assert legend(figure) == ["mean", "chosen image"]
