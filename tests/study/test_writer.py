"""Writing a study block by block."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.synthetic import (
    finish_synthetic_study,
    synthetic_block,
    synthetic_images,
    synthetic_manifest,
    synthetic_spec,
    write_synthetic_block,
    write_synthetic_study,
)
from vitpanel.errors import DiskFullError, StudyError, StudyLockedError, StudyMismatchError
from vitpanel.study.manifest import Manifest
from vitpanel.study.own_stages import STAGES
from vitpanel.study.reader import open_study
from vitpanel.study.records import file_digest
from vitpanel.study.writer import StudyWriter


def writer_at(path: Path, *, change: Callable[[Manifest], None] = lambda _: None, n_images: int = 12) -> StudyWriter:
    """Return a writer of the synthetic study, its manifest changed."""
    spec = synthetic_spec()
    manifest = synthetic_manifest(spec)
    change(manifest)
    return StudyWriter.create_or_resume(path, manifest, synthetic_images(spec, n_images))


def write_what_is_pending(path: Path) -> list[int]:
    """Do what a run does, and return the blocks that it wrote."""
    with writer_at(path) as writer:
        pending = writer.pending_blocks()
        for block in pending:
            write_synthetic_block(writer, block)
        finish_synthetic_study(writer)
    return pending


def contents(path: Path) -> dict[str, Any]:
    """Everything in a study, comparable."""
    study = open_study(path)
    arrays = {name: study[name].tobytes() for name in study.names}
    pictures = [(study.crop(image), study.thumbnail(image)) for image in range(study.n_images)]
    files = {name: study.read_file(name) for name in study.manifest.files}
    return {"arrays": arrays, "pictures": pictures, "files": files, "images": study.images.to_csv()}


def contents_of_files(path: Path) -> dict[Path, bytes]:
    """Bytes of every file but the lock."""
    return {file: file.read_bytes() for file in path.rglob("*") if file.is_file() and file.name != ".lock"}


def no_leftovers(path: Path) -> bool:
    """Whether a study has no temporary files."""
    return not [*path.rglob("*.tmp"), *path.rglob("*.partial")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Contents of a study that was written without interruption."""
    return contents(write_synthetic_study(tmp_path_factory.mktemp("whole") / "a.study"))


def test_a_new_study_has_all_blocks_pending(tmp_path: Path):
    with writer_at(tmp_path / "new" / "a.study") as writer:
        assert writer.pending_blocks() == [0, 1, 2]
        assert [list(writer.block_images(block)) for block in (0, 2)] == [[0, 1, 2, 3, 4], [10, 11]]
        assert not writer.is_done("heads")


def test_a_block_without_receipt_is_done_again(tmp_path: Path, whole: dict[str, Any]):
    path = write_synthetic_study(tmp_path / "a.study")
    study = open_study(path)
    study.files.receipt(1).unlink()
    study.files.chunk("strength", 1, 4).write_bytes(b"half")
    study.files.crops(1).write_bytes(b"half")
    with writer_at(path) as writer:
        assert not writer.is_done("heads")
        assert writer.is_done("layout")
    assert write_what_is_pending(path) == [1]
    assert contents(path) == whole


def test_a_block_that_lost_a_file_or_has_a_damaged_receipt_is_done_again(tmp_path: Path, whole: dict[str, Any]):
    path = write_synthetic_study(tmp_path / "a.study")
    files = open_study(path).files
    files.chunk("entropy", 0, 3).unlink()
    files.crops(1).unlink()
    files.receipt(2).write_bytes(b"{}")
    assert write_what_is_pending(path) == [0, 1, 2]
    assert contents(path) == whole


@pytest.mark.parametrize(
    "name",
    [
        "images.parquet",
        "autoencoder.safetensors",
        "crops/000001.parquet",
        "blocks/000001.json",
        "arrays.zarr/entropy/zarr.json",
        "arrays.zarr/entropy/c/1/0/0",
        "arrays.zarr/latents/c/1/0/0/0",
        "arrays.zarr/layout/cls/c/0/0/0/0",
    ],
)
def test_the_same_run_brings_back_what_was_lost(tmp_path: Path, whole: dict[str, Any], name: str):
    path = write_synthetic_study(tmp_path / "a.study")
    (path / name).unlink()
    with writer_at(path) as writer:
        if not all(writer.is_done(stage) for stage in STAGES):
            for block in writer.pending_blocks():
                write_synthetic_block(writer, block)
            finish_synthetic_study(writer)
    assert contents(path) == whole


