"""Studies of strangers: whatever they say ends in words, at once, and nothing outside of them is opened."""

import shutil
import sys
from pathlib import Path

import pytest
from numcodecs import Zstd

from tests.hostile_studies import FILES, MANIFESTS, UNREAD, Change, manifest_with
from tests.synthetic import write_synthetic_study
from vitpanel import cli
from vitpanel.errors import StudyError, StudyFormatError
from vitpanel.study.files import StudyFiles
from vitpanel.study.manifest import Manifest
from vitpanel.study.reader import open_study


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished study, to be copied."""
    return write_synthetic_study(tmp_path_factory.mktemp("original") / "a.study")


@pytest.fixture
def path(original: Path, tmp_path: Path) -> Path:
    """Return a study that a test may change."""
    return shutil.copytree(original, tmp_path / "deep" / "down" / "a.study")


def inspected(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: object) -> tuple[int, str]:
    """Exit code of ``vitpanel inspect`` and all that it printed."""
    monkeypatch.setattr(sys, "argv", ["vitpanel", "inspect", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    captured = capsys.readouterr()
    return int(end.value.code or 0), captured.out + captured.err


@pytest.mark.parametrize(("key", "change"), MANIFESTS.values(), ids=list(MANIFESTS))
def test_a_wrong_manifest_is_refused_by_key(path: Path, key: str, change: Change):
    change(path)
    with pytest.raises(StudyFormatError, match=r"manifest\.json is damaged") as caught:
        Manifest.read(path)
    assert key in caught.value.message
    assert caught.value.hint
    assert len(caught.value.message) < 1_000 + len(str(path))
    caught.value.message.encode()


@pytest.mark.parametrize("option", [(), ("--verify",)], ids=["inspect", "verify"])
@pytest.mark.parametrize(("file", "change"), FILES.values(), ids=list(FILES))
def test_a_wrong_file_is_named(path: Path, file: str, change: Change, option: tuple[str, ...], capsys, monkeypatch):
    change(path)
    code, printed = inspected(capsys, monkeypatch, path, *option)
    assert code == 1
    assert file in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(("file", "change"), UNREAD.values(), ids=list(UNREAD))
def test_what_a_summary_does_not_read_is_found_by_verify(path: Path, file: str, change: Change, capsys, monkeypatch):
    change(path)
    code, printed = inspected(capsys, monkeypatch, path, "--verify")
    assert code == 1
    assert file in printed


def test_pictures_and_extra_files_are_guarded_when_they_are_read(original: Path, tmp_path: Path):
    for number, (_, change) in enumerate(UNREAD.values()):
        path = shutil.copytree(original, tmp_path / str(number) / "a.study")
        change(path)
        study = open_study(path)
        with pytest.raises(StudyError, match="is damaged"):
            _ = [study.crop(5), study.read_file("autoencoder.safetensors")]


def test_a_chunk_that_unpacks_to_more_is_not_unpacked(path: Path):
    bomb = Zstd(level=19, checksum=True).encode(bytes(10**7))
    chunk = StudyFiles(path).chunk("strength", 1, 4)
    assert len(bomb) < 1_024
    chunk.write_bytes(bomb)
    with pytest.raises(StudyError, match="it unpacks to 10000000 bytes, not to 480"):
        open_study(path)["strength"]


def test_a_file_outside_is_never_returned(path: Path):
    (path.parent.parent / "canary.txt").write_text("secret")
    manifest_with("files", {"../../canary.txt": "0" * 64})(path)
    with pytest.raises(StudyFormatError, match="files"):
        open_study(path)


def test_a_study_that_is_a_link_itself_is_opened(path: Path, tmp_path: Path):
    (tmp_path / "link.study").symlink_to(path)
    assert open_study(tmp_path / "link.study").is_finished


def test_a_link_inside_of_a_study_is_followed(path: Path):
    shutil.move(path / "arrays.zarr" / "entropy", path / "entropy")
    (path / "arrays.zarr" / "entropy").symlink_to(path / "entropy")
    assert open_study(path)["entropy"].shape == (12, 2, 3)


def test_what_steers_a_terminal_is_shown_as_text(path: Path, capsys, monkeypatch):
    manifest_with("model.name", "vit\x1b[2J\x07\nx")(path)
    code, printed = inspected(capsys, monkeypatch, path)
    assert code == 0
    assert "\\x1b[2J" in printed
    assert "\x1b" not in printed
