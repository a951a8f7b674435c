"""Groups of tokens, against slow definitions."""

import numpy as np
import pytest

from vitpanel.core.grid import Grid
from vitpanel.core.pooling import cell_of_patch, max_between, sorted_groups


@pytest.mark.parametrize(("rows", "cols", "step"), [(4, 6, 2), (5, 3, 2), (7, 7, 3), (2, 3, 1), (3, 2, 9)])
def test_cells_are_squares_numbered_row_by_row(rows: int, cols: int, step: int):
    cells = cell_of_patch(Grid(rows, cols, ()), step)
    squares = [(patch // cols // step, patch % cols // step) for patch in range(rows * cols)]
    assert cells.tolist() == [sorted(set(squares)).index(square) for square in squares]


def test_the_largest_between_groups(rng: np.random.Generator):
    attention, owner = rng.random((2, 7, 7)), np.array([2, 0, 1, 2, 2, 0, 3])
    found = max_between(attention, *sorted_groups(owner))
    assert found.shape == (2, 4, 4)
    for source, target in np.ndindex(4, 4):
        expected = [
            max(one[i, j] for i, j in np.ndindex(7, 7) if owner[i] == source and owner[j] == target)
            for one in attention
        ]
        assert found[:, source, target].tolist() == pytest.approx(expected)
