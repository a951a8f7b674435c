from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.synthetic import write_synthetic_study
from vitpanel.errors import BrushError, StudyIncompleteError
from vitpanel.state.brush import (
    Brush,
    Ids,
    InPolygon,
    InRange,
    Matches,
    Near,
    OfClass,
    brushed_heads,
    combined,
    mask_of,
    mask_shape,
)
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("brush") / "a.study", n_images=40))


BRUSHES = [
    Ids((3, 17)),
    Ids(((0, 1), (1, 2)), "head"),
    Ids(((5, 0, 1),), "instance"),
    Ids((0, 4), "token"),
    InPolygon("layout/images", (-2, 3, 3), (-4, -4, 5)),
    InPolygon("layout/offset", (-2.5, 3, 3), (-4, -4, 5)),
    InRange("entropy", low=0.4),
    InRange("p_true", 0.2, 0.8, "image"),
    InRange("importance/probability", high=0.1, item="head"),
    OfClass("class 2"),
    OfClass("class 0", by="predicted"),
    Matches("CLASS 0"),
    Near("layout/images", (3,), 7),
    Near("layout/offset", (3, 1, 0), 12),
]
BRUSHES += [
    BRUSHES[0] & ~BRUSHES[9],
    BRUSHES[0] | BRUSHES[9] - BRUSHES[11],
    BRUSHES[9] & BRUSHES[6],
    BRUSHES[9] & BRUSHES[1],
]


def turns_around(x: float, y: float, corners: list[tuple[float, float]]) -> int:
    """How often the outline turns around a place, by the angles under which its corners are seen from there."""
    seen = [np.arctan2(cy - y, cx - x) for cx, cy in corners]
    steps = [(b - a + np.pi) % (2 * np.pi) - np.pi for a, b in zip(seen, [*seen[1:], seen[0]], strict=True)]
    return round(sum(steps) / (2 * np.pi))


@given(st.lists(st.tuples(st.floats(-15, 15), st.floats(-15, 15)), min_size=3, max_size=9))
def test_a_region_holds_the_images_that_its_outline_goes_around(study, corners: list[tuple[float, float]]):
    region = InPolygon("layout/images", *(tuple(axis) for axis in zip(*corners, strict=True)))
    expected = [turns_around(x, y, corners) % 2 == 1 for x, y in study["layout/images"].astype(float)]
    assert region.to_mask(study).tolist() == expected


def test_a_box_and_nothing_else(study):
    x, y = study["layout/images"].T
    region = InPolygon("layout/images", (-2, 3, 3, -2), (-4, -4, 5, 5))
    assert np.array_equal(region.to_mask(study), (x > -2) & (x < 3) & (y > -4) & (y < 5))


def test_a_region_of_the_map_of_heads_holds_heads_on_images(study):
    x, y = np.moveaxis(study["layout/offset"], -1, 0)
    region = InPolygon("layout/offset", (-2, 3, 3, -2), (-4, -4, 5, 5))
    assert np.array_equal(region.to_mask(study), (x > -2) & (x < 3) & (y > -4) & (y < 5))


def test_ids_that_a_study_does_not_have_are_no_error(study):
    assert np.flatnonzero(Ids((3, 17, 400)).to_mask(study)).tolist() == [3, 17]
    assert np.argwhere(Ids(((1, 2), (0, 9)), "head").to_mask(study)).tolist() == [[1, 2]]
    assert not Near("layout/images", (400,), 3).to_mask(study).any()


def test_ranges_by_a_slow_definition(study):
    entropy, loss = study["entropy"], study["importance/probability"]
    assert np.array_equal(InRange("entropy", 0.2, 0.6).to_mask(study), (entropy >= 0.2) & (entropy <= 0.6))
    assert np.array_equal(InRange("importance/probability", low=0.1).to_mask(study), loss >= 0.1)
    means = np.array([[np.mean(entropy[:, i, j]) for j in range(3)] for i in range(2)])
    limit = float(np.sort(means, axis=None)[2:4].mean())
    assert np.array_equal(InRange("entropy", low=limit, item="head").to_mask(study), means >= limit)


def test_classes_and_texts(study):
    images = study.images
    assert np.array_equal(OfClass("class 2").to_mask(study), images["label_name"] == "class 2")
    assert np.array_equal(OfClass("class 0", by="predicted").to_mask(study), images["predicted_name"] == "class 0")
    assert not OfClass("no such class").to_mask(study).any()
    assert np.array_equal(Matches("CLASS 0").to_mask(study), images["file"].str.contains("class 0"))


def test_the_nearest_by_a_slow_definition(study):
    places = study["layout/offset"].reshape(-1, 2).astype(float)
    middle = (3 * 2 + 1) * 3 + 0
    order = np.argsort(np.hypot(*(places - places[middle]).T))
    assert set(np.flatnonzero(Near("layout/offset", (3, 1, 0), 12).to_mask(study))) == set(order[:12])
    assert Near("layout/images", (3,), 1000).to_mask(study).all()


@pytest.mark.parametrize("brush", BRUSHES, ids=lambda brush: brush.words)
def test_every_brush_has_a_mask_a_sentence_and_a_way_there_and_back(study, brush: Brush):
    mask = brush.to_mask(study)
    assert mask.dtype == bool
    assert mask.shape == mask_shape(study, brush.item)
    assert brush.words
    assert Brush.from_dict(brush.to_dict()) == brush
    assert hash(Brush.from_dict(brush.to_dict())) == hash(brush)


def test_sentences_can_be_read():
    few = Ids((1, 2)) - OfClass("Bag")
    assert few.words == "images 1, 2 and also (all images but images of Bag)"
    assert InRange("entropy", low=0.5).words == "heads on images whose entropy is at least 0.5"
    assert Ids(tuple(range(9))).words == "images 0, 1, 2, 3, 4, 5 and 3 more"


