"""Whether a study can be written at a place, asked before any work."""

import errno
import tempfile
from pathlib import Path

import pytest

from tests.study_runs import begun
from tests.synthetic import synthetic_manifest, synthetic_spec, write_synthetic_study
from vitpanel.errors import StudyError, StudyLockedError, StudyMismatchError
from vitpanel.study.target import check_target

SETTINGS = synthetic_manifest(synthetic_spec()).settings


def test_a_free_place_is_taken_and_left_as_it_was(tmp_path: Path):
    check_target(tmp_path / "deep" / "down" / "a.study", SETTINGS)
    assert list(tmp_path.iterdir()) == []
    check_target(tmp_path, SETTINGS)
    assert list(tmp_path.iterdir()) == []


def test_a_study_of_the_same_settings_is_gone_on_with(tmp_path: Path):
    check_target(write_synthetic_study(tmp_path / "a.study", finished=False), SETTINGS)
    with pytest.raises(StudyMismatchError, match=r"settings\.seed is 0 there and 3 here") as caught:
        check_target(tmp_path / "a.study", SETTINGS | {"seed": 3})
    assert "--out" in caught.value.hint


def test_another_run_is_noticed(tmp_path: Path):
    with begun(tmp_path / "a.study"), pytest.raises(StudyLockedError, match="Another run is writing"):
        check_target(tmp_path / "a.study", SETTINGS)
    check_target(tmp_path / "a.study", SETTINGS)


def test_what_is_no_study_is_refused(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(StudyError, match="exists and is not a"):
            check_target(path, SETTINGS)


def test_a_study_that_may_not_be_written_to_can_still_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write_synthetic_study(tmp_path / "a.study")

    def read_only(**_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(tempfile, "TemporaryFile", read_only)
    with pytest.raises(StudyError, match=r"a\.study could not be written: Read-only file system") as caught:
        check_target(path, SETTINGS)
    assert f"vitpanel serve {path}" in caught.value.hint
