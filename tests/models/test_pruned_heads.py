"""Models whose layers have different numbers of heads, against the whole model with the missing head at 0."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.pruned_families import Pruned, divergence, layer_distances, random_images
from tests.ragged_vit import KEPT, TAKEN_OUT, write_ragged
from tests.tiny_vit import SIZES
from vitpanel.core.regions import HeadPruning, PruningMode, is_defined, pruning_mask
from vitpanel.errors import CheckpointError, VitpanelError
from vitpanel.models.ablation import HookAblation, create_ablation
from vitpanel.models.loading import load_model
from vitpanel.models.model import ViTModel

ALL = np.ones((17, 17), bool)
GONE = (0, TAKEN_OUT, ALL)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[ViTModel, ViTModel]:
    whole, ragged = write_ragged(tmp_path_factory.mktemp("ragged"))
    return load_model(None, checkpoint=whole, device="cpu"), load_model(None, checkpoint=ragged, device="cpu")


def place_in_whole(layer: int, head: int) -> tuple[int, int]:
    return (layer, KEPT[head]) if layer == 0 else (layer, head)


def test_its_shape_says_the_heads_of_each_layer(models: tuple[ViTModel, ViTModel]):
    spec = models[1].spec
    assert (spec.n_heads, spec.heads) == (3, (2, 3))
    assert spec.is_there.tolist() == [[True, True, False], [True, True, True]]
    assert [spec.has_head(0, 2), spec.has_head(1, 2), spec.has_head(2, 0)] == [False, True, False]
    assert type(spec).from_dict(spec.to_dict()) == spec
    assert "heads" not in models[0].spec.to_dict()
    assert all(check.passed for check in models[1].checks)


def test_it_computes_what_the_whole_model_does_without_the_head(models: tuple[ViTModel, ViTModel]):
    whole, ragged = models
    images = random_images(ragged, 3)
    assert np.abs(ragged.probabilities(images).numpy() - Pruned(whole, images, [GONE]).probabilities).max() < 1e-5


def test_every_head_is_pruned_and_there_is_nothing_where_none_is(models: tuple[ViTModel, ViTModel]):
    whole, ragged = models
    images, ablation = random_images(ragged, 2), create_ablation(ragged, batch_size=4)
    assert type(ablation) is HookAblation
    seen: dict[int, torch.Tensor] = {}
    found = ablation.leave_one_out(images, lambda layer, a: seen.update({layer: a}))
    assert [seen[layer].shape[1] for layer in (0, 1)] == [2, 3]
    importance, clean = found.importance(np.array([1, 2])), Pruned(whole, images, [GONE])
    for layer, head in np.ndindex(2, 3):
        values = {name: array[:, layer, head] for name, array in importance.items()}
        if not ragged.spec.has_head(layer, head):
            assert all(np.isnan(value).all() for value in values.values())
            continue
        where = place_in_whole(layer, head)
        pruned = Pruned(whole, images, [GONE, (*where, ALL)])
        lost = (clean.probabilities - pruned.probabilities)[[0, 1], [1, 2]]
        assert np.abs(values["probability"] - lost).max() < 1e-5
        assert np.abs(values["jsd"] - divergence(clean.probabilities, pruned.probabilities)).max() < 1e-5
        cls, patch = layer_distances(whole, clean, pruned, layer)
        assert np.abs(values["cls"] - cls).max() < 1e-5
        assert np.abs(values["patch"] - patch).max() < 1e-5


def test_modes_of_all_heads_have_nan_where_there_is_no_head(models: tuple[ViTModel, ViTModel]):
    whole, ragged = models
    image = random_images(ragged, 1)
    table = create_ablation(ragged).mode_table(image)
    for array in (table.layer["cls"], table.layer["patch"], table.probabilities):
        assert np.isnan(array[0, 0, 2]).all()
        assert not np.isnan(array[0, 1, 2]).any()
    clean = Pruned(whole, image, [GONE])
    for mode in PruningMode:
        if is_defined(mode, ragged.spec.grid):
            cut = (*place_in_whole(0, 1), pruning_mask(ragged.spec.grid, mode.regions))
            pruned = Pruned(whole, image, [GONE, cut])
            assert np.abs(table.probabilities[0, 0, 1, mode] - pruned.probabilities[0]).max() < 1e-5
            assert table.layer["patch"][0, 0, 1, mode] == pytest.approx(
                layer_distances(whole, clean, pruned, 0)[1][0], abs=1e-5
            )


def test_heads_of_several_layers_are_pruned_together(models: tuple[ViTModel, ViTModel]):
    whole, ragged = models
    images = random_images(ragged, 2)
    found = create_ablation(ragged).prune(images, [HeadPruning(0, 1), HeadPruning(1, 2)])
    pruned = Pruned(whole, images, [GONE, (0, 2, ALL), (1, 2, ALL)])
    assert np.abs(found.probabilities - pruned.probabilities).max() < 1e-5


def test_as_many_heads_less_in_each_layer_are_a_plain_model(tmp_path: Path):
    _, ragged = write_ragged(tmp_path)
    tensors = load_file(ragged)
    for key in ("attn.qkv.weight", "attn.qkv.bias", "attn.proj.weight"):
        tensors[f"blocks.1.{key}"] = tensors[f"blocks.0.{key}"].clone()
    save_file(tensors, tmp_path / "less.safetensors")
    args = SIZES | {"num_heads": [2, 2]}
    model = load_model("vit_tiny_patch16_224", checkpoint=tmp_path / "less.safetensors", args=args, device="cpu")
    assert (model.spec.n_heads, model.spec.heads) == (2, ())
    images = random_images(model, 2)
    found = create_ablation(model).leave_one_out(images, lambda _layer, _attention: None)
    expected = Pruned(model, images, [(1, 1, ALL)]).probabilities
    assert np.abs(found.pruned[:, 1, 1] - expected).max() < 1e-5


@pytest.mark.parametrize(
    ("heads", "words"),
    [([2], "heads of 1 layers"), ([2, 4], "layer 1 4 heads"), ([0, 3], "layer 0 0 heads")],
)
def test_heads_that_cannot_be_are_refused_in_words(heads: list[int], words: str, tmp_path: Path):
    _, ragged = write_ragged(tmp_path)
    with pytest.raises(VitpanelError, match=words) as caught:
        load_model(None, checkpoint=ragged, args={"num_heads": heads}, device="cpu")
    assert "num_heads=[" in caught.value.hint


def test_other_kinds_of_attention_have_not_lost_heads(tmp_path: Path):
    _, ragged = write_ragged(tmp_path)
    args: dict[str, Any] = SIZES | {"num_heads": [2, 3]}
    with pytest.raises(VitpanelError, match="no plain attention"):
        load_model("beit_base_patch16_224", checkpoint=ragged, args=args | {"embed_dim": 48}, device="cpu")


def test_weights_that_do_not_say_their_heads_are_refused_with_the_way(tmp_path: Path):
    _, ragged = write_ragged(tmp_path)
    with pytest.raises(CheckpointError, match="layer 0 has 2 of 3 heads") as caught:
        load_model(None, checkpoint=ragged, args={"num_heads": 3}, device="cpu")
    assert "num_heads=[" in caught.value.hint


def test_the_weights_say_which_heads_are_left(models: tuple[ViTModel, ViTModel]):
    seen: dict[int, torch.Tensor] = {}
    images = random_images(models[1], 1)
    models[1].attend(images, lambda layer, a: seen.update({layer: a}))
    clean = Pruned(models[0], images, [GONE])
    assert np.abs(seen[0].numpy() - clean.attention[0][:, list(KEPT)]).max() < 1e-6
