"""Models of transformers: what they compute, and what pruning does to them, against the library's own models."""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from tests.hugging_face import CLASSES, FAMILIES, Pruned, write_folder
from tests.pruned_families import divergence, layer_distances, random_images
from vitpanel.core.regions import HeadPruning, PruningMode, is_defined, pruning_mask
from vitpanel.errors import CheckpointError, UnknownModelError, UnsupportedModelError, VitpanelError
from vitpanel.models.ablation import HookAblation, create_ablation
from vitpanel.models.class_head import LinearHead
from vitpanel.models.loading import load_model, with_head
from vitpanel.models.model import ViTModel
from vitpanel.models.restoring import restore_model

TOLERANCE = 1e-5
families = pytest.mark.parametrize("title", FAMILIES)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hugging-face")
    for title in FAMILIES:
        write_folder(root / title, title)
    return root


@cache
def loaded(folder: Path) -> ViTModel:
    return load_model(f"hf:{folder}", device="cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "vit", "vit")


def edit(file: Path, **changes: Any) -> None:
    content = json.loads(file.read_text("utf-8")) | changes
    file.write_text(json.dumps({key: value for key, value in content.items() if value is not None}), "utf-8")


@families
def test_outputs_are_those_of_the_library(title: str, folders: Path):
    model = loaded(folders / title)
    images = random_images(model, 3)
    output = model.probabilities(images) if model.spec.n_classes else model.features(images)
    assert np.abs(output.numpy() - Pruned(folders / title, title, images).probabilities).max() < TOLERANCE
    assert {check.name for check in model.checks if not check.passed} <= {"class_head"}


@families
def test_attention_is_what_the_library_gives_out(title: str, folders: Path):
    model, seen = loaded(folders / title), {}
    images = random_images(model, 2)
    model.attend(images, lambda layer, attention: seen.update({layer: attention}))
    own = getattr(transformers, FAMILIES[title].model).from_pretrained(folders / title, attn_implementation="eager")
    with torch.no_grad():
        attentions = own.eval()(pixel_values=images, output_attentions=True).attentions
    assert list(seen) == list(range(model.spec.n_layers))
    for layer, attention in seen.items():
        assert (attention - attentions[layer]).abs().max() < TOLERANCE


@families
def test_every_head_pruned_is_a_forward_with_its_attention_at_0(title: str, folders: Path):
    model = loaded(folders / title)
    images, spec = random_images(model, 2), model.spec
    ablation = create_ablation(model, batch_size=4)
    assert type(ablation) is HookAblation
    result, clean = ablation.leave_one_out(images, lambda _layer, _attention: None), None
    clean = Pruned(folders / title, title, images)
    everything, reference = np.ones((spec.grid.n_tokens,) * 2, bool), np.array([1, 3])
    importance = result.importance(reference)
    for layer, head in np.ndindex(spec.n_layers, spec.n_heads):
        pruned = Pruned(folders / title, title, images, [(layer, head, everything)])
        expected = dict(zip(("cls", "patch"), layer_distances(model, clean, pruned, layer), strict=True))
        if spec.n_classes:
            expected["probability"] = (clean.probabilities - pruned.probabilities)[[0, 1], reference]
            expected["jsd"] = divergence(clean.probabilities, pruned.probabilities)
            was_right, is_right = (found.probabilities.argmax(-1) == reference for found in (clean, pruned))
            expected["accuracy"] = 100 * (was_right.astype(int) - is_right)
        assert set(importance) == set(expected)
        for metric, values in expected.items():
            assert np.abs(importance[metric][:, layer, head] - values).max() < TOLERANCE, metric


@families
def test_all_modes_of_a_head_are_those_of_its_tokens(title: str, folders: Path):
    model = loaded(folders / title)
    image, (layer, head) = random_images(model, 1), (1, 2)
    found, clean = create_ablation(model).modes(image, layer, head), Pruned(folders / title, title, image)
    for mode in PruningMode:
        if not is_defined(mode, model.spec.grid):
            continue
        mask = pruning_mask(model.spec.grid, mode.regions)
        pruned = Pruned(folders / title, title, image, [(layer, head, mask)])
        cls, patch = layer_distances(model, clean, pruned, layer)
        assert found.layer["cls"][mode] == pytest.approx(cls[0], abs=TOLERANCE)
        assert found.layer["patch"][mode] == pytest.approx(patch[0], abs=TOLERANCE)
        if found.probabilities is not None:
            assert np.abs(found.probabilities[mode] - pruned.probabilities[0]).max() < TOLERANCE


def test_heads_of_several_layers_are_pruned_together(folders: Path):
    title = "dinov2"
    model = loaded(folders / title)
    images, everything = random_images(model, 2), np.ones((model.spec.grid.n_tokens,) * 2, bool)
    found = create_ablation(model).prune(images, [HeadPruning(0, 1), HeadPruning(1, 2)])
    pruned = Pruned(folders / title, title, images, [(0, 1, everything), (1, 2, everything)])
    assert np.abs(found.probabilities - pruned.probabilities).max() < TOLERANCE
    heads = np.zeros((model.spec.n_layers, model.spec.n_heads), bool)
    heads[[0, 1], [1, 2]] = True
    assert np.abs(create_ablation(model).prune_set(images, heads) - pruned.probabilities).max() < TOLERANCE


def test_tokens_classes_and_pooling_are_read_from_the_model(folders: Path):
    specs = {title: loaded(folders / title).spec for title in FAMILIES}
    assert specs["vit"].grid.prefix == ("cls",)
    assert specs["deit"].grid.prefix == ("cls", "distillation")
    assert specs["dinov2 with registers"].grid.prefix == ("cls", "register", "register")
    assert (specs["vit, not square"].grid.rows, specs["vit, not square"].grid.cols) == (2, 4)
    assert (specs["dinov2"].grid.rows, specs["dinov2"].pooling) == (3, "token+avg")
    assert loaded(folders / "vit").class_names == CLASSES
    assert specs["dinov2 without classes"].n_classes == 0


@families
def test_a_study_has_all_that_builds_it_again(title: str, folders: Path):
    model = loaded(folders / title)
    again = restore_model(record_of(model), folders / title / "model.safetensors")
    assert again.source.weight_hash == model.source.weight_hash
    assert (again.spec, again.preprocessing, again.class_names) == (model.spec, model.preprocessing, model.class_names)
    images = random_images(model, 2)
    assert torch.allclose(again.features(images), model.features(images), atol=TOLERANCE)


def record_of(model: ViTModel) -> dict[str, Any]:
    """``model`` of a manifest, as it comes back from JSON."""
    record = {
        "adapter": model.source.adapter,
        "name": model.source.name,
        "args": model.source.args,
        "preprocessing": model.preprocessing.to_dict(),
        "class_names": model.class_names,
    }
    return json.loads(json.dumps(record))


def test_names_that_only_number_the_classes_are_none(folder: Path):
    edit(folder / "config.json", id2label={str(i): f"LABEL_{i}" for i in range(4)})
    model = load_model(f"hf:{folder}", device="cpu")
    assert model.class_names == ()
    assert model.spec.n_classes == 4
    assert load_model(f"hf:{folder}", device="cpu", class_names=CLASSES).class_names == CLASSES


def test_answers_of_their_own_are_not_classes(folder: Path):
    edit(folder / "config.json", problem_type="multi_label_classification")
    model = load_model(f"hf:{folder}", device="cpu")
    assert model.spec.n_classes == 0
    check = next(check for check in model.checks if check.name == "class_head")
    assert "multi_label_classification" in check.sentence
    assert restore_model(record_of(model), folder / "model.safetensors").spec.n_classes == 0


@pytest.mark.parametrize("title", ["vit", "deit, distilled", "dinov2", "vit without classes"])
def test_a_linear_head_stands_on_the_pooled_features(title: str, tmp_path: Path):
    model = load_model(f"hf:{write_folder(tmp_path, title)}", device="cpu")
    images, width = random_images(model, 2), 48 if title == "dinov2" else 24
    head = LinearHead(torch.randn(5, width), torch.randn(5), tuple("abcde"))
    headed = with_head(model, head)
    kind = getattr(transformers, FAMILIES[title].model)
    own = kind.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        tokens = own.base_model(images).last_hidden_state
    features = {"deit, distilled": (tokens[:, 0] + tokens[:, 1]) / 2}.get(title, tokens[:, 0])
    if title == "dinov2":
        features = torch.cat([features, tokens[:, 1:].mean(1)], 1)
    assert torch.allclose(headed.features(images), features @ head.weight.T + head.bias, atol=1e-4)
    assert (headed.spec.n_classes, headed.class_names) == (5, tuple("abcde"))


def test_weights_in_half_precision_are_run_in_single(folder: Path):
    state = load_file(folder / "model.safetensors")
    save_file({key: value.half() for key, value in state.items()}, folder / "model.safetensors", {"format": "pt"})
    model = load_model(f"hf:{folder}", device="cpu")
    assert {value.dtype for value in model.module.state_dict().values()} == {torch.float32}


def test_what_is_left_out_of_the_weights_is_said(folder: Path):
    state = load_file(folder / "model.safetensors") | {"vit.pooler.dense.bias": torch.zeros(24)}
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    assert any("pooler" in note for note in load_model(f"hf:{folder}", device="cpu").source.notes)


def test_a_mask_token_need_not_be_there(tmp_path: Path):
    folder = write_folder(tmp_path, "dinov2")
    state = load_file(folder / "model.safetensors")
    del state["dinov2.embeddings.mask_token"]
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    model = load_model(f"hf:{folder}", device="cpu")
    again = load_model(f"hf:{folder}", device="cpu")
    assert again.source.weight_hash == model.source.weight_hash


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"classifier.bias": None}, "classifier.bias is missing"),
        ({"classifier.bias": torch.zeros(7)}, r"classifier.bias is \(7,\), not \(4,\)"),
        ({"vit.another": torch.zeros(2)}, "vit.another is not in the model"),
    ],
)
def test_weights_that_do_not_fit_are_refused_with_the_key(changed: dict[str, Any], words: str, folder: Path):
    state = load_file(folder / "model.safetensors") | changed
    save_file({key: value for key, value in state.items() if value is not None}, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=words):
        load_model(f"hf:{folder}", device="cpu")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architectures": ["ViTMAEForPreTraining"]}, "ViTMAEForPreTraining"),
        ({"architectures": ["ViTForMaskedImageModeling"]}, "does not take"),
        ({"model_type": None}, "no model_type"),
        ({"chunk_size_feed_forward": 4}, "chunk_size_feed_forward = 4"),
        ({"hidden_size": 10**9}, "hidden_size"),
        ({"patch_size": 7}, "whole number of patches"),
        ({"image_size": 64}, "cannot be run on images of|does not fit"),
    ],
)
def test_what_a_configuration_says_and_is_not_known_is_refused(changes: dict[str, Any], words: str, folder: Path):
    edit(folder / "config.json", **changes)
    with pytest.raises(VitpanelError, match=words) as caught:
        load_model(f"hf:{folder}", device="cpu")
    assert caught.value.hint


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_a_folder_without_one_of_its_files_is_refused_with_its_name(name: str, folder: Path):
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=f"holds no {name}") as caught:
        load_model(f"hf:{folder}", device="cpu")
    assert caught.value.hint


