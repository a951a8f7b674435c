"""The map of all heads as an element."""

from collections.abc import Callable
from typing import Any

import holoviews as hv
import numpy as np
import pytest
from holoviews.streams import BoundsXY, Lasso, PlotSize, RangeXY, Stream, Tap

from tests.synthetic import write_synthetic_study
from vitpanel.drawing.points import is_inside
from vitpanel.elements.density import draw_plot
from vitpanel.elements.pattern_map import pattern_map
from vitpanel.errors import StudyIncompleteError
from vitpanel.state.brush import InPolygon, Near
from vitpanel.state.selection import MAP_COLOURS, Selection
from vitpanel.study.reader import Study, open_study
from vitpanel.theme.palette import CHOSEN, layer_colours


@pytest.fixture(scope="module")
def small_study(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Study]:
    """Open a synthetic study of the given sizes."""

    def small(**sizes: Any) -> Study:
        return open_study(write_synthetic_study(tmp_path_factory.mktemp("map") / "a.study", **sizes))

    return small


@pytest.fixture(scope="module")
def study(small_study: Callable[..., Study]):
    return small_study()


@pytest.fixture
def selection():
    return Selection(image=3, density=False)


def stream(plot: Any, kind: type[Stream]):
    """Stream of a kind that an act on a plot reaches."""
    callbacks = [callback for callbacks in plot.traverse(lambda one: one.callbacks) for callback in callbacks]
    return next(one for callback in callbacks for one in callback.streams if isinstance(one, kind))


def layers_of(element: Any):
    """The picture, the chosen image's heads and the ring, as they are now."""
    picture, own, ring = element[()].values()
    return picture, own, ring


def colours_in(picture: hv.RGB):
    """Colours that are painted, as ``#rrggbb``."""
    red, green, blue, alpha = (picture.dimension_values(name, flat=False) for name in "RGBA")
    pixels = np.stack([red, green, blue], -1)[alpha > 0]
    return {f"#{r:02x}{g:02x}{b:02x}" for r, g, b in np.unique(pixels, axis=0)}


def test_a_static_map_is_one_picture_of_everything(study: Study):
    picture = pattern_map(study, density=False, colour="layer")
    x0, y0, x1, y1 = picture.bounds.lbrt()
    layout = study["layout/patch"].reshape(-1, 2)
    assert ((layout > (x0, y0)) & (layout < (x1, y1))).all()
    assert {colour.lower() for colour in layer_colours(2)} <= colours_in(picture)
    assert draw_plot(picture).state.x_range.start == pytest.approx(x0)


@pytest.mark.parametrize("colour", MAP_COLOURS)
@pytest.mark.parametrize("density", [True, False])
def test_every_colour_can_be_drawn(study: Study, colour: str, density: bool):  # noqa: FBT001 - from parametrize
    assert colours_in(pattern_map(study, colour=colour, density=density))


def test_without_a_selection_it_is_in_the_layout_that_the_page_starts_with(study: Study):
    assert set(pattern_map(study, table=True)["layout"]) == {Selection(study).pattern} == {"offset"}


def test_the_table_has_every_head_once(study: Study, selection: Selection):
    selection.choose_head(1, 2)
    table = pattern_map(study, selection, table=True)
    assert table.set_index(["image", "layer", "head"]).index.is_unique
    assert len(table) == 72
    assert np.array_equal(table[["x", "y"]], study["layout/patch"].reshape(-1, 2))
    assert table[table.is_chosen][["image", "layer", "head"]].to_numpy().tolist() == [[3, 1, 2]]
    selection.image = None
    assert pattern_map(study, selection, table=True)["is_chosen"].sum() == 12


