"""How what a person does is written to the selection, chart by chart."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from bokeh.models import BasicTicker, ColorBar, FixedTicker, Line
from holoviews.streams import BoundsXY, Tap

from tests.fakes import FakeModel
from vitpanel import Selection, elements
from vitpanel.drawing.display import axis_edges, share_above
from vitpanel.elements.streams import nearest_row
from vitpanel.state.brush import Ids, brushed_heads
from vitpanel.study.reader import Study


@pytest.fixture
def selection(study: Study) -> Selection:
    return Selection(study, image=3, layer=0, head=0)


@pytest.fixture
def act(plot: Any):
    """Do something in a figure of an element: a `Tap` at a place, or a box."""

    def do(element: Any, kind: type, **event: Any) -> None:
        parts = plot(element).traverse(lambda part: part)
        streams = [stream for part in parts for call in getattr(part, "callbacks", []) for stream in call.streams]
        next(stream for stream in streams if isinstance(stream, kind)).event(**event)

    return do


def test_a_click_on_the_curve_chooses_the_head_at_its_place(study: Study, selection: Selection, act: Any):
    act(elements.importance_curve(study, selection), Tap, x=4.2, y=0.5)
    assert selection.chosen_head == (1, 1)
    act(elements.importance_curve(study, selection), Tap, x=99, y=0)
    assert selection.chosen_head == (1, 2)


def test_a_click_in_the_ranking_chooses_the_head_of_the_point(study: Study, selection: Selection, act: Any):
    row = elements.head_ranking(study, selection, table=True).iloc[2]
    act(elements.head_ranking(study, selection), Tap, x=3.1, y=row["importance"])
    assert selection.chosen_head == (row["layer"], row["head"])


def test_a_box_brushes_the_heads_inside(study: Study, selection: Selection, act: Any):
    table = elements.head_scatter(study, selection, table=True)
    limit = float(table["entropy"].median())
    act(elements.head_scatter(study, selection), BoundsXY, bounds=(-1, limit, 5, 2))
    brushed = elements.head_scatter(study, selection, table=True)
    assert brushed["is_brushed"].tolist() == (table["entropy"] >= limit).tolist()
    assert brushed_heads(study, selection.heads).sum() == (table["entropy"] >= limit).sum()


def test_a_click_on_a_bar_chooses_its_mode(study: Study, selection: Selection, model: FakeModel, act: Any):
    act(elements.mode_bars(study, selection, live=model), Tap, x=3.3, y=0.1)
    assert selection.mode == 3
    act(elements.mode_bars(study, selection, live=model), Tap, x=7, y=0.1)
    assert selection.mode == 3


def test_a_click_in_the_matrix_chooses_the_source(study: Study, selection: Selection, model: FakeModel, act: Any):
    edges = axis_edges(study.spec.grid)
    act(elements.attention_heatmap(study, selection, live=model), Tap, x=0.5, y=edges[-1] - edges[5] - 0.5)
    assert selection.token == 5


def test_a_click_on_a_token_chooses_it(study: Study, selection: Selection, model: FakeModel, act: Any):
    act(elements.token_lines(study, selection, live=model), Tap, x=axis_edges(study.spec.grid)[7] + 0.1, y=1)
    assert selection.token == 7


def test_a_click_on_a_patch_chooses_its_token(study: Study, selection: Selection, model: FakeModel, act: Any):
    act(elements.attention_masks(study, selection, live=model), Tap, x=2.5, y=4 - 1.5)
    assert selection.token == 1 + 4 * 1 + 2
    act(elements.attention_masks(study, selection, live=model), Tap, x=-1, y=2)
    assert selection.token == 7


def test_a_click_in_the_histogram_sets_the_threshold(study: Study, selection: Selection, model: FakeModel, act: Any):
    matrix = model.attention(3, 0)[0]
    value = float(np.quantile(matrix, 0.8))
    act(elements.attention_histogram(study, selection, live=model), Tap, x=value, y=3)
    assert selection.threshold == pytest.approx((matrix >= value).mean())
    act(elements.attention_histogram(study, selection, live=model), Tap, x=9, y=3)
    assert selection.threshold == share_above(matrix, float(matrix.max()))


def test_the_nearest_row_in_shares_of_what_is_spanned():
    table = pd.DataFrame({"a": [0.0, 100, 50], "b": [0.0, 0.1, np.nan]})
    assert nearest_row(table, x=("a", 60), y=("b", 0.1)).name == 1
    assert nearest_row(table, x=("a", 45), y=("b", 0.0)).name == 0
    assert nearest_row(table.head(0), x=("a", 1), y=("b", 1)) is None


def test_axes_and_colours_of_the_scatter_follow_the_selection(study: Study, plot: Any):
    selection = Selection(study, image=3)
    figure = plot(elements.head_scatter(study, selection)).state
    (bar,) = figure.select({"type": ColorBar})
    assert (figure.xaxis.axis_label, bar.title) == ("layer", "layer")
    assert isinstance(figure.xaxis.ticker, FixedTicker)
    selection.param.update(scatter_x="distance", scatter_y="importance_jsd", scatter_colour="entropy")
    assert (figure.xaxis.axis_label, figure.yaxis.axis_label) == ("distance (patches)", "JSD (bits)")
    assert isinstance(figure.xaxis.ticker, BasicTicker)
    assert bar.title == "entropy"
    assert bar.color_mapper.low == pytest.approx(study["entropy"][3].min())
    selection.tokens = Ids((2, 3), "token")
    selection.scatter_colour = "layer"
    assert bar.title == "CLS to the tokens"
    selection.param.update(tokens=None, scatter_x="layer")
    assert bar.color_mapper.high == 1
    assert isinstance(figure.xaxis.ticker, FixedTicker)


def test_the_strength_of_what_is_brushed_is_drawn(study: Study, plot: Any):
    selection = Selection(study, image=3, images=Ids((1, 2, 4)), heads=Ids(((0, 1), (1, 2)), "head"))
    figure = plot(elements.strength_bars(study, selection)).state
    drawn = [line.data_source.data for line in figure.renderers if isinstance(line.glyph, Line)]
    table = elements.strength_bars(study, selection, table=True)
    for column in ("mean_of_brush", "mean_of_rest", "mean_of_heads"):
        (line,) = [data for data in drawn if column in data]
        assert line[column] == pytest.approx(table[column].to_numpy())


def test_an_element_follows_what_brushed_images_are_held_against(study: Study, selection: Selection, plot: Any):
    selection.images = Ids((0, 1))
    selection.keep("others", Ids((2, 5, 7)))
    shown = plot(elements.measure_distribution(study, selection))
    before = shown.state.title.text
    selection.hold_against("others")
    assert "the rest" in before
    assert shown.state.title.text != before
    assert "“others”" in shown.state.title.text
