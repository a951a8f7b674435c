"""One output is a sigmoid: its probabilities and what pruning does to them, by own hooks on timm's own model."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from tests.pruned_families import divergence
from tests.tiny_vit import ARCHITECTURE, SIZES, write_checkpoint
from vitpanel.models.ablation import create_ablation
from vitpanel.models.class_head import read_head
from vitpanel.models.loading import load_model


def sigmoid_of(path: Path, images: torch.Tensor, *, pruned: tuple[int, int] | None = None) -> np.ndarray:
    """(1 − σ(z), σ(z)) of timm's model, with the attention of a head at 0."""
    module = timm.create_model(ARCHITECTURE, pretrained=False, **SIZES | {"num_classes": 1}).eval()
    module.load_state_dict(load_file(path))
    if pruned is not None:
        layer, head = pruned
        attention = module.blocks[layer].attn
        attention.fused_attn = False

        def cut(_module: object, _inputs: object, weights: torch.Tensor) -> torch.Tensor:
            weights = weights.clone()
            weights[:, head] = 0
            return weights

        attention.attn_drop.register_forward_hook(cut)
    with torch.inference_mode():
        p = module(images).double().sigmoid()
    return torch.cat([1 - p, p], 1).numpy()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "one.safetensors", sizes={"num_classes": 1})


def test_probabilities_are_those_of_the_sigmoid(path: Path):
    model, images = load_model(None, checkpoint=path, device="cpu"), torch.randn(4, 3, 32, 32)
    assert (model.spec.n_classes, model.n_outputs) == (2, 2)
    assert all(check.passed for check in model.checks)
    assert np.allclose(model.probabilities(images), sigmoid_of(path, images), atol=1e-6)
    assert any("sigmoid" in note for note in model.source.notes)


def test_importance_is_that_of_the_sigmoid(path: Path):
    model, images = load_model(None, checkpoint=path, device="cpu"), torch.randn(3, 3, 32, 32)
    found = create_ablation(model).leave_one_out(images, lambda _layer, _attention: None)
    assert found.pruned is not None
    importance, clean = found.importance(np.ones(3, int)), sigmoid_of(path, images)
    for layer, head in np.ndindex(2, 3):
        pruned = sigmoid_of(path, images, pruned=(layer, head))
        assert np.allclose(found.pruned[:, layer, head], pruned, atol=1e-5)
        assert np.allclose(importance["probability"][:, layer, head], (clean - pruned)[:, 1], atol=1e-5)
        assert np.allclose(importance["jsd"][:, layer, head], divergence(clean, pruned), atol=1e-5)
    assert np.abs(importance["probability"]).max() > 1e-3


def test_one_name_is_that_of_class_1(path: Path):
    assert load_model(None, checkpoint=path, device="cpu", class_names=["cat"]).class_names == ("not cat", "cat")
    assert load_model(None, checkpoint=path, device="cpu", class_names=["dog", "cat"]).class_names == ("dog", "cat")


def test_a_linear_head_of_one_row_is_read_as_two_classes(tmp_path: Path):
    save_file({"weight": torch.ones(1, 6), "bias": torch.ones(1)}, tmp_path / "head.safetensors")
    head = read_head(tmp_path / "head.safetensors", class_names=["cat"])
    assert head.weight.tolist() == [[0] * 6, [1] * 6]
    assert head.bias.tolist() == [0, 1]
    assert head.class_names == ("not cat", "cat")
