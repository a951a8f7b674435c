"""Sets of heads, told by image."""

import math
from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.state.queries.head_set import head_set_means, mean_over_heads
from vitpanel.study.reader import Study, open_study


@pytest.mark.parametrize("share", [0, 0.1, 1])
def test_means_one_by_one(share: float):
    rng = np.random.default_rng(0)
    values = rng.beta(1, 6, (1100, 3, 4)).astype(np.float32)
    values[rng.random(values.shape) < 0.3] = np.nan
    heads = np.zeros((3, 4), bool)
    heads.ravel()[: round(share * heads.size)] = True
    expected = []
    for of_image in values:
        known = [float(value) for value, is_in in zip(of_image.ravel(), heads.ravel(), strict=True) if is_in]
        known = [value for value in known if not math.isnan(value)]
        expected.append(sum(known) / len(known) if known else math.nan)
    assert mean_over_heads(values, heads) == pytest.approx(np.array(expected), nan_ok=True)


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
