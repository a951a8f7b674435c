"""Sets of heads on images, counted by image and by head."""

from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.state.brush import InRange, mask_of
from vitpanel.state.queries.instances import (
    HEAD_COLUMNS,
    IMAGE_COLUMNS,
    heads_per_image,
    images_per_head,
    instance_heads,
    instance_images,
)
from vitpanel.study.reader import Study, open_study


def test_counts_one_by_one():
    mask = np.random.default_rng(0).random((40, 3, 5)) < 0.3
    by_image, by_head = np.zeros(40, int), np.zeros((3, 5), int)
    for image, layer, head in np.ndindex(mask.shape):
        if mask[image, layer, head]:
            by_image[image] += 1
            by_head[layer, head] += 1
    assert heads_per_image(mask).tolist() == by_image.tolist()
    assert images_per_head(mask).tolist() == by_head.tolist()


def test_shares_of_a_brush(study: Study):
    brush = InRange("entropy", low=0.4)
    images, heads = (table(study, mask_of(study, brush)) for table in (instance_images, instance_heads))
    assert tuple(images) == IMAGE_COLUMNS
    assert tuple(heads) == HEAD_COLUMNS
    for row in images.to_dict("records"):
        inside = [value >= 0.4 for value in study["entropy"][row["image"]].ravel()]
        assert (row["n_heads"], row["share"]) == (sum(inside), pytest.approx(np.mean(inside)))
    for row in heads.to_dict("records"):
        inside = [value >= 0.4 for value in study["entropy"][:, row["layer"], row["head"]]]
        assert (row["n_images"], row["share"]) == (sum(inside), pytest.approx(np.mean(inside)))


def test_images_that_are_not_done_do_not_thin_the_shares(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", finished=False))
    mask = mask_of(study, InRange("entropy", low=0))
    assert instance_heads(study, mask)["share"].tolist() == [1.0] * 6
    assert instance_images(study, mask)["share"].isna().tolist() == [not is_done for is_done in study.done_images]
