"""What a picture of one attention matrix needs."""

import math

import numpy as np
import pytest

from vitpanel.core.grid import Grid
from vitpanel.drawing.display import (
    KINDS,
    MAX_DISPLAY_TOKENS,
    MAX_LINKS,
    colour_limits,
    display_grid,
    display_names,
    head_display,
    pooled_matrix,
    pooling_step,
    share_above,
    strongest_links,
    threshold_value,
    token_kinds,
    value_histogram,
)


def attention(rng: np.random.Generator, n_tokens: int):
    return rng.dirichlet(np.full(n_tokens, 0.3), n_tokens).astype(np.float32)


@pytest.mark.parametrize("share", [1e-9, 0.01, 0.3, 1.0])
def test_threshold_keeps_the_share_of_the_largest_values(rng: np.random.Generator, share: float):
    matrix = attention(rng, 17)
    descending = sorted(matrix.ravel().tolist(), reverse=True)
    assert threshold_value(matrix, share) == descending[max(math.ceil(share * 289), 1) - 1]


def test_share_and_threshold_are_inverse(rng: np.random.Generator):
    matrix = attention(rng, 13)
    for count in range(1, 170):
        value = threshold_value(matrix, count / 169)
        assert threshold_value(matrix, share_above(matrix, value)) == value
    assert share_above(matrix, 2.0) == 1 / 169


def test_strongest_links_are_the_largest_entries_weakest_first(rng: np.random.Generator):
    matrix = attention(rng, 9)
    entries = sorted((float(matrix[i, j]), i, j) for i in range(9) for j in range(9))[-20:]
    assert [divmod(link, 9) for link in strongest_links(matrix, 20).tolist()] == [entry[1:] for entry in entries]


def test_there_are_no_more_links_than_entries(rng: np.random.Generator):
    assert sorted(strongest_links(attention(rng, 3)).tolist()) == list(range(9))


def test_all_links_of_the_papers_model_are_drawn():
    assert MAX_LINKS >= 197 * 197


def test_histogram_counts_every_value_once(rng: np.random.Generator):
    matrix = attention(rng, 20)
    matrix[0, :3] = 0
    histogram = value_histogram(matrix, 7)
    low, high = histogram.edges[0], histogram.edges[-1]
    assert high == matrix.max()
    assert low == pytest.approx(max(matrix[matrix > 0].min(), high * 1e-5))
    counts = [0] * 7
    for value in matrix.ravel().astype(float):
        inside = [i for i in range(7) if histogram.edges[i] <= max(value, low) < histogram.edges[i + 1]]
        counts[inside[0] if inside else 6] += 1
    assert histogram.counts.tolist() == counts
    assert np.allclose(np.diff(np.log(histogram.edges)), math.log(high / low) / 7)


@pytest.mark.parametrize("value", [0.0, 0.25])
def test_histogram_of_equal_values_has_a_width(value: float):
    histogram = value_histogram(np.full((4, 4), value, np.float32))
    assert histogram.counts.sum() == 16
    assert (np.diff(histogram.edges) > 0).all()


def test_kinds_of_tokens():
    kinds = token_kinds(Grid(1, 2, ("cls", "register", "distillation")))
    assert [KINDS[kind] for kind in kinds] == ["cls", "extra", "extra", "patch", "patch"]


def test_colour_limits_are_per_kind_and_pass_over_few_peaks(rng: np.random.Generator):
    grid = Grid(5, 5, ("cls", "register"))
    matrix = attention(rng, 27)
    groups = {kind: [] for kind in KINDS}
    for i in range(27):
        for j in range(27):
            kind = "cls" if 0 in {i, j} else "extra" if 1 in {i, j} else "patch"
            groups[kind].append(float(matrix[i, j]))
    expected = [sorted(groups[kind])[-max(round(len(groups[kind]) ** 0.5 / 8), 1)] for kind in KINDS]
    assert list(colour_limits(matrix, grid)) == expected
    assert np.isnan(colour_limits(attention(rng, 25), Grid(5, 5, ()))[1:]).all()


def test_small_grids_are_shown_as_they_are(rng: np.random.Generator):
    grid = Grid(14, 14)
    matrix = attention(rng, 197)
    assert pooling_step(grid) == 1
    assert display_grid(grid) == grid
    assert pooled_matrix(matrix, grid) is matrix
    assert display_names(grid)[15] == grid.label(15)


@pytest.mark.parametrize("grid", [Grid(25, 27, ("cls", "register")), Grid(40, 16, ())])
def test_large_grids_are_pooled_by_their_maximum(rng: np.random.Generator, grid: Grid):
    matrix = rng.random((grid.n_tokens, grid.n_tokens), np.float32)
    step, cells = pooling_step(grid), display_grid(grid)
    assert cells.n_tokens <= MAX_DISPLAY_TOKENS
    members = [[token] for token in range(grid.n_prefix)] + [
        [
            grid.n_prefix + r * grid.cols + c
            for r in range(row, min(row + step, grid.rows))
            for c in range(col, min(col + step, grid.cols))
        ]
        for row in range(0, grid.rows, step)
        for col in range(0, grid.cols, step)
    ]
    expected = [[matrix[np.ix_(a, b)].max() for b in members] for a in members]
    assert np.array_equal(pooled_matrix(matrix, grid), np.array(expected))
    names = display_names(grid)
    assert len(names) == len(members) == len(set(names))
    assert names[grid.n_prefix] == "patches (rows 0 to 1, columns 0 to 1)"


def test_head_display_holds_the_matrix_itself(rng: np.random.Generator):
    grid = Grid(4, 4)
    matrix = attention(rng, 17)
    display = head_display(matrix.astype(np.float64), grid)
    assert display.matrix.dtype == np.float32
    assert np.array_equal(display.matrix, matrix)
    assert display.pooled is display.matrix