def test_what_is_neither_a_folder_nor_a_name_is_refused():
    with pytest.raises(UnknownModelError, match="no folder"):
        load_model("hf:/no/such/folder", device="cpu")


@pytest.mark.parametrize(
    "options",
    [{"checkpoint": Path("x.safetensors")}, {"args": {"depth": 3}}, {"preparation": {"crop_pct": 0.9}}],
)
def test_options_without_a_place_are_refused(options: dict[str, Any], folder: Path):
    with pytest.raises(VitpanelError, match=r"no place|names others"):
        load_model(f"hf:{folder}", device="cpu", **options)


def test_a_name_of_the_hub_is_three_files_of_it(folder: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[tuple[Any, ...]] = []

    def fetch(repository: str, filename: str, *, revision: str | None) -> str:
        asked.append((repository, filename, revision))
        return str(folder / filename)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetch)
    model = load_model("hf:owner/name@v1", device="cpu")
    names = ("config.json", "preprocessor_config.json", "model.safetensors")
    assert asked == [("owner/name", name, "v1") for name in names]
    assert model.source.provenance["hf_hub_id"] == "owner/name@v1"


def test_a_model_that_is_not_taken_is_refused_before_its_weights_are_fetched(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    edit(folder / "config.json", architectures=["SwinForImageClassification"])
    asked: list[str] = []
    monkeypatch.setattr(
        "huggingface_hub.hf_hub_download", lambda _name, file, **_: asked.append(file) or str(folder / file)
    )
    with pytest.raises(UnsupportedModelError, match="Swin"):
        load_model("hf:owner/name", device="cpu")
    assert "model.safetensors" not in asked


def test_without_the_library_the_way_to_it_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(VitpanelError, match="need the library transformers") as caught:
        load_model(f"hf:{folder}", device="cpu")
    assert "vitpanel[transformers]" in caught.value.hint


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("args", {"architecture": "BertModel"}),
        ("args", {"hidden_size": 16_385}),
        ("args", {"hidden_size": "24"}),
        ("args", {"hidden_act": "a/b"}),
        ("args", {"mlp_ratio": 4}),
        ("args", {"_name_or_path": "/etc"}),
        ("args", {"hidden_size": 16_384, "intermediate_size": 1_048_576, "num_hidden_layers": 512}),
        ("args", {"patch_size": 1, "image_size": 8192}),
        ("preprocessing", {"resize": [10**9]}),
        ("preprocessing", {"input_size": [3, 8192, 8192]}),
        ("preprocessing", {"std": [0, 0, 0]}),
        ("preprocessing", {"interpolation": "x"}),
    ],
)
def test_a_strangers_study_gets_no_other_model_than_one_of_a_usual_size(
    part: str, changes: dict[str, Any], folder: Path
):
    record = record_of(load_model(f"hf:{folder}", device="cpu"))
    record[part] |= changes
    with pytest.raises(VitpanelError) as caught:
        restore_model(record, folder / "model.safetensors")
    assert len(caught.value.message) < 400


def test_a_study_leads_to_no_folder_and_no_address(folder: Path, monkeypatch: pytest.MonkeyPatch):
    record = record_of(load_model(f"hf:{folder}", device="cpu")) | {"name": "hf:owner/name"}
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *_args, **_options: pytest.fail("it asks the hub"))
    with TemporaryDirectory() as elsewhere:
        weights = (folder / "model.safetensors").rename(Path(elsewhere) / "weights.safetensors")
        for file in folder.iterdir():
            file.unlink()
        assert restore_model(record, weights).source.name == "hf:ViTForImageClassification"
