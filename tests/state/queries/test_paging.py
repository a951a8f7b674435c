"""Pages of a long table."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vitpanel.state.queries.paging import page_of


@given(
    st.lists(st.sampled_from([math.nan, -2.0, -0.5, 0.0, 0.25, 1.0]) | st.floats(-3, 3, width=32), max_size=60),
    st.integers(0, 30),
    st.integers(0, 30),
)
def test_a_page_is_a_part_of_the_whole_order(scores: list[float], start: int, count: int):
    known = [index for index, score in enumerate(scores) if not math.isnan(score)]
    order = sorted(known, key=lambda index: (-scores[index], index))
    assert page_of(np.array(scores, np.float32), start, count).tolist() == order[start : start + count]


def test_pages_follow_each_other_without_gap_or_repetition():
    scores = np.random.default_rng(0).integers(0, 5, (40, 2, 3)).astype(np.float32)
    pages = [page_of(scores, start, 7) for start in range(0, 245, 7)]
    assert np.concatenate(pages).tolist() == np.argsort(-scores.ravel(), kind="stable").tolist()
