"""What a session says of attention patterns."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import FakeInference
from tests.synthetic import write_synthetic_study
from vitpanel.core.display import threshold_value
from vitpanel.errors import StudyIncompleteError
from vitpanel.state.pattern_map import PatternMap, pattern_map
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory):
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("study") / "a.study"))


@pytest.fixture
def session(study: Study):
    return Session(study, selection=Selection(image=3), inference=FakeInference(study.spec))


def test_map_follows_the_chosen_pattern_and_is_shared(session: Any, study: Study):
    for pattern in ("patch", "cls"):
        session.selection.pattern = pattern
        found = session.pattern_map()
        assert np.array_equal(found.layout, study[f"layout/{pattern}"])
        assert found is pattern_map(study, pattern)


def test_nearest_head_of_any_image(session: Any, study: Study):
    layout = study["layout/patch"]
    for place in [(0, 0, 0), (7, 1, 2), (11, 0, 1)]:
        assert session.pattern_map().nearest(tuple(layout[place]), scale=(10, 10)) == place


def test_heads_without_a_place_are_never_nearest(rng: np.random.Generator):
    layout = rng.normal(size=(4, 2, 3, 2))
    layout[:2] = np.nan
    found = PatternMap.from_layout(layout)
    assert len(found.x) == len(found.layer) == 12
    assert found.nearest(tuple(layout[3, 1, 2]), scale=(1, 1)) == (3, 1, 2)
    assert found.layer.tolist() == [0, 0, 0, 1, 1, 1] * 2


def test_missing_layout_is_refused_with_its_reason(tmp_path: Path):
    no_cls = open_study(write_synthetic_study(tmp_path / "a.study", prefix=()))
    with pytest.raises(StudyIncompleteError, match="CLS"):
        pattern_map(no_cls, "cls")
    unfinished = open_study(write_synthetic_study(tmp_path / "b.study", finished=False))
    with pytest.raises(StudyIncompleteError, match="not finished"):
        pattern_map(unfinished, "patch")


def test_display_of_the_chosen_head(session: Any):
    session.selection.param.update(layer=1, head=2, threshold=0.1)
    matrix = session.inference.matrices(3, 1)[2]
    display = session.head_display()
    assert np.array_equal(display.matrix, matrix)
    assert display.threshold == threshold_value(matrix, 0.1)


def test_no_display_until_the_model_has_answered(session: Any):
    session.inference.is_prompt = False
    session.selection.layer = 1
    assert session.head_display() is None
    session.inference.answer("attention")
    assert session.head_display() is not None


def test_image_and_head_are_chosen_in_one_step(session: Any):
    heard = []
    session.selection.param.watch(lambda *events: heard.append(len(events)), ["image", "layer", "head"])
    session.choose_pattern(5, 1, 2)
    assert (session.selection.image, *session.chosen_head) == (5, 1, 2)
    assert heard == [3]
