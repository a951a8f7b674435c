"""Pretrained weights of a folder, as those of the hub are."""

import json
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from tests.models.test_loading import local_hub
from tests.tiny_vit import SIZES
from vitpanel.errors import CheckpointError, VitpanelError
from vitpanel.models.adapters.base import ModelRequest
from vitpanel.models.adapters.timm import TimmAdapter
from vitpanel.models.loading import build_model, load_model
from vitpanel.models.restoring import restore_model


def configured(folder: Path, **more: Any) -> str:
    """A folder as timm saves one, with more in its configuration."""
    name = local_hub(folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(config | more), "utf-8")
    return name


def test_another_number_of_classes_would_be_an_untrained_head_and_is_refused(tmp_path: Path):
    with pytest.raises(VitpanelError, match=r"num_classes is 3, .* head of 4 classes") as caught:
        load_model(local_hub(tmp_path / "hub"), args={"num_classes": 3}, device="cpu")
    assert all(option in caught.value.hint for option in ("--head", "--probe", "--checkpoint"))


def test_no_classes_may_be_asked_for(tmp_path: Path):
    name = local_hub(tmp_path / "hub")
    model = load_model(name, args={"num_classes": 0}, device="cpu")
    weights = load_file(tmp_path / "hub" / "model.safetensors")
    assert model.spec.n_classes == 0
    assert all(torch.equal(value, weights[key]) for key, value in model.module.state_dict().items())


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"label_names": ["frog", "dog", "cat", "bird"]}, ("frog", "dog", "cat", "bird")),
        ({"label_names": ["a", "b", "c", "d"], "label_descriptions": {"a": "an A"}}, ("a", "b", "c", "d")),
        (
            {"label_names": [f"n0000000{i}" for i in range(4)], "label_descriptions": {"n00000001": "tench"}},
            ("n00000000", "tench, n00000001", "n00000002", "n00000003"),
        ),
    ],
)
def test_names_of_the_classes_are_read_from_the_configuration(tmp_path: Path, more: dict[str, Any], names: tuple[str]):
    assert load_model(configured(tmp_path / "hub", **more), device="cpu").class_names == names


def test_names_of_another_number_are_said_not_to_be_taken(tmp_path: Path):
    model = load_model(configured(tmp_path / "hub", label_names=["a", "b", "c"]), device="cpu")
    assert model.class_names == ()
    assert any("3 names" in note for note in model.source.notes)


def test_weights_that_are_only_pickled_are_refused(tmp_path: Path):
    name, weights = local_hub(tmp_path / "hub"), tmp_path / "hub" / "model.safetensors"
    torch.save(load_file(weights), tmp_path / "hub" / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(CheckpointError, match=r"only in pytorch_model\.bin") as caught:
        load_model(name, device="cpu")
    assert "save_file" in caught.value.hint


def test_a_folder_of_transformers_is_called_so(tmp_path: Path):
    folder = tmp_path / "vit"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "vit", "architectures": ["ViTForImageClassification"]}')
    with pytest.raises(CheckpointError, match=r"Hugging Face model.*ViTForImageClassification") as caught:
        load_model(f"local-dir:{folder}", device="cpu")
    assert "--model" in caught.value.hint


def test_a_model_of_a_folder_is_built_again_without_the_folders_configuration(tmp_path: Path):
    model = load_model(local_hub(tmp_path / "hub"), device="cpu")
    (tmp_path / "hub" / "config.json").unlink()
    record = {
        "name": model.source.name,
        "architecture": model.source.architecture,
        "source": "timm",
        "args": json.loads(json.dumps(model.source.args)),
        "in_chans": 3,
        "preprocessing": json.loads(json.dumps(model.preprocessing.to_dict())),
        "class_names": [],
    }
    again = restore_model(record, tmp_path / "hub" / "model.safetensors")
    assert again.source.weight_hash == model.source.weight_hash
    assert again.preprocessing == model.preprocessing
    images = torch.rand(2, 3, 32, 32)
    assert torch.allclose(again.probabilities(images).cpu(), model.probabilities(images), atol=1e-6)


def test_a_model_of_timms_own_list_is_built_again_from_its_file(tmp_path: Path):
    name, sizes = "vit_tiny_patch16_224.augreg_in21k_ft_in1k", {**SIZES, "num_classes": 0}
    file = tmp_path / "model.safetensors"
    module = timm.create_model("vit_tiny_patch16_224", pretrained=False, **{**SIZES, "num_classes": 1000})
    save_file(module.state_dict(), file)
    model = build_model(TimmAdapter(), ModelRequest(name, args=sizes, pretrained_file=file), device="cpu")
    assert (model.spec.n_classes, model.source.provenance["tag"]) == (0, "augreg_in21k_ft_in1k")
    record = {
        "name": name,
        "source": "timm",
        "args": sizes,
        "in_chans": 3,
        "preprocessing": model.preprocessing.to_dict(),
    }
    assert restore_model(record, file).source.weight_hash == model.source.weight_hash
    request = ModelRequest(name, args={**SIZES, "num_classes": 1000}, pretrained_file=file)
    named = build_model(TimmAdapter(), request, device="cpu")
    assert named.class_names[0] == "tench, Tinca tinca"
