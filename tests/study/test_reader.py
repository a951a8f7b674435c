"""Reading a study, finished, unfinished and damaged."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.synthetic import (
    synthetic_block,
    synthetic_crop,
    synthetic_images,
    synthetic_manifest,
    synthetic_spec,
    write_synthetic_study,
)
from vitpanel.errors import StudyError, StudyIncompleteError
from vitpanel.study.files import StudyFiles
from vitpanel.study.manifest import Manifest
from vitpanel.study.reader import Study, open_study
from vitpanel.study.records import record_bytes
from vitpanel.study.writer import StudyWriter


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a finished and an unfinished study, to be copied."""
    folder = tmp_path_factory.mktemp("originals")
    write_synthetic_study(folder / "finished.study")
    write_synthetic_study(folder / "unfinished.study", finished=False)
    return folder


@pytest.fixture
def study(originals: Path, tmp_path: Path) -> Study:
    """Return a finished study of 12 images."""
    return open_study(shutil.copytree(originals / "finished.study", tmp_path / "a.study"))


@pytest.fixture
def unfinished(originals: Path, tmp_path: Path) -> Study:
    """Return a study with 10 of 12 images done and no stage complete."""
    return open_study(shutil.copytree(originals / "unfinished.study", tmp_path / "a.study"))


def blocks_as_written(path: Path) -> dict[str, np.ndarray]:
    """All rows of the heads stage, computed anew."""
    spec = synthetic_spec()
    with StudyWriter.create_or_resume(path, synthetic_manifest(spec), synthetic_images(spec, 12)) as writer:
        blocks = [synthetic_block(writer, block) for block in range(writer.n_blocks)]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def test_arrays_come_back_as_written(study: Study):
    for name, array in blocks_as_written(study.path).items():
        np.testing.assert_array_equal(study[name], array, strict=True)
    assert study.is_finished
    assert study.n_done == study.n_images == 12
    assert all(name in study and study[name].shape == study.arrays[name].shape for name in study.names)
    assert study.spec == synthetic_spec()


def test_arrays_are_read_once_and_cannot_be_changed(study: Study):
    for read in (lambda: study["strength"], lambda: study.mean("strength"), lambda: study.std("strength")):
        assert read() is read()
        with pytest.raises(ValueError, match="read-only"):
            read()[0] = 0


@pytest.mark.parametrize("name", ["strength", "patterns/patch_top", "latents"])
def test_blocks_are_the_rows_of_their_images(study: Study, name: str):
    for block in range(study.manifest.n_blocks):
        images = study.manifest.block_images(block)
        np.testing.assert_array_equal(study.block(name, block), study[name][images.start : images.stop], strict=True)
    with pytest.raises(StudyError, match="no array 'nonsense'"):
        study.block("nonsense", 0)


def test_a_block_of_a_stage_that_has_not_run(unfinished: Study):
    with pytest.raises(StudyIncompleteError, match="still lacks the codes of attention patterns"):
        unfinished.block("latents", 0)


def test_a_block_that_is_not_done(unfinished: Study):
    assert np.isfinite(unfinished.block("strength", 1)).all()
    with pytest.raises(StudyIncompleteError, match="block 2 is not computed yet"):
        unfinished.block("strength", 2)


def test_images_have_the_columns_of_the_format(study: Study):
    columns = ["file", "label", "label_name", "predicted", "predicted_name", "p_true"]
    assert list(study.images.columns) == columns
    assert list(study.images.index) == list(range(12))
    rows = study.images.to_dict("records")
    for row, probabilities in zip(rows, study["probabilities"], strict=True):
        reference = row["label"] if row["label"] >= 0 else row["predicted"]
        assert row["predicted"] == probabilities.argmax()
        assert row["p_true"] == probabilities[reference]


def test_pictures_come_back_as_written(study: Study):
    for image in (0, 4, 5, 11):
        with Image.open(io.BytesIO(study.crop(image))) as crop:
            np.testing.assert_array_equal(np.asarray(crop), synthetic_crop(study.spec, image))
        with Image.open(io.BytesIO(study.thumbnail(image))) as thumbnail:
            assert max(thumbnail.size) <= 64


@pytest.mark.parametrize("image", [-1, 12])
def test_an_image_that_there_is_not(study: Study, image: int):
    with pytest.raises(StudyError, match=f"has no image {image}") as caught:
        study.crop(image)
    assert "from 0 to 11" in caught.value.hint


