"""Sets of heads, told by image."""

from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.state.queries.head_set import head_set_means
from vitpanel.study.reader import Study, open_study


@pytest.mark.parametrize("array", ["importance/probability", "distance"])
def test_two_heads_of_a_study(study: Study, array: str):
    heads = np.zeros((2, 3), bool)
    heads[0, 1] = heads[1, 2] = True
    expected = (study[array][:, 0, 1].astype(float) + study[array][:, 1, 2]) / 2
    assert head_set_means(study, heads, array) == pytest.approx(expected)


def test_images_that_are_not_done_have_no_mean(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", finished=False))
    found = head_set_means(study, np.ones((2, 3), bool), "entropy")
    assert np.isnan(found).tolist() == [not is_done for is_done in study.done_images]
