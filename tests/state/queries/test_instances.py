"""Sets of heads on images, counted by image and by head."""

from pathlib import Path

import numpy as np

from tests.synthetic import write_synthetic_study
from vitpanel.state.brush import InRange, mask_of
from vitpanel.state.queries.instances import heads_per_image, images_per_head, share_of_images
from vitpanel.study.reader import open_study


def test_counts_one_by_one():
    mask = np.random.default_rng(0).random((40, 3, 5)) < 0.3
    by_image, by_head = np.zeros(40, int), np.zeros((3, 5), int)
    for image, layer, head in np.ndindex(mask.shape):
        if mask[image, layer, head]:
            by_image[image] += 1
            by_head[layer, head] += 1
    assert heads_per_image(mask).tolist() == by_image.tolist()
    assert images_per_head(mask).tolist() == by_head.tolist()


def test_images_that_are_not_done_do_not_thin_the_shares(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", finished=False))
    n_images = images_per_head(mask_of(study, InRange("entropy", low=0)))
    assert 0 < study.n_done < study.n_images
    assert share_of_images(study, n_images).tolist() == [[1.0] * 3] * 2
