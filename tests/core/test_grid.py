"""Tokens, patches and hops."""

import numpy as np
import pytest

from vitpanel.core.grid import CLS, DISTILLATION, REGISTER, Grid


def test_hops_are_the_rings_of_fig_5():
    """The paper's Fig. 5: hops 0 to 4 of a corner and of the centre of a 5 × 5 grid."""
    grid = Grid(5, 5)
    corner, centre = 0, 2 * 5 + 2
    assert np.bincount(grid.hops[corner], minlength=5).tolist() == [1, 3, 5, 7, 9]
    assert np.bincount(grid.hops[centre], minlength=5).tolist() == [1, 8, 16, 0, 0]


@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (3, 3), (2, 5), (5, 2)])
def test_hops_are_the_larger_of_the_row_and_column_distances(rows: int, cols: int):
    grid = Grid(rows, cols)
    for a in range(rows * cols):
        for b in range(rows * cols):
            assert grid.hops[a, b] == max(abs(a // cols - b // cols), abs(a % cols - b % cols))
    assert grid.n_hops == grid.hops.max() + 1


def test_tokens_are_prefix_then_patches():
    grid = Grid(2, 3, (CLS, REGISTER, REGISTER))
    assert (grid.size, grid.n_prefix, grid.n_tokens) == (6, 3, 9)
    assert list(range(9))[grid.patches] == [3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [((), None), ((REGISTER,), None), ((CLS,), 0), ((REGISTER, CLS), 1), ((CLS, DISTILLATION), 0)],
)
def test_cls_is_asked_of_the_prefix_not_assumed(prefix: tuple[str, ...], expected: int | None):
    assert Grid(2, 2, prefix).cls == expected


def test_positions_are_row_major():
    grid = Grid(2, 3, (CLS, REGISTER))
    assert [grid.position(token) for token in range(grid.n_tokens)] == [
        None, None, (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)
    ]  # fmt: skip


def test_labels_name_each_token_once():
    grid = Grid(2, 2, (CLS, REGISTER, REGISTER, DISTILLATION))
    labels = [grid.label(token) for token in range(grid.n_tokens)]
    assert labels[:4] == ["CLS", "register 0", "register 1", "distillation 0"]
    assert labels[6] == "patch 2 (row 1, column 0)"
    assert len(set(labels)) == grid.n_tokens


def test_tokens_are_found_by_name_number_and_place():
    grid = Grid(3, 4, (REGISTER, CLS, REGISTER))
    for token in range(grid.n_tokens):
        assert grid.find(f" {grid.name(token).upper()} ") == token
    for patch in range(grid.size):
        assert grid.find(str(patch)) == grid.find(f"{patch // 4}, {patch % 4}") == 3 + patch
    for text in ("", "12", "3, 0", "0, 4", "register 2", "patch", "1,2,3", "-1"):
        assert grid.find(text) is None
