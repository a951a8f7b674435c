"""How much every head matters."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.synthetic import synthetic_attention
from vitpanel.state.brush import Ids
from vitpanel.state.queries.importance import COLUMNS, STD, importance_table
from vitpanel.state.queries.ranking import COLUMNS as RANKING_COLUMNS
from vitpanel.state.queries.ranking import ranking_table
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study


@pytest.mark.parametrize("metric", ["probability", "jsd", "cls", "patch"])
def test_one_row_a_head_with_its_value_its_mean_and_its_spread(study: Study, metric: str):
    values = study[f"importance/{metric}"].astype(float)
    if metric == "probability":  # what is left of it is drawn
        values = study.images["p_true"].to_numpy()[:, None, None] - values
    judged = study.images["label"] >= 0 if metric == "probability" else np.ones(12, bool)
    table = importance_table(study, Selection(study, image=3, metric=metric))
    assert tuple(table) == COLUMNS
    assert list(zip(table["layer"], table["head"], strict=True)) == [(i, j) for i in range(2) for j in range(3)]
    assert table["chosen_image"].to_numpy() == pytest.approx(values[3].ravel())
    assert table["mean"].to_numpy() == pytest.approx(values[judged].mean(0).ravel(), abs=1e-6)
    assert table["spread"].to_numpy() == pytest.approx(values[judged].std(0).ravel(), abs=1e-6)
    assert set(table["spread_is"]) == {STD}
    expected = [study.images["p_true"].iloc[3]] if metric == "probability" else [np.nan]
    assert np.array_equal(table["unpruned"].to_numpy()[:1], expected, equal_nan=True)


def test_without_an_image_there_is_no_value_of_one(study: Study):
    assert importance_table(study, Selection(study, image=None))["chosen_image"].isna().to_numpy().all()


def test_marks(study: Study):
    selection = Selection(study, layer=1, head=2, pinned=[(0, 1)])
    selection.mark(Ids(((0, 0, 1), (3, 1, 0)), "instance"))
    table = importance_table(study, selection)
    assert table["is_chosen"].tolist() == [False] * 5 + [True]
    assert table["is_pinned"].tolist() == [False, True] + [False] * 4
    assert table["is_brushed"].tolist() == [False, True, False, True, False, False]


@pytest.mark.parametrize("query", [importance_table, ranking_table])
def test_what_is_brushed_of_each_head_has_columns(study: Study, query: Callable[[Study, Selection], pd.DataFrame]):
    selection = Selection(study, image=4)
    assert query(study, selection)[["brush_share", "token_share"]].isna().to_numpy().all()
    selection.mark(Ids(((0, 0, 1), (3, 0, 1), (3, 1, 0)), "instance"))
    selection.mark(Ids((0, 3), "token"))
    attention = synthetic_attention(study.spec, 4)
    rows: Any = query(study, selection).itertuples()
    for row in rows:
        n_images = {(0, 1): 2, (1, 0): 1}.get((row.layer, row.head), 0)
        assert row.brush_share == pytest.approx(n_images / study.n_images)
        to_tokens = sum(float(attention[row.layer, row.head][0, token]) for token in (0, 3))
        assert row.token_share == pytest.approx(to_tokens, abs=1e-3)


def test_the_ranking_is_by_what_is_lost_with_its_quartiles(study: Study):
    table = ranking_table(study, Selection(study, image=3, metric="probability", layer=1, head=0))
    lost = study["importance/probability"].astype(float)
    assert tuple(table) == RANKING_COLUMNS
    assert table["rank"].tolist() == [1, 2, 3, 4, 5, 6]
    assert (np.diff(table["importance"]) <= 0).all()
    rows: Any = table.itertuples()
    for row in rows:
        of_head = np.sort(lost[study.images["label"] >= 0, row.layer, row.head])
        assert row.importance == pytest.approx(lost[3, row.layer, row.head], abs=1e-6)
        assert row.least == pytest.approx(of_head[0], abs=1e-6)
        assert row.most == pytest.approx(of_head[-1], abs=1e-6)
        assert row.median == pytest.approx(of_head[round((len(of_head) - 1) / 2)], abs=1e-6)
    assert table.loc[table["is_chosen"], ["layer", "head"]].to_numpy().tolist() == [[1, 0]]
