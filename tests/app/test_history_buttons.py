"""The buttons that undo and redo, the list of the last choices, and the link."""

from pathlib import Path
from typing import Any

import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.app.history_buttons import MOST_LISTED, MOST_UNDONE, HistoryButtons, copied_words
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import open_study
from vitpanel.views.bridge import Bridge
from vitpanel.views.figures.image_card import thumbnail_uri


@pytest.fixture
def session(tmp_path: Path) -> Session:
    study = open_study(write_synthetic_study(tmp_path / "x.study", n_images=40, finished=False))
    return Session(study, selection=Selection(study, image=3, layer=0, head=1))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(HistoryButtons, "_send_msg", lambda _, message: messages.append(message))
    return messages


def test_buttons_say_what_they_undo_and_do_again(session: Session):
    buttons = HistoryButtons(session, Bridge(), list)
    assert (buttons.undo_words, buttons.redo_words) == ("", "")
    session.selection.image = 12
    assert (buttons.undo_words, buttons.redo_words) == ("image 3 → 12", "")
    session.selection.choose_head(1, 2)
    buttons._handle_msg({"act": "undo"})
    assert (buttons.undo_words, buttons.redo_words) == ("image 3 → 12", "head L0 H1 → L1 H2")
    buttons._handle_msg({"act": "undo"})
    assert (buttons.undo_words, buttons.redo_words) == ("", "image 3 → 12")
    buttons._handle_msg({"act": "undo"})
    buttons._handle_msg({"act": "redo"})
    assert session.selection.image == 12


def test_the_last_steps_are_listed_with_pictures_newest_first(session: Session, told: list[dict[str, Any]]):
    buttons, selection = HistoryButtons(session, Bridge(), list), session.selection
    selection.image = 5
    selection.choose_head(1, 0)
    selection.image = None
    selection.undo()
    buttons._handle_msg({"act": "list"})
    rows = told[-1]["rows"]
    assert [row["words"] for row in rows] == [
        "all images", "head L0 H1 → L1 H0", "image 3 → 5", "where you started"
    ]  # fmt: skip
    assert [row["head"] for row in rows] == ["L1 H0", "L1 H0", "L0 H1", "L0 H1"]
    assert [row["distance"] for row in rows] == [1, 0, -1, -2]
    assert [row["picture"] for row in rows] == [
        "", *(thumbnail_uri(session.study, image) for image in (5, 5, 3))
    ]  # fmt: skip
    buttons._handle_msg({"choice": rows[-1]["choice"]})
    assert selection.image == 3
    assert selection.chosen_head == (0, 1)
    for choice in (999, "1", None, [1]):
        buttons._handle_msg({"choice": choice})
    assert selection.image == 3


def test_as_many_steps_are_listed_as_there_is_room_for(session: Session, told: list[dict[str, Any]]):
    buttons, selection = HistoryButtons(session, Bridge(), list), session.selection
    for image in range(6, 36):
        selection.image = image
    for _ in range(10):
        selection.undo()
    buttons._handle_msg({"act": "list"})
    rows = told[-1]["rows"]
    assert len(rows) == MOST_LISTED
    assert rows[MOST_UNDONE]["distance"] == 0
    assert rows[MOST_UNDONE]["image"] == selection.image


def test_an_image_that_is_not_done_has_no_picture(session: Session, told: list[dict[str, Any]]):
    buttons = HistoryButtons(session, Bridge(), list)
    session.selection.image = 39
    assert not session.study.done_images[39]
    buttons._handle_msg({"act": "list"})
    assert told[-1]["rows"][0]["picture"] == ""


def test_what_a_link_has_no_room_for_is_said(session: Session, told: list[dict[str, Any]]):
    HistoryButtons(session, Bridge(), lambda: ["the brush of heads"])._handle_msg({"act": "copied"})
    assert told[-1]["note"] == copied_words(["the brush of heads"])
    assert "no room for the brush of heads" in told[-1]["note"]
    assert copied_words([]).startswith("Copied")
