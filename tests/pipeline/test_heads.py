"""What is kept of attention while a model runs, and how much memory that takes."""

import tracemalloc
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.synthetic import synthetic_attention, synthetic_spec
from tests.tiny_vit import write_checkpoint
from vitpanel.core.grid import Grid
from vitpanel.core.patterns import cls_vector, patch_matrix, top_indices
from vitpanel.core.strength import attention_distance, strength_vectors
from vitpanel.models.ablation import create_ablation, images_at_once
from vitpanel.models.loading import load_model
from vitpanel.models.model import ViTModel
from vitpanel.pipeline import heads
from vitpanel.pipeline.heads import AttentionSummary

# A picture of 518 pixels in patches of 14.
LARGE = Grid(37, 37)


def test_heads_are_reduced_as_if_all_at_once(monkeypatch: pytest.MonkeyPatch):
    spec = synthetic_spec()
    attention = np.stack([synthetic_attention(spec, image)[0] for image in range(2)])
    monkeypatch.setattr(heads, "_AT_ONCE_BYTES", 2 * attention[0, 0].nbytes)
    summary = AttentionSummary(spec.grid)
    summary.add(0, torch.from_numpy(attention))
    arrays = summary.arrays()
    assert np.allclose(arrays["strength"][:, 0], strength_vectors(attention, spec.grid), rtol=1e-5)
    assert np.allclose(arrays["distance"][:, 0], attention_distance(attention, spec.grid), rtol=1e-5)
    assert np.array_equal(arrays["patterns/patch_top"][:, 0], top_indices(patch_matrix(attention, spec.grid)))
    assert np.allclose(arrays["patterns/cls"][:, 0], cls_vector(attention, spec.grid), rtol=2e-3)


def reducing_peak(n_heads: int) -> int:
    """Bytes that reducing a layer of a large image takes beside its attention."""
    attention = torch.rand(1, n_heads, LARGE.n_tokens, LARGE.n_tokens)
    tracemalloc.start()
    try:
        AttentionSummary(LARGE).add(0, attention)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_reducing_takes_the_same_room_for_any_number_of_heads():
    reducing_peak(1)
    assert reducing_peak(8) < 1.1 * reducing_peak(3)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> ViTModel:
    """Return a narrow model of 1,370 tokens."""
    sizes = {"img_size": 518, "patch_size": 14, "embed_dim": 6, "depth": 3}
    checkpoint = write_checkpoint(tmp_path_factory.mktemp("large") / "large.safetensors", sizes=sizes)
    return load_model(None, checkpoint=checkpoint, device="cpu")


class Alive:
    """Counts the layers whose attention is still in memory when the next one comes."""

    def __init__(self) -> None:
        self.most = 0
        self.layers: list[int] = []
        self._seen: list[weakref.ref[Tensor]] = []

    def __call__(self, layer: int, attention: Tensor) -> None:
        """Hear of a layer."""
        self.layers.append(layer)
        self._seen.append(weakref.ref(attention))
        self.most = max(self.most, sum(1 for _ in self._alive()))

    def _alive(self) -> Iterator[Tensor]:
        return (tensor for reference in self._seen if (tensor := reference()) is not None)


def test_attention_of_a_large_image_is_never_there_for_two_layers(large: ViTModel):
    pixels, alive = torch.zeros(1, *large.preprocessing.input_size), Alive()
    large.attend(pixels, alive)
    assert alive.layers == [0, 1, 2]
    assert alive.most == 1
    some = Alive()
    large.attend(pixels, some, layers=[1])
    assert some.layers == [1]
    pruned = Alive()
    create_ablation(large, batch_size=4).leave_one_out(pixels, pruned)
    assert pruned.layers == [0, 1, 2]
    assert pruned.most == 1


def test_images_at_once_follow_the_size_of_their_attention(large: ViTModel):
    assert images_at_once(large.spec) == 256 * 2**20 // (3 * 1370**2 * 4) == 11
    assert images_at_once(synthetic_spec(n_heads=64, rows=64, cols=64)) == 1
