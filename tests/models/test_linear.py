"""Linear layers with packed weights, against torch's own."""

from typing import Any

import pytest
import torch
from torch import nn

from tests.operations import Seen
from vitpanel.models.ablation import linear
from vitpanel.models.ablation.linear import PackedLinear


def layer_of(*, bias: bool, dtype: torch.dtype = torch.float32) -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(48, 80, bias=bias, dtype=dtype)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 1, 48), (3, 17, 48), (900, 48)])
@torch.inference_mode()
def test_it_is_the_layer(bias: bool, shape: tuple[int, ...]):  # noqa: FBT001 - pytest's
    layer, x = layer_of(bias=bias), torch.randn(shape)
    expected = layer.double()(x.double())
    result = PackedLinear(layer.float())(x)
    assert result.shape == expected.shape
    assert result.dtype == torch.float32
    assert (result - expected).abs().max() < 2e-6


@torch.inference_mode()
def test_tokens_that_lie_apart_are_read_rightly():
    layer, x = layer_of(bias=True), torch.randn(4, 9, 96)[:, ::2, ::2]
    assert (PackedLinear(layer)(x) - layer(x)).abs().max() < 2e-6


@torch.inference_mode()
def test_what_is_not_float32_runs_as_it_is():
    layer, x = layer_of(bias=True, dtype=torch.float64), torch.randn(5, 48, dtype=torch.float64)
    assert torch.allclose(PackedLinear(layer)(x), layer(x), rtol=1e-12, atol=1e-14)


@torch.inference_mode()
def test_a_mode_that_changes_products_sees_them():
    packed, x = PackedLinear(layer_of(bias=True)), torch.randn(5, 48)
    with Seen() as seen:
        packed(x)
    assert seen.names == ["aten::linear"]


def _wrong(x: torch.Tensor, packed: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    return torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "") * 1.01


def _refusing(*_arguments: object) -> torch.Tensor:
    message = "this torch has another signature"
    raise RuntimeError(message)


@pytest.mark.parametrize("product", [_wrong, _refusing])
@torch.inference_mode()
def test_products_that_are_not_the_layers_are_not_taken(product: Any, monkeypatch: pytest.MonkeyPatch):
    layer, x = layer_of(bias=True), torch.randn(5, 48)
    expected = layer(x)
    monkeypatch.setattr(linear, "_product", product)
    packed = PackedLinear(layer)
    assert packed._packed is None
    assert torch.equal(packed(x), expected)