@pytest.mark.parametrize("steps", [1, 2, 4, 9, 15, 25, 35, 50])
def test_a_run_killed_at_any_step_goes_on(
    tmp_path: Path, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch, steps: int
):
    path, fsync, n_calls = tmp_path / "a.study", os.fsync, 0

    def killed(descriptor: int) -> None:
        nonlocal n_calls
        n_calls += 1
        if n_calls > steps:
            raise KeyboardInterrupt
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", killed)
        with pytest.raises(KeyboardInterrupt):
            write_what_is_pending(path)
    (path / ".images.parquet.0.tmp").touch()
    (path / "arrays.zarr" / "strength").mkdir(parents=True, exist_ok=True)
    (path / "arrays.zarr" / "strength" / "0.0.partial").touch()
    write_what_is_pending(path)
    assert contents(path) == whole
    assert no_leftovers(path)


def test_a_second_writer_is_refused_until_the_first_is_closed(tmp_path: Path):
    path = tmp_path / "a.study"
    with writer_at(path), pytest.raises(StudyLockedError, match=r"Another run is writing .*a\.study"):
        writer_at(path)
    writer_at(path).close()


def test_a_refusal_lets_go_of_the_lock(tmp_path: Path):
    path = tmp_path / "a.study"
    writer_at(path).close()
    with pytest.raises(StudyMismatchError):
        writer_at(path, change=lambda manifest: manifest.settings.update(seed=1))
    writer_at(path).close()


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda manifest: manifest.settings.update(seed=1), "settings.seed is 0 there and 1 here"),
        (lambda manifest: manifest.settings.update(extra=2), "settings.extra is None there and 2 here"),
        (
            lambda manifest: manifest.model.update(weight_hash="other"),
            "model.weight_hash is 'synthetic-0' there and 'other' here",
        ),
        (lambda manifest: manifest.images.update(hash="other"), "images.hash is 'images-0' there and 'other' here"),
        (
            lambda manifest: manifest.model["preprocessing"].update(crop_pct=0.9),
            "model.preprocessing.crop_pct is 1.0 there and 0.9 here",
        ),
    ],
)
def test_another_run_is_refused_with_what_differs(tmp_path: Path, change: Callable[[Manifest], None], difference: str):
    path = write_synthetic_study(tmp_path / "a.study", finished=False)
    before = contents_of_files(path)
    with pytest.raises(StudyMismatchError) as caught:
        writer_at(path, change=change)
    assert caught.value.message.endswith(f"was begun with something else: {difference}.")
    assert "--out" in caught.value.hint
    assert contents_of_files(path) == before


def test_other_versions_and_notes_are_no_other_run(tmp_path: Path):
    path = write_synthetic_study(tmp_path / "a.study", finished=False)
    with writer_at(path, change=lambda manifest: manifest.versions.update(vitpanel="9")) as writer:
        assert writer.pending_blocks() == [2]


