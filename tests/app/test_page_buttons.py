"""Keys that work on the whole page, as Python hears of them."""

from pathlib import Path

import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.app.page_buttons import PageButtons
from vitpanel.state.brush import Ids
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import open_study


@pytest.fixture
def session(tmp_path: Path) -> Session:
    study = open_study(write_synthetic_study(tmp_path / "x.study", n_layers=2, n_heads=3))
    return Session(study, selection=Selection(image=3))


@pytest.mark.parametrize(
    ("keys", "head"),
    [
        (["ArrowRight"], (0, 1)),
        (["ArrowRight"] * 4, (1, 1)),
        (["ArrowRight"] * 99, (1, 2)),
        (["ArrowLeft"], (0, 0)),
        (["ArrowDown", "ArrowDown"], (1, 0)),
        (["ArrowDown", "ArrowRight", "ArrowUp"], (0, 1)),
        (["x", "", "__class__"], (0, 0)),
    ],
)
def test_arrows_go_from_head_to_head_and_stay_at_the_ends(session: Session, keys: list[str], head: tuple[int, int]):
    buttons = PageButtons(session)
    for key in keys:
        buttons._handle_msg({"key": key})
    assert session.chosen_head == head


def test_brackets_go_from_image_to_image_and_escape_clears_what_is_brushed(session: Session):
    buttons = PageButtons(session)
    for key in ("]", "]", "["):
        buttons._handle_msg({"key": key})
    assert session.selection.image == 4
    session.selection.param.update(images=Ids((1, 2)), heads=Ids(((0, 1),), item="head"))
    buttons._handle_msg({"key": "Escape"})
    assert session.selection.images is session.selection.heads is None
    assert session.selection.image == 4


def test_undo_and_redo_have_keys_and_what_is_done_while_a_key_is_held_is_one_step(session: Session):
    buttons = PageButtons(session)
    buttons._handle_msg({"key": "u"})
    assert session.selection.image == 3, "there is nothing to undo"
    buttons._handle_msg({"key": "]"})
    for _ in range(4):
        buttons._handle_msg({"key": "]", "is_held": True})
    assert session.selection.image == 8
    buttons._handle_msg({"key": "u"})
    assert session.selection.image == 3
    buttons._handle_msg({"key": "r"})
    assert session.selection.image == 8
