"""What a head attends to, as tables."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import FakeModel
from tests.synthetic import write_synthetic_study
from vitpanel.drawing.display import HeadDisplay, head_display, threshold_value
from vitpanel.state.brush import Ids
from vitpanel.state.queries.attention import bins_of, cells_of, links_of, patches_of
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study, open_study


@pytest.fixture
def selection(study: Study) -> Selection:
    return Selection(study, image=3, layer=1, head=2, threshold=0.1, token=5)


@pytest.fixture
def matrix(study: Study) -> np.ndarray:
    return FakeModel(study.spec).attention(3, 1)[2]


@pytest.fixture
def display(study: Study, matrix: np.ndarray) -> HeadDisplay:
    return head_display(matrix, study.spec.grid)


def test_cells_are_the_matrix(study: Study, selection: Selection, display: HeadDisplay, matrix: np.ndarray):
    table = cells_of(study, selection, display)
    assert set(table[["image", "layer", "head"]].apply(tuple, axis=1)) == {(3, 1, 2)}
    rows: Any = table.itertuples()
    for row in rows:
        assert row.value == matrix[row.source_cell, row.target_cell]
        assert row.kind == ("patch" if row.source_cell and row.target_cell else "cls")
    assert (table.groupby("kind")["darkest"].nunique().to_numpy() == 1).all()


def test_links_are_the_largest_entries(study: Study, selection: Selection, display: HeadDisplay, matrix: np.ndarray):
    selection.tokens = Ids((7,), "token")
    table = links_of(study, selection, display)
    expected = np.argwhere(matrix >= threshold_value(matrix, 0.1))
    assert set(zip(table["source_token"], table["target_token"], strict=True)) == {tuple(at) for at in expected}
    assert (np.diff(table["value"]) >= 0).all()
    rows: Any = table.itertuples()
    for row in rows:
        assert row.value == matrix[row.source_token, row.target_token]
        assert row.is_chosen == (5 in {row.source_token, row.target_token})
        assert row.is_brushed == (7 in {row.source_token, row.target_token})
        assert row.source == study.spec.grid.name(row.source_token)


def test_bins_count_all_entries_and_say_which_are_drawn(selection: Selection, display: HeadDisplay, matrix: np.ndarray):
    table = bins_of(selection, display)
    assert int(table["count"].to_numpy().sum()) == matrix.size
    limit = threshold_value(matrix, 0.1)
    assert set(table["threshold"]) == {limit}
    drawn = table.loc[table["is_drawn"].to_numpy()]
    assert float(drawn["from"].iloc[0]) <= limit <= float(drawn["to"].iloc[0])


def test_patches_of_a_token_of_cls_and_of_all(study: Study, selection: Selection, display: HeadDisplay, tmp_path: Path):
    matrix = display.matrix
    looks, seen = (patches_of(study, selection, display, side=side) for side in ("source", "target"))
    assert looks["value"].tolist() == matrix[5, 1:].tolist()
    assert seen["value"].tolist() == matrix[1:, 5].tolist()
    assert list(zip(looks["row"], looks["column"], strict=True))[5] == (1, 1)
    of_cls = patches_of(study, selection.but(token=None), display, side="source")
    assert of_cls["value"].tolist() == matrix[0, 1:].tolist()
    without = open_study(write_synthetic_study(tmp_path / "a.study", prefix=()))
    nobody, own = Selection(without, image=0, token=None), head_display(matrix[1:, 1:], without.spec.grid)
    assert patches_of(without, nobody, own, side="source")["value"].to_numpy() == pytest.approx(matrix[1:, 1:].mean(0))
    assert patches_of(without, nobody, own, side="target").empty
