"""Whole precompute runs on a tiny model: what they write, and what a stop, a kill or other settings do."""

import io
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file

from tests.tiny_vit import ARCHITECTURE, CLASSES, N_PER_CLASS, SIZES, write_checkpoint
from vitpanel.errors import ImageSourceError, StudyMismatchError, VitpanelError
from vitpanel.pipeline.layout import tsne
from vitpanel.pipeline.precompute import Recipe, precompute
from vitpanel.pipeline.progress import Progress
from vitpanel.state.session import Session
from vitpanel.study.means import importance_mean, unpruned_mean
from vitpanel.study.own_stages import STAGES
from vitpanel.study.reader import Study, open_study
from vitpanel.study.summary import describe

pytestmark = pytest.mark.slow

N_IMAGES = N_PER_CLASS * len(CLASSES)


def run(checkpoint: Path, images: Path, out: Path, **more: Any) -> Study:
    options = {"class_names": CLASSES, "block_size": 5, "latent_dim": 4} | more
    recipe = Recipe(images=images, out=out, checkpoint=checkpoint, **options)
    return precompute(recipe, progress=Progress(is_shown=False))


@pytest.fixture(scope="module")
def study(checkpoint: Path, images: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return a finished study that no test changes."""
    return run(checkpoint, images, tmp_path_factory.mktemp("out") / "whole.study")


def arrays_of(study: Study) -> dict[str, bytes]:
    return {name: study[name].tobytes() for name in study.names}


def naive_probabilities(checkpoint: Path, pixels: torch.Tensor, *, pruned: tuple[int, int] | None = None) -> np.ndarray:
    """Forward of timm's own model, with A of one head multiplied by zero."""
    module: Any = timm.create_model(ARCHITECTURE, pretrained=False, **SIZES).eval()
    module.load_state_dict(load_file(checkpoint))
    for layer, block in enumerate(module.blocks):
        block.attn.fused_attn = False
        if pruned is not None and layer == pruned[0]:
            keep = torch.ones(SIZES["num_heads"])
            keep[pruned[1]] = 0
            block.attn.attn_drop.register_forward_hook(lambda _m, _i, a, k=keep: a * k[None, :, None, None])
    with torch.inference_mode():
        return module(pixels).softmax(-1).numpy()


def test_a_study_has_every_array_and_is_finished(study: Study):
    assert study.is_finished
    assert study.n_done == study.n_images == N_IMAGES
    assert set(study.manifest.stages) >= set(STAGES)
    for name in study.names:
        assert study[name].shape == study.arrays[name].shape
        assert np.isfinite(study[name].astype(np.float64)).all(), name


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"images": "nowhere"}, "There is nothing at"),
        ({"images": "empty"}, "names no images"),
        ({"out": "file.txt"}, "file.txt"),
        ({"batch_size": 0}, "--batch-size is 0"),
        ({"precision": "fp16", "device": "cpu"}, "needs CUDA"),
        ({"head": "nowhere.safetensors", "class_names": None}, "nowhere.safetensors"),
    ],
)
def test_what_can_be_refused_without_the_model_is_refused_before_it_is_asked_for(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], said: str
):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("mine")

    def load(*_: object, **__: object) -> None:
        pytest.fail("the model was asked for")

    monkeypatch.setattr("vitpanel.pipeline.precompute.load_model", load)
    places = {key: tmp_path / options[key] for key in ("images", "out", "head") if key in options}
    more: dict[str, Any] = {"images": images, "out": tmp_path / "a.study"} | options | places
    with pytest.raises(VitpanelError, match=said) as caught:
        precompute(Recipe(model="vit_tiny_patch16_224", **more), progress=Progress(is_shown=False))
    assert caught.value.hint
    assert not (tmp_path / "a.study").exists()


def test_the_table_of_images_is_the_folder(study: Study, images: Path):
    assert study.images["file"].tolist() == sorted(p.relative_to(images).as_posix() for p in images.rglob("*.png"))
    assert [CLASSES[label] for label in study.images["label"]] == study.images["label_name"].tolist()


