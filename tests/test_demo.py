"""The demo opens while it is computed."""

from pathlib import Path

from vitpanel.demo import growing_demo_study
from vitpanel.study.files import StudyFiles
from vitpanel.study.reader import open_study


def test_the_demo_can_be_opened_as_soon_as_it_is_begun(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("vitpanel.demo.user_cache_path", lambda _: tmp_path)
    with growing_demo_study() as path:
        study = open_study(path)
        assert study.n_images == 500
        assert not study.is_finished
    # Its run was interrupted, and has taken its note away.
    assert not StudyFiles(path).progress.exists()
    assert not open_study(path).is_finished
