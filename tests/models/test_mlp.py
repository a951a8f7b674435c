"""The second half of a plain block, against the block's own parts."""

import pytest
import torch
from timm.models.vision_transformer import Block
from torch import nn

from vitpanel.models.ablation.mlp import PlainMlp


def random_block(*, init_values: float | None) -> Block:
    torch.manual_seed(0)
    block = Block(48, 3, init_values=init_values)
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.3)
    return block.eval()


@pytest.mark.parametrize("rows", [1, 2, 5, 100])
@pytest.mark.parametrize("init_values", [None, 0.5])
@torch.inference_mode()
def test_it_is_the_second_half_of_the_block(rows: int, init_values: float | None):
    block, x = random_block(init_values=init_values), torch.randn(rows, 11, 48)
    expected = x + block.ls2(block.mlp(block.norm2(x)))
    assert torch.allclose(PlainMlp(block)(x.clone()), expected, atol=1e-5)


@torch.inference_mode()
def test_what_follows_the_first_layer_is_added_alone():
    block, x = random_block(init_values=None), torch.randn(3, 11, 48)
    expected, found = x + block.mlp(block.norm2(x)), x.clone()
    PlainMlp(block).add_activated(found, block.mlp.fc1(block.norm2(x)))
    assert torch.allclose(found, expected, atol=1e-5)
