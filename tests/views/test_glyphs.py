import pytest
from bokeh.models import AllIndices, CDSView, Glyph, IndexFilter, Scatter
from bokeh.plotting import figure

from vitpanel.core.grid import Grid
from vitpanel.views.base import create_figure
from vitpanel.views.figures.cluster_map import create_cluster_map
from vitpanel.views.figures.density_area import create_density_area
from vitpanel.views.figures.glyphs import Overlay, add_bands, add_glyph, create_sources
from vitpanel.views.figures.head_pictures import create_head_pictures
from vitpanel.views.figures.head_scatter import create_head_scatter
from vitpanel.views.figures.importance_line import create_importance_line
from vitpanel.views.figures.mode_bars import create_mode_bars
from vitpanel.views.figures.pinned_heads import create_pinned_heads
from vitpanel.views.figures.prediction_bars import create_prediction_bars
from vitpanel.views.figures.strength_bars import create_strength_bars


def _figures():
    pictures, pinned = create_head_pictures(Grid(3, 4)), create_pinned_heads(4)
    charts = [
        create_cluster_map(), create_density_area(patch_side=16), create_head_scatter(3, 2),
        create_importance_line(3, 2), create_mode_bars(), create_prediction_bars(), create_strength_bars(4),
        pictures.lines, pictures.histogram, pictures.heatmap,
    ]  # fmt: skip
    figures = [chart.figure for chart in charts]
    return [*figures, *pictures.masks.figures.values(), pinned.modes, pinned.strength, pinned.entropy]


def _looks(drawn):
    """Glyphs that a renderer sends along."""
    states = (drawn.glyph, drawn.selection_glyph, drawn.nonselection_glyph, drawn.muted_glyph, drawn.hover_glyph)
    return [look for look in states if isinstance(look, Glyph)]


def test_every_renderer_of_every_chart_has_one_glyph_and_all_of_a_figure_one_filter():
    for fig in _figures():
        assert all(_looks(drawn) == [drawn.glyph] for drawn in fig.renderers)
        assert len({drawn.view.filter for drawn in fig.renderers}) == 1


def test_columns_that_glyphs_name_are_there():
    for fig in _figures():
        for drawn in fig.renderers:
            values = drawn.glyph.properties_with_values(include_defaults=False).values()
            named = {value.field for value in values if hasattr(value, "field")}
            assert named <= set(drawn.data_source.data)


def test_glyph_looks_as_one_of_the_figure_that_says_the_same():
    (source,) = create_sources(("x", "y"))
    look = {"size": 9, "fill_color": "#123456", "line_color": None, "fill_alpha": 0.5}
    drawn = add_glyph(create_figure(), Scatter(x="x", y="y", **look), source, level="overlay", name="points")
    same = figure().scatter("x", "y", source=source, level="overlay", name="points", **look)
    assert drawn.glyph.properties_with_values() == same.glyph.properties_with_values()
    assert (drawn.level, drawn.name, drawn.data_source) == (same.level, same.name, same.data_source)


def test_renderer_with_its_own_view_keeps_it_to_itself():
    fig, (source,) = create_figure(), create_sources(("x", "y"))
    view = CDSView(filter=IndexFilter([1]))
    chosen = add_glyph(fig, Scatter(), source, view=view)
    first, second = (add_glyph(fig, Scatter(), source) for _ in range(2))
    assert chosen.view is view
    assert view.filter.indices == [1]
    assert isinstance(first.view.filter, AllIndices)
    assert second.view.filter is first.view.filter
    assert second.view is not first.view


def test_sources_have_their_columns_and_share_that_nothing_is_selected():
    full, empty = create_sources({"x": [1, 2], "name": ["a", "b"]}, ("x", "y"))
    assert dict(full.data) == {"x": [1, 2], "name": ["a", "b"]}
    assert dict(empty.data) == {"x": [], "y": []}
    assert full.selected is empty.selected
    assert full.selection_policy is empty.selection_policy
    assert full.syncable


def test_sources_of_two_figures_share_nothing():
    (one,), (other,) = create_sources(("x",), syncable=False), create_sources(("x",))
    assert not one.syncable
    assert not one.references() & other.references()


def test_bands_lie_below_all_else_and_end_where_they_are_told_to():
    fig = create_figure()
    add_bands(fig, [(0.5, 1.5), (2.5, 3.5)], alpha=0.4)
    (drawn,) = fig.renderers
    assert drawn.level == "underlay"
    assert dict(drawn.data_source.data) == {"x0": [0.5, 2.5], "x1": [1.5, 3.5]}


@pytest.mark.parametrize(("n_layers", "shaded"), [(1, []), (2, [1]), (5, [1, 3])])
def test_every_other_layer_is_shaded(n_layers, shaded):
    fig = create_importance_line(n_layers, 3).figure
    (ends,) = (drawn.data_source.data for drawn in fig.renderers if drawn.level == "underlay")
    spans = list(zip(ends["x0"], ends["x1"], strict=True))
    inside = [flat for flat in range(3 * n_layers) if any(left < flat < right for left, right in spans)]
    assert inside == [3 * layer + head for layer in shaded for head in range(3)]


def test_links_of_a_kind_have_one_scale_of_colours_in_both_pictures_of_them():
    pictures = create_head_pictures(Grid(3, 4))
    colours = pictures.heatmap.all_colours
    drawn = [stroke.line_color.transform for stroke in pictures.lines.strokes]
    assert len(drawn) == len(colours)
    assert all(any(mapper is other for other in colours.values()) for mapper in drawn)


def test_nothing_of_the_heatmap_is_above_a_threshold_that_is_not_known():
    heatmap = create_head_pictures(Grid(3, 4)).heatmap
    for kind, mapper in heatmap.strong_colours.items():
        values = heatmap.blocks[kind].data["image"]
        assert all((image < mapper.low).all() for image in values)
        assert mapper.low_color == "rgba(0, 0, 0, 0)"


def test_overlay_has_models_once_there_is_something_to_draw():
    fig, (source,), made = create_figure(), create_sources(("x", "y")), []
    upper = add_glyph(fig, Scatter(), source)
    overlay = Overlay(fig, [Scatter(size=3), Scatter(size=5)], ("x", "y"), below=upper, on_made=made.extend)
    overlay.data = {"x": [], "y": []}
    assert fig.renderers == [upper]
    assert overlay.source is None
    assert dict(overlay.data) == {"x": [], "y": []}
    overlay.data = {"x": [1], "y": [2]}
    assert [drawn.glyph.size for drawn in fig.renderers] == [3, 5, upper.glyph.size]
    assert made == fig.renderers[:2]
    assert {drawn.data_source for drawn in made} == {overlay.source}
    overlay.data = {"x": [], "y": []}
    assert overlay.source is not None
    assert not len(overlay.data["x"])


def test_overlay_lies_above_all_where_it_is_not_told_otherwise():
    fig, (source,) = create_figure(), create_sources(("x", "y"))
    lower = add_glyph(fig, Scatter(), source)
    Overlay(fig, [Scatter()], ("x", "y"), level="overlay").data = {"x": [1], "y": [2]}
    assert fig.renderers[0] is lower
    assert fig.renderers[1].level == "overlay"
