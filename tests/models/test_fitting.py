"""Checkpoints as they come: with prefixes, of other sizes, with keys too many, of other libraries."""

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file

from tests.tiny_vit import ARCHITECTURE, SIZES, write_checkpoint
from vitpanel.errors import CheckpointError, UnsupportedModelError
from vitpanel.models.loading import load_model
from vitpanel.models.model import ViTModel

META = {"architecture": ARCHITECTURE, **{key: repr(value) for key, value in SIZES.items()}}
OTHERS = {key: value for key, value in SIZES.items() if key != "num_classes"}


def state(**sizes: Any) -> dict[str, torch.Tensor]:
    """Weights of a tiny model."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return timm.create_model(ARCHITECTURE, pretrained=False, **SIZES | sizes).state_dict()


def load(path: Path, tensors: dict[str, torch.Tensor], *, named: bool = True, **options: Any) -> ViTModel:
    """Write a file and load it, as one that says what it is or as one that does not."""
    save_file({key: value.clone().contiguous() for key, value in tensors.items()}, path, META if named else None)
    return load_model(None if named else ARCHITECTURE, checkpoint=path, device="cpu", **options)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "x.safetensors"


@pytest.mark.parametrize(
    "prefix",
    [
        "module.",
        "model.",
        "net.",
        "_orig_mod.",
        "visual.trunk.",
        "module.visual.trunk.",
        "module.backbone.",
        "backbone.",
        "encoder.",
        "student.",
        "teacher.",
        "timm_model.",
        "state_dict.",
        "module._orig_mod.model.",
    ],
)
def test_a_prefix_is_taken_off_and_said(file: Path, prefix: str):
    plain = state()
    model = load(file, {prefix + key: value for key, value in plain.items()}, named=False, args=OTHERS)
    assert all(torch.equal(value, plain[key]) for key, value in model.module.state_dict().items())
    assert model.spec.n_classes == 4
    assert any(repr(prefix) in note for note in model.source.notes)


def test_of_two_copies_that_fit_none_is_guessed(file: Path):
    both = {prefix + key: value for key, value in state().items() for prefix in ("student.", "teacher.")}
    with pytest.raises(CheckpointError, match="several models") as caught:
        load(file, both)
    assert "'student.' and without 'teacher.'" in caught.value.message
    assert "save_file" in caught.value.hint


def test_of_two_parts_the_one_that_fits_is_taken(file: Path):
    plain = state()
    narrow = state(embed_dim=12)
    both = {f"decoder.{k}": v for k, v in narrow.items()} | {f"encoder.{k}": v for k, v in plain.items()}
    model = load(file, both)
    assert torch.equal(model.module.head.weight, plain["head.weight"])
    assert any("decoder.blocks" in note for note in model.source.notes)


def test_a_head_beside_the_prefix_is_named(file: Path):
    tensors = {f"backbone.{key}": value for key, value in state(num_classes=0).items()}
    model = load(file, tensors | {"fc.weight": torch.ones(4, 24)}, named=False, args=OTHERS)
    assert model.spec.n_classes == 0
    assert any("fc.weight" in note and "--head" in note for note in model.source.notes)


def test_positions_are_resampled_as_timm_does_where_a_size_is_asked_for(file: Path):
    plain = state()
    model = load(file, plain, named=False, args=OTHERS | {"img_size": 48})
    assert model.module.pos_embed.shape == (1, 37, 24)
    expected = timm.layers.resample_abs_pos_embed(plain["pos_embed"], [6, 6], num_prefix_tokens=1)
    assert torch.allclose(model.module.pos_embed, expected, atol=1e-6)
    assert any("pos_embed was resampled" in note for note in model.source.notes)


def test_weights_of_a_size_that_nobody_gave_are_refused_with_the_size_as_the_cause(file: Path):
    sizes = {key: value for key, value in OTHERS.items() if key != "img_size"}
    with pytest.raises(CheckpointError, match=r"pos_embed is \(1, 17, 24\) but the model has \(1, 785, 24\)") as caught:
        load(file, state(), named=False, args=sizes)
    assert "img_size" in caught.value.hint


@pytest.mark.parametrize("args", [{"depth": 3}, {"embed_dim": 48}, {"num_classes": 7}])
def test_the_size_of_images_is_no_hint_where_it_is_not_the_cause(file: Path, args: dict[str, int]):
    with pytest.raises(CheckpointError) as caught:
        load(file, state(), args=args)
    assert "img_size" not in caught.value.hint


@pytest.mark.parametrize(
    "key",
    [
        "blocks.0.attn.relative_position_index",
        "mask_token",
        "decoder_embed.weight",
        "decoder_blocks.0.attn.qkv.weight",
        "decoder.blocks.0.attn.qkv.weight",
        "model_ema.blocks.0.attn.qkv.weight",
        "ema.cls_token",
    ],
)
def test_what_the_model_does_not_compute_with_is_left_out(file: Path, key: str):
    plain = state()
    model = load(file, plain | {key: torch.ones(3)})
    assert all(torch.equal(value, plain[name]) for name, value in model.module.state_dict().items())


@pytest.mark.parametrize("key", ["blocks.2.attn.qkv.weight", "head.extra.weight", "pre_logits.fc.weight", "new.weight"])
def test_weights_that_were_part_of_a_model_are_not_left_out(file: Path, key: str):
    with pytest.raises(CheckpointError, match="is not in the model"):
        load(file, state() | {key: torch.ones(3)})


def test_a_norm_behind_the_pooling_is_a_question_of_the_pooling(file: Path):
    pooled = state(global_pool="avg")
    assert "fc_norm.weight" in pooled
    with pytest.raises(CheckpointError, match="fc_norm") as caught:
        load(file, pooled)
    assert "global_pool=avg" in caught.value.hint
    assert load(file, pooled, args={"global_pool": "avg"}).spec.pooling == "avg"


def test_a_head_is_left_out_where_it_is_asked_for(file: Path):
    model = load(file, state(), args={"num_classes": 0})
    assert model.spec.n_classes == 0
    assert any("head.weight" in note for note in model.source.notes)


def without_heads(tensors: dict[str, torch.Tensor], layers: tuple[int, ...]) -> dict[str, torch.Tensor]:
    """Take the last of three heads of 8 channels out of layers."""
    for layer in layers:
        start = f"blocks.{layer}.attn."
        keep = torch.cat([part * 24 + torch.arange(16) for part in range(3)])
        for key in ("qkv.weight", "qkv.bias"):
            tensors[start + key] = tensors[start + key][keep]
        tensors[f"{start}proj.weight"] = tensors[f"{start}proj.weight"][:, :16]
    return tensors


@pytest.mark.parametrize(
    ("layers", "said"), [((1,), "layer 1 has 2 of 3 heads"), ((0, 1), "layers 0, 1 have 2 of 3 heads")]
)
def test_a_head_pruned_model_is_called_so(file: Path, layers: tuple[int, ...], said: str):
    with pytest.raises(CheckpointError, match=said) as caught:
        load(file, without_heads(state(), layers))
    assert "head-pruned" in caught.value.message
    assert "img_size" not in caught.value.hint


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("vit.encoder.layer.0.attention.attention.query.weight", "Hugging Face ViT"),
        ("embeddings.patch_embeddings.projection.weight", "Hugging Face ViT"),
        ("encoder.layers.encoder_layer_0.self_attention.in_proj_weight", "torchvision"),
        ("visual.transformer.resblocks.0.attn.in_proj_weight", "open_clip"),
        ("transformer.layers.0.0.to_qkv.weight", "vit-pytorch"),
    ],
)
def test_keys_of_another_library_are_recognised(file: Path, key: str, said: str):
    with pytest.raises(CheckpointError, match=said) as caught:
        load(file, {key: torch.ones(3, 3)})
    assert "--model" in caught.value.hint


def test_channels_that_images_cannot_fill_are_refused_before_anything_is_run(tmp_path: Path, file: Path):
    path = write_checkpoint(tmp_path / "a.safetensors", sizes={"in_chans": 4})
    with pytest.raises(UnsupportedModelError, match="4 channels; RGB images give 3"):
        load_model(None, checkpoint=path, device="cpu")
    sizes = {key: value for key, value in OTHERS.items() if key != "in_chans"}
    with pytest.raises(UnsupportedModelError, match="2 channels; RGB images give 3"):
        load(file, state(in_chans=2), named=False, args=sizes)
    assert load(file, state(in_chans=1), named=False, args=sizes).preprocessing.input_size[0] == 1
