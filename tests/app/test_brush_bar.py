"""The bar that says what is brushed, keeps brushes and holds them against each other."""

from pathlib import Path
from typing import Any

import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.app.brush_bar import BrushBar
from vitpanel.state.brush import Ids, InRange, Not, OfClass, Predicted
from vitpanel.state.parameters import MOST_KEPT
from vitpanel.state.session import Session
from vitpanel.study.reader import open_study
from vitpanel.views.bridge import Bridge


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(open_study(write_synthetic_study(tmp_path / "x.study", n_images=20)))


@pytest.fixture
def bar(session: Session) -> BrushBar:
    return BrushBar(session, Bridge())


def said(bar: BrushBar) -> dict[str, tuple[str, str]]:
    return {record["name"]: (record["words"], record["size"]) for record in bar.brushes}


def test_it_says_what_is_brushed_and_what_that_is_made_of(session: Session, bar: BrushBar):
    assert bar.brushes == []
    session.selection.images = Ids((0, 3, 4))
    labels = session.study.images["label_name"].iloc[[0, 3, 4]]
    words, size = said(bar)["images"]
    assert words == session.selection.images.words
    assert size.startswith("3 of 20 images · ")
    assert all(name in size for name in labels if name)
    session.selection.images = None
    assert bar.brushes == []


@pytest.mark.parametrize(
    ("brush", "name", "size"),
    [
        (Ids(((0, 0), (0, 2), (1, 1)), "head"), "heads", "3 heads of 2 layers"),
        (Ids(((1, 1),), "head"), "heads", "1 head of 1 layer"),
        (Ids(((0, 1, 1), (0, 1, 2), (7, 0, 0)), "instance"), "heads", "3 heads on images (2 images)"),
        (Ids((1, 2, 16), "token"), "tokens", "3 patches"),
        (Ids((0, 1), "token"), "tokens", "1 patch and 1 other token"),
        (Ids((), "token"), "tokens", "0 patches"),
        (InRange("absent", item="head"), "heads", "There is no array absent"),
    ],
)
def test_each_kind_of_brush_has_a_sentence(session: Session, bar: BrushBar, brush: Any, name: str, size: str):
    session.selection.mark(brush)
    assert list(said(bar)) == [name]
    assert size.removeprefix("There is no array ") in said(bar)[name][1]


def test_all_brushes_are_said_side_by_side(session: Session, bar: BrushBar):
    for brush in (Predicted(), Ids(((0, 1),), "head"), Ids((3,), "token")):
        session.selection.mark(brush)
    assert list(said(bar)) == ["images", "heads", "tokens"]


@pytest.mark.parametrize("brush", [Predicted(right=True), Ids(((0, 1),), "head"), Ids((1, 2), "token")])
def test_a_brush_is_inverted_and_inverted_back_and_cleared(session: Session, bar: BrushBar, brush: Any):
    session.selection.mark(brush)
    (name,) = said(bar)
    bar._handle_msg({"act": "invert", "name": name})
    assert getattr(session.selection, name) == Not(brush)
    bar._handle_msg({"act": "invert", "name": name})
    assert getattr(session.selection, name) == brush
    bar._handle_msg({"act": "clear", "name": name})
    assert getattr(session.selection, name) is None
    for message in ({"act": "invert", "name": name}, {"act": "fly"}, {}, {"act": "clear", "name": "history"}):
        bar._handle_msg(message)
    assert getattr(session.selection, name) is None


def test_a_brush_is_kept_used_again_and_forgotten(session: Session, bar: BrushBar):
    selection = session.selection
    selection.mark(OfClass("class 0"))
    bar._handle_msg({"act": "keep", "name": "images", "kept": " mine "})
    assert selection.kept == {"mine": OfClass("class 0")}
    assert bar.kept == [{"name": "mine", "items": "images", "words": "images of class 0"}]
    selection.images = None
    bar._handle_msg({"act": "use", "kept": "mine"})
    assert selection.images == OfClass("class 0")
    bar._handle_msg({"act": "against", "kept": "mine"})
    assert bar.against == selection.against == "mine"
    bar._handle_msg({"act": "forget", "kept": "mine"})
    assert selection.kept == {}
    assert bar.against is selection.against is None
    selection.undo()
    assert (selection.against, list(selection.kept)) == ("mine", ["mine"])


def test_what_brushed_images_are_held_against_is_said(session: Session, bar: BrushBar):
    selection = session.selection
    selection.keep("mine", Ids((1, 2, 3)))
    selection.hold_against("mine")
    assert bar.comparison == "", "nothing is brushed"
    selection.images = Ids((7, 8))
    assert bar.comparison == "against “mine” (3 images)"
    selection.images = Ids((3, 7))
    assert bar.comparison == "against “mine” (3 images, 1 in both, which count for neither)"
    selection.hold_against(None)
    assert bar.comparison == ""


def test_a_brush_that_cannot_be_kept_is_refused_in_words(
    session: Session, bar: BrushBar, monkeypatch: pytest.MonkeyPatch
):
    told: list[str] = []
    monkeypatch.setattr(bar, "_send_msg", lambda message: told.append(message["refusal"]))
    session.selection.mark(Predicted())
    for name in ("", "   ", "x" * 31):
        bar._handle_msg({"act": "keep", "name": "images", "kept": name})
    assert len(told) == 3
    assert session.selection.kept == {}
    for number in range(MOST_KEPT + 1):
        bar._handle_msg({"act": "keep", "name": "images", "kept": str(number)})
    assert len(told) == 4
    assert "Forget one first." in told[-1]
    assert len(session.selection.kept) == MOST_KEPT
    bar._handle_msg({"act": "against", "kept": "nobody"})
    assert "nobody" in told[-1]


def test_what_the_next_brush_does_can_be_chosen(session: Session, bar: BrushBar):
    bar.way = "add"
    assert session.selection.way == "add"
    session.selection.way = "subtract"
    assert bar.way == "subtract"
