"""Heads kept for comparison."""

from pathlib import Path

import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.errors import VitpanelError
from vitpanel.state.selection import MOST_PINNED, Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    path: Path = tmp_path_factory.mktemp("pins") / "a.study"
    return open_study(write_synthetic_study(path, n_layers=2, n_heads=3))


def test_heads_are_pinned_in_order_and_let_go(study: Study):
    session = Session(study)
    heard: list[object] = []
    session.selection.param.watch(lambda event: heard.append(event.new), "pinned")
    session.pin(1, 2)
    session.pin(0, 0)
    session.pin(1, 2)
    session.unpin(1, 2)
    session.unpin(1, 2)
    assert heard == [[(1, 2)], [(1, 2), (0, 0)], [(0, 0)]]


def test_only_so_many_are_kept(study: Study):
    session = Session(study)
    for flat in range(MOST_PINNED):
        session.pin(*divmod(flat, 3))
    with pytest.raises(VitpanelError, match="at most 4") as caught:
        session.pin(1, 2)
    assert caught.value.hint == "Unpin one first."
    assert session.selection.pinned == [(0, 0), (0, 1), (0, 2), (1, 0)]


@pytest.mark.parametrize("head", [(2, 0), (0, 3), (-1, 0)])
def test_head_that_the_study_lacks_is_refused(study: Study, head: tuple[int, int]):
    session = Session(study)
    with pytest.raises(VitpanelError, match=f"no layer {head[0]} head {head[1]}") as caught:
        session.pin(*head)
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
