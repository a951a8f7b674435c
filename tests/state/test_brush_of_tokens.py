"""Brushes of tokens."""

from pathlib import Path
from typing import Any

import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.errors import BrushError
from vitpanel.state.brush import Brush, Ids, PatchBlock, brush_of_tokens, mask_of
from vitpanel.study.reader import Study, open_study


@pytest.fixture(params=[("cls",), (), ("cls", "register")])
def study(tmp_path: Path, request: pytest.FixtureRequest) -> Study:
    return open_study(write_synthetic_study(tmp_path / "a.study", rows=3, cols=5, prefix=request.param))


@pytest.mark.parametrize(("rows", "columns"), [((1, 2), (0, 3)), ((0, 0), (4, 4)), ((2, 9), (3, 7)), ((5, 6), (0, 1))])
def test_a_block_is_the_patches_in_its_rows_and_columns(study: Study, rows: Any, columns: Any):
    mask, grid = mask_of(study, PatchBlock(rows, columns)), study.spec.grid
    for token in range(grid.n_tokens):
        place = grid.position(token)
        is_in = place is not None and rows[0] <= place[0] <= rows[1] and columns[0] <= place[1] <= columns[1]
        assert mask[token] == is_in


def test_a_block_says_where_it_is_and_can_be_written_down():
    block = PatchBlock((1, 2), (3, 3))
    assert block.words == "patches in rows 1 to 2 and column 3"
    assert Brush.from_dict(block.to_dict()) == block


@pytest.mark.parametrize("rows", [(2, 1), (-1, 0), (1,), (0, 0.5), "ab"])
def test_what_is_no_block_is_refused(rows: Any):
    with pytest.raises(BrushError, match="rows or columns"):
        PatchBlock(rows, (0, 1))


def test_some_tokens_are_a_brush_of_the_same_tokens(study: Study):
    grid = study.spec.grid
    for tokens, kind in (((3, 4), PatchBlock), ((3, 5), Ids), ((3,), Ids), ((0, grid.n_tokens - 1), Ids)):
        brush = brush_of_tokens(grid, tokens)
        assert isinstance(brush, kind)
        assert tuple(mask_of(study, brush).nonzero()[0]) == tokens
