import numpy as np
import pytest

from vitpanel.core.grid import Grid
from vitpanel.core.received import received_attention


@pytest.mark.parametrize("grid", [Grid(3, 4), Grid(2, 5, ()), Grid(3, 3, ("register", "cls", "register"))])
def test_what_each_token_gets_one_entry_at_a_time(grid: Grid):
    attention = np.random.default_rng(0).dirichlet(np.ones(grid.n_tokens), (2, 3, grid.n_tokens)).astype(np.float32)
    received = received_attention(attention, grid)
    assert received.shape == (2, 2, 3, grid.n_tokens)
    assert received.dtype == np.float32
    for layer, head, token in np.ndindex(2, 3, grid.n_tokens):
        matrix = attention[layer, head]
        from_cls = np.nan if grid.cls is None else matrix[grid.cls, token]
        from_patches = [float(matrix[patch, token]) for patch in range(grid.n_prefix, grid.n_tokens)]
        expected = from_cls, sum(from_patches) / grid.size
        assert received[:, layer, head, token] == pytest.approx(expected, abs=1e-6, nan_ok=True)
