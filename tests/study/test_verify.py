"""Every damage to every kind of file: a reading of the whole study names it, and the same run mends it."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.hostile_studies import rewrite
from tests.study_runs import begun, contents, differing, run
from tests.synthetic import write_synthetic_block
from vitpanel import cli
from vitpanel.errors import StudyError
from vitpanel.study.files import StudyFiles
from vitpanel.study.manifest import Manifest
from vitpanel.study.own_stages import MEANS, MODES
from vitpanel.study.reader import open_study
from vitpanel.study.verify import verify_study


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished study with all optional stages, to be copied."""
    path = tmp_path_factory.mktemp("whole") / "a.study"
    run(path)
    return path


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    """Return a study that a test may change."""
    return shutil.copytree(whole, tmp_path / "a.study")


def flip(file: Path, *, place: float = 0.5) -> None:
    content = bytearray(file.read_bytes())
    content[int(place * (len(content) - 1))] ^= 1
    file.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "first bit": lambda file: flip(file, place=0),
    "bit in the middle": flip,
    "last bit": lambda file: flip(file, place=1),
    "halved": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "emptied": lambda file: file.write_bytes(b""),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"\0"),
    "deleted": lambda file: file.unlink(),
}
KINDS = [
    "images.parquet",
    "crops/000001.parquet",
    "blocks/000001.json",
    "blocks/heads.json",
    "blocks/layout.json",
    "autoencoder.safetensors",
    "arrays.zarr/probabilities/zarr.json",
    "arrays.zarr/probabilities/c/1/0",
    "arrays.zarr/importance/jsd/zarr.json",
    "arrays.zarr/importance/jsd/c/2/0/0",
    "arrays.zarr/entropy/c/0/0/0",
    "arrays.zarr/strength/c/1/0/0/0",
    "arrays.zarr/patterns/patch_top/c/1/0/0/0",
    "arrays.zarr/latents/zarr.json",
    "arrays.zarr/latents/c/1/0/0/0",
    "arrays.zarr/layout/cls/zarr.json",
    "arrays.zarr/layout/images/c/0/0",
    "arrays.zarr/modes/jsd/zarr.json",
    "arrays.zarr/modes/top_class/c/1/0/0/0/0",
    "arrays.zarr/means/patch/zarr.json",
    "arrays.zarr/means/estimate/c/1/0/0",
]


@pytest.mark.parametrize("name", KINDS)
def test_a_damaged_file_is_named_with_the_way_out(path: Path, name: str):
    flip(path / name)
    (found,) = verify_study(path).damages
    assert found.path == path / name
    assert str(path / name) in found.error.message
    assert found.error.hint


# A receipt is what says of a byte without meaning that it is wrong.
GROUPS = {
    "receipts": [name for name in KINDS if name.startswith("blocks/")],
    "others": [name for name in KINDS if not name.startswith("blocks/")],
}


@pytest.mark.parametrize("names", GROUPS.values(), ids=list(GROUPS))
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_all_damages_are_listed_at_once_and_mended_in_one_run(
    whole: Path, path: Path, damage: Callable[[Path], object], names: list[str]
):
    for name in names:
        damage(path / name)
    assert {found.path for found in verify_study(path).damages} == {path / name for name in names}
    said = run(path)
    assert said[:2] == ["checking what is there", f"{len(names)} broken or missing files:"]
    assert said[-1].startswith("computed anew: ")
    assert verify_study(path).damages == ()
    assert differing(whole, path) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("images.parquet", "images.parquet"),
        ("blocks/000001.json", "block 1"),
        ("blocks/heads.json", "the receipt of stage heads"),
        ("autoencoder.safetensors", "autoencoder.safetensors"),
        ("crops/000001.parquet", "block 1"),
        ("arrays.zarr/entropy/zarr.json", "entropy/zarr.json"),
        ("arrays.zarr/entropy/c/0/0/0", "block 0"),
        ("arrays.zarr/latents/c/1/0/0/0", "latents of block 1"),
    ],
)
def test_one_damage_is_mended_alone(whole: Path, path: Path, name: str, words: str):
    (path / name).unlink()
    said = run(path)
    assert any(str(path / name) in line for line in said)
    assert said[-1] == f"computed anew: {words}"
    assert differing(whole, path) == []