def test_combinations_by_sets(study):
    a, b = Ids((1, 2, 3)), Ids((3, 4))
    for brush, expected in [(a & b, {3}), (a | b, {1, 2, 3, 4}), (a - b, {1, 2})]:
        assert set(np.flatnonzero(brush.to_mask(study))) == expected
    assert set(np.flatnonzero((~a).to_mask(study))) == set(range(40)) - {1, 2, 3}


def test_images_and_heads_meet_in_heads_on_images(study):
    images, heads = Ids((5, 6)), Ids(((1, 0),), "head")
    both, either = (images & heads).to_mask(study), (images | heads).to_mask(study)
    assert np.argwhere(both).tolist() == [[5, 1, 0], [6, 1, 0]]
    assert either.sum() == 2 * 6 + 40 - 2
    with pytest.raises(BrushError, match="Tokens"):
        _ = images & Ids((1,), "token")


@pytest.mark.parametrize(
    ("how", "expected", "from_nothing"),
    [("replace", {3, 4}, {3, 4}), ("add", {1, 2, 3, 4}, {3, 4}), ("intersect", {3}, None), ("subtract", {1, 2}, None)],
)
def test_a_brush_more_as_the_tools_of_bokeh_have_it(study, how: str, expected: set[int], from_nothing: Any):
    after, first = combined(Ids((1, 2, 3)), Ids((3, 4)), how=how), combined(None, Ids((3, 4)), how=how)
    assert after is not None
    assert set(np.flatnonzero(after.to_mask(study))) == expected
    assert (first and set(np.flatnonzero(first.to_mask(study)))) == from_nothing
    with pytest.raises(BrushError, match="replce"):
        combined(None, Ids((1,)), how="replce")


def test_a_head_is_brushed_on_whichever_images(study):
    assert not brushed_heads(study, None).any()
    assert not brushed_heads(study, Ids((1, 2))).any()
    assert brushed_heads(study, Ids(((1, 2),), "head")).tolist() == [[False] * 3, [False, False, True]]
    assert brushed_heads(study, Ids(((5, 0, 1), (6, 0, 1)), "instance")).tolist() == [[False, True, False], [False] * 3]


def test_a_brush_is_read_as_an_earlier_version_has_written_it():
    written = {"kind": "Near", "layout": "layout/offset", "place": [3, 1, 0], "count": 12}
    assert Brush.from_dict(written) == Near("layout/offset", (3, 1, 0), 12)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"kind": "Nothing"},
        {"kind": "Ids", "ids": ["a"]},
        {"kind": "Ids", "ids": [-1]},
        {"kind": "Ids", "ids": [1], "more": 2},
        {"kind": "InPolygon", "layout": "layout/images", "x": [0, 1, 1], "y": [0, 1]},
        {"kind": "InPolygon", "layout": "layout/images", "x": [0, 1, None], "y": [0, 1, 1]},
        {"kind": "Near", "layout": "layout/images", "middle": [0, 0, 0], "count": 3},
        {"kind": "And", "parts": []},
        {"kind": "OfClass", "name": "a", "by": "colour"},
        {"kind": "Matches", "text": 5},
    ],
)
def test_what_is_no_brush_is_refused_in_words(data: dict[str, Any]):
    with pytest.raises(BrushError) as caught:
        Brush.from_dict(data)
    assert caught.value.hint


def test_a_range_of_what_has_no_number_for_each_is_refused(study):
    with pytest.raises(BrushError, match="no number for each"):
        InRange("strength").to_mask(study)


def test_a_kind_of_brush_that_is_added_in_one_file_is_known_everywhere(study: Study):
    @dataclass(frozen=True)
    class Every(Brush):
        step: int

        @property
        def item(self) -> str:
            return "image"

        @property
        def words(self) -> str:
            return f"every image whose number is a multiple of {self.step}"

        def to_mask(self, study: Study) -> np.ndarray:
            return np.arange(study.n_images) % self.step == 0

    try:
        session = Session(study, selection=Selection(study))
        session.selection.mark(Brush.from_dict({"kind": "Every", "step": 4}))
        session.selection.mark(Ids((0, 1)), how="subtract")
        assert session.brushed is not None
        assert np.flatnonzero(session.brushed).tolist() == list(range(4, 40, 4))
        assert session.head_density().n_brushed == 9
        assert session.selection.images is not None
        assert session.selection.images.words.startswith("every image whose number is a multiple of 4")
        assert Brush.from_dict(session.selection.images.to_dict()) == session.selection.images
    finally:
        del Brush.kinds["Every"]


def test_a_session_knows_its_brush_when_the_layout_changes(study):
    session = Session(study)
    assert session.brushed is None
    session.selection.images = InPolygon("layout/images_jsd", (-2, 3, 3, -2), (-4, -4, 5, 5))
    mask = session.brushed
    assert mask is not None
    session.selection.image_layout = "patch"
    assert session.brushed is mask
    session.selection.images = Ids((1,))
    mask = session.brushed
    assert mask is not None
    assert np.flatnonzero(mask).tolist() == [1]


def test_masks_are_kept_and_cannot_be_written_to(study):
    brush = OfClass("class 2") & InRange("entropy", low=0.4)
    mask = mask_of(study, brush)
    assert mask_of(study, OfClass("class 2") & InRange("entropy", low=0.4)) is mask
    assert not mask.flags.writeable


def test_a_region_of_a_layout_that_is_not_there(tmp_path):
    unfinished = open_study(write_synthetic_study(tmp_path / "a.study", finished=False))
    with pytest.raises(StudyIncompleteError):
        InPolygon("layout/images", (0, 1, 1), (0, 0, 1)).to_mask(unfinished)