def test_a_linked_map_follows_the_selection(study: Study, selection: Selection):
    element = pattern_map(study, selection)
    _, own, ring = layers_of(element)
    assert np.array_equal(own.array([0, 1]), study["layout/patch"][3].reshape(-1, 2))
    assert ring.array().tolist() == [study["layout/patch"][3, 0, 0].tolist()]
    selection.param.update(image=5, layer=1, head=1, pattern="cls")
    _, own, ring = layers_of(element)
    assert np.array_equal(own.array([0, 1]), study["layout/cls"][5].reshape(-1, 2))
    assert ring.array().tolist() == [study["layout/cls"][5, 1, 1].tolist()]
    selection.image = None
    picture, own, ring = layers_of(element)
    assert len(own) == len(ring) == 0
    assert CHOSEN in colours_in(picture)


def test_options_stay_whatever_the_selection_says(study: Study, selection: Selection):
    element = pattern_map(study, selection, layout="cls", colour="layer")
    selection.param.update(pattern="patch", map_colour="head")
    picture, own, _ = layers_of(element)
    assert np.array_equal(own.array([0, 1]), study["layout/cls"][3].reshape(-1, 2))
    assert {colour.lower() for colour in layer_colours(2)} <= colours_in(picture)
    assert selection.pattern == "patch"


def test_a_tap_chooses_the_nearest_head_of_all(study: Study, selection: Selection):
    plot = draw_plot(pattern_map(study, selection))
    x, y = study["layout/patch"][7, 1, 0]
    stream(plot, Tap).event(x=float(x) + 0.01, y=float(y))
    distance = np.linalg.norm(study["layout/patch"] - (x + 0.01, y), axis=-1)
    chosen = (selection.image, selection.layer, selection.head)
    assert distance[chosen] == pytest.approx(distance.min(), abs=1e-6)
    stream(plot, Tap).event(x=1e4, y=1e4)
    assert (selection.image, selection.layer, selection.head) == chosen


def test_a_lasso_and_a_box_mark_a_cluster(study: Study, selection: Selection):
    plot = draw_plot(pattern_map(study, selection))
    line = np.array([[-3.0, -3], [4, -3], [4, 4], [-3, 4]])
    stream(plot, Lasso).event(geometry=line)
    assert selection.heads == InPolygon("layout/patch", tuple(line[:, 0]), tuple(line[:, 1]))
    x, y = study["layout/patch"].reshape(-1, 2).T
    marked = is_inside(x, y, (line[:, 0], line[:, 1]))
    assert 0 < marked.sum() < 72
    stream(plot, BoundsXY).event(bounds=(-3.0, -3.0, 4.0, 4.0))
    assert selection.heads == InPolygon("layout/patch", (-3, 4, 4, -3), (-3, -3, 4, 4))


def test_a_marked_cluster_is_highlighted(study: Study, selection: Selection):
    element = pattern_map(study, selection)
    before = colours_in(layers_of(element)[0])
    selection.heads = Near("layout/patch", (3, 0, 0), 5)
    assert colours_in(layers_of(element)[0]) - before


def test_what_comes_into_sight_is_painted_at_full_detail(study: Study, selection: Selection):
    plot = draw_plot(pattern_map(study, selection))
    (source,) = (sub.handles["source"] for sub in plot.subplots.values() if isinstance(sub.current_frame, hv.RGB))
    x, y = (float(value) for value in study["layout/patch"][3, 0, 0])
    stream(plot, PlotSize).event(width=50, height=40)
    stream(plot, RangeXY).event(x_range=(x - 0.1, x + 0.1), y_range=(y - 0.1, y + 0.1))
    assert source.data["image"][0].shape == (40, 50)
    assert source.data["x"][0] == pytest.approx(x - 0.1)
    assert source.data["dw"][0] == pytest.approx(0.2)


def test_a_layout_that_the_study_lacks_is_refused_with_the_reason(small_study: Callable[..., Study]):
    with pytest.raises(StudyIncompleteError, match="CLS"):
        pattern_map(small_study(prefix=()), layout="cls")
    with pytest.raises(StudyIncompleteError, match="label"):
        pattern_map(small_study(n_classes=0), colour="class")
