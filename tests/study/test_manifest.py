"""The manifest of a study."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.synthetic import synthetic_manifest, synthetic_spec
from vitpanel.errors import StudyError, StudyFormatError
from vitpanel.study.manifest import Manifest
from vitpanel.study.records import record_bytes


def manifest() -> Manifest:
    """Return the manifest of 12 images in blocks of 5."""
    result = synthetic_manifest(synthetic_spec())
    result.images["n_images"] = 12
    return result


def test_round_trip(tmp_path: Path):
    written = manifest()
    written.write(tmp_path)
    read = Manifest.read(tmp_path)
    assert record_bytes(asdict(read)) == record_bytes(asdict(written))
    assert read.spec == synthetic_spec()
    assert read.class_names == ("class 0", "T-shirt & <top>", "class 2")


def test_blocks_cover_all_images_once():
    blocks = [manifest().block_images(block) for block in range(manifest().n_blocks)]
    assert [image for block in blocks for image in block] == list(range(12))
    assert [len(block) for block in blocks] == [5, 5, 2]


def test_a_newer_format_is_refused_with_both_versions(tmp_path: Path):
    # A newer version may keep everything else differently, so nothing but the version may be relied on.
    (tmp_path / "manifest.json").write_text(json.dumps({"format_version": 7}))
    with pytest.raises(StudyFormatError, match="was written in format 7, this version reads up to 2") as caught:
        Manifest.read(tmp_path)
    assert "pgrade vitpanel" in caught.value.hint


def test_a_folder_without_manifest_is_no_study(tmp_path: Path):
    with pytest.raises(StudyFormatError, match="is not a study"):
        Manifest.read(tmp_path)


def test_a_missing_folder_is_said_to_be_missing(tmp_path: Path):
    with pytest.raises(StudyError, match="There is no study at"):
        Manifest.read(tmp_path / "none.study")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_manifest_is_refused(tmp_path: Path, share: float):
    manifest().write(tmp_path)
    path = tmp_path / "manifest.json"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(StudyFormatError, match=r"manifest\.json is damaged"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize("version", [None, "1", 0])
def test_a_version_that_is_none_is_refused(tmp_path: Path, version: object):
    (tmp_path / "manifest.json").write_bytes(record_bytes(asdict(manifest()) | {"format_version": version}))
    with pytest.raises(StudyFormatError, match="format_version"):
        Manifest.read(tmp_path)


def test_a_missing_part_is_named(tmp_path: Path):
    content = asdict(manifest())
    del content["settings"]
    (tmp_path / "manifest.json").write_bytes(record_bytes(content))
    with pytest.raises(StudyFormatError, match="lacks settings"):
        Manifest.read(tmp_path)


def test_differences_name_each_setting_and_stay_short():
    here, there = manifest(), manifest()
    here.settings["seed"] = 1
    here.model["class_names"] = [f"class {i}" for i in range(1000)]
    names, seed = there.differences(here)
    assert seed == "settings.seed is 0 there and 1 here"
    assert names.startswith("model.class_names is ['class 0', 'T-shirt & <top>', 'class 2'] there and ['class 0',")
    assert len(names) < 250
    assert there.differences(manifest()) == []
