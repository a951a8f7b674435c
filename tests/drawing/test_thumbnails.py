"""Pictures of a few pixels of attention matrices."""

import numpy as np
import pytest

from vitpanel.core.grid import Grid
from vitpanel.drawing.display import KINDS, colour_limits
from vitpanel.drawing.thumbnails import SHADES, thumbnails

GRIDS = [Grid(14, 14), Grid(16, 16, ("cls", "register", "register")), Grid(9, 7, ()), Grid(3, 4, ("register", "cls"))]


def runs_of(grid: Grid, size: int):
    """Tokens of each row: CLS twice, all other tokens before the patches once, runs of patches."""
    extra = [token for token, kind in enumerate(grid.prefix) if kind != "cls"]
    runs = [[grid.cls]] * 2 if grid.cls is not None else []
    runs = runs + ([extra] if extra else [])
    n_runs = min(size - len(runs), grid.size)
    edges = [grid.n_prefix + run * grid.size // n_runs for run in range(n_runs + 1)]
    return runs + [list(range(edges[run], edges[run + 1])) for run in range(n_runs)]


@pytest.mark.parametrize("grid", GRIDS)
def test_pixels_are_the_largest_entries_of_their_runs(rng: np.random.Generator, grid: Grid):
    attention = rng.dirichlet(np.full(grid.n_tokens, 0.3), (2, grid.n_tokens)).astype(np.float32)
    found, runs = thumbnails(attention, grid, 20), runs_of(grid, 20)
    assert found.dtype == np.uint8
    for matrix, codes in zip(attention, found, strict=True):
        assert codes.shape == (len(runs), len(runs))
        limits = dict(zip(KINDS, colour_limits(matrix, grid), strict=True))
        for row, sources in enumerate(runs):
            for col, targets in enumerate(runs):
                tokens = {*sources, *targets}
                is_extra = any(token < grid.n_prefix for token in tokens)
                kind = "cls" if grid.cls in tokens else "extra" if is_extra else "patch"
                peak = max(matrix[source, target] for source in sources for target in targets)
                shade = round(min(peak / limits[kind], 1) * (SHADES - 1))
                assert abs(int(codes[row, col]) - KINDS.index(kind) * SHADES - shade) <= 1


def test_a_head_without_values_is_blank():
    grid = Grid(8, 8)
    assert set(np.unique(thumbnails(np.zeros((1, 65, 65), np.float32), grid))) == {0, 2 * SHADES}
