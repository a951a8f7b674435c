"""Brushes of heads by layer, and of images by what brushed heads do on them."""

import math
from typing import Any

import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.errors import BrushError
from vitpanel.state.brush import Brush, Holding, Ids, InRange, OfHeads, OfLayers, brush_of_heads
from vitpanel.study.reader import Study, open_study

HEADS = Ids(((0, 1), (2, 0), (2, 2)), "head")
INSTANCES = InRange("entropy", low=0.5)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The last images are not done."""
    path = tmp_path_factory.mktemp("of_heads") / "a.study"
    return open_study(write_synthetic_study(path, n_images=30, n_layers=4, finished=False))


def test_heads_of_some_layers(study: Study):
    mask = OfLayers(1, 2).to_mask(study)
    assert mask.tolist() == [[layer in {1, 2}] * 3 for layer in range(4)]
    assert not OfLayers(3, 2).to_mask(study).any()
    assert OfLayers(3, 99).to_mask(study).sum() == 3
    assert OfLayers(1, 1).words == "heads of layer 1"
    assert OfLayers(1, 2).words == "heads of layer 1 to 2"


def test_images_that_hold_so_many_brushed_heads(study: Study):
    mask, counts = Holding(INSTANCES, low=2, high=5).to_mask(study), []
    for image in range(study.n_images):
        counts.append(sum(value >= 0.5 for value in study["entropy"][image].ravel().tolist()))
        assert mask[image] == (study.done_images[image] and 2 <= counts[-1] <= 5)
    assert set(Holding(INSTANCES).to_mask(study)[~study.done_images]) == {False}


def test_images_by_the_mean_of_brushed_heads(study: Study):
    mask = OfHeads("importance/jsd", HEADS, low=0.1, high=0.2).to_mask(study)
    for image in range(study.n_images):
        values = [float(study["importance/jsd"][image, layer, head]) for layer, head in HEADS.ids]
        mean = math.nan if math.isnan(sum(values)) else sum(values) / 3
        assert mask[image] == (0.1 <= mean <= 0.2)
    assert 0 < mask.sum() < study.n_done


@pytest.mark.parametrize("brush", [OfLayers(0, 2), Holding(INSTANCES, low=1), OfHeads("entropy", HEADS, high=0.5)])
def test_they_can_be_written_down_and_say_what_they_are(study: Study, brush: Brush):
    assert Brush.from_dict(brush.to_dict()) == brush
    assert brush.words
    assert np.array_equal((~~brush).to_mask(study), brush.to_mask(study))


def test_what_is_none_of_them_is_refused(study: Study):
    nonsense: Any = "b"
    for make in (
        lambda: OfLayers(-1, 2),
        lambda: OfLayers(0, nonsense),
        lambda: Holding(HEADS),
        lambda: OfHeads("entropy", INSTANCES),
        lambda: OfHeads("entropy", nonsense),
        lambda: OfHeads("strength", HEADS).to_mask(study),
    ):
        with pytest.raises(BrushError):
            make()


@pytest.mark.parametrize("flat", [[], [0, 1, 2], [3, 4, 5, 6, 7, 8], [0, 1, 2, 6, 7, 8], [4], [1, 1, 11, 99]])
def test_heads_by_flat_index_are_said_by_their_layers_where_these_are_whole(study: Study, flat: list[int]):
    brush = brush_of_heads(study.spec, flat)
    assert np.flatnonzero(brush.to_mask(study)).tolist() == sorted({index for index in flat if index < 12})
    assert isinstance(brush, OfLayers) == (flat in ([0, 1, 2], [3, 4, 5, 6, 7, 8]))
