"""Half precision against the values themselves."""

import numpy as np
import pytest
import torch

from vitpanel.app.half_attention import HalfAttention

EXACT = 2**-11


def softmax(seed: int, spread: float) -> torch.Tensor:
    return torch.randn((3, 40, 40), generator=torch.Generator().manual_seed(seed)).mul(spread).softmax(-1)


@pytest.mark.parametrize("spread", [0, 1, 4, 20])
def test_eleven_bits_hold_far_below_the_largest(spread: float):
    attention = softmax(0, spread)
    half = HalfAttention(attention)
    for head, weights in enumerate(attention.numpy()):
        known = weights >= weights.max() * 2.0**-28
        assert half[head].dtype == np.float32
        assert np.allclose(half[head][known], weights[known], rtol=EXACT, atol=0)
        assert np.all(half[head][~known] <= weights.max() * 2.0**-27)


@pytest.mark.parametrize("factor", [1e-39, 1e-30, 1, 3, 1e30])
def test_no_size_of_the_values_is_too_small_or_too_large(factor: float):
    attention = softmax(1, 1) * factor
    assert np.allclose(HalfAttention(attention)[1], attention[1].numpy(), rtol=EXACT, atol=1e-41)


def test_heads_are_scaled_one_by_one():
    attention = softmax(2, 4)
    alone = HalfAttention(attention[1:2])
    attention[0] *= 2.0**20
    assert np.array_equal(HalfAttention(attention)[1], alone[0])


def test_a_head_of_zeros_stays_one():
    assert not HalfAttention(torch.zeros(1, 3, 3))[0].any()


def test_size_is_two_bytes_a_link_and_a_factor_a_head():
    assert HalfAttention(softmax(3, 1)).nbytes == 3 * (2 * 40 * 40 + 4)
