"""A head fitted on the features of the loaded images, and studies of models with such a head."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.tiny_vit import CLASSES, N_PER_CLASS, write_checkpoint
from vitpanel.app.inference import ModelService
from vitpanel.core.trust import read_checks
from vitpanel.errors import DiskFullError, ImageSourceError, StudyMismatchError, VitpanelError
from vitpanel.models.class_head import LinearHead
from vitpanel.models.images import decode_crop
from vitpanel.models.loading import load_model, without_classes
from vitpanel.pipeline import precompute as pipeline
from vitpanel.pipeline.linear_probe import fit_logistic, split
from vitpanel.pipeline.precompute import Recipe, precompute
from vitpanel.pipeline.progress import Progress
from vitpanel.study.reader import Study
from vitpanel.study.summary import describe


def run(checkpoint: Path, images: Path, out: Path, **more: Any) -> Study:
    options: dict[str, Any] = {"block_size": 10, "latent_dim": 4} | more
    recipe = Recipe(images=images, out=out, checkpoint=checkpoint, **options)
    return precompute(recipe, progress=Progress(is_shown=False))


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("backbone") / "a.safetensors", sizes={"num_classes": 0})


@pytest.fixture(scope="module")
def study(backbone: Path, images: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return run(backbone, images, tmp_path_factory.mktemp("probe") / "a.study", probe=True)


def features_of(study: Study, backbone: Path) -> np.ndarray:
    model = without_classes(load_model(None, checkpoint=backbone, device="cpu"))
    crops = [decode_crop(study.crop(image)) for image in range(study.n_images)]
    return model.features(model.preprocessing.tensor(crops)).numpy()


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("sizes", [[8, 8], [1, 5], [2, 3, 100]])
def test_a_quarter_of_each_class_is_held_out(sizes: list[int], seed: int):
    labels = np.random.default_rng(3).permutation(np.repeat(np.arange(len(sizes)), sizes))
    train, test = split(labels, seed=seed)
    assert sorted([*train, *test]) == list(range(len(labels)))
    for label, size in enumerate(sizes):
        expected = 0 if size == 1 else max(1, round(size / 4))
        assert (labels[test] == label).sum() == expected
    assert all(np.array_equal(a, b) for a, b in zip(split(labels, seed=seed), (train, test), strict=True))


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_fit_is_the_optimum_of_the_penalised_likelihood(rng: np.random.Generator, n_classes: int):
    """Gradient of the loss with regard to the standardised weights, computed here, is zero."""
    labels = rng.integers(0, n_classes, 80)
    features = rng.normal(size=(80, 5)) * [1, 10, 0.1, 3, 1] + labels[:, None] * 0.4 + 7
    weight, bias = fit_logistic(features, labels)
    logits = features @ weight.T + bias
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    standardised = (features - features.mean(0)) / features.std(0)
    slope = weight * features.std(0)
    # sklearn weighs the penalty of one row for two classes, of all rows for more.
    penalty = slope / 0.01 if n_classes > 2 else 2 * slope / 0.01
    gradient = (p - np.eye(n_classes)[labels]).T @ standardised + penalty
    assert np.abs(gradient).max() < 0.02 * np.abs(penalty).max()
    assert np.abs((p - np.eye(n_classes)[labels]).sum(0)).max() < 0.05


def test_the_disk_is_asked_again_when_the_probe_has_brought_classes(
    backbone: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[int] = []

    def check_space(_path: Path, needed_bytes: int) -> None:
        asked.append(needed_bytes)
        if len(asked) > 1:
            message = "full"
            raise DiskFullError(message)

    monkeypatch.setattr(pipeline, "check_space", check_space)
    with pytest.raises(DiskFullError, match="full"):
        run(backbone, images, tmp_path / "a.study", probe=True)
    assert 0 < asked[0] < asked[1]


def test_the_probe_is_reported_with_its_split(study: Study, backbone: Path):
    about = study.manifest.model["head"]
    assert about["kind"] == "probe"
    assert (about["n_train"], about["n_test"]) == (16, 8)
    assert study.class_names == CLASSES
    head = LinearHead.from_bytes(study.read_file("head.safetensors"))
    right = (features_of(study, backbone) @ head.weight.numpy().T + head.bias.numpy()).argmax(1)
    right = right == study.images["label"].to_numpy()
    held_out = np.isin(np.arange(study.n_images), about["test_images"])
    assert right[held_out].mean() == pytest.approx(about["accuracy_test"])
    assert right[~held_out].mean() == pytest.approx(about["accuracy_train"])
    text = describe(study)
    assert "probe" in text
    assert f"{about['accuracy_test']:.1%}" in text
    assert "8 held out" in text


def test_probabilities_and_metrics_are_those_of_the_head(study: Study, backbone: Path):
    head = LinearHead.from_bytes(study.read_file("head.safetensors"))
    logits = torch.from_numpy(features_of(study, backbone)) @ head.weight.T + head.bias
    assert np.abs(study["probabilities"] - logits.softmax(-1).numpy()).max() < 1e-5
    assert {"importance/probability", "importance/jsd", "layout/images_jsd"} <= set(study.names)
    assert all(check.passed for check in read_checks(study.manifest.checks))


def test_the_live_model_has_the_same_head(study: Study):
    service = ModelService(study)
    pruned = service.request(("modes", 3, 1, 2), object()).result(60)
    assert np.abs(pruned.probabilities[0] - study["probabilities"][3]).max() < 1e-5
    reference = study.images["label"].iloc[3]
    lost = pruned.probabilities[0][reference] - pruned.probabilities[1][reference]
    assert abs(lost - study["importance/probability"][3, 1, 2]) < 1e-5


def test_a_run_goes_on_with_the_head_that_it_began_with(study: Study, backbone: Path, images: Path, tmp_path: Path):
    path = shutil.copytree(study.path, tmp_path / "a.study")
    (path / "blocks" / "000001.json").unlink()
    again = run(backbone, images, path, probe=True)
    assert again.is_finished
    assert again.manifest.model["weight_hash"] == study.manifest.model["weight_hash"]
    for name in ("probabilities", "importance/jsd"):
        assert np.allclose(again[name], study[name], atol=1e-6)
    with pytest.raises(StudyMismatchError, match="weight_hash"):
        run(backbone, images, path)


def test_a_given_head_makes_classes(backbone: Path, images: Path, tmp_path: Path):
    path = tmp_path / "mine.safetensors"
    weight = torch.randn((3, 24), generator=torch.Generator().manual_seed(0))
    save_file({"weight": weight}, path, {"class_names": "cat\ndog\nowl"})
    study = run(backbone, images, tmp_path / "a.study", head=path)
    path.unlink()
    assert study.class_names == ("cat", "dog", "owl")
    assert study.manifest.model["head"] == {"kind": "head", "file": "mine.safetensors"}
    expected = (torch.from_numpy(features_of(study, backbone)) @ weight.T).softmax(-1).numpy()
    assert np.abs(study["probabilities"] - expected).max() < 1e-5
    assert study.images["label"].tolist() == [-1] * 6 + [0] * 6 + [1] * 6 + [-1] * 6
    assert "mine.safetensors" in describe(study)
    pruned = ModelService(study).request(("modes", 0, 0, 0), object()).result(60)
    assert np.abs(pruned.probabilities[0] - study["probabilities"][0]).max() < 1e-5


def test_without_a_head_the_views_of_classes_say_why(backbone: Path, images: Path, tmp_path: Path):
    study = run(backbone, images, tmp_path / "a.study")
    assert study.reason("importance/jsd") == "The model has no class head."
    assert {"importance/cls", "importance/patch", "strength", "layout/cls"} <= set(study.names)
    assert json.loads((study.path / "manifest.json").read_text())["model"]["head"] == {}


def test_a_head_and_a_probe_exclude_each_other(backbone: Path, images: Path, tmp_path: Path):
    with pytest.raises(VitpanelError, match="--head has no place"):
        run(backbone, images, tmp_path / "a.study", probe=True, head=tmp_path / "mine.safetensors")
    with pytest.raises(VitpanelError, match="--class-names has no place"):
        run(backbone, images, tmp_path / "a.study", probe=True, class_names=CLASSES)


@pytest.mark.parametrize("n_images", [1, N_PER_CLASS])
def test_images_of_one_class_make_no_probe(backbone: Path, images: Path, tmp_path: Path, n_images: int):
    (tmp_path / "images" / "cat").mkdir(parents=True)
    for number in range(n_images):
        shutil.copy(images / "cat" / f"{number}.png", tmp_path / "images" / "cat")
    with pytest.raises(ImageSourceError, match=f"{n_images} labels of 1 classes"):
        run(backbone, tmp_path / "images", tmp_path / "a.study", probe=True)
    assert not (tmp_path / "a.study").exists()
