"""What figures of a page have in common."""

from collections.abc import Callable

import pytest
from bokeh.models import BasicTicker, CDSView, ColumnDataSource, CustomJS, IndexFilter, Scatter
from bokeh.plotting import figure

from vitpanel.views.parts import Parts


@pytest.fixture
def draw() -> Callable[..., figure]:
    """Make a figure with points of a source, drawn twice."""

    def make(source: ColumnDataSource) -> figure:
        fig = figure(tools="box_select")
        for size in (4, 8):
            fig.add_glyph(source, Scatter(size=size))
        return fig

    return make


def test_two_figures_have_one_of_what_holds_no_state(draw: Callable[..., figure]):
    parts, figures = Parts(), [draw(ColumnDataSource({"x": [1], "y": [1]})) for _ in range(2)]
    before = len(set().union(*(fig.references() for fig in figures)))
    for fig in figures:
        parts.share(fig)
    first, second = figures
    assert first.x_scale is first.y_scale is second.x_scale
    assert first.xaxis[0].ticker is second.yaxis[0].ticker
    assert first.xaxis[0].formatter is second.yaxis[0].formatter
    assert len(set().union(*(fig.references() for fig in figures))) <= before - 20


def test_what_differs_stays_apart(draw: Callable[..., figure]):
    parts, fig = Parts(), draw(ColumnDataSource({"x": [1], "y": [1]}))
    fig.xaxis[0].ticker = BasicTicker(desired_num_ticks=3)
    parts.share(fig)
    assert fig.xaxis[0].ticker.desired_num_ticks == 3
    assert fig.yaxis[0].ticker.desired_num_ticks == BasicTicker().desired_num_ticks


def test_rows_of_a_source_are_told_once_and_those_of_another_for_themselves(draw: Callable[..., figure]):
    parts, sources = Parts(), [ColumnDataSource({"x": [1], "y": [1]}) for _ in range(2)]
    figures = [draw(source) for source in sources]
    some = CDSView(filter=IndexFilter([0]))
    figures[0].add_glyph(sources[0], Scatter(size=12), view=some)
    for fig in figures:
        parts.share(fig)
    views = [[renderer.view for renderer in fig.renderers] for fig in figures]
    assert views[0][0] is views[0][1] is not views[1][0]
    assert views[1][0] is views[1][1]
    assert views[0][2] is some
    assert sources[0].selected is sources[1].selected


def test_sources_that_scripts_alone_use_have_nothing_selected_either(draw: Callable[..., figure]):
    fig, told, answer = draw(ColumnDataSource({"x": [1], "y": [1]})), ColumnDataSource(), ColumnDataSource()
    fig.js_on_event("tap", CustomJS(args={"told": told}))
    told.js_on_change("data", CustomJS(args={"told": told, "answer": answer}))
    Parts().share(fig)
    drawn = fig.renderers[0].data_source
    assert told.selected is answer.selected is drawn.selected
    assert told.selection_policy is answer.selection_policy is drawn.selection_policy


def test_pages_share_nothing_with_each_other(draw: Callable[..., figure]):
    figures = [draw(ColumnDataSource({"x": [1], "y": [1]})) for _ in range(2)]
    for fig in figures:
        Parts().share(fig)
    assert not set.intersection(*(fig.references() for fig in figures))
