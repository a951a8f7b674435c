"""What a run does before it works, in which order it works, and how it mends what is broken."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tiny_vit import CLASSES, write_images
from vitpanel.errors import DiskFullError, StudyError, StudyMismatchError
from vitpanel.pipeline import precompute as pipeline
from vitpanel.pipeline.precompute import Recipe, precompute
from vitpanel.pipeline.progress import Progress
from vitpanel.study.means import coverage_words, importance_mean
from vitpanel.study.reader import Study, open_study
from vitpanel.study.summary import describe
from vitpanel.study.verify import verify_study
from vitpanel.study.writer import StudyWriter


class Listener(Progress):
    """Keeps what a run says."""

    def __init__(self) -> None:
        super().__init__(is_shown=False)
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def recipe(checkpoint: Path, images: Path, out: Path, **more: Any) -> Recipe:
    options = {"class_names": CLASSES, "block_size": 3, "latent_dim": 4} | more
    return Recipe(images=images, out=out, checkpoint=checkpoint, **options)


def run(checkpoint: Path, images: Path, out: Path, **more: Any) -> tuple[Study, list[str]]:
    listener = Listener()
    return precompute(recipe(checkpoint, images, out, **more), progress=listener), listener.lines


def assert_same(study: Study, expected: Study) -> None:
    """Expect the files and the numbers of another run.

    Two runs of a model may differ in the last bits, which training makes a little larger and t-SNE as large as it
    likes: of a layout, the next best thing to its numbers is that it is there.
    """

    def files(of: Study) -> set[Path]:
        return {file.relative_to(of.path) for file in of.path.rglob("*") if file.is_file() and file.name != ".lock"}

    assert files(study) == files(expected)
    for file in files(expected):
        if file.suffix == ".parquet":
            assert (study.path / file).read_bytes() == (expected.path / file).read_bytes(), file
    assert study.names == expected.names
    for name in expected.names:
        found, wanted = np.asarray(study[name]), np.asarray(expected[name])
        if name.startswith("layout/"):
            assert np.isfinite(found).all(), name
            found = wanted
        elif np.issubdtype(wanted.dtype, np.floating):
            found, wanted = found.astype(np.float64), wanted.astype(np.float64)
        np.testing.assert_allclose(found, wanted, rtol=1e-2, atol=1e-3, err_msg=name)


@pytest.fixture(scope="module", autouse=True)
def _short_training():
    """Train for one epoch: what is tested is that the same is trained again, not how well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vitpanel.models.autoencoder.MOST_SEEN", 1)
        yield


