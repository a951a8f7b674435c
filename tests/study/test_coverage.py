"""How far a study is."""

import numpy as np
import pytest

from tests.synthetic import synthetic_manifest, synthetic_spec
from vitpanel.study.coverage import Coverage
from vitpanel.study.manifest import Manifest
from vitpanel.study.own_stages import HEADS, LATENTS, LAYOUT, MODES
from vitpanel.study.receipts import Receipt


@pytest.fixture
def manifest() -> Manifest:
    """Return the manifest of 12 images in blocks, of which no stage is done."""
    made = synthetic_manifest(synthetic_spec())
    made.images["n_images"], made.settings["block_size"] = 12, 5
    return made


def receipt(*arrays: str) -> Receipt:
    return Receipt(frozenset(arrays))


def test_images_are_done_when_their_block_is(manifest: Manifest):
    coverage = Coverage(manifest, {0: receipt(), 2: receipt()})
    assert np.flatnonzero(coverage.done_images).tolist() == [0, 1, 2, 3, 4, 10, 11]
    assert not coverage.has_all_blocks


def test_a_study_is_finished_with_all_blocks_and_all_stages_that_it_was_asked_for(manifest: Manifest):
    whole = Coverage(manifest, dict.fromkeys(range(3), receipt()))
    assert whole.has_all_blocks
    assert not whole.is_finished
    manifest.stages.update({stage: {"done": True, "arrays": []} for stage in (HEADS, LATENTS, LAYOUT)})
    assert whole.is_finished
    assert not whole.is_wanted(MODES)
    manifest.stages[MODES] = {"done": False}
    assert not whole.is_finished


def test_rows_of_an_array_that_came_later_are_in_some_blocks(manifest: Manifest):
    arrays = manifest.arrays()
    coverage = Coverage(manifest, {0: receipt("entropy"), 1: receipt("entropy", "distance")})
    assert coverage.blocks_with(arrays["entropy"]) == [0, 1]
    assert coverage.blocks_with(arrays["distance"]) == [1]
    assert coverage.blocks_with(arrays["latents"]) == [0, 1, 2]


def test_the_reason_says_what_is_missing(manifest: Manifest):
    arrays = manifest.arrays()
    assert "still lacks the importance and attention of heads" in Coverage(manifest, {}).reason(arrays["entropy"])
    begun = Coverage(manifest, {0: receipt("entropy", "patterns/patch_top")})
    assert begun.reason(arrays["entropy"]) == ""
    assert "made before there was distance" in begun.reason(arrays["distance"])
    assert "5 of 12 images are done" in begun.reason(arrays["patterns/patch_top"])
    assert "still lacks the codes of attention patterns" in begun.reason(arrays["latents"])
    assert "--modes" in begun.reason(arrays["modes/jsd"])
