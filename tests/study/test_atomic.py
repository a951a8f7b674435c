"""Files that are on disk whole or not at all."""

import errno
from pathlib import Path

import pytest

from vitpanel.errors import DiskFullError, StudyError
from vitpanel.study.atomic import sweep, write_atomically, write_errors


def test_new_content_takes_the_place_of_the_old(tmp_path: Path):
    for content in (b"old", b"new"):
        write_atomically(tmp_path / "a", content)
    assert (tmp_path / "a").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_failure_leaves_the_old_content_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_atomically(tmp_path / "a", b"old")

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="broken"):
        write_atomically(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_sweep_takes_temporary_files_alone(tmp_path: Path):
    (tmp_path / "c").mkdir()
    for name in ("kept.json", ".manifest.json.12ab.tmp", "c/0", "c/0.12ab.partial"):
        (tmp_path / name).touch()
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["0", "c", "kept.json"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_with_the_way_out(tmp_path: Path, number: int):
    with pytest.raises(DiskFullError, match="some file") as caught, write_errors(tmp_path):
        raise OSError(number, "full", "some file")
    assert "continues" in caught.value.hint


def test_another_failure_is_an_error_of_the_study(tmp_path: Path):
    with pytest.raises(StudyError, match="Permission") as caught, write_errors(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied")
    assert not isinstance(caught.value, DiskFullError)
    assert str(tmp_path) in caught.value.message
