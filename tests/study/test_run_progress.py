"""The note on what a run is at."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from vitpanel.study.files import StudyFiles
from vitpanel.study.run_progress import SILENCE_SECONDS, RunProgress, end_progress, read_progress, write_progress

PROGRESS = RunProgress("pruning heads", 12, 500, "image", 40.5)


def test_what_is_noted_is_read_until_it_ends(tmp_path: Path):
    assert read_progress(tmp_path) is None
    write_progress(tmp_path, PROGRESS)
    assert read_progress(tmp_path) == PROGRESS
    end_progress(tmp_path)
    end_progress(tmp_path)
    assert read_progress(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_note_that_nobody_renews_counts_no_more(tmp_path: Path):
    write_progress(tmp_path, PROGRESS)
    then = time.time() - SILENCE_SECONDS - 10
    os.utime(StudyFiles(tmp_path).progress, (then, then))
    assert read_progress(tmp_path) is None


@pytest.mark.parametrize(
    "change",
    [
        {"title": "x" * 61}, {"title": 3}, {"done": -1}, {"done": 1.5}, {"total": True}, {"unit": None},
        {"seconds_left": -1}, {"seconds_left": float("nan")}, {"seconds_left": "1"}, {"more": 1},
    ],
)  # fmt: skip
def test_a_note_of_a_stranger_says_nothing(tmp_path: Path, change: dict[str, Any]):
    write_progress(tmp_path, PROGRESS)
    file = StudyFiles(tmp_path).progress
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    assert read_progress(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", "{", "1e999", " " * 2000, "\x00"])
def test_what_is_no_note_is_none(tmp_path: Path, text: str):
    StudyFiles(tmp_path).progress.write_text(text)
    assert read_progress(tmp_path) is None


def test_a_link_is_not_followed(tmp_path: Path):
    elsewhere, study = tmp_path / "elsewhere", tmp_path / "a.study"
    for folder in (elsewhere, study):
        folder.mkdir()
    write_progress(elsewhere, PROGRESS)
    StudyFiles(study).progress.symlink_to(StudyFiles(elsewhere).progress)
    assert read_progress(study) is None


def test_where_nothing_can_be_written_the_run_goes_on(tmp_path: Path):
    write_progress(tmp_path / "absent", PROGRESS)
    end_progress(tmp_path / "absent")
