"""What has to be said of what is chosen."""

from pathlib import Path

from tests.synthetic import write_synthetic_study
from vitpanel.state.as_code import selection_code
from vitpanel.state.first_values import first_values
from vitpanel.state.saved_state import STARTS
from vitpanel.state.selection import Selection
from vitpanel.study.reader import open_study


def test_what_a_page_starts_with_is_all_that_it_may_start_with_later(tmp_path: Path):
    assert set(first_values(open_study(write_synthetic_study(tmp_path / "a.study")))) == set(STARTS)


def test_of_a_study_that_is_not_finished_a_choice_says_all_that_may_start_otherwise_later(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", finished=False))
    selection = Selection(study)
    assert selection.state() == {}
    selection.image = 3
    selection.image = Selection(study).image
    assert set(STARTS) <= set(selection.state())
    restored = Selection(open_study(write_synthetic_study(tmp_path / "b.study")))
    restored.restore({name: value for name, value in selection.state().items() if name != "study"})
    assert [getattr(restored, name) for name in STARTS] == [getattr(selection, name) for name in STARTS]
    assert "image_layout=" in selection_code(study, selection)
    selection.undo()
    selection.undo()
    assert selection.state() == {}


def test_of_a_finished_study_what_one_starts_with_is_not_said(tmp_path: Path):
    selection = Selection(open_study(write_synthetic_study(tmp_path / "a.study")))
    first = selection.image
    selection.image = None
    assert set(selection.state()) == {"study", "image"}
    selection.image = first
    assert selection.state() == {}
