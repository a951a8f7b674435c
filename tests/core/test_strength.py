"""Attention strength, Eq. 7 and 8, and its entropy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitpanel.core.grid import CLS, REGISTER, Grid
from vitpanel.core.strength import attention_distance, longest_distance, strength_entropy, strength_vectors


def slow_strength(attention: np.ndarray, grid: Grid) -> list[float]:
    """Eq. 7 and 8 patch by patch: rings first, then the mean over the patches that have the ring."""
    patches = attention[grid.n_prefix :, grid.n_prefix :]
    per_hop: list[list[float]] = [[] for _ in range(grid.n_hops)]
    for source in range(grid.size):
        for hop, means in enumerate(per_hop):
            ring = [
                patches[source, target]
                for target in range(grid.size)
                if max(abs(source // grid.cols - target // grid.cols), abs(source % grid.cols - target % grid.cols))
                == hop
            ]
            if ring:
                means.append(sum(ring) / len(ring))
    return [sum(means) / len(means) for means in per_hop]


@pytest.mark.parametrize(
    "grid",
    [
        Grid(5, 5),
        Grid(1, 1),
        Grid(2, 5),
        Grid(4, 3, ()),
        Grid(3, 3, (CLS, REGISTER, REGISTER)),
        Grid(3, 2, (REGISTER,)),
    ],
    ids=str,
)
def test_strength_is_eq_7_and_8(grid: Grid, rng: np.random.Generator):
    attention = rng.dirichlet(np.ones(grid.n_tokens), size=(2, 3, grid.n_tokens)).astype(np.float32)
    expected = [[slow_strength(attention[i, j], grid) for j in range(3)] for i in range(2)]
    strength = strength_vectors(attention, grid)
    assert strength.dtype == np.float32
    np.testing.assert_allclose(strength, expected, atol=1e-6)


def test_strength_of_fig_5_worked_by_hand():
    """Patch (0, 0) attends 1 to each of its 9 4-hop neighbours, patch (2, 2) 1 to itself; the others to nothing."""
    grid = Grid(5, 5, ())
    attention = np.zeros((25, 25), np.float32)
    attention[0, grid.hops[0] == 4] = 1
    attention[12, 12] = 1
    # All 25 patches have hop 0; only the 16 on the border have hop 4.
    np.testing.assert_allclose(strength_vectors(attention, grid), [1 / 25, 0, 0, 0, 1 / 16], atol=1e-7)


def test_patches_without_a_ring_do_not_count():
    """Patch (2, 2) of a 5 × 5 grid has no hop 3 and 4: uniform attention stays uniform over all hops."""
    grid = Grid(5, 5)
    uniform = np.full((26, 26), 1 / 26, np.float32)
    np.testing.assert_allclose(strength_vectors(uniform, grid), np.full(5, 1 / 26), atol=1e-7)


@given(st.permutations(range(4)))
def test_strength_belongs_to_its_head(order: list[int]):
    grid = Grid(3, 3)
    attention = np.random.default_rng(0).random((4, 10, 10)).astype(np.float32)
    np.testing.assert_array_equal(strength_vectors(attention[order], grid), strength_vectors(attention, grid)[order])


def test_prefix_tokens_have_no_place_and_no_say(rng: np.random.Generator):
    grid = Grid(3, 3, (CLS, REGISTER))
    attention = rng.random((11, 11)).astype(np.float32)
    changed = attention.copy()
    changed[:2] = changed[:, :2] = 7
    np.testing.assert_array_equal(strength_vectors(attention, grid), strength_vectors(changed, grid))


def test_attention_over_other_tokens_is_refused_with_both_numbers():
    with pytest.raises(ValueError, match=r"\(9, 9\).*10"):
        strength_vectors(np.zeros((9, 9)), Grid(3, 3))


def slow_entropy(strength: np.ndarray) -> float:
    """Entropy of one vector over its largest possible value."""
    shares = [value / sum(strength) for value in strength]
    return -sum(share * math.log(share) for share in shares if share) / math.log(len(shares))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8).filter(lambda values: sum(values) > 1e-6))
def test_entropy_is_relative_to_the_largest_possible(values: list[float]):
    entropy = strength_entropy(np.array(values))
    assert entropy == pytest.approx(slow_entropy(np.array(values)), abs=1e-6)
    assert 0 <= entropy <= 1


@pytest.mark.parametrize("n_hops", [2, 5, 14])
def test_entropy_is_0_for_one_hop_and_1_for_uniform(n_hops: int):
    np.testing.assert_array_equal(strength_entropy(np.eye(n_hops)), np.zeros(n_hops))
    assert strength_entropy(np.full(n_hops, 0.3)) == pytest.approx(1)


def test_entropy_does_not_depend_on_the_order_or_scale(rng: np.random.Generator):
    strength = rng.random(6)
    assert strength_entropy(strength[::-1] * 5) == pytest.approx(strength_entropy(strength))


def test_entropy_without_meaning_is_nan():
    assert np.isnan(strength_entropy(np.zeros(4)))
    assert np.isnan(strength_entropy(np.ones((2, 1)))).all()
    mixed = strength_entropy(np.array([[0, 0], [1, 1]], np.float32))
    assert np.isnan(mixed[0])
    assert mixed[1] == 1


def slow_distance(attention: np.ndarray, grid: Grid) -> float:
    """Mean over source patches of the distances to all target patches, each times its attention."""
    total = 0.0
    for source in range(grid.size):
        for target in range(grid.size):
            places = [divmod(patch, grid.cols) for patch in (source, target)]
            total += float(attention[grid.n_prefix + source, grid.n_prefix + target]) * math.dist(*places)
    return total / grid.size


@pytest.mark.parametrize(
    "grid", [Grid(5, 5), Grid(1, 1), Grid(2, 5), Grid(4, 3, ()), Grid(3, 2, (CLS, REGISTER))], ids=str
)
def test_distance_is_the_sum_weighted_by_attention(grid: Grid, rng: np.random.Generator):
    attention = rng.dirichlet(np.ones(grid.n_tokens), size=(2, 3, grid.n_tokens)).astype(np.float32)
    distance = attention_distance(attention, grid)
    assert distance.dtype == np.float32
    expected = [[slow_distance(attention[i, j], grid) for j in range(3)] for i in range(2)]
    np.testing.assert_allclose(distance, expected, atol=1e-5)


def test_distance_worked_by_hand():
    """On a row of three patches the first looks two away, the second gives half to the third, the last only to CLS."""
    attention = np.array([[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0.5, 0.5], [1, 0, 0, 0]], np.float32)
    assert attention_distance(attention, Grid(1, 3)) == pytest.approx((2 + 0.5 + 0) / 3)


@pytest.mark.parametrize("grid", [Grid(1, 1), Grid(2, 5), Grid(4, 4, ())], ids=str)
def test_distance_lies_between_staying_and_looking_as_far_away_as_can_be(grid: Grid):
    row, col = np.divmod(np.arange(grid.size), grid.cols)
    far = np.zeros((grid.n_tokens, grid.n_tokens))
    far[grid.patches, grid.patches] = np.eye(grid.size)[np.hypot(row[:, None] - row, col[:, None] - col).argmax(1)]
    assert attention_distance(far, grid) == pytest.approx(longest_distance(grid))
    assert attention_distance(np.eye(grid.n_tokens), grid) == 0


def test_distance_and_entropy_tell_different_things():
    """Heads that look at their own patch alone and at the opposite corner alone: both of little entropy."""
    grid = Grid(1, 5, ())
    near, far = np.eye(5, dtype=np.float32), np.zeros((5, 5), np.float32)
    far[[0, 4], [4, 0]] = 1
    assert strength_entropy(strength_vectors(np.stack([near, far]), grid)).tolist() == [0, 0]
    assert attention_distance(np.stack([near, far]), grid).tolist() == pytest.approx([0, 8 / 5])


def test_distance_of_other_tokens_is_refused():
    with pytest.raises(ValueError, match=r"\(9, 9\).*10"):
        attention_distance(np.zeros((9, 9)), Grid(3, 3))