def test_an_unknown_array_is_answered_with_the_names(study: Study):
    assert "nonsense" not in study
    with pytest.raises(StudyError, match="no array 'nonsense'") as caught:
        study["nonsense"]
    assert "importance/probability" in caught.value.hint


@pytest.mark.parametrize(
    ("options", "name", "reason"),
    [
        ({"prefix": ()}, "patterns/cls", "The model has no CLS token."),
        ({"n_classes": 0}, "importance/probability", "The model has no class head."),
    ],
)
def test_a_model_that_lacks_something(tmp_path: Path, options: dict, name: str, reason: str):
    study = open_study(write_synthetic_study(tmp_path / "a.study", **options))
    assert study.is_finished
    assert name not in study
    assert name not in study.names
    assert study.reason(name) == reason
    with pytest.raises(StudyIncompleteError, match=reason):
        study[name]
    assert all(present in study for present in study.names)


def test_moments_leave_nan_out(unfinished: Study):
    for name in ("importance/jsd", "patterns/cls"):
        values = unfinished[name][:10].astype(np.float64)
        np.testing.assert_allclose(unfinished.mean(name), values.mean(0), rtol=1e-6)
        np.testing.assert_allclose(unfinished.std(name), values.std(0), rtol=1e-5, atol=1e-8)
        assert unfinished.mean(name).dtype == np.float32


def test_an_unfinished_study_shows_what_is_there(unfinished: Study):
    assert not unfinished.is_finished
    assert unfinished.n_done == 10
    written = blocks_as_written(unfinished.path)
    for name in ("importance/cls", "strength", "patterns/cls"):
        assert name in unfinished
        np.testing.assert_array_equal(unfinished[name][:10], written[name][:10])
        assert np.isnan(unfinished[name][10:]).all()
    assert unfinished.images["predicted"].tolist()[10:] == [-1, -1]
    assert min(unfinished.images["predicted"].tolist()[:10]) >= 0
    assert unfinished.images["p_true"].isna().tolist() == [False] * 10 + [True] * 2
    unfinished.crop(9)
    with pytest.raises(StudyIncompleteError, match=r"Image 10 .*not computed yet"):
        unfinished.crop(10)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("patterns/patch_top", "The study is not finished: 10 of 12 images are done."),
        ("latents", "The study is not finished: it still lacks the codes of attention patterns."),
        ("layout/cls", "The study is not finished: it still lacks the maps."),
    ],
)
def test_what_is_not_computed_yet_is_said(unfinished: Study, name: str, reason: str):
    assert name not in unfinished
    assert unfinished.reason(name) == reason
    with pytest.raises(StudyIncompleteError, match="not finished") as caught:
        unfinished[name]
    assert "again" in caught.value.hint


def test_rows_of_a_block_without_receipt_are_not_shown(study: Study):
    study.files.receipt(1).unlink()
    again = open_study(study.path)
    assert not again.is_finished
    assert np.isnan(again["entropy"][5:10]).all()
    np.testing.assert_array_equal(again["entropy"][10:], study["entropy"][10:])


READS: dict[str, Callable[[Study], object]] = {
    "manifest.json": lambda study: str(study.manifest),
    "images.parquet": lambda study: study.images.to_csv(),
    "crops/000001.parquet": lambda study: [(study.crop(i), study.thumbnail(i)) for i in range(5, 10)],
    "autoencoder.safetensors": lambda study: study.read_file("autoencoder.safetensors"),
    "arrays.zarr/strength/zarr.json": lambda study: study["strength"].tobytes(),
    "arrays.zarr/strength/c/1/0/0/0": lambda study: study["strength"].tobytes(),
    "arrays.zarr/patterns/cls/c/2/0/0/0": lambda study: study["patterns/cls"].tobytes(),
    "arrays.zarr/patterns/patch_top/c/1/0/0/0": lambda study: study["patterns/patch_top"].tobytes(),
    "arrays.zarr/latents/c/0/0/0/0": lambda study: study["latents"].tobytes(),
    "arrays.zarr/layout/images/c/0/0": lambda study: study["layout/images"].tobytes(),
}


@pytest.mark.parametrize("name", READS)
def test_a_flipped_bit_never_changes_what_is_read(study: Study, name: str, rng: np.random.Generator):
    read, path = READS[name], study.path / name
    right, content = read(study), path.read_bytes()
    n_noticed = 0
    for place in rng.choice(len(content), 12, replace=False):
        damaged = bytearray(content)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            found = read(open_study(study.path))
        except StudyError as error:
            found, n_noticed = right, n_noticed + bool(error.hint and str(study.path) in error.message)
        assert found == right
    # A few bits carry nothing: indentation, statistics, flags of an encoder.
    assert n_noticed > 0


