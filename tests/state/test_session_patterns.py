"""What a session says of attention patterns."""

from typing import Any

import numpy as np
import pytest

from tests.fakes import FakeInference
from tests.synthetic import write_synthetic_study
from vitpanel.core.display import threshold_value
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory):
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("study") / "a.study"))


@pytest.fixture
def session(study: Study):
    return Session(study, selection=Selection(image=3), inference=FakeInference(study.spec))


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


def test_jumps_to_other_images_are_remembered(session: Any):
    session.jump(3, 1, 1)
    assert session.jumps == []
    session.jump(5, 0, 2)
    session.jump(7, 1, 0)
    assert session.jumps == [(3, 1, 1), (5, 0, 2)]
    for expected in [(5, 0, 2), (3, 1, 1), (3, 1, 1)]:
        session.go_back()
        assert (session.selection.image, *session.chosen_head) == expected
    assert session.jumps == []
