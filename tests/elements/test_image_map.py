"""The map of all images as an element, and how many of them are painted."""

from collections.abc import Callable
from typing import Any

import holoviews as hv
import numpy as np
import pytest
from holoviews.streams import BoundsXY, Lasso, PlotSize, RangeXY, Tap

from tests.elements.test_pattern_map import colours_in, stream
from tests.synthetic import write_synthetic_study
from vitpanel.drawing.viewport import Viewport
from vitpanel.elements import density
from vitpanel.elements.density import draw_plot
from vitpanel.elements.image_looks import image_pixels
from vitpanel.elements.image_map import image_map, paint_images
from vitpanel.errors import StudyIncompleteError
from vitpanel.state.brush import Ids, InPolygon, InRange
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study, open_study

VIEWPORT = Viewport((0.0, 10.0), (0.0, 5.0), 100, 50)
DROP = "layout/images_drop"


def pixels_of(*colours: str):
    return image_pixels(np.arange(len(colours)), colours)


def test_images_are_painted_where_they_belong():
    places = np.array([[2.05, 1.05], [9.95, 4.95], [30, 2], [np.nan, np.nan]])
    picture = paint_images(places, np.arange(1, 5, dtype=np.uint32), VIEWPORT).pixels
    assert picture.shape == (50, 100)
    assert picture[10, 20] == 1
    assert picture[49, 99] == 2
    assert set(np.unique(picture)) == {0, 1, 2}
    assert (picture == 1).sum() == 21


def test_what_stands_out_is_on_top_and_the_rest_is_faint():
    places, highlighted = np.full((9, 2), 2.5), np.arange(9) == 4
    colours = pixels_of(*["#0000ff"] * 4, "#ff0000", *["#0000ff"] * 4)
    assert set(np.unique(paint_images(places, colours, VIEWPORT, highlighted=highlighted).pixels)) == {0, colours[4]}
    far = places + np.arange(9)[:, None] * [0.5, 0]
    alpha = np.unique(paint_images(far, colours, VIEWPORT, highlighted=highlighted).pixels) >> 24
    assert sorted(set(alpha.tolist())) == [0, 40, 230]


def test_no_group_is_always_on_top():
    places = np.repeat(np.random.default_rng(0).uniform(0, 5, (500, 2)), 2, axis=0)
    picture = paint_images(places, np.tile(np.array([1, 2], np.uint32), 500), VIEWPORT).pixels
    assert 0.7 < (picture == 1).sum() / (picture == 2).sum() < 1.4


def test_of_discs_over_each_other_the_later_is_seen_whole(rng: np.random.Generator):
    places, colours = rng.uniform(0, 5, (60, 2)), np.arange(1, 61, dtype=np.uint32)
    expected = np.zeros((50, 100), np.uint32)
    for image in np.random.default_rng(0).permutation(60):
        row, col = (int(places[image, axis] * 10) for axis in (1, 0))
        for y, x in np.ndindex(50, 100):
            if np.hypot(y - row, x - col) < 2.5:
                expected[y, x] = colours[image]
    assert np.array_equal(paint_images(places, colours, VIEWPORT).pixels, expected)


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
def many(monkeypatch: pytest.MonkeyPatch):
    """Paint maps of ten images and more."""
    monkeypatch.setattr(density, "MOST_GLYPHS", 10)


def test_few_images_are_points_that_say_what_they_are(study: Study):
    points = image_map(study)
    assert isinstance(points, hv.Points)
    assert np.array_equal(points.array(["x", "y"]), study[DROP])
    looks = set(zip(points["label"], points["colour"], points["marker"], strict=True))
    assert len(looks) == len(set(study.images["label_name"]))
    fig = draw_plot(points).state
    assert fig.x_range.start < study[DROP][:, 0].min() < study[DROP][:, 0].max() < fig.x_range.end


def test_many_images_are_one_picture(study: Study, many: None):
    picture = image_map(study)
    assert isinstance(picture, hv.RGB)
    assert len(colours_in(picture)) == len(set(study.images["label_name"]))


def test_the_table_has_every_image(study: Study):
    table = image_map(study, Selection(image=4), layout="jsd", table=True)
    assert table["image"].tolist() == list(range(12))
    assert np.array_equal(table[["x", "y"]], study["layout/images_jsd"])
    assert np.flatnonzero(table["is_chosen"]).tolist() == [4]
    assert set(table["layout"]) == {"jsd"}


@pytest.mark.parametrize("limit", [10, 5000])
def test_a_linked_map_follows_the_selection_and_a_tap_writes_to_it(
    study: Study, monkeypatch: pytest.MonkeyPatch, limit: int
):
    monkeypatch.setattr(density, "MOST_GLYPHS", limit)
    selection = Selection(image=3)
    element = image_map(study, selection)
    plot = draw_plot(element)

    def ring() -> list[Any]:
        return element[()].get(1).array().tolist()

    assert ring() == [study[DROP][3].tolist()]
    before = plot.state.x_range.start
    plot.state.x_range.start = -1
    x, y = (float(value) for value in study[DROP][8])
    stream(plot, Tap).event(x=x, y=y)
    assert selection.image == 8
    assert ring() == [[x, y]]
    stream(plot, Tap).event(x=1e4, y=1e4)
    assert selection.image == 8
    selection.image = None
    assert ring() == []
    assert plot.state.x_range.start == -1 != before