def test_a_damaged_receipt_takes_its_block_alone(study: Study):
    path = study.files.receipt(1)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    again = open_study(study.path)
    assert again.n_done == 7
    assert not again.is_finished
    assert str(path) in again.damages[0].message
    np.testing.assert_array_equal(again["entropy"][10:], study["entropy"][10:])
    again.crop(0)


def test_what_was_found_damaged_is_remembered(study: Study):
    path = study.files.chunk("entropy", 0, 3)
    path.write_bytes(path.read_bytes()[:-3])
    again = open_study(study.path)
    assert again.damages == ()
    for _ in range(2):
        with pytest.raises(StudyError):
            again["entropy"]
    assert [str(path) in error.message for error in again.damages] == [True]
    assert np.isfinite(again["strength"]).all()


@pytest.mark.parametrize(
    "name", [name for name in READS if "/c/" in name or name.endswith((".parquet", ".safetensors"))]
)
@pytest.mark.parametrize("content", [None, b"", b"half"])
def test_a_missing_or_truncated_file_is_an_error(study: Study, name: str, content: bytes | None):
    path = study.path / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StudyError) as caught:
        READS[name](open_study(study.path))
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_metadata_that_leads_to_other_chunks_is_noticed(study: Study):
    # With another separator zarr would look for files that do not exist, and give fill values.
    path = study.files.array("entropy") / "zarr.json"
    path.write_text(path.read_text().replace('"separator": "/"', '"separator": "."'))
    with pytest.raises(StudyError, match="entropy"):
        open_study(study.path)["entropy"]


def test_a_missing_array_is_named(study: Study):
    (study.files.array("entropy") / "zarr.json").unlink()
    with pytest.raises(StudyError, match="The array entropy is missing"):
        open_study(study.path)["entropy"]


def as_before(path: Path, names: tuple[str, ...], *, blocks: range) -> Study:
    """Take arrays out of a study, as if an older version had written it; those of the heads stage from some blocks."""
    manifest = Manifest.read(path)
    for name, stage in manifest.stages.items():
        del stage["receipt"]
        StudyFiles(path).stage_receipt(name).unlink()
        stage["arrays"] = [name for name in stage["arrays"] if name not in names]
    manifest.write(path)
    for block in blocks:
        receipt = StudyFiles(path).receipt(block)
        record = json.loads(receipt.read_bytes())
        del record["sha256"], record["files"]
        record["arrays"] = [name for name in record["arrays"] if name not in names]
        receipt.write_bytes(record_bytes(record))
        StudyFiles(path).chunk("distance", block, 3).unlink()
    for name in names:
        if name != "distance" or len(blocks) == manifest.n_blocks:
            shutil.rmtree(StudyFiles(path).array(name))
    return open_study(path)


def test_a_study_of_an_older_version_opens_and_says_what_it_lacks(study: Study):
    later = tuple(name for name in study.names if study.arrays[name].is_optional)
    assert {"distance", "layout/offset", "layout/images_drop"} < set(later)
    assert not {"importance/probability", "importance/jsd", "layout/images"} & set(later)
    present = {name: study[name] for name in set(study.names) - set(later)}
    older = as_before(study.path, later, blocks=range(study.manifest.n_blocks))
    assert older.is_finished
    for name in later:
        assert name not in older
        with pytest.raises(StudyIncompleteError, match=f"made before there was {name}: run the same"):
            older[name]
    assert all(np.array_equal(older[name], values) for name, values in present.items())


def test_a_study_half_brought_up_to_date_has_the_new_rows(study: Study):
    whole = study["distance"]
    older = as_before(study.path, ("distance",), blocks=range(1))
    assert np.isnan(older["distance"][:5]).all()
    np.testing.assert_array_equal(older["distance"][5:], whole[5:])


def test_a_file_that_is_not_written_yet(unfinished: Study):
    with pytest.raises(StudyIncompleteError, match=r"no file autoencoder\.safetensors"):
        unfinished.read_file("autoencoder.safetensors")


def test_a_path_may_be_text(study: Study):
    assert open_study(str(study.path)).path == study.path
    assert repr(study) == f"Study({str(study.path)!r}, 12 of 12 images done)"