def test_probabilities_and_importance_are_those_of_a_naive_forward(study: Study, images: Path, checkpoint: Path):
    files = study.images["file"].tolist()[::6]
    rows = np.arange(0, N_IMAGES, 6)
    pixels = np.stack([np.asarray(Image.open(images / file).convert("RGB")) for file in files]) / 255
    tensor = torch.from_numpy((pixels - 0.5) / 0.5).float().permute(0, 3, 1, 2)
    labels = study.images["label"].to_numpy()[rows]
    clean = naive_probabilities(checkpoint, tensor)
    assert np.allclose(study["probabilities"][rows], clean, atol=1e-5)
    assert np.allclose(study.images["p_true"].to_numpy()[rows], clean[range(len(rows)), labels], atol=1e-5)
    for layer in range(SIZES["depth"]):
        for head in range(SIZES["num_heads"]):
            pruned = naive_probabilities(checkpoint, tensor, pruned=(layer, head))
            lost = study["importance/probability"][rows, layer, head]
            assert np.allclose(lost, (clean - pruned)[range(len(rows)), labels], atol=1e-5)
            middle = (clean + pruned) / 2
            jsd = ((clean * np.log2(clean / middle)).sum(-1) + (pruned * np.log2(pruned / middle)).sum(-1)) / 2
            assert np.allclose(study["importance/jsd"][rows, layer, head], jsd, atol=1e-5)


def test_the_crop_is_what_the_model_saw(study: Study, images: Path):
    file = images / study.images["file"].iloc[7]
    kept = Image.open(io.BytesIO(study.crop(7))).convert("RGB")
    assert np.array_equal(np.asarray(kept), np.asarray(Image.open(file).convert("RGB")))


def test_another_run_changes_nothing(study: Study, checkpoint: Path, images: Path, tmp_path: Path):
    path = Path(shutil.copytree(study.path, tmp_path / "again.study"))
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file() and file.name != "manifest.json"}
    again = run(checkpoint, images, path)
    assert arrays_of(again) == arrays_of(study)
    assert all(file.read_bytes() == data for file, data in before.items())


@pytest.mark.parametrize("batch_size", [1, 7])
def test_the_batch_size_changes_nothing_but_rounding(
    study: Study, checkpoint: Path, images: Path, tmp_path: Path, batch_size: int
):
    other = run(checkpoint, images, tmp_path / "batch.study", batch_size=batch_size)
    for name in ("probabilities", "importance/probability", "importance/jsd", "importance/cls", "importance/patch"):
        assert np.allclose(other[name], study[name], atol=1e-5), name


_RUN = """
import sys
from pathlib import Path
from tests.pipeline.test_precompute import run
run(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
"""


def test_a_killed_run_goes_on_where_it_was(study: Study, checkpoint: Path, images: Path, tmp_path: Path):
    out = tmp_path / "killed.study"
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    process = subprocess.Popen([sys.executable, "-c", _RUN, checkpoint, images, out], env=environment, cwd=root)
    while not (out / "blocks" / "000001.json").exists() and process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    # Of blocks alone: the receipt of a stage is written anew where the run was killed before the manifest named it.
    written = {file: file.stat().st_mtime_ns for file in (out / "blocks").glob("[0-9]*.json")}
    assert len(written) >= 2
    if process.returncode:
        assert not open_study(out).is_finished
    resumed = run(checkpoint, images, out)
    assert resumed.is_finished
    assert all(file.stat().st_mtime_ns == when for file, when in written.items())
    assert arrays_of(resumed) == arrays_of(study)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 1}, "seed"),
        ({"latent_dim": 5}, "latent_dim"),
        ({"layout_sample": 50}, "layout_sample"),
        ({"class_names": ("bird", "cat", "dog", "toad")}, "class_names"),
        ({"per_class": 2}, "images.n_images is 24 there and 8 here"),
    ],
)
def test_other_settings_are_refused_and_nothing_is_lost(
    study: Study, checkpoint: Path, images: Path, change: dict[str, Any], named: str
):
    before = arrays_of(study)
    with pytest.raises(StudyMismatchError) as caught:
        run(checkpoint, images, study.path, **change)
    assert named in caught.value.message
    assert "--out" in caught.value.hint or "out" in caught.value.hint
    assert arrays_of(open_study(study.path)) == before


