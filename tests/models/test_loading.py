"""From a name or a checkpoint to a checked model, or a refusal that says what to do."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import timm
import torch
from safetensors.torch import load_file, save_file

from tests.tiny_vit import ARCHITECTURE, CLASSES, SIZES, write_checkpoint
from vitpanel.errors import CheckpointError, UnknownModelError, UnsupportedModelError, VitpanelError
from vitpanel.models.loading import load_model, weight_hash
from vitpanel.models.model import ViTModel


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "weights.safetensors")


def load(path: Path, **options: Any) -> ViTModel:
    return load_model(options.pop("name", None), checkpoint=path, device="cpu", **options)


def state_of(path: Path) -> dict[str, torch.Tensor]:
    return load_file(path)


def test_a_checkpoint_says_what_it_is(checkpoint: Path):
    model = load(checkpoint)
    module = timm.create_model(ARCHITECTURE, pretrained=False, **SIZES).eval()
    module.load_state_dict(state_of(checkpoint))
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        assert torch.allclose(model.module(images), module(images), atol=1e-5)
        assert torch.allclose(model.probabilities(images), module(images).softmax(-1), atol=1e-6)
    assert (model.spec.n_layers, model.spec.n_heads, model.spec.n_classes) == (2, 3, 4)
    assert (model.spec.grid.rows, model.spec.grid.cols, model.spec.image_size) == (4, 4, (32, 32))
    assert model.preprocessing.mean == (0.5, 0.5, 0.5)
    assert model.source.checkpoint == checkpoint.name
    assert model.source.provenance == {}


def test_arguments_win_over_metadata(tmp_path: Path):
    path = write_checkpoint(tmp_path / "a.safetensors", sizes={"num_heads": 3})
    assert load(path, args={"num_heads": 6}).spec.n_heads == 6


def test_weights_in_half_precision_are_run_in_single(checkpoint: Path):
    state = {key: value.half() for key, value in state_of(checkpoint).items()}
    save_file(state, checkpoint, {"architecture": ARCHITECTURE, **{key: repr(value) for key, value in SIZES.items()}})
    module = load(checkpoint).module
    assert {value.dtype for value in module.state_dict().values()} == {torch.float32}
    assert torch.equal(module.head.weight, state["head.weight"].float())


def test_grey_images_have_one_channel(tmp_path: Path):
    model = load(write_checkpoint(tmp_path / "a.safetensors", sizes={"in_chans": 1}))
    assert model.preprocessing.input_size == (1, 32, 32)
    assert len(model.preprocessing.mean) == 1


def test_the_same_weights_have_the_same_hash_and_others_another(tmp_path: Path):
    paths = [write_checkpoint(tmp_path / f"{i}.safetensors", seed=seed) for i, seed in enumerate((0, 0, 1))]
    hashes = [load(path).source.weight_hash for path in paths]
    assert hashes[0] == hashes[1] != hashes[2]
    module = load(paths[0]).module
    with torch.no_grad():
        module.head.bias[0] += 1e-6
    assert weight_hash(module) != hashes[0]


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("vit_base_patch16_244", "vit_base_patch16_224"), ("deit_tiny_patch16", "deit_tiny_patch16_224")],
)
def test_an_unknown_name_brings_names_like_it(name: str, suggestion: str):
    with pytest.raises(UnknownModelError, match=name) as caught:
        load_model(name)
    assert suggestion in caught.value.hint


def test_a_name_like_no_other_brings_a_way_to_the_list():
    with pytest.raises(UnknownModelError) as caught:
        load_model("zzzzzzzz")
    assert "list_models" in caught.value.hint


def test_an_unknown_pretrained_tag_is_said():
    with pytest.raises(VitpanelError, match="nosuchtag"):
        load_model("vit_tiny_patch16_224.nosuchtag")


def test_a_checkpoint_that_names_no_architecture_needs_a_name(checkpoint: Path):
    save_file(state_of(checkpoint), checkpoint)
    with pytest.raises(UnknownModelError, match="No model is named") as caught:
        load(checkpoint)
    assert "--model" in caught.value.hint


def test_a_missing_file_is_named(checkpoint: Path):
    checkpoint.unlink()
    with pytest.raises(CheckpointError, match=r"There is no file .*weights\.safetensors") as caught:
        load(checkpoint)
    assert "path" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"not tensors at all", "half"])
def test_a_corrupt_file_is_named(checkpoint: Path, content: bytes | str):
    data = checkpoint.read_bytes()
    checkpoint.write_bytes(data[: len(data) // 2] if isinstance(content, str) else content)
    with pytest.raises(CheckpointError, match=r"weights\.safetensors cannot be read as safetensors") as caught:
        load(checkpoint)
    assert "save_file" in caught.value.hint


def test_a_pickle_is_not_opened(tmp_path: Path):
    path = tmp_path / "weights.pth"
    torch.save({"head.weight": torch.zeros(4, 24)}, path)
    with pytest.raises(CheckpointError, match="cannot be read as safetensors"):
        load(path, name=ARCHITECTURE)


def test_a_checkpoint_of_another_shape_names_what_does_not_fit(checkpoint: Path):
    with pytest.raises(CheckpointError) as caught:
        load(checkpoint, args={"embed_dim": 48})
    assert "cls_token is (1, 1, 24) but the model has (1, 1, 48)" in caught.value.message
    assert "more." in caught.value.message
    assert "--model-arg" in caught.value.hint


def test_weights_that_are_missing_or_too_many_are_named(checkpoint: Path):
    state = state_of(checkpoint)
    state["tail.weight"] = state.pop("norm.weight")
    metadata = {"architecture": ARCHITECTURE, **{key: repr(value) for key, value in SIZES.items()}}
    save_file(state, checkpoint, metadata)
    with pytest.raises(CheckpointError, match=r"norm\.weight is missing; tail\.weight is not in the model\."):
        load(checkpoint)


def test_the_number_of_classes_comes_from_the_checkpoint(checkpoint: Path):
    save_file(state_of(checkpoint), checkpoint)
    sizes = {key: value for key, value in SIZES.items() if key != "num_classes"}
    model = load(checkpoint, name=ARCHITECTURE, args=sizes)
    assert model.spec.n_classes == 4
    assert model.class_names == ()


def test_class_names_are_given_by_metadata_or_the_user(checkpoint: Path):
    metadata = {"architecture": ARCHITECTURE, "class_names": "\n".join(CLASSES)}
    metadata |= {key: repr(value) for key, value in SIZES.items()}
    save_file(state_of(checkpoint), checkpoint, metadata)
    assert load(checkpoint).class_names == CLASSES
    assert load(checkpoint, class_names=["a", "b", "c", "d"]).class_names == ("a", "b", "c", "d")


def test_class_names_of_another_number_are_refused_with_both(checkpoint: Path):
    with pytest.raises(VitpanelError, match="3 class names are given, but the class head has 4 outputs") as caught:
        load(checkpoint, class_names=["a", "b", "c"])
    assert "one name a line" in caught.value.hint


@pytest.mark.parametrize(
    ("args", "said"),
    [({"no_such_option": 1}, "no_such_option"), ({"num_heads": 5}, "divisible"), ({"patch_size": 0}, "patch_size")],
)
def test_arguments_that_cannot_be_are_said(args: dict[str, Any], said: str):
    with pytest.raises(VitpanelError, match=said) as caught:
        load_model(ARCHITECTURE, args={**SIZES, **args})
    assert caught.value.hint


def test_a_model_of_the_hub_without_the_hub_is_an_error_with_a_way_out(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_args: Any, **_options: Any) -> None:
        message = "the network is unreachable"
        raise ConnectionError(message)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", refuse)
    with pytest.raises(CheckpointError, match=r"pretrained weights of .* cannot be had: the network") as caught:
        load_model("vit_tiny_patch16_224", args={**SIZES, "num_classes": 0})
    assert "--checkpoint" in caught.value.hint


def test_outputs_of_own_weights_are_not_taken_for_imagenets(tmp_path: Path):
    model = load(write_checkpoint(tmp_path / "a.safetensors", sizes={"num_classes": 1000}))
    assert model.class_names == ()
    assert any("not taken for ImageNet" in note for note in model.source.notes)


def test_what_the_file_does_not_say_is_said_to_be_assumed(checkpoint: Path):
    assert not any("Assumed" in note and "mean" in note for note in load(checkpoint).source.notes)
    save_file(state_of(checkpoint), checkpoint)
    sizes = {key: value for key, value in SIZES.items() if key != "num_heads"}
    (note,) = (note for note in load(checkpoint, name=ARCHITECTURE, args=sizes).source.notes if "Assumed" in note)
    assert "3 heads in each layer" in note
    assert "mean 0.5 0.5 0.5" in note
    assert "crop 0.9" in note
    given = load(checkpoint, name=ARCHITECTURE, args=SIZES, preparation={"mean": (0.1, 0.2, 0.3), "std": (0.5,)})
    assert given.preprocessing.mean == (0.1, 0.2, 0.3)
    assert given.preprocessing.std == (0.5, 0.5, 0.5)
    (note,) = (note for note in given.source.notes if "Assumed" in note)
    assert "mean" not in note
    assert "--crop-pct" in note


@pytest.mark.parametrize(
    ("preparation", "said"),
    [
        ({"mean": (123.7, 116.3, 103.5)}, "mean"),
        ({"mean": (0.5, 0.5)}, "mean"),
        ({"std": (0, 0, 0)}, "std"),
        ({"crop_pct": 2}, "crop_pct"),
    ],
)
def test_preparation_that_cannot_be_is_refused(checkpoint: Path, preparation: dict[str, Any], said: str):
    with pytest.raises(VitpanelError, match=f"{said} is") as caught:
        load(checkpoint, preparation=preparation)
    assert "It must be" in caught.value.hint


def test_metadata_that_is_no_value_is_named(checkpoint: Path):
    save_file(state_of(checkpoint), checkpoint, {"architecture": ARCHITECTURE, "num_heads": "__import__('os')"})
    with pytest.raises(CheckpointError, match="num_heads"):
        load(checkpoint)


@pytest.mark.parametrize("name", ["checkpoint_path", "pretrained_cfg", "pretrained_cfg_overlay", "cache_dir"])
def test_arguments_that_name_other_weights_are_refused(checkpoint: Path, name: str):
    with pytest.raises(VitpanelError, match=name) as caught:
        load(checkpoint, args={name: "x"})
    assert "--checkpoint" in caught.value.hint


def local_hub(folder: Path, *, architecture: str = ARCHITECTURE) -> str:
    """A model as the hub keeps it, in a folder."""
    folder.mkdir()
    sizes = {key: value for key, value in SIZES.items() if key not in {"num_classes", "in_chans"}}
    module = timm.create_model(ARCHITECTURE, pretrained=False, **SIZES)
    (folder / "model.safetensors").write_bytes(safetensors.torch.save(module.state_dict()))
    config = {
        "architecture": architecture,
        "num_classes": 4,
        "model_args": sizes,
        "pretrained_cfg": {
            "num_classes": 4,
            "input_size": [3, 32, 32],
            "first_conv": "patch_embed.proj",
            "tag": "mine",
        },
    }
    (folder / "config.json").write_text(json.dumps(config))
    return f"local-dir:{folder}"


def test_pretrained_weights_are_loaded_and_their_origin_kept(tmp_path: Path):
    model = load_model(local_hub(tmp_path / "hub"), device="cpu")
    weights = load_file(tmp_path / "hub" / "model.safetensors")
    assert all(torch.equal(value, weights[key]) for key, value in model.module.state_dict().items())
    assert model.spec.n_classes == 4
    assert model.source.provenance["tag"] == "mine"
    assert model.source.checkpoint == ""


def test_a_model_of_the_hub_that_timm_does_not_know_is_an_error(tmp_path: Path):
    with pytest.raises(VitpanelError, match="no_such_architecture"):
        load_model(local_hub(tmp_path / "hub", architecture="no_such_architecture"), device="cpu")


def test_a_model_that_does_not_run_at_its_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_args: Any) -> None:
        message = "sizes do not match"
        raise RuntimeError(message)

    monkeypatch.setattr("timm.models.vision_transformer.VisionTransformer.forward_head", fail)
    with pytest.raises(UnsupportedModelError, match="cannot be run on images of 3 × 32 × 32: sizes do not match"):
        load(write_checkpoint(tmp_path / "a.safetensors"))


def test_a_missing_gpu_is_said(checkpoint: Path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(VitpanelError, match="no CUDA device") as caught:
        load_model(None, checkpoint=checkpoint, device="cuda")
    assert "--device cpu" in caught.value.hint


@pytest.mark.real
def test_the_real_model_is_what_its_file_says(test_data: Path):
    path = test_data / "dinov2_vits14_16classes.safetensors"
    model = load_model("vit_small_patch14_dinov2", checkpoint=path, args={"img_size": 224}, device="cpu")
    assert (model.spec.n_layers, model.spec.n_heads, model.spec.n_classes) == (12, 6, 16)
    assert all(check.passed for check in model.checks)
    probabilities = model.probabilities(torch.zeros(1, 3, 224, 224)).numpy()
    assert np.isfinite(probabilities).all()
