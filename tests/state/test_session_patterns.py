"""What a session says of attention patterns."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import FakeInference
from tests.synthetic import write_synthetic_study
from vitpanel.drawing.display import threshold_value
from vitpanel.state.online import MEAN_ATTENTION, NO_IMAGE, Online
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory):
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("study") / "a.study"))


@pytest.fixture
def session(study: Study):
    return Session(study, selection=Selection(image=3), inference=FakeInference(study.spec))


def test_the_map_starts_with_the_offsets_where_a_study_has_them(study: Study, tmp_path: Path):
    assert Session(study).selection.pattern == "offset"
    without = open_study(write_synthetic_study(tmp_path / "b.study", finished=False))
    assert Session(without).selection.pattern == "patch"


def test_a_mean_is_shown_when_it_is_of_twice_as_many_images_and_not_of_another_choice(session: Any):
    live = session.inference
    live.is_prompt = False
    session.selection.param.update(image=None, layer=1, head=2)
    assert (session.attention.status, session.attention.value) == ("running", None)
    (job,), deliver = live.waiting[MEAN_ATTENTION]
    said = []
    for n in (1, 2, 3, 5):
        deliver(Online("running", live.attention_so_far(job, n)))
        said.append(session.attention.message)
    every = len(job.images)
    assert said == [f"mean of {n} of {every} images" for n in (1, 2, 2, 5)]
    live.answer(MEAN_ATTENTION)
    assert (session.attention.status, session.attention.message) == ("done", f"mean of {every} images")
    mean = np.mean([live.matrices(image, 1)[2].astype(float) for image in job.images], axis=0)
    assert np.allclose(session.attention.value, mean, atol=1e-6)
    session.selection.image = 3
    deliver(Online("running", live.attention_so_far(job, 12)))
    assert session.attention.message == ""
    session.selection.param.update(image=None, layer=0)
    live.fail(MEAN_ATTENTION, message="No memory.", hint="Wait.")
    assert (session.attention.status, session.attention.message) == ("failed", "No memory.")


def test_display_of_the_chosen_head(session: Any):
    session.selection.param.update(layer=1, head=2, threshold=0.1)
    matrix = session.inference.matrices(3, 1)[2]
    display = session.head_display()
    assert np.array_equal(display.matrix, matrix)
    assert session.threshold_value() == threshold_value(matrix, 0.1)


def test_no_display_until_the_model_has_answered(session: Any):
    session.inference.is_prompt = False
    session.selection.layer = 1
    assert session.head_display() is None
    assert session.threshold_value() is None
    session.inference.answer("attention")
    assert session.head_display() is not None


def test_image_and_head_are_chosen_in_one_step(session: Any):
    heard = []
    session.selection.param.watch(lambda *events: heard.append(len(events)), ["image", "layer", "head"])
    session.selection.choose_pattern(5, 1, 2)
    assert (session.selection.image, *session.chosen_head) == (5, 1, 2)
    assert heard == [3]


def test_jumps_to_other_images_are_remembered(session: Any):
    session.selection.jump(3, 1, 1)
    assert session.selection.jumps == []
    session.selection.jump(5, 0, 2)
    session.selection.jump(7, 1, 0)
    assert session.selection.jumps == [(3, 1, 1), (5, 0, 2)]
    for expected in [(5, 0, 2), (3, 1, 1), (3, 1, 1)]:
        session.selection.go_back()
        assert (session.selection.image, *session.chosen_head) == expected
    assert session.selection.jumps == []


def test_the_atlas_is_asked_for_only_while_somebody_looks_at_it(session: Any):
    inference = session.inference
    assert session.atlas.status == "idle"
    for image in (3, 4):
        session.param.update(wants_atlas=True)
        session.selection.param.update(image=image)
        assert np.array_equal(session.atlas.value, inference.thumbnails(image))
    session.param.update(wants_atlas=False)
    session.selection.param.update(image=5)
    assert "atlas" not in inference.waiting
    session.param.update(wants_atlas=True)
    assert np.array_equal(session.atlas.value, inference.thumbnails(5))


def test_an_atlas_of_another_image_is_dropped(session: Any):
    session.inference.is_prompt = False
    session.wants_atlas = True
    _, deliver = session.inference.waiting["atlas"]
    session.selection.image = 4
    deliver(Online("done", np.zeros((2, 3, 18, 18), np.uint8)))
    assert session.atlas.status == "running"
    session.selection.image = None
    assert (session.atlas.status, session.atlas.message) == ("idle", NO_IMAGE)


def test_heads_in_the_orders_of_the_atlas(session: Any, study: Study):
    all_heads = [(layer, head) for layer in range(2) for head in range(3)]
    entropy = study["entropy"][3]
    assert session.heads_by("layer") == all_heads
    assert session.heads_by("entropy") == sorted(all_heads, key=lambda place: entropy[place])
    assert [3 * layer + head for layer, head in session.heads_by("importance")] == session.ranking().order.tolist()