def test_every_file_of_a_study_is_read_and_sealed(whole: Path):
    found = verify_study(whole)
    assert found.damages == ()
    assert found.n_unsealed == 0
    assert found.n_files == len(contents(whole))
    assert found.n_bytes == sum(map(len, contents(whole).values()))


def test_a_run_over_a_whole_study_writes_nothing_but_the_manifest(path: Path):
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()}
    assert run(path) == ["checking what is there"]
    changed = {file.name for file, when in before.items() if file.stat().st_mtime_ns != when}
    assert changed <= {".lock", "manifest.json"}


def test_only_the_broken_block_is_computed_anew(path: Path):
    flip(path / "arrays.zarr/entropy/c/1/0/0")
    with begun(path) as writer:
        assert writer.pending_blocks() == [1]
        assert all(writer.is_done(stage) for stage in ("latents", "layout", MODES, MEANS))


@pytest.mark.parametrize("stage", ["latents", MODES, MEANS])
def test_only_the_broken_rows_of_a_later_stage_are_missing(path: Path, stage: str):
    name = {"latents": "latents/c/2/0/0/0", MODES: "modes/cls/c/2/0/0/0", MEANS: "means/cls/c/2/0/0"}[stage]
    flip(path / "arrays.zarr" / name)
    with begun(path) as writer:
        assert writer.pending_blocks() == []
        assert writer.blocks_without(stage) == [2]


def test_a_blank_in_the_manifest_is_mended_and_a_wrong_value_is_not(path: Path):
    manifest = path / "manifest.json"
    content = manifest.read_bytes()
    manifest.write_bytes(content.replace(b'"notes": ', b'"notes":  '))
    (found,) = verify_study(path).damages
    assert found.path == manifest
    run(path)
    assert verify_study(path).damages == ()
    manifest.write_bytes(content.replace(b'"seed": 0', b'"seed": 1'))
    for attempt in (verify_study, run):
        with pytest.raises(StudyError, match=r"manifest\.json is damaged") as caught:
            attempt(path)
        assert "no way back" in caught.value.hint


def test_a_lost_manifest_has_no_way_back_and_that_is_said(path: Path):
    (path / "manifest.json").unlink()
    for attempt in (verify_study, open_study, begun):
        with pytest.raises(StudyError, match="not a study") as caught:
            attempt(path)
        assert "lost its manifest.json" in caught.value.hint


def test_a_link_that_leads_out_is_cut_and_what_it_led_to_is_left_alone(whole: Path, path: Path, tmp_path: Path):
    outside = tmp_path / "outside"
    shutil.move(path / "arrays.zarr" / "entropy", outside)
    (path / "arrays.zarr" / "entropy").symlink_to(outside)
    before = contents(outside)
    assert {damage.path for damage in verify_study(path).damages} == {path / "arrays.zarr" / "entropy"}
    run(path)
    assert contents(outside) == before
    assert not (path / "arrays.zarr" / "entropy").is_symlink()
    np.testing.assert_array_equal(open_study(path)["entropy"], open_study(whole)["entropy"])


def test_a_folder_in_the_place_of_a_file_is_left_to_its_owner(path: Path):
    file = path / "crops" / "000001.parquet"
    file.unlink()
    file.mkdir()
    (file / "mine.txt").write_text("mine")
    with pytest.raises(StudyError, match="is a folder where a file"):
        begun(path)
    assert (file / "mine.txt").read_text() == "mine"


def as_of_an_older_version(path: Path) -> None:
    """Take out what receipts and manifest did not have before files were sealed."""
    manifest = Manifest.read(path)
    for stage, record in manifest.stages.items():
        del record["receipt"]
        StudyFiles(path).stage_receipt(stage).unlink()
    manifest.write(path)
    for block in range(manifest.n_blocks):
        rewrite(StudyFiles(path).receipt(block), lambda record: record.pop("files"))