@pytest.mark.parametrize("precision", ["tf32", "fp16"])
def test_less_precise_products_are_refused_without_cuda(checkpoint: Path, images: Path, tmp_path: Path, precision: str):
    with pytest.raises(VitpanelError, match=f"--precision {precision} needs CUDA") as caught:
        run(checkpoint, images, tmp_path / "a.study", precision=precision, device="cpu")
    assert "--precision" in caught.value.hint
    assert not (tmp_path / "a.study").exists()


@pytest.mark.parametrize(("name", "value"), [("seed", -1), ("batch_size", 0), ("block_size", 0), ("per_class", 0)])
def test_numbers_out_of_range_are_refused_before_anything_is_read(tmp_path: Path, name: str, value: int):
    with pytest.raises(VitpanelError, match=f"--{name.replace('_', '-')} is {value}"):
        run(tmp_path / "absent.safetensors", tmp_path / "absent", tmp_path / "x.study", **{name: value})


def test_other_weights_are_refused(study: Study, images: Path, tmp_path: Path):
    other = write_checkpoint(tmp_path / "other.safetensors", seed=1)
    with pytest.raises(StudyMismatchError, match="weight_hash"):
        run(other, images, study.path)


def test_broken_images_are_left_out_and_named(checkpoint: Path, images: Path, tmp_path: Path):
    folder = Path(shutil.copytree(images, tmp_path / "photos"))
    (folder / "cat" / "0.png").write_bytes(b"not an image")
    truncated = folder / "dog" / "3.png"
    truncated.write_bytes(truncated.read_bytes()[:200])
    study = run(checkpoint, folder, tmp_path / "some.study")
    assert study.is_finished
    assert study.n_images == N_IMAGES - 2
    assert [item["file"] for item in study.manifest.images["skipped"]] == ["cat/0.png", "dog/3.png"]
    assert all(item["reason"] for item in study.manifest.images["skipped"])


def test_an_empty_folder_is_refused_before_anything_is_written(checkpoint: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageSourceError, match="names no images"):
        run(checkpoint, tmp_path / "empty", tmp_path / "none.study")
    assert not (tmp_path / "none.study").exists()


def test_a_backbone_without_classes_keeps_the_other_metrics(images: Path, tmp_path: Path):
    headless = write_checkpoint(tmp_path / "headless.safetensors", sizes={"num_classes": 0})
    study = run(headless, images, tmp_path / "headless.study", class_names=None)
    assert study.is_finished
    assert "importance/probability" not in study
    assert "no class head" in study.reason("importance/probability")
    assert np.isfinite(study["importance/cls"]).all()
    assert np.isfinite(study["layout/images"]).all()


def test_without_labels_images_are_judged_by_the_top_class(checkpoint: Path, images: Path, tmp_path: Path):
    names = ("one", "two", "three", "four")
    with pytest.raises(ImageSourceError, match="None of the labels"):
        run(checkpoint, images, tmp_path / "other.study", class_names=names)
    assert not (tmp_path / "other.study").exists()
    study = run(checkpoint, images, tmp_path / "other.study", class_names=names, labels=False)
    assert set(study.images["label"]) == {-1}
    assert set(study.images["label_name"]) == set(CLASSES)
    assert np.allclose(study.images["p_true"], study["probabilities"].max(-1))
    assert "judged by the model's own top-1 class, as --no-labels says" in describe(study)


def test_images_whose_label_is_no_class_are_counted_and_left_out_of_the_mean_drop(
    checkpoint: Path, images: Path, tmp_path: Path
):
    folder = Path(shutil.copytree(images, tmp_path / "photos"))
    (folder / "cat").rename(folder / "Katze")
    (folder / "frog").rename(folder / "frgo")
    study = run(checkpoint, folder, tmp_path / "some.study")
    assert study.manifest.images["unmatched"] == [
        {"label": "Katze", "n_images": N_PER_CLASS, "reason": "no class is called so."},
        {"label": "frgo", "n_images": N_PER_CLASS, "reason": "no class is called so; the nearest: frog."},
    ]
    text = describe(study)
    assert "2 labels are no class of the model, 12 images: judged by the model's own top-1 class, and left out" in text
    assert "mean over 12 of 24 images, whose label is a class" in text
    labelled = study.images["label"].to_numpy() >= 0
    assert labelled.sum() == 12
    found = importance_mean(study, "probability")
    assert np.allclose(found.mean, study["importance/probability"][labelled].mean(0), atol=1e-6)
    assert found.std is not None
    assert np.allclose(found.std, study["importance/probability"][labelled].std(0), atol=1e-6)
    assert unpruned_mean(study) == pytest.approx(study.images["p_true"][labelled].mean())
    assert np.allclose(importance_mean(study, "jsd").mean, study["importance/jsd"].mean(0), atol=1e-6)