def test_what_is_not_a_study_is_left_alone(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(StudyError, match="exists and is not a"):
            writer_at(path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_folder_becomes_a_study(tmp_path: Path):
    writer_at(tmp_path).close()
    assert open_study(tmp_path).n_done == 0


def test_a_study_of_no_images_is_refused(tmp_path: Path):
    with pytest.raises(StudyError, match="no images"):
        writer_at(tmp_path / "a.study", n_images=0)
    assert not (tmp_path / "a.study").exists()


def test_wrong_arrays_are_refused_by_name(tmp_path: Path):
    with writer_at(tmp_path / "a.study") as writer:
        arrays = synthetic_block(writer, 0)
        pictures = {"crops": [b"crop"] * 5, "thumbnails": [b"thumbnail"] * 5}
        wrong = [
            (
                {"entropy": arrays["entropy"].astype(np.float64)},
                r"entropy must be float32 \(5, 2, 3\) here, not float64",
            ),
            ({"strength": arrays["strength"][:4]}, r"strength must be .*not float32 \(4, 2, 3, 4\)"),
            ({"more": arrays["strength"]}, "but was given .*more"),
        ]
        for change, message in wrong:
            with pytest.raises(StudyError, match=message):
                writer.write_block(0, arrays | change, **pictures)
        with pytest.raises(StudyError, match="not 4 crops and 5 thumbnails"):
            writer.write_block(0, arrays, **(pictures | {"crops": [b"crop"] * 4}))
        with pytest.raises(StudyError, match="can have no array 'nonsense'"):
            writer.write_array("nonsense", np.zeros(3))
        assert writer.pending_blocks() == [0, 1, 2]


def test_nan_is_refused_where_it_has_no_meaning(tmp_path: Path):
    with writer_at(tmp_path / "a.study") as writer:
        arrays = synthetic_block(writer, 1)
        pictures = {"crops": [b"crop"] * 5, "thumbnails": [b"thumbnail"] * 5}
        arrays["entropy"][0, 0, 0] = np.nan
        writer.write_block(1, arrays, **pictures)
        arrays["importance/jsd"][2, 0, 0] = np.inf
        with pytest.raises(StudyError, match="importance/jsd of image 7 is not finite"):
            writer.write_block(1, arrays, **pictures)


def test_a_block_of_fill_values_is_on_disk_like_any_other(tmp_path: Path):
    with writer_at(tmp_path / "a.study") as writer:
        arrays = synthetic_block(writer, 1)
        arrays["entropy"][:] = np.nan
        arrays["patterns/offset"][:] = 0
        write_synthetic_block(writer, 0)
        writer.write_block(1, arrays, crops=[b"crop"] * 5, thumbnails=[b"small"] * 5)
        assert writer.pending_blocks() == [2]
    assert np.isnan(open_study(tmp_path / "a.study").block("entropy", 1)).all()


def test_stages_checks_and_predictions_are_kept(tmp_path: Path):
    path = tmp_path / "a.study"
    with writer_at(path) as writer:
        for block in writer.pending_blocks():
            write_synthetic_block(writer, block)
        writer.write_predictions()
        writer.finish_stage("heads", seconds=1.23456, detail={"device": "cpu"})
        writer.write_checks({"largest_difference": 1e-6})
        assert writer.is_done("heads")
    manifest = Manifest.read(path)
    arrays, receipt = (manifest.stages["heads"].pop(key) for key in ("arrays", "receipt"))
    assert receipt == file_digest(writer.files.stage_receipt("heads"))
    assert arrays == [name for name, array in writer.arrays.items() if array.stage == "heads"]
    assert manifest.stages == {"heads": {"done": True, "seconds": 1.235, "detail": {"device": "cpu"}}}
    assert manifest.checks == {"largest_difference": 1e-6}
    assert min(open_study(path).images["predicted"].tolist()) >= 0


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of its own with 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("free_kilobytes", [0, 8, 60, 120, 180, 220])
def test_after_a_full_disk_the_same_run_goes_on(tiny_disk: Path, whole: dict[str, Any], free_kilobytes: int):
    path, ballast = tiny_disk / "a.study", tiny_disk / "ballast"
    room = os.statvfs(tiny_disk)
    ballast.write_bytes(bytes(room.f_bavail * room.f_frsize - free_kilobytes * 1024))
    with pytest.raises(DiskFullError, match=r"The disk is full: .*a\.study") as caught:
        write_what_is_pending(path)
    assert "What is written stays" in caught.value.hint
    ballast.unlink()
    write_what_is_pending(path)
    assert contents(path) == whole
    assert no_leftovers(path)


def test_what_a_stage_wrote_can_be_discarded_so_that_it_is_computed_anew(tmp_path: Path):
    path = write_synthetic_study(tmp_path / "a.study")
    with writer_at(path) as writer:
        assert writer.blocks_without("latents") == []
        writer.discard("latents")
        assert writer.blocks_without("latents") == [0, 1, 2]
        assert not writer.is_done("latents")
        assert writer.is_done("heads")
        assert writer.is_done("layout")
