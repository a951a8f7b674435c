import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitpanel.core.grid import Grid
from vitpanel.core.token_names import block_of, tokens_named, words_of_tokens

GRID = Grid(4, 6, ("cls", "register", "register"))
GRIDS = (GRID, Grid(3, 3), Grid(5, 2, ()), Grid(1, 1))


def patch(row: int, col: int) -> int:
    return GRID.n_prefix + row * GRID.cols + col


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("12-15, 20, CLS", {0, *range(15, 19), 23}),
        ("12 - 15; 20", {*range(15, 19), 23}),
        ("patch 3, patch 5", {6, 8}),
        ("patches 3–5", {6, 7, 8}),
        ("3; 5", {6, 8}),
        ("register 1, cls", {0, 2}),
        ("r1-2 c3-5", {patch(row, col) for row in (1, 2) for col in (3, 4, 5)}),
        ("R1c3", {patch(1, 3)}),
        ("r3", {patch(3, col) for col in range(6)}),
        ("c0, r0 c5", {patch(0, 0), patch(1, 0), patch(2, 0), patch(3, 0), patch(0, 5)}),
        # Two numbers are a place, as for a single token.
        ("3, 5", {patch(3, 5)}),
        ("7", {10}),
        ("CLS", {0}),
    ],
)
def test_what_a_person_writes(text: str, tokens: set[int]):
    assert set(tokens_named(GRID, text)) == tokens


@pytest.mark.parametrize(
    "text",
    ["", " ", ",", "12-24", "20-12", "r4", "r0-4 c0", "c6", "r", "5, 3", "1, 2,", "eye", "CLS, eye", "3-", "r1-2-3"],
)
def test_what_names_something_that_is_not_there_names_nothing(text: str):
    assert tokens_named(GRID, text) == ()


@given(st.sampled_from(GRIDS), st.data())
def test_words_are_read_back_as_the_same_set(grid: Grid, data: st.DataObject):
    tokens = data.draw(st.sets(st.integers(0, grid.n_tokens - 1)))
    assert tokens_named(grid, words_of_tokens(grid, tokens)) == tuple(sorted(tokens))


def test_words_are_short():
    assert words_of_tokens(GRID, [patch(row, col) for row in (1, 2) for col in (3, 4)]) == "r1-2 c3-4"
    assert words_of_tokens(GRID, [0, 3, 4, 5, 9]) == "CLS; 0-2; 6"
    assert words_of_tokens(GRID, [7]) == "4"


def test_only_patches_that_fill_a_rectangle_are_a_block():
    corners = {patch(1, 2), patch(1, 3), patch(2, 2), patch(2, 3)}
    assert block_of(GRID, corners) == ((1, 2), (2, 3))
    for tokens in (corners - {patch(1, 2)}, corners | {0}, set()):
        assert block_of(GRID, tokens) is None
