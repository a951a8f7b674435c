"""The map of all heads, against slow definitions."""

from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.drawing.viewport import Viewport
from vitpanel.errors import StudyIncompleteError
from vitpanel.state.pattern_map import PatternMap, pattern_layouts, pattern_map
from vitpanel.study.cohesion import cohesion
from vitpanel.study.reader import open_study

VIEW = Viewport((-20.0, 20.0), (-20.0, 20.0), 400, 400)


@pytest.fixture
def layout(rng: np.random.Generator):
    return rng.normal(size=(9, 2, 3, 2)).astype(np.float32)


def test_map_is_shared_and_its_rows_are_those_of_the_study(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study"))
    found = pattern_map(study, "patch")
    assert not found.is_sorted
    assert len(found.grid) == 72
    assert found.is_sorted
    assert found is pattern_map(study, "patch")
    assert found is not pattern_map(study, "cls")
    layout = study["layout/patch"]
    for place in [(0, 0, 0), (7, 1, 2), (11, 0, 1)]:
        row = int(np.ravel_multi_index(place, layout.shape[:3]))
        assert found.head(row) == place
        assert np.array_equal(np.ravel(found.coordinates(np.array([row]))), layout[place])
        near = found.near(tuple(layout[place]), VIEW, pixels=1)
        assert near is not None
        assert near.nearest == place
    x, y, rows = found.within(VIEW)
    assert np.array_equal(layout.reshape(-1, 2)[rows], np.stack([x, y], 1))
    assert sorted(rows.tolist()) == found.rows.tolist() == list(range(72))


def test_heads_without_a_place_are_left_out(layout: np.ndarray):
    layout[:2] = np.nan
    found = PatternMap(layout)
    assert found.rows.tolist() == list(range(12, 54))
    near = found.near(tuple(layout[3, 1, 2]), VIEW, pixels=1)
    assert near is not None
    assert near.nearest == (3, 1, 2)
    assert len(found.grid) == 42
    assert found.home[0] == (np.nanmin(layout[..., 0]), np.nanmax(layout[..., 0]))
    assert found.cohesion.n_points == 42
    nothing = PatternMap(np.full((2, 1, 2, 2), np.nan, np.float32))
    assert nothing.near((0, 0), VIEW, pixels=9) is None
    assert len(nothing.grid) == 0
    assert nothing.home == ((0, 1), (0, 1))
    assert np.isnan(nothing.cohesion.share).all()


def test_cohesion_is_that_of_the_layout_and_found_once(layout: np.ndarray):
    found = PatternMap(layout)
    assert found.cohesion is found.cohesion
    assert np.array_equal(found.cohesion.share, cohesion(layout).share)


def test_missing_layout_is_refused_with_its_reason(tmp_path: Path):
    no_cls = open_study(write_synthetic_study(tmp_path / "a.study", prefix=()))
    assert pattern_layouts(no_cls) == ("patch", "cls", "offset")
    with pytest.raises(StudyIncompleteError, match="CLS"):
        pattern_map(no_cls, "cls")
    unfinished = open_study(write_synthetic_study(tmp_path / "b.study", finished=False))
    with pytest.raises(StudyIncompleteError, match="not finished"):
        pattern_map(unfinished, "patch")


def test_nearest_head_of_one_image(layout: np.ndarray):
    layout[4, 0] = np.nan
    found = PatternMap(layout)
    x, y = layout[4, 1, 2] + [0.4, -0.3]
    nearest = min(np.ndindex(2, 3), key=lambda head: np.nan_to_num(np.linalg.norm(layout[4][head] - [x, y]), nan=9))
    assert found.nearest_of(4, (x, y), VIEW, pixels=6) == nearest
    assert found.nearest_of(4, (15.0, 15.0), VIEW, pixels=6) is None


def test_what_is_near_is_all_within_a_circle_on_the_screen(layout: np.ndarray):
    layout[2, 1, 1] = np.nan
    found, viewport = PatternMap(layout), Viewport((-4, 4), (-8, 8), 400, 400)
    for at in [(0.1, 0.2), (1.5, -0.5), (-0.7, 0.9)]:
        distance = {
            place: np.hypot((layout[place][0] - at[0]) * 50, (layout[place][1] - at[1]) * 25)
            for place in np.ndindex(9, 2, 3)
            if np.isfinite(layout[place]).all()
        }
        inside = [place for place in distance if distance[place] <= 20]
        near = found.near(at, viewport, pixels=20)
        assert near is not None
        assert (near.count, near.nearest) == (len(inside), min(inside, key=lambda place: distance[place]))
    assert found.near((3.9, 7.9), viewport, pixels=1) is None
