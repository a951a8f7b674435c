"""Regions of the attention matrix and the pruning modes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitpanel.core.grid import CLS, DISTILLATION, REGISTER, Grid
from vitpanel.core.regions import PruningMode, Region, is_defined, pruning_mask, region_mask

PREFIXES = [(), (CLS,), (REGISTER,), (CLS, REGISTER, REGISTER), (REGISTER, CLS), (CLS, DISTILLATION)]
grids = st.builds(Grid, st.integers(1, 4), st.integers(1, 4), st.sampled_from(PREFIXES))


def region_of(grid: Grid, source: int, target: int) -> Region:
    """Region of one entry, said token by token."""
    kinds = [*grid.prefix, *["patch"] * grid.size]
    pair = (kinds[source], kinds[target])
    if set(pair) - {CLS, "patch"}:
        return Region.EXTRA
    return {
        (CLS, CLS): Region.CLS_CLS,
        (CLS, "patch"): Region.CLS_PATCH,
        ("patch", CLS): Region.PATCH_CLS,
        ("patch", "patch"): Region.PATCH_PATCH,
    }[pair]


@given(grids)
def test_regions_are_what_their_tokens_say(grid: Grid):
    for region in Region:
        expected = [[region_of(grid, a, b) is region for b in range(grid.n_tokens)] for a in range(grid.n_tokens)]
        np.testing.assert_array_equal(region_mask(grid, region), expected)


@given(grids)
def test_regions_are_disjoint_and_cover_the_matrix(grid: Grid):
    total = sum(region_mask(grid, region).astype(int) for region in Region)
    np.testing.assert_array_equal(total, np.ones((grid.n_tokens, grid.n_tokens)))


@given(grids)
def test_modes_compose_as_in_fig_4(grid: Grid):
    mask = {mode: pruning_mask(grid, mode.regions) for mode in PruningMode}
    assert not mask[PruningMode.NONE].any()
    assert mask[PruningMode.HEAD].all()
    np.testing.assert_array_equal(
        mask[PruningMode.CLS_RELATED], mask[PruningMode.CLS_CLS] | mask[PruningMode.CLS_PATCHES]
    )
    np.testing.assert_array_equal(mask[PruningMode.CLS_PATCHES], mask[PruningMode.CLS_PATCHES].T)
    assert not (mask[PruningMode.CLS_RELATED] & mask[PruningMode.PATCHES]).any()


def test_modes_worked_by_hand():
    """One row of two patches after CLS; rows are sources."""
    grid = Grid(1, 2)
    expected = {
        PruningMode.CLS_CLS: [[1, 0, 0], [0, 0, 0], [0, 0, 0]],
        PruningMode.CLS_PATCHES: [[0, 1, 1], [1, 0, 0], [1, 0, 0]],
        PruningMode.CLS_RELATED: [[1, 1, 1], [1, 0, 0], [1, 0, 0]],
        PruningMode.PATCHES: [[0, 0, 0], [0, 1, 1], [0, 1, 1]],
    }
    for mode, mask in expected.items():
        np.testing.assert_array_equal(pruning_mask(grid, mode.regions), mask)


def test_the_two_directions_can_be_pruned_apart():
    np.testing.assert_array_equal(
        pruning_mask(Grid(1, 2), frozenset({Region.PATCH_CLS})), [[0, 0, 0], [1, 0, 0], [1, 0, 0]]
    )


def test_extra_tokens_go_with_the_whole_head_alone():
    grid = Grid(2, 2, (CLS, REGISTER))
    extra = region_mask(grid, Region.EXTRA)
    for mode in PruningMode:
        assert (pruning_mask(grid, mode.regions) & extra).any() == (mode is PruningMode.HEAD)


@pytest.mark.parametrize("prefix", [(), (REGISTER,)])
def test_modes_of_cls_are_not_defined_without_cls(prefix: tuple[str, ...]):
    defined = [mode for mode in PruningMode if is_defined(mode, Grid(2, 2, prefix))]
    assert defined == [PruningMode.NONE, PruningMode.HEAD, PruningMode.PATCHES]


def test_all_modes_are_defined_with_cls_and_named():
    assert all(is_defined(mode, Grid(2, 2)) for mode in PruningMode)
    assert len({mode.label for mode in PruningMode}) == len(PruningMode)
    assert [mode.value for mode in PruningMode] == [0, 1, 2, 3, 4, 5]
