"""A_CLS, A_patch, pooling and binarisation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vitpanel.core.grid import CLS, REGISTER, Grid
from vitpanel.core.patterns import (
    binary_matrices,
    cls_vector,
    n_top,
    offset_shares,
    patch_matrix,
    pooled_side,
    top_indices,
)


@pytest.mark.parametrize("prefix", [(CLS,), (CLS, REGISTER), (REGISTER, CLS)])
def test_cls_vector_is_three_parts_in_order(prefix: tuple[str, ...], rng: np.random.Generator):
    grid = Grid(2, 3, prefix)
    attention = rng.random((2, grid.n_tokens, grid.n_tokens))
    cls, first = prefix.index(CLS), len(prefix)
    for head in range(2):
        expected = [attention[head, cls, cls]]
        expected += [attention[head, cls, target] for target in range(first, grid.n_tokens)]
        expected += [attention[head, source, cls] for source in range(first, grid.n_tokens)]
        np.testing.assert_array_equal(cls_vector(attention, grid)[head], expected)


def test_cls_vector_is_refused_without_cls():
    with pytest.raises(ValueError, match="no CLS"):
        cls_vector(np.zeros((5, 5)), Grid(2, 2, (REGISTER,)))


@pytest.mark.parametrize(
    ("grid", "side"),
    [(Grid(14, 14), (14, 14)), (Grid(16, 16), (16, 16)), (Grid(16, 9), (16, 9)), (Grid(17, 17), (9, 9)),
     (Grid(20, 34), (7, 12)), (Grid(37, 37), (13, 13))],
)  # fmt: skip
def test_pooling_keeps_at_most_16_by_16_cells(grid: Grid, side: tuple[int, int]):
    assert pooled_side(grid) == side
    assert max(side) <= 16


def slow_patch_matrix(attention: np.ndarray, grid: Grid) -> np.ndarray:
    """Max-pool one matrix entry by entry."""
    step = math.ceil(max(grid.rows, grid.cols) / 16)
    rows, cols = math.ceil(grid.rows / step), math.ceil(grid.cols / step)
    pooled = np.full((rows * cols, rows * cols), -np.inf)
    for source in range(grid.size):
        for target in range(grid.size):
            a = source // grid.cols // step * cols + source % grid.cols // step
            b = target // grid.cols // step * cols + target % grid.cols // step
            pooled[a, b] = max(pooled[a, b], attention[grid.n_prefix + source, grid.n_prefix + target])
    return pooled


@pytest.mark.parametrize("grid", [Grid(4, 3), Grid(17, 5), Grid(5, 18, (CLS, REGISTER)), Grid(3, 33, ())], ids=str)
def test_patch_matrix_is_max_pooled_over_both_sides(grid: Grid, rng: np.random.Generator):
    attention = rng.random((2, grid.n_tokens, grid.n_tokens))
    pooled = patch_matrix(attention, grid)
    for head in range(2):
        np.testing.assert_array_equal(pooled[head], slow_patch_matrix(attention[head], grid))


def test_patch_matrix_of_a_small_grid_is_the_patch_region(rng: np.random.Generator):
    attention = rng.random((7, 7))
    np.testing.assert_array_equal(patch_matrix(attention, Grid(2, 3)), attention[1:, 1:])


@pytest.mark.parametrize(("n_cells", "expected"), [(1, 1), (10, 1), (11, 2), (25, 7), (196, 385), (256, 656)])
def test_the_largest_1_percent_is_rounded_up(n_cells: int, expected: int):
    assert n_top(n_cells) == expected


def slow_top_indices(matrix: np.ndarray) -> list[int]:
    """Sort all entries by value, then by index; take the first 1 %."""
    flat = matrix.ravel().tolist()
    order = sorted(range(len(flat)), key=lambda index: (-flat[index], index))
    return sorted(order[: math.ceil(len(flat) / 100)])


@given(arrays(np.float32, (2, 25, 25), elements=st.sampled_from([0, 0.25, 0.5, 1])))
def test_top_indices_take_the_lower_index_among_ties(matrices: np.ndarray):
    before = matrices.copy()
    indices = top_indices(matrices)
    assert indices.dtype == np.uint16
    assert [row.tolist() for row in indices] == [slow_top_indices(matrix) for matrix in matrices]
    np.testing.assert_array_equal(matrices, before)


def test_top_indices_reach_the_last_entry_of_the_largest_matrix():
    matrix = np.zeros((256, 256), np.float32)
    matrix[255, 255] = 1
    assert top_indices(matrix)[-1] == 256**2 - 1


def test_binary_matrices_are_ones_where_the_top_is(rng: np.random.Generator):
    matrices = rng.random((2, 3, 20, 20)).astype(np.float32)
    binary = binary_matrices(top_indices(matrices), 20)
    assert binary.dtype == np.float32
    assert binary.shape == matrices.shape
    for index in np.ndindex(2, 3):
        expected = np.zeros(400)
        expected[slow_top_indices(matrices[index])] = 1
        np.testing.assert_array_equal(binary[index].ravel(), expected)


@pytest.mark.parametrize(
    "grid", [Grid(1, 1), Grid(3, 3, ()), Grid(2, 5), Grid(4, 3, (CLS, REGISTER)), Grid(2, 35), Grid(18, 3)], ids=str
)
def test_offset_shares_gather_what_goes_equally_far(grid: Grid, rng: np.random.Generator):
    attention = rng.random((2, 3, grid.n_tokens, grid.n_tokens)).astype(np.float32)
    step = math.ceil(max(grid.rows, grid.cols) / 16)
    rows, cols = math.ceil(grid.rows / step), math.ceil(grid.cols / step)
    expected = np.zeros((2, 3, 2 * rows - 1, 2 * cols - 1))
    for source in range(grid.size):
        for target in range(grid.size):
            row = int((target // grid.cols - source // grid.cols) / step)
            col = int((target % grid.cols - source % grid.cols) / step)
            value = attention[..., grid.n_prefix + source, grid.n_prefix + target]
            expected[..., rows - 1 + row, cols - 1 + col] += value / grid.size
    np.testing.assert_allclose(offset_shares(attention, grid), expected, atol=1e-6)
