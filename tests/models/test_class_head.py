"""Classes, projections, and linear heads on features."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from tests.models.test_families import loaded
from tests.pruned_families import Pruned, divergence, random_images
from tests.tiny_vit import write_checkpoint
from vitpanel.errors import CheckpointError, VitpanelError
from vitpanel.models.ablation import create_ablation
from vitpanel.models.class_head import LinearHead, no_classes, read_head
from vitpanel.models.loading import load_model, with_head, without_classes
from vitpanel.models.model import ViTModel

NAMES = ("ant", "bee", "cow")
TITLES = (
    "DINOv2 without a class head",
    "CLIP, its projection",
    "ViT",
    "DeiT, distilled",
    "SigLIP",
    "DINOv3",
    "BEiT",
    "Relative positions",
    "NaFlexViT",
)


def random_head(width: int, *, seed: int = 0) -> LinearHead:
    generator = torch.Generator().manual_seed(seed)
    weight, bias = torch.randn((3, width), generator=generator) / width**0.5, torch.randn(3, generator=generator)
    return LinearHead(weight, bias, NAMES, {"kind": "head", "file": "mine.safetensors"})


def bare(title: str) -> ViTModel:
    """A model of its own without a class head, since a head is put on in place."""
    loaded.cache_clear()
    return without_classes(loaded(title))


@pytest.mark.parametrize("title", TITLES)
def test_a_linear_head_makes_classes_of_the_features(title: str):
    model = bare(title)
    images = random_images(model, 2)
    assert model.spec.n_classes == 0
    assert not {check.name: check for check in model.checks}["class_head"].passed
    features = model.features(images)
    assert model.n_outputs == features.shape[1]
    head = random_head(features.shape[1])
    headed = with_head(model, head)
    assert torch.allclose(headed.features(images), features @ head.weight.T + head.bias, atol=1e-5)
    assert (headed.spec.n_classes, headed.class_names, headed.source.head) == (3, NAMES, head.about)
    assert all(check.passed for check in headed.checks)
    assert headed.source.weight_hash != model.source.weight_hash


@pytest.mark.parametrize("title", ["DINOv2 without a class head", "CLIP, its projection", "DINOv3"])
def test_pruning_goes_through_the_same_engines_with_a_head(title: str):
    model = bare(title)
    model = with_head(model, random_head(model.n_outputs or 0))
    images = random_images(model, 2)
    found = create_ablation(model, batch_size=4).leave_one_out(images, lambda _layer, _attention: None)
    everything = np.ones((model.spec.grid.n_tokens,) * 2, bool)
    clean, pruned = Pruned(model, images), Pruned(model, images, [(1, 2, everything)])
    assert found.pruned is not None
    assert np.abs(found.pruned[:, 1, 2] - pruned.probabilities).max() < 1e-5
    jsd = found.importance(np.zeros(2, int))["jsd"][:, 1, 2]
    assert np.abs(jsd - divergence(clean.probabilities, pruned.probabilities)).max() < 1e-5


def test_a_head_stands_in_the_place_of_the_models_own(tmp_path: Path):
    path = write_checkpoint(tmp_path / "a.safetensors")
    headless = load_model(None, checkpoint=path, device="cpu")
    features = without_classes(headless).features(torch.zeros(1, 3, 32, 32))
    head = random_head(24)
    models = [with_head(load_model(None, checkpoint=path, device="cpu"), head) for _ in range(2)]
    assert torch.allclose(
        models[0].features(torch.zeros(1, 3, 32, 32)), features @ head.weight.T + head.bias, atol=1e-5
    )
    assert models[0].source.weight_hash == models[1].source.weight_hash
    other = with_head(load_model(None, checkpoint=path, device="cpu"), random_head(24, seed=1))
    assert other.source.weight_hash != models[0].source.weight_hash


def test_a_head_of_another_width_is_refused_with_both():
    model = bare("ViT")
    with pytest.raises(CheckpointError, match=r"features of width 20, but those of vit_tiny_\S+ have 48"):
        with_head(model, random_head(20))


def test_a_model_without_pooling_takes_no_head(tmp_path: Path):
    path = write_checkpoint(tmp_path / "a.safetensors", sizes={"num_classes": 0}, global_pool="")
    model = load_model(None, checkpoint=path, args={"global_pool": ""}, device="cpu")
    assert (model.n_outputs, model.spec.n_classes) == (None, 0)
    with pytest.raises(VitpanelError, match="all tokens instead of pooled features") as caught:
        with_head(model, random_head(24))
    assert "global_pool=avg" in caught.value.hint


def test_outputs_of_every_token_are_no_classes(tmp_path: Path):
    path = write_checkpoint(tmp_path / "a.safetensors", global_pool="")
    model = load_model(None, checkpoint=path, args={"global_pool": ""}, device="cpu")
    assert model.spec.n_classes == 0
    found = create_ablation(model).leave_one_out(torch.zeros(1, 3, 32, 32), lambda _layer, _attention: None)
    assert found.probabilities is None
    assert np.isfinite(found.layer["patch"]).all()


def test_a_head_survives_its_bytes():
    head = random_head(6)
    again = LinearHead.from_bytes(head.to_bytes())
    assert torch.equal(again.weight, head.weight)
    assert torch.equal(again.bias, head.bias)
    assert (again.class_names, again.about) == (head.class_names, head.about)
    assert LinearHead.from_bytes(LinearHead(head.weight, head.bias).to_bytes()).class_names == ()


def test_a_head_is_read_from_a_file_with_or_without_bias(tmp_path: Path):
    path, weight = tmp_path / "head.safetensors", torch.randn(3, 6)
    save_file({"weight": weight.half(), "bias": torch.ones(3)}, path, {"class_names": "\n".join(NAMES)})
    head = read_head(path)
    assert torch.equal(head.weight, weight.half().float())
    assert head.bias.tolist() == [1, 1, 1]
    assert head.class_names == NAMES
    assert head.about == {"kind": "head", "file": "head.safetensors"}
    save_file({"weight": weight}, path)
    assert read_head(path).bias.tolist() == [0, 0, 0]
    assert read_head(path).class_names == ()
    assert read_head(path, class_names=["x", "y", "z"]).class_names == ("x", "y", "z")
    with pytest.raises(VitpanelError, match="2 class names are given, but the class head has 3 outputs"):
        read_head(path, class_names=["x", "y"])


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({"bias": torch.ones(3)}, r"holds bias \(3,\)"),
        ({"weight": torch.ones(3)}, r"holds weight \(3,\)"),
        ({"weight": torch.ones(3, 6), "scale": torch.ones(1)}, "scale"),
        ({"weight": torch.ones(3, 6), "bias": torch.ones(4)}, r"3 classes, but a bias of shape \(4,\)"),
    ],
)
def test_a_file_that_is_no_linear_head_is_refused(tmp_path: Path, tensors: dict[str, torch.Tensor], said: str):
    save_file(tensors, tmp_path / "head.safetensors")
    with pytest.raises(CheckpointError, match=said) as caught:
        read_head(tmp_path / "head.safetensors")
    assert "weight (classes, width)" in caught.value.hint


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    (tmp_path / "head.safetensors").write_bytes(b"no tensors")
    for name, said in (("head", "head.safetensors cannot be read"), ("gone", "There is no file .*gone.safetensors")):
        with pytest.raises(CheckpointError, match=said):
            read_head(tmp_path / f"{name}.safetensors")


@pytest.mark.parametrize(
    ("name", "n_classes", "is_named", "said"),
    [
        ("vit_base_patch32_clip_224.openai", None, False, "512 outputs are a projection"),
        ("vit_base_patch32_clip_224.openai", None, True, ""),
        ("vit_base_patch32_clip_224", 512, False, "512 outputs are a projection"),
        ("vit_base_patch32_clip_224.openai", 20, False, ""),
        ("vit_base_patch32_clip_224.openai", 0, False, "no class head"),
        ("vit_base_patch32_clip_224.openai_ft_in1k", None, False, ""),
        ("vit_base_patch16_224.bamboo", None, False, ""),
        ("vit_base_patch32_224.augreg_in21k", None, False, ""),
    ],
)
def test_a_projection_is_told_from_classes(name: str, n_classes: int | None, *, is_named: bool, said: str):
    with torch.device("meta"):
        module = timm.create_model(name, depth=1, **({} if n_classes is None else {"num_classes": n_classes}))
    reason = no_classes(module, module.num_classes, name=name, is_named=is_named)
    assert said in reason
    assert bool(said) == bool(reason)
