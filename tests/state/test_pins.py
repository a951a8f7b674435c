"""Heads kept for comparison."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import FakeInference
from tests.stored_modes import write_modes
from tests.synthetic import synthetic_images, write_synthetic_study
from vitpanel.errors import VitpanelError
from vitpanel.state.online import NO_IMAGE, NO_MODEL, Online
from vitpanel.state.selection import MOST_PINNED, Selection
from vitpanel.state.session import Session
from vitpanel.state.stored import stored_modes
from vitpanel.study.reader import Study, open_study
from vitpanel.study.writer import StudyWriter


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    path: Path = tmp_path_factory.mktemp("pins") / "a.study"
    return open_study(write_synthetic_study(path, n_layers=2, n_heads=3))


def test_heads_are_pinned_in_order_and_let_go(study: Study):
    session = Session(study)
    heard: list[object] = []
    session.selection.param.watch(lambda event: heard.append(event.new), "pinned")
    session.selection.pin(1, 2)
    session.selection.pin(0, 0)
    session.selection.pin(1, 2)
    session.selection.unpin(1, 2)
    session.selection.unpin(1, 2)
    assert heard == [[(1, 2)], [(1, 2), (0, 0)], [(0, 0)]]


def test_only_so_many_are_kept(study: Study):
    session = Session(study)
    for flat in range(MOST_PINNED):
        session.selection.pin(*divmod(flat, 3))
    with pytest.raises(VitpanelError, match="4 heads are pinned already") as caught:
        session.selection.pin(1, 2)
    assert caught.value.hint == "Unpin one first."
    assert session.selection.pinned == [(0, 0), (0, 1), (0, 2), (1, 0)]


@pytest.mark.parametrize("head", [(2, 0), (0, 3), (-1, 0)])
def test_head_that_the_study_lacks_is_refused(study: Study, head: tuple[int, int]):
    session = Session(study)
    with pytest.raises(VitpanelError, match=f"no layer {head[0]} head {head[1]}") as caught:
        session.selection.pin(*head)
    assert "layers 0 to 1, heads 0 to 2" in caught.value.hint
    assert session.selection.pinned == []


def test_pins_of_another_study_are_refused_at_the_start(study: Study):
    with pytest.raises(VitpanelError, match="no layer 11 head 5"):
        Session(study, selection=Selection(pinned=[(0, 0), (11, 5)]))


@pytest.mark.parametrize(
    "pinned", [[(0,)], [(0, 1, 2)], [(0, -1)], [(0, 1.0)], [(0, 1), (0, 1)], [("a", "b")], [(0, i) for i in range(5)]]
)
def test_what_is_no_list_of_distinct_heads_is_refused(pinned: list[object]):
    with pytest.raises(ValueError, match=r"pinned|not a head|twice"):
        Selection(pinned=pinned)


def test_selections_do_not_share_their_pins():
    assert Selection().pinned is not Selection().pinned


class TestModesOfPinnedHeads:
    """The live model is asked for what is looked at, the chosen head first."""

    @pytest.fixture
    def session(self, study: Study) -> Session:
        session = Session(study, selection=Selection(image=3), inference=FakeInference(study.spec))
        session.selection.pin_all([(1, 0), (0, 0), (1, 2)])
        return session

    def statuses(self, session: Any) -> list[str]:
        return [answer.status for answer in session.pinned.answers.values()]

    def test_nothing_is_asked_until_somebody_looks(self, session: Any):
        assert self.statuses(session) == ["running", "done", "running"]
        session.pinned.is_shown = True
        assert self.statuses(session) == ["done"] * 3
        for head, answer in session.pinned.answers.items():
            assert np.array_equal(answer.value.layer["cls"], session.inference.pruned_head(3, *head).layer["cls"])

    def test_heads_are_asked_one_by_one_after_the_chosen_one(self, session: Any):
        fake = session.inference
        session.pinned.is_shown = True
        fake.is_prompt = False
        session.selection.image = 4
        assert set(fake.waiting) == {"attention", "modes"}
        fake.answer("modes")
        for head in [(1, 0), (1, 2)]:
            assert fake.waiting["pinned"][0] == (4, *head)
            fake.answer("pinned")
        assert self.statuses(session) == ["done"] * 3
        assert "pinned" not in fake.waiting

    def test_answer_for_another_image_is_not_taken(self, session: Any):
        fake = session.inference
        fake.is_prompt = False
        session.pinned.is_shown = True
        late = fake.waiting["pinned"][1]
        session.selection.image = 5
        late(Online("done", fake.pruned_head(3, 1, 0)))
        assert self.statuses(session) == ["running"] * 3
        session.selection.image = None
        assert {answer.message for answer in session.pinned.answers.values()} == {NO_IMAGE}

    def test_image_and_pins_that_change_together_are_not_mixed_up(self, session: Any):
        session.pinned.is_shown = True
        session.selection.param.update(pinned=[(0, 1), (0, 0)], image=7)
        for head, answer in session.pinned.answers.items():
            assert np.array_equal(answer.value.layer["cls"], session.inference.pruned_head(7, *head).layer["cls"])

    def test_failure_is_kept_and_the_next_is_asked(self, session: Any):
        fake = session.inference
        fake.is_prompt = False
        session.pinned.is_shown = True
        fake.fail("pinned", message="Out of memory.", hint="")
        fake.answer("pinned")
        assert self.statuses(session) == ["failed", "done", "done"]
        fake.is_prompt = True
        session.ask_again()
        assert self.statuses(session) == ["done"] * 3

    def test_head_that_is_let_go_makes_room_for_the_next(self, session: Any):
        fake = session.inference
        fake.is_prompt = False
        session.pinned.is_shown = True
        session.selection.unpin(1, 0)
        assert fake.waiting["pinned"][0] == (3, 1, 2)

    def test_without_a_model_the_reason_is_given(self, study: Study):
        session = Session(study, selection=Selection(image=3, pinned=[(0, 1)]))
        assert session.pinned.answers[0, 1].message == NO_MODEL

    def test_modes_that_the_study_has_meanwhile_take_the_place_of_no_model(self, tmp_path: Path):
        begun = open_study(write_synthetic_study(tmp_path / "a.study"))
        session: Any = Session(begun, selection=Selection(image=3, pinned=[(0, 1), (1, 0)]))
        session.pinned.is_shown = True
        assert {answer.message for answer in session.pinned.answers.values()} == {NO_MODEL}
        images = synthetic_images(begun.spec, begun.n_images)
        with StudyWriter.create_or_resume(begun.path, begun.manifest, images) as writer:
            write_modes(writer)
        whole = open_study(begun.path)
        session.renew(whole)
        assert self.statuses(session) == ["done"] * 2
        for head, answer in session.pinned.answers.items():
            assert np.array_equal(answer.value.layer["cls"], stored_modes(whole, 3, head).layer["cls"])

    def test_what_failed_is_asked_once_more_when_the_study_has_grown_and_the_rest_is_kept(self, session: Any):
        fake, study = session.inference, session.study
        fake.is_prompt = False
        session.pinned.is_shown = True
        fake.fail("pinned", message="Image 3 is not computed yet.", hint="")
        fake.answer("pinned")
        kept = session.pinned.answers[1, 2]
        fake.is_prompt = True
        session.renew(open_study(study.path))
        assert self.statuses(session) == ["done"] * 3
        assert session.pinned.answers[1, 2] is kept

    def test_a_head_that_is_asked_for_is_waited_for_though_the_study_grows(self, session: Any):
        fake = session.inference
        fake.is_prompt = False
        session.pinned.is_shown = True
        asked, deliver = fake.waiting["pinned"]
        session.renew(open_study(session.study.path))
        assert fake.waiting["pinned"] == (asked, deliver)
        fake.answer("modes")
        fake.answer("pinned")
        assert session.pinned.answers[asked[1:]].status == "done"
