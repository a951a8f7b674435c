"""Reading and editing attention while a model runs."""

import threading
from pathlib import Path

import pytest
import torch

from tests.tiny_vit import write_checkpoint
from vitpanel.models.adapters.timm_site import attention_hook, unfused
from vitpanel.models.loading import load_model
from vitpanel.models.model import ViTModel
from vitpanel.models.probe import input_hook, output_hook


@pytest.fixture
def model(tmp_path: Path) -> ViTModel:
    return load_model(None, checkpoint=write_checkpoint(tmp_path / "a.safetensors"), device="cpu")


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand((2, 3, 32, 32), generator=torch.Generator().manual_seed(0))


def by_hand(model: ViTModel, images: torch.Tensor, layer: int) -> torch.Tensor:
    """Softmax of the scaled products of queries and keys, head by head."""
    inputs: list[torch.Tensor] = []
    with torch.inference_mode(), input_hook(model.attention[layer], inputs.append):
        model.module(images)
        qkv = model.attention[layer].qkv(inputs[0])  # type: ignore[operator]
    q, k, _ = qkv.double().reshape(2, 17, 3, 3, 8).unbind(2)
    scores = [[q[i, :, j] @ k[i, :, j].T / 8**0.5 for j in range(3)] for i in range(2)]
    return torch.stack([torch.stack([score.softmax(-1) for score in image]) for image in scores])


@pytest.mark.parametrize("layer", [0, 1])
def test_what_is_read_is_the_softmax_of_queries_and_keys(model: ViTModel, images: torch.Tensor, layer: int):
    seen: dict[int, torch.Tensor] = {}
    model.attend(images, lambda i, attention: seen.update({i: attention}))
    assert (seen[layer] - by_hand(model, images, layer)).abs().max() < 1e-6


def test_what_the_hook_returns_is_what_the_model_goes_on_with(model: ViTModel, images: torch.Tensor):
    z: list[torch.Tensor] = []
    with torch.inference_mode():
        with attention_hook(model.attention[0], torch.zeros_like), output_hook(model.attention[0], z.append):
            model.module(images)
        bias = model.attention[0].proj.bias  # type: ignore[union-attr]
        assert torch.equal(z[0], bias.expand_as(z[0]))  # type: ignore[operator]


def test_after_a_hook_the_model_is_as_before(model: ViTModel, images: torch.Tensor):
    before = model.features(images)
    with attention_hook(model.attention[0], torch.zeros_like), input_hook(model.module, lambda _x: None):
        assert not model.attention[0].fused_attn
        assert not torch.allclose(model.features(images), before)
    assert model.attention[0].fused_attn
    assert torch.allclose(model.features(images), before, atol=1e-6)


def test_a_hook_that_fails_leaves_nothing_behind(model: ViTModel, images: torch.Tensor):
    def fail(_attention: torch.Tensor) -> None:
        raise KeyError

    before = model.features(images)
    with pytest.raises(KeyError), attention_hook(model.attention[1], fail):
        model.features(images)
    assert model.attention[1].fused_attn
    assert torch.allclose(model.features(images), before, atol=1e-6)


def test_a_module_without_the_flag_is_left_alone():
    module = torch.nn.Linear(2, 2)
    with unfused(module):
        assert not hasattr(module, "fused_attn")
    assert not hasattr(module, "fused_attn")


def test_threads_get_the_attention_of_their_own_images(model: ViTModel):
    """Hooks sit on the shared module, so each forward must hold the model's lock."""
    generator = torch.Generator().manual_seed(1)
    batches = [torch.rand((1, 3, 32, 32), generator=generator) for _ in range(6)]
    found: dict[int, list[torch.Tensor]] = {}

    def run(number: int) -> None:
        mine = found.setdefault(number, [])
        for _ in range(5):
            model.attend(batches[number], lambda _layer, attention: mine.append(attention))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, seen in found.items():
        alone: list[torch.Tensor] = []
        model.attend(batches[number], lambda _layer, attention, into=alone: into.append(attention))
        assert len(seen) == 5 * model.spec.n_layers
        assert all(torch.allclose(seen[i], alone[i % model.spec.n_layers], atol=1e-6) for i in range(len(seen)))