@pytest.fixture(scope="module")
def study(checkpoint: Path, images: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return a finished study with all pruning modes that no test changes."""
    return run(checkpoint, images, tmp_path_factory.mktemp("out") / "whole.study", modes=True)[0]


@pytest.fixture
def nothing_is_loaded(monkeypatch: pytest.MonkeyPatch):
    """Make it an error to load a model or to look at images."""

    def fail(*_: object, **__: object) -> None:
        pytest.fail("work was begun")

    for name in ("load_model", "open_images"):
        monkeypatch.setattr(pipeline, name, fail)


@pytest.mark.usefixtures("nothing_is_loaded")
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_text("mine"), "is not a folder"),
        (lambda path: (path.mkdir(), (path / "notes.txt").write_text("mine")), "exists and is not a study"),
        (lambda path: path.symlink_to("/nowhere/at/all"), "could not be written"),
    ],
)
def test_a_place_that_cannot_be_is_refused_before_any_work(tmp_path: Path, make: Any, said: str):
    out = tmp_path / "x.study"
    make(out)
    with pytest.raises(StudyError, match=said) as caught:
        run(tmp_path, tmp_path, out)
    assert "--out" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["x.study"]


@pytest.mark.usefixtures("nothing_is_loaded")
def test_a_place_where_nothing_can_be_written_is_refused_before_any_work(tmp_path: Path):
    with pytest.raises(StudyError, match=r"/proc/x\.study could not be written"):
        run(tmp_path, tmp_path, Path("/proc/x.study"))


@pytest.mark.slow
def test_another_seed_and_another_writer_are_refused_before_any_work(study: Study, tmp_path: Path, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        pytest.fail("work was begun")

    monkeypatch.setattr(pipeline, "load_model", fail)
    with pytest.raises(StudyMismatchError, match=r"settings\.seed is 0 there and 7 here"):
        run(tmp_path, tmp_path, study.path, seed=7)


@pytest.mark.slow
def test_the_disk_is_asked_before_any_image_is_opened(checkpoint: Path, images: Path, tmp_path: Path, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        pytest.fail("an image was opened")

    monkeypatch.setattr("vitpanel.pipeline.source.decode_image", fail)
    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 1_000, 1_000))
    with pytest.raises(DiskFullError, match=r"needs about .* more, but .* has 1\.0 kB free") as caught:
        run(checkpoint, images, tmp_path / "x.study")
    assert "--out" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_finished_study_needs_no_room(study: Study, checkpoint: Path, images: Path, tmp_path: Path, monkeypatch):
    path = shutil.copytree(study.path, tmp_path / "full.study")
    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 0))
    again, lines = run(checkpoint, images, path, modes=True)
    assert "checking what is there" in lines
    assert_same(again, study)


@pytest.mark.slow
def test_the_first_blocks_are_of_all_classes_and_the_mean_says_of_how_many_images(
    study: Study, checkpoint: Path, images: Path, tmp_path: Path, monkeypatch
):
    write, n_written = StudyWriter.write_block, 0

    def write_some(writer: StudyWriter, *args: Any, **options: Any) -> None:
        nonlocal n_written
        if n_written == 4:
            raise KeyboardInterrupt
        n_written += 1
        write(writer, *args, **options)

    out = tmp_path / "some.study"
    with monkeypatch.context() as patch:
        patch.setattr(StudyWriter, "write_block", write_some)
        with pytest.raises(KeyboardInterrupt):
            run(checkpoint, images, out, modes=True)
    part = open_study(out)
    assert coverage_words(part) == "12 of 24 images, 4 of 4 classes so far"
    assert importance_mean(part, "jsd").words == "over 12 of 24 images, 4 of 4 classes so far"
    assert "mean over 12 of 24 images, 4 of 4 classes so far" in describe(part)
    rows = np.flatnonzero(part.done_images)
    np.testing.assert_allclose(part.mean("importance/jsd"), study["importance/jsd"][rows].mean(0), rtol=1e-5)
    resumed, _ = run(checkpoint, images, out, modes=True)
    assert coverage_words(resumed) == ""
    assert importance_mean(resumed, "jsd").words == ""
    assert_same(resumed, study)


@pytest.mark.slow
def test_a_run_stopped_within_the_modes_leaves_word_that_they_were_asked_for(
    study: Study, checkpoint: Path, images: Path, tmp_path: Path, monkeypatch
):
    path = Path(shutil.copytree(study.path, tmp_path / "stopped.study"))
    for file in (path / "arrays.zarr" / "modes").rglob("c"):
        shutil.rmtree(file)
    manifest = open_study(path).manifest
    del manifest.stages["modes"]
    manifest.write(path)
    (path / "blocks" / "modes.json").unlink()
    assert open_study(path).is_finished

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("vitpanel.pipeline.modes.summarise_modes", stop)
        with pytest.raises(KeyboardInterrupt):
            run(checkpoint, images, path, modes=True)
    stopped = open_study(path)
    assert not stopped.is_finished
    assert "(not finished)" in describe(stopped)
    assert "modes   not finished (asked for)" in describe(stopped)
    assert "still lacks the pruning modes" in stopped.reason("modes/jsd")
    # What was asked for is gone on with; --no-modes takes it back.
    without, _ = run(checkpoint, images, Path(shutil.copytree(path, tmp_path / "without.study")), modes=False)
    assert without.is_finished
    assert "modes/jsd" not in without
    whole, _ = run(checkpoint, images, path)
    assert whole.is_finished
    assert_same(whole, study)


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.slow
def test_what_is_broken_is_computed_anew_and_nothing_else(
    study: Study, checkpoint: Path, images: Path, tmp_path: Path, monkeypatch
):
    path = Path(shutil.copytree(study.path, tmp_path / "broken.study"))
    names = (
        "arrays.zarr/importance/jsd/c/2/0/0",
        "arrays.zarr/strength/zarr.json",
        "arrays.zarr/latents/c/1/0/0/0",
        "arrays.zarr/layout/cls/c/0/0/0/0",
        "arrays.zarr/modes/jsd/c/3/0/0/0",
        "crops/000004.parquet",
        "blocks/000005.json",
        "images.parquet",
    )
    for name in names:
        flip(path / name)
    assert {damage.path for damage in verify_study(path).damages} == {path / name for name in names}
    written: list[int] = []
    write = StudyWriter.write_block

    def note(writer: StudyWriter, block: int, *args: Any, **options: Any) -> None:
        written.append(block)
        write(writer, block, *args, **options)

    monkeypatch.setattr(StudyWriter, "write_block", note)
    train = "vitpanel.pipeline.latents.train_autoencoder"
    monkeypatch.setattr(train, lambda *_, **__: pytest.fail("the autoencoder is whole"))
    mended, lines = run(checkpoint, images, path)
    assert f"{len(names)} broken or missing files:" in lines
    assert sorted(written) == [2, 4, 5]
    assert_same(mended, study)
    assert verify_study(path).damages == ()
    kept = mended.manifest.stages["latents"]["detail"]
    assert kept["average_precision"] == study.manifest.stages["latents"]["detail"]["average_precision"]
    assert mended.manifest.stages["layout"]["detail"]["neighbours"].keys() == (
        study.manifest.stages["layout"]["detail"]["neighbours"].keys()
    )


@pytest.mark.slow
def test_a_lost_autoencoder_is_trained_again(study: Study, checkpoint: Path, images: Path, tmp_path: Path):
    path = Path(shutil.copytree(study.path, tmp_path / "broken.study"))
    flip(path / "autoencoder.safetensors")
    mended, lines = run(checkpoint, images, path)
    assert "computed anew: autoencoder.safetensors" in lines
    assert_same(mended, study)


@pytest.mark.slow
def test_a_broken_probe_is_fitted_again(checkpoint: Path, images: Path, tmp_path: Path):
    whole, _ = run(checkpoint, images, tmp_path / "probe.study", class_names=None, probe=True)
    path = Path(shutil.copytree(whole.path, tmp_path / "broken.study"))
    flip(path / "head.safetensors")
    mended, lines = run(checkpoint, images, path, class_names=None, probe=True)
    assert "computed anew: head.safetensors" in lines
    assert_same(mended, whole)


@pytest.mark.slow
def test_images_that_are_gone_new_or_changed_are_named(study: Study, checkpoint: Path, tmp_path: Path):
    photos = write_images(tmp_path / "photos")
    (photos / "cat" / "0.png").rename(photos / "cat" / "new.png")
    with pytest.raises(StudyMismatchError, match=r"images\.hash") as caught:
        run(checkpoint, photos, study.path, modes=True)
    assert "cat/0.png is not there any more and cat/new.png is new" in caught.value.hint
    (photos / "cat" / "new.png").rename(photos / "cat" / "0.png")
    shutil.copy(photos / "dog" / "0.png", photos / "cat" / "0.png")
    with pytest.raises(StudyMismatchError) as caught:
        run(checkpoint, photos, study.path, modes=True)
    assert "same names as before, but a file or a label has changed" in caught.value.hint
