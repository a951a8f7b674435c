"""The bar that says which images are brushed."""

from pathlib import Path

import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.app.brush_bar import BrushBar
from vitpanel.state.brush import Ids, Not, Predicted
from vitpanel.state.session import Session
from vitpanel.study.reader import open_study


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(open_study(write_synthetic_study(tmp_path / "x.study", n_images=20)))


def test_it_says_what_is_brushed_and_what_that_is_made_of(session: Session):
    bar = BrushBar(session)
    assert (bar.name_of_brush, bar.made_of) == ("", "")
    session.selection.images = Ids((0, 3, 4))
    assert bar.name_of_brush == session.selection.images.words
    labels = session.study.images["label_name"].iloc[[0, 3, 4]]
    assert bar.made_of.startswith("3 of 20 images · ")
    assert all(name in bar.made_of for name in labels if name)
    session.selection.images = None
    assert (bar.name_of_brush, bar.made_of) == ("", "")


def test_a_brush_is_inverted_and_inverted_back_and_cleared(session: Session):
    bar, brush = BrushBar(session), Predicted(right=True)
    session.selection.images = brush
    before = session.brushed
    bar._handle_msg({"act": "invert"})
    assert session.selection.images == Not(brush)
    assert before is not None
    assert session.brushed is not None
    assert (session.brushed != before).all()
    bar._handle_msg({"act": "invert"})
    assert session.selection.images == brush
    bar._handle_msg({"act": "clear"})
    assert session.selection.images is None
    for message in ({"act": "invert"}, {"act": "fly"}, {}):
        bar._handle_msg(message)
    assert session.selection.images is None


def test_what_the_next_brush_does_can_be_chosen(session: Session):
    bar = BrushBar(session)
    bar.way = "add"
    assert session.selection.way == "add"
    session.selection.way = "subtract"
    assert bar.way == "subtract"
