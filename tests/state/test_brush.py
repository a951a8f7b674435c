import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.synthetic import write_synthetic_study
from vitpanel.errors import StudyIncompleteError
from vitpanel.state.brush import ImageIds, LayoutRegion
from vitpanel.state.session import Session
from vitpanel.study.reader import open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("brush") / "a.study", n_images=40))


def turns_around(x: float, y: float, corners: list[tuple[float, float]]) -> int:
    """How often the outline turns around a place, by the angles under which its corners are seen from there."""
    seen = [np.arctan2(cy - y, cx - x) for cx, cy in corners]
    steps = [(b - a + np.pi) % (2 * np.pi) - np.pi for a, b in zip(seen, [*seen[1:], seen[0]], strict=True)]
    return round(sum(steps) / (2 * np.pi))


@given(st.lists(st.tuples(st.floats(-15, 15), st.floats(-15, 15)), min_size=3, max_size=9))
def test_a_region_holds_the_images_that_its_outline_goes_around(study, corners: list[tuple[float, float]]):
    region = LayoutRegion("layout/images", *(tuple(axis) for axis in zip(*corners, strict=True)))
    expected = [turns_around(x, y, corners) % 2 == 1 for x, y in study["layout/images"].astype(float)]
    assert region.to_mask(study).tolist() == expected


def test_a_box_and_nothing_else(study):
    x, y = study["layout/images"].T
    region = LayoutRegion("layout/images", (-2, 3, 3, -2), (-4, -4, 5, 5))
    assert np.array_equal(region.to_mask(study), (x > -2) & (x < 3) & (y > -4) & (y < 5))


def test_ids_that_a_study_does_not_have_are_no_error(study):
    assert np.flatnonzero(ImageIds((3, 17, 400)).to_mask(study)).tolist() == [3, 17]


def test_a_session_knows_its_brush_when_the_layout_changes(study):
    session = Session(study)
    assert session.brushed is None
    session.brush = LayoutRegion("layout/images_jsd", (-2, 3, 3, -2), (-4, -4, 5, 5))
    mask = session.brushed
    assert mask is not None
    session.selection.image_layout = "patch"
    assert session.brushed is mask
    session.brush = ImageIds((1,))
    mask = session.brushed
    assert mask is not None
    assert np.flatnonzero(mask).tolist() == [1]


def test_a_region_of_a_layout_that_is_not_there(tmp_path):
    unfinished = open_study(write_synthetic_study(tmp_path / "a.study", finished=False))
    with pytest.raises(StudyIncompleteError):
        LayoutRegion("layout/images", (0, 1, 1), (0, 0, 1)).to_mask(unfinished)
