"""MLPs in quarters, against the layers themselves."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from timm.models.vision_transformer import Block
from torch import nn

from tests.operations import Seen
from tests.pruned_families import Pruned, create_family, divergence, layer_distances, random_images
from vitpanel.models.ablation import RestartAblation, quartered
from vitpanel.models.ablation.mlp import PlainMlp
from vitpanel.models.ablation.quartered import QuarteredLinear, QuarteredMlp, is_wide, quarters

UNIT = 2.0**-24


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small products be quartered, too."""
    monkeypatch.setattr(quartered, "LEAST_WIDTH", 1)
    monkeypatch.setattr(quartered, "_LEAST_TOKENS", 1)
    monkeypatch.setattr(quartered, "_MOST_TOKENS", 40)


def joined(parts: Any) -> torch.Tensor:
    y11, y12, y21, y22 = parts
    return torch.cat([torch.cat([y11, y12], -1), torch.cat([y21, y22], -1)])


def random_block(*, init_values: float | None = None) -> Any:
    torch.manual_seed(0)
    block = Block(48, 3, init_values=init_values)
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.3)
    return block.eval()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(2, 1, 96), (6, 17, 96), (400, 1, 96)])
@torch.inference_mode()
def test_it_is_the_layer(shape: tuple[int, ...], *, bias: bool):
    torch.manual_seed(0)
    layer, x = nn.Linear(96, 160, bias=bias), torch.randn(shape)
    before = x.clone()
    result = joined(QuarteredLinear(layer)(quarters(x)))
    assert (result - layer.double()(x.double())).abs().max() < 5e-6
    assert torch.equal(x, before)


@torch.inference_mode()
def test_the_error_is_bounded_by_norms_where_few_features_are_huge():
    torch.manual_seed(0)
    layer, x = nn.Linear(96, 160), torch.randn(8, 20, 96)
    x[:, :, 3] *= 1000
    result = joined(QuarteredLinear(layer)(quarters(x)))
    error = (result - layer.double()(x.double())).abs().max()
    assert error < 20 * UNIT * x.norm(dim=-1).max() * layer.weight.norm(dim=-1).max()


@pytest.mark.parametrize("rows", range(1, 10))
def test_each_row_is_computed_once_and_in_pairs_but_an_odd_last_one(rows: int, small: None):
    mlp = QuarteredMlp(random_block())
    parts = list(mlp.rows(torch.zeros(rows, 11, 48)))
    assert [row for part in parts for row in range(rows)[part]] == list(range(rows))
    sizes = [part.stop - part.start for part in parts]
    assert all(size * 11 <= 44 for size in sizes)
    assert all(size % 2 == 0 for size in sizes[: rows // 2])


@pytest.mark.parametrize("rows", [1, 2, 5, 8])
@pytest.mark.parametrize("init_values", [None, 0.5])
@torch.inference_mode()
def test_it_is_the_second_half_of_the_block(rows: int, init_values: float | None, small: None):
    block, x = random_block(init_values=init_values), torch.randn(rows, 11, 48)
    expected = x + block.ls2(block.mlp(block.norm2(x)))
    assert torch.allclose(QuarteredMlp(block)(x.clone()), expected, atol=1e-5)
    assert torch.allclose(PlainMlp(block)(x.clone()), expected, atol=1e-5)
    hidden = block.mlp.fc1(block.norm2(x))
    for mlp in (QuarteredMlp(block), PlainMlp(block)):
        found = x.clone()
        mlp.add_activated(found, hidden.clone())
        assert torch.allclose(found, expected, atol=1e-5)


@torch.inference_mode()
def test_a_mode_that_changes_products_sees_those_of_the_layers(small: None):
    mlp = QuarteredMlp(random_block())
    with Seen() as seen:
        mlp(torch.randn(2, 11, 48))
    assert seen.names.count("aten::linear") + seen.names.count("aten::addmm") == 2
    assert not any(name.startswith("mkldnn") for name in seen.names)


def test_only_a_wide_block_is_quartered():
    assert is_wide(Block(768, 12))
    assert not is_wide(Block(384, 6))
    assert not is_wide(Block(768, 12, mlp_ratio=1001 / 768))
    assert not is_wide(Block(768, 12).double())


@pytest.mark.parametrize("family", ["plain", "pooled", "LayerScale", "distilled", "registers"])
@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_heads_are_pruned_as_by_a_forward_with_their_attention_at_0(
    family: str, batch_size: int, tmp_path: Path, small: None
):
    model = create_family(family, tmp_path)
    images, ablation = random_images(model, 2), RestartAblation(model, batch_size)
    assert type(ablation._plain[0].mlp) is QuarteredMlp
    result, clean = ablation.leave_one_out(images, lambda _layer, _attention: None), Pruned(model, images)
    everything = np.ones((model.spec.grid.n_tokens,) * 2, bool)
    for layer, head in np.ndindex(model.spec.n_layers, model.spec.n_heads):
        pruned = Pruned(model, images, [(layer, head, everything)])
        assert np.abs(result.pruned[:, layer, head] - pruned.probabilities).max() < 1e-5
        jsd = result.importance(np.zeros(2, int))["jsd"][:, layer, head]
        assert np.abs(jsd - divergence(clean.probabilities, pruned.probabilities)).max() < 1e-5
        for found, wanted in zip(
            (result.layer["cls"], result.layer["patch"]), layer_distances(model, clean, pruned, layer), strict=True
        ):
            assert np.allclose(found[:, layer, head], wanted, atol=1e-5, equal_nan=True)