def test_a_study_of_an_older_version_is_verified_as_far_as_its_checksums_go(path: Path):
    as_of_an_older_version(path)
    study, found = open_study(path), verify_study(path)
    assert study.is_finished
    assert found.damages == ()
    assert found.n_unsealed > 0
    for name in ("crops/000001.parquet", "arrays.zarr/strength/c/1/0/0/0", "autoencoder.safetensors"):
        flip(path / name)
    assert len(verify_study(path).damages) == 3
    run(path)
    found = verify_study(path)
    assert found.damages == ()
    assert found.n_unsealed < verify_study(study.path).n_files


def test_files_of_a_damaged_receipt_are_not_taken_for_those_of_an_older_version(path: Path):
    for name in ("blocks/000001.json", "blocks/heads.json", "blocks/layout.json"):
        flip(path / name)
    found = verify_study(path)
    assert len(found.damages) == 3
    assert found.n_unsealed == 0


def test_files_of_a_stage_that_is_not_finished_are_not_taken_for_those_of_an_older_version(tmp_path: Path):
    with begun(tmp_path / "b.study") as writer:
        for block in range(writer.n_blocks):
            write_synthetic_block(writer, block)
        shape = writer.arrays["latents"].shape
        writer.write_rows("latents", 0, np.zeros((len(writer.block_images(0)), *shape[1:]), np.float32))
    found = verify_study(tmp_path / "b.study")
    assert (found.damages, found.is_finished, found.n_unsealed) == ((), False, 0)


def inspected(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: Any) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["vitpanel", "inspect", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    captured = capsys.readouterr()
    return int(end.value.code or 0), captured.out + captured.err


def test_inspect_says_what_was_looked_at(path: Path, capsys, monkeypatch):
    code, printed = inspected(capsys, monkeypatch, path)
    assert (code, "finished; every file is there, contents not verified: use --verify" in printed) == (0, True)
    code, printed = inspected(capsys, monkeypatch, path, "--verify")
    assert code == 0
    assert f"finished and whole: {len(contents(path))} files" in printed


def test_inspect_shows_what_is_good_of_a_damaged_study(path: Path, capsys, monkeypatch):
    flip(path / "arrays.zarr/importance/jsd/c/2/0/0")
    (path / "crops/000001.parquet").unlink()
    code, printed = inspected(capsys, monkeypatch, path)
    assert code == 1
    assert "finished" not in printed.splitlines()[0]
    for text in ("importance/jsd/c/2/0/0 is damaged", "crops/000001.parquet is missing", "cosine distance of CLS"):
        assert text in printed
    code, printed = inspected(capsys, monkeypatch, path, "--verify")
    assert code == 1
    for text in ("damaged: 2 of", "jsd/c/2/0/0 is damaged", "crops/000001.parquet is damaged: it is missing"):
        assert text in printed
    assert printed.count("Run the same precompute command again") == 2


def test_a_study_that_is_not_finished_is_whole_as_far_as_it_goes(tmp_path: Path, capsys, monkeypatch):
    with begun(tmp_path / "b.study") as writer:
        write_synthetic_block(writer, 1)
        writer.ask_for(MODES)
    code, printed = inspected(capsys, monkeypatch, tmp_path / "b.study", "--verify")
    assert (code, "not finished, whole as far as it goes" in printed) == (0, True)
    code, printed = inspected(capsys, monkeypatch, tmp_path / "b.study")
    assert (code, "not finished (asked for)" in printed) == (0, True)
    flip(tmp_path / "b.study" / "arrays.zarr/strength/c/1/0/0/0")
    assert inspected(capsys, monkeypatch, tmp_path / "b.study", "--verify")[0] == 1


def test_a_file_that_may_not_be_read_is_named(path: Path, monkeypatch):
    blocked, read = path / "images.parquet", os.stat

    def refuse(file: Any, *args: Any, **options: Any) -> os.stat_result:
        if str(file) == str(blocked):
            raise PermissionError(13, "Permission denied", str(file))
        return read(file, *args, **options)

    monkeypatch.setattr("os.stat", refuse)
    assert blocked in {damage.path for damage in verify_study(path).damages}