def test_a_study_whose_labels_were_matched_otherwise_is_not_gone_on_with(
    study: Study, checkpoint: Path, images: Path, tmp_path: Path
):
    path = Path(shutil.copytree(study.path, tmp_path / "again.study"))
    with pytest.raises(StudyMismatchError, match="'bird' is class 0"):
        run(checkpoint, images, path, labels=False)


def test_exif_is_a_setting_of_the_study(checkpoint: Path, images: Path, tmp_path: Path):
    folder = Path(shutil.copytree(images, tmp_path / "photos"))
    exif = Image.Exif()
    exif[0x0112] = 3
    for file in sorted(folder.rglob("*.png")):
        with Image.open(file) as image:
            image.save(file, exif=exif)
    as_stored = run(checkpoint, folder, tmp_path / "stored.study", exif=False)
    with (
        Image.open(folder / as_stored.images["file"].iloc[3]) as stored,
        Image.open(io.BytesIO(as_stored.crop(3))) as crop,
    ):
        assert np.array_equal(np.asarray(crop.convert("RGB")), np.asarray(stored.convert("RGB")))
    assert not as_stored.manifest.images["remarks"]
    with pytest.raises(StudyMismatchError, match=r"settings\.exif"):
        run(checkpoint, folder, as_stored.path)
    turned = run(checkpoint, folder, tmp_path / "turned.study")
    assert "exif" not in turned.manifest.settings
    assert "24 images were turned upright" in describe(turned)
    assert np.abs(turned["probabilities"] - as_stored["probabilities"]).max() > 1e-3


def test_images_are_laid_out_by_what_is_lost_and_by_what_is_left(study: Study):
    lost = study["importance/probability"].reshape(study.n_images, -1)
    left = study.images["p_true"].to_numpy(np.float32)[:, None] - lost
    for name, vectors in (("layout/images_drop", lost), ("layout/images", left)):
        places = tsne(vectors, seed=study.manifest.settings["seed"], on_step=lambda _: None).coordinates
        np.testing.assert_allclose(study[name], places, atol=1e-3)
    assert not np.allclose(study["layout/images_drop"], study["layout/images"], atol=1e-1)


def test_a_study_from_before_gets_the_layout_it_lacks(study: Study, checkpoint: Path, images: Path, tmp_path: Path):
    expected = study["layout/images_drop"]
    whole = open_study(shutil.copytree(study.path, tmp_path / "a.study"))
    shutil.rmtree(whole.path / "arrays.zarr" / "layout" / "images_drop")
    whole.manifest.stages["layout"]["arrays"].remove("layout/images_drop")
    whole.manifest.write(whole.path)
    old = open_study(whole.path)
    assert "run the same precompute command again" in old.reason("layout/images_drop")
    assert Session(old).image_layout == "layout/images"
    np.testing.assert_allclose(run(checkpoint, images, whole.path)["layout/images_drop"], expected, atol=1e-3)
    assert Session(open_study(whole.path)).image_layout == "layout/images_drop"


def test_a_failed_check_leaves_out_what_it_decides_and_nothing_else(
    checkpoint: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("vitpanel.models.checks.ROW_SUM_LIMIT", 0.0)
    study = run(checkpoint, images, tmp_path / "a.study")
    assert study.is_finished
    left = {"probabilities", *(f"importance/{metric}" for metric in ("probability", "jsd", "cls", "patch", "accuracy"))}
    assert {name for name in study.names if not name.startswith("layout/images")} == left
    for name in ("strength", "patterns/cls", "latents", "layout/patch"):
        assert "not shares of attention" in study.reason(name)
    assert "5 of 6 passed" in describe(study)
    again = run(checkpoint, images, tmp_path / "a.study")
    assert again.is_finished
