"""Where the progress of a run goes."""

from pathlib import Path

from vitpanel.pipeline.progress import Progress
from vitpanel.study.run_progress import read_progress


def test_a_part_is_noted_in_the_study_from_its_beginning(tmp_path: Path):
    progress = Progress(is_shown=False)
    with progress.bar("checking images", total=3, unit="image"):
        assert read_progress(tmp_path) is None
    progress.begin_notes(tmp_path)
    with progress.bar("pruning heads", total=9, unit="image", done=4) as bar:
        begun = read_progress(tmp_path)
        assert begun is not None
        assert (begun.title, begun.done, begun.total, begun.seconds_left) == ("pruning heads", 4, 9, None)
        bar.update(2)
    progress.end_notes()
    assert read_progress(tmp_path) is None


def test_the_time_left_is_by_what_this_run_has_done(tmp_path: Path, monkeypatch):
    now = iter([100.0, 100.0, 110.0])
    monkeypatch.setattr("vitpanel.pipeline.progress.time.monotonic", lambda: next(now, 110.0))
    progress = Progress(is_shown=False)
    progress.begin_notes(tmp_path)
    with progress.bar("pruning heads", total=10, unit="image", done=4) as bar:
        bar.update(2)
        noted = read_progress(tmp_path)
    assert noted is not None
    assert (noted.done, noted.seconds_left) == (6, 20)