@pytest.mark.parametrize("limit", [10, 5000])
def test_a_lasso_and_a_box_brush_images_which_stand_out(study: Study, monkeypatch: pytest.MonkeyPatch, limit: int):
    monkeypatch.setattr(density, "MOST_GLYPHS", limit)
    selection = Selection()
    element = image_map(study, selection)
    plot = draw_plot(element)
    x, y = study[DROP].T
    stream(plot, BoundsXY).event(bounds=(-3.0, -5.0, 4.0, 5.0))
    inside = (x > -3) & (x < 4) & (y > -5) & (y < 5)
    assert 0 < inside.sum() < 12
    assert selection.images is not None
    assert np.array_equal(selection.images.to_mask(study), inside)
    line = np.array([[-9.0, -9], [9, -9], [0, 9]])
    stream(plot, Lasso).event(geometry=line)
    assert selection.images == InPolygon(DROP, tuple(line[:, 0]), tuple(line[:, 1]))
    drawn = element[()].get(0)
    if limit > 12:
        highlighted = selection.images.to_mask(study)
        assert drawn["strength"][highlighted].min() > 2 * drawn["strength"][~highlighted].max()
    else:
        assert set(np.unique(drawn.dimension_values("A")).tolist()) == {0, 40, 230}


def test_colours_and_layout_follow_unless_they_are_fixed(study: Study):
    selection = Selection()
    free, fixed = image_map(study, selection), image_map(study, selection, layout="cls", colour="label")
    labels = set(fixed[()].get(0)["colour"])
    selection.param.update(image_layout="jsd", colouring="correct")
    assert np.array_equal(free[()].get(0).array(["x", "y"]), study["layout/images_jsd"])
    assert np.array_equal(fixed[()].get(0).array(["x", "y"]), study["layout/images_cls"])
    assert set(fixed[()].get(0)["colour"]) == labels != set(free[()].get(0)["colour"])


def test_what_comes_into_sight_is_painted_at_full_detail(study: Study, many: None):
    plot = draw_plot(image_map(study, Selection()))
    (source,) = (sub.handles["source"] for sub in plot.subplots.values() if isinstance(sub.current_frame, hv.RGB))
    stream(plot, PlotSize).event(width=50, height=40)
    stream(plot, RangeXY).event(x_range=(0.0, 1.0), y_range=(2.0, 3.0))
    assert source.data["image"][0].shape == (40, 50)
    assert (source.data["x"], source.data["dh"]) == ([0.0], [1.0])


def test_a_layout_that_the_study_lacks_is_refused_with_the_reason(small_study: Callable[..., Study]):
    with pytest.raises(StudyIncompleteError, match="still lacks the maps"):
        image_map(small_study(finished=False))
    with pytest.raises(StudyIncompleteError, match="class head"):
        image_map(small_study(n_classes=0), layout="drop")


@pytest.mark.parametrize("colour", ["importance", "entropy", "distance"])
def test_images_are_coloured_by_a_number_of_the_chosen_head(study: Study, colour: str):
    selection = Selection(layer=1, head=2, metric="jsd")
    table = image_map(study, selection, colour=colour, table=True)
    name = "importance_jsd" if colour == "importance" else colour
    expected = study[f"importance/{selection.metric}" if colour == "importance" else colour][:, 1, 2]
    assert np.array_equal(table[name], expected, equal_nan=True)
    points = image_map(study, selection, colour=colour)[()].get(0)
    assert np.array_equal(points[name], expected, equal_nan=True)
    by_number = points["colour"][np.argsort(expected, kind="stable")]
    assert len(set(by_number)) > 5
    assert "L1 H2" in points.opts.get("plot").kwargs["title"]


@pytest.mark.parametrize("limit", [10, 5000])
def test_colours_of_a_head_follow_head_and_metric(study: Study, monkeypatch: pytest.MonkeyPatch, limit: int):
    monkeypatch.setattr(density, "MOST_GLYPHS", limit)
    selection = Selection(metric="jsd")
    element = image_map(study, selection, colour="importance")
    draw_plot(element)

    def shown() -> list[Any]:
        drawn = element[()].get(0)
        return drawn["colour"].tolist() if limit > 12 else drawn.dimension_values("R").tolist()

    looks = [shown()]
    for change in ({"head": 1}, {"layer": 1}, {"metric": "probability"}):
        selection.param.update(**change)
        looks.append(shown())
    assert len({tuple(look) for look in looks}) == len(looks)


def test_colours_that_the_study_lacks_are_refused_with_the_reason(small_study: Callable[..., Study]):
    with pytest.raises(StudyIncompleteError, match="class"):
        image_map(small_study(n_classes=0), Selection(image_layout="patch"), colour="importance", table=True)


def test_images_are_coloured_by_brushed_heads_and_the_title_says_when_there_are_none(study: Study):
    selection = Selection(metric="jsd")
    element = image_map(study, selection, colour="brush")
    draw_plot(element)

    def title() -> str:
        return element[()].get(0).opts.get("plot").kwargs["title"]

    assert title().endswith("no heads are brushed")
    assert "n_brushed" not in image_map(study, selection, colour="brush", table=True)
    selection.mark(InRange("entropy", low=0.6))
    counts = [int((study["entropy"][image] >= 0.6).sum()) for image in range(study.n_images)]
    assert element[()].get(0)["n_brushed"].tolist() == counts
    assert image_map(study, selection, colour="brush", table=True)["n_brushed"].tolist() == counts
    selection.mark(Ids(((0, 1), (1, 1)), "head"))
    mean = study["importance/jsd"].astype(float)[:, [0, 1], [1, 1]].mean(1)
    assert element[()].get(0)["importance_jsd_brushed"] == pytest.approx(mean)
    assert "mean of 2 brushed heads" in title()
    selection.heads = None
    assert title().endswith("no heads are brushed")
