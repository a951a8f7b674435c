"""Pruning against a slow definition, for every family and both engines."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch

from tests.pruned_families import (
    FAMILIES,
    HOOKED,
    RESTARTED,
    Pruned,
    create_family,
    divergence,
    layer_distances,
    random_images,
)
from vitpanel.core.importance import reference_class
from vitpanel.core.regions import HeadPruning, PruningMode, Region, is_defined, pruning_mask
from vitpanel.models.ablation import Ablation, HookAblation, RestartAblation, create_ablation
from vitpanel.models.model import ViTModel

TOLERANCE = 1e-5
ENGINES = {"hooks": HookAblation, "restart": RestartAblation}
CASES = [pytest.param(f, e, id=f"{f}, {e}") for f in FAMILIES for e in ENGINES if e == "hooks" or f in RESTARTED]
NO_ATTENTION: Any = lambda _layer, _attention: None  # noqa: E731


@cache
def family_model(family: str) -> ViTModel:
    """Return the same model to all tests, which leave it as it is."""
    with TemporaryDirectory() as folder:
        return create_family(family, Path(folder))


def mode_masks(model: ViTModel) -> dict[PruningMode, np.ndarray]:
    grid = model.spec.grid
    return {mode: pruning_mask(grid, mode.regions) for mode in PruningMode if is_defined(mode, grid)}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_engine_is_chosen_by_structure(family: str):
    expected = HookAblation if family in HOOKED else RestartAblation
    assert type(create_ablation(family_model(family))) is expected


def test_a_block_that_overrides_forward_is_not_taken_for_one_that_is_known():
    model = family_model("plain")

    class Sandwich(type(model.module.blocks[1])):
        def forward(self, x: Any, **options: Any) -> Any:
            return -super().forward(x, **options)

    block, known = model.module.blocks[1], type(model.module.blocks[1])
    block.__class__ = Sandwich
    try:
        assert type(create_ablation(model)) is HookAblation
        check_leave_one_out(model, create_ablation(model))
    finally:
        block.__class__ = known


@pytest.mark.parametrize(("family", "engine"), CASES)
def test_leaving_one_head_out_is_a_forward_with_its_attention_at_0(family: str, engine: str):
    model = family_model(family)
    # A batch size that divides nothing, and is smaller than the number of heads times images.
    check_leave_one_out(model, ENGINES[engine](model, 5))


def check_leave_one_out(model: ViTModel, ablation: Ablation[Any]) -> None:
    images, seen = random_images(model, 2), {}
    result = ablation.leave_one_out(images, lambda layer, attention: seen.update({layer: attention.clone()}))
    clean = Pruned(model, images)
    for layer, attention in clean.attention.items():
        assert np.abs(attention - seen[layer].numpy()).max() < TOLERANCE
    if model.spec.n_classes:
        assert np.abs(clean.probabilities - result.probabilities).max() < TOLERANCE
    whole = pruning_mask(model.spec.grid, PruningMode.HEAD.regions)
    reference = reference_class(clean.probabilities, np.array([-1, 2]))
    importance = result.importance(reference)
    assert set(importance) == expected_metrics(model)
    for layer, head in np.ndindex(model.spec.n_layers, model.spec.n_heads):
        pruned = Pruned(model, images, [(layer, head, whole)])
        cls, patch = layer_distances(model, clean, pruned, layer)
        expected = {"cls": cls, "patch": patch}
        expected["probability"] = (clean.probabilities - pruned.probabilities)[[0, 1], reference]
        expected["jsd"] = divergence(clean.probabilities, pruned.probabilities)
        was_right, is_right = (found.probabilities.argmax(-1) == reference for found in (clean, pruned))
        expected["accuracy"] = 100 * (was_right.astype(int) - is_right)
        for name, values in importance.items():
            assert np.abs(values[:, layer, head] - expected[name]).max() < TOLERANCE, name
        if model.spec.n_classes:
            assert np.abs(result.pruned[:, layer, head] - pruned.probabilities).max() < TOLERANCE


def expected_metrics(model: ViTModel) -> set[str]:
    has_cls = {"cls"} if model.spec.grid.cls is not None else set()
    return {"patch"} | has_cls | ({"probability", "jsd", "accuracy"} if model.spec.n_classes else set())


@pytest.mark.parametrize(("family", "engine"), CASES)
def test_every_mode_of_every_head(family: str, engine: str):
    model = family_model(family)
    images, masks = random_images(model, 2), mode_masks(model)
    ablation = ENGINES[engine](model, 7)
    table, clean = ablation.mode_table(images), Pruned(model, images)
    assert list(masks) == ([0, 1, 2, 3, 4, 5] if model.spec.grid.cls is not None else [0, 1, 5])
    undefined = sorted(set(PruningMode) - set(masks))
    assert np.isnan(table.layer["patch"][..., undefined]).all()
    for layer, head in np.ndindex(model.spec.n_layers, model.spec.n_heads):
        for mode, mask in masks.items():
            pruned = Pruned(model, images, [(layer, head, mask)])
            cls, patch = layer_distances(model, clean, pruned, layer)
            at = (slice(None), layer, head, mode)
            assert np.allclose(table.layer["cls"][at], cls, atol=TOLERANCE, equal_nan=True)
            assert np.allclose(table.layer["patch"][at], patch, atol=TOLERANCE)
            if table.probabilities is not None:
                assert np.abs(table.probabilities[at] - pruned.probabilities).max() < TOLERANCE
    assert (table.probabilities is None) == (model.spec.n_classes == 0)


@pytest.mark.parametrize("family", ["plain", "register, no CLS", "headless", "parallel", "eva02"])
def test_the_modes_of_one_head_are_those_of_all(family: str):
    model = family_model(family)
    images = random_images(model, 2)
    ablation = create_ablation(model, batch_size=3)
    table = ablation.mode_table(images)
    for image, layer, head in [(0, 2, 0), (0, 1, 2), (1, 0, 1)]:
        one, same = ablation.modes(images[image : image + 1], layer, head), table.head(image, layer, head)
        assert np.allclose(one.layer["cls"], same.layer["cls"], atol=TOLERANCE, equal_nan=True)
        assert np.allclose(one.layer["patch"], same.layer["patch"], atol=TOLERANCE, equal_nan=True)
        if one.probabilities is not None:
            assert np.allclose(one.probabilities, same.probabilities, atol=TOLERANCE, equal_nan=True)


@pytest.mark.parametrize("family", ["plain", "LayerScale", "distilled", "post-norm"])
def test_one_head_after_another_runs_each_block_once_and_none_too_early(family: str):
    model = family_model(family)
    images, ablation, n_runs = random_images(model, 2), RestartAblation(model, 3), [0] * 3
    table = ablation.mode_table(images)

    def count(block: int) -> None:
        n_runs[block] += 1

    handles = [
        block.register_forward_hook(lambda *_, i=index: count(i)) for index, block in enumerate(model.module.blocks)
    ]
    try:
        for image, layer, expected in [
            (0, 0, [1, 0, 0]),
            (0, 0, [1, 0, 0]),
            (0, 1, [1, 1, 0]),
            (0, 2, [1, 1, 1]),
            (0, 0, [1, 1, 1]),
            (1, 1, [2, 2, 1]),
            (1, 0, [2, 2, 1]),
        ]:
            one, same = ablation.modes(images[image : image + 1], layer, 1), table.head(image, layer, 1)
            assert np.allclose(one.probabilities, same.probabilities, atol=TOLERANCE, equal_nan=True)
            assert np.allclose(one.layer["cls"], same.layer["cls"], atol=TOLERANCE)
            assert np.allclose(one.layer["patch"], same.layer["patch"], atol=TOLERANCE)
            assert family == "post-norm" or n_runs == expected
    finally:
        for handle in handles:
            handle.remove()


@pytest.mark.parametrize("family", ["plain", "pooled", "eva02", "parallel"])
def test_what_is_known_of_the_unpruned_image_is_taken_over(family: str):
    model = family_model(family)
    images, ablation = random_images(model, 1), create_ablation(model, batch_size=4)
    table, known = ablation.mode_table(images), np.full(model.spec.n_classes, 0.25, np.float32)
    for layer, unpruned in [(0, known), (0, None), (1, known), (2, None), (1, None)]:
        one, same = ablation.modes(images, layer, 2, unpruned=unpruned), table.head(0, layer, 2)
        assert np.allclose(one.probabilities[1:], same.probabilities[1:], atol=TOLERANCE, equal_nan=True)
        expected = same.probabilities[0] if unpruned is None else unpruned
        assert np.allclose(one.probabilities[0], expected, atol=TOLERANCE)


def test_a_run_that_fails_is_not_gone_on_with():
    model = family_model("plain")
    images, ablation = random_images(model, 1), RestartAblation(model, 3)
    expected = ablation.modes(images, 1, 0)
    ablation = RestartAblation(model, 3)
    ablation.modes(images, 0, 0)
    handle = model.module.blocks[1].mlp.register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ablation.modes(images, 1, 0)
    handle.remove()
    assert np.allclose(ablation.modes(images, 1, 0).probabilities, expected.probabilities, atol=1e-6)


PRUNINGS = [
    HeadPruning(1, 0),
    HeadPruning(1, 2, frozenset({Region.PATCH_PATCH})),
    HeadPruning(2, 1, frozenset({Region.CLS_PATCH, Region.CLS_CLS})),
    HeadPruning(2, 2, frozenset({Region.PATCH_CLS})),
]


@pytest.mark.parametrize(("family", "engine"), CASES)
def test_any_set_of_heads_and_regions_is_pruned_together(family: str, engine: str):
    model = family_model(family)
    images = random_images(model, 2)
    result = ENGINES[engine](model, 4).prune(images, PRUNINGS)
    clean = Pruned(model, images)
    masks = [(pruning.layer, pruning.head, pruning_mask(model.spec.grid, pruning.regions)) for pruning in PRUNINGS]
    pruned = Pruned(model, images, masks)
    for layer in range(model.spec.n_layers):
        cls, patch = layer_distances(model, clean, pruned, layer)
        assert np.allclose(result.layer["cls"][:, layer], cls, atol=TOLERANCE, equal_nan=True)
        assert np.allclose(result.layer["patch"][:, layer], patch, atol=TOLERANCE)
    if model.spec.n_classes:
        assert np.abs(result.unpruned - clean.probabilities).max() < TOLERANCE
        assert np.abs(result.probabilities - pruned.probabilities).max() < TOLERANCE
    assert (result.probabilities is None) == (model.spec.n_classes == 0)


# -- laws --------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["hooks", "restart"])
def plain(request: pytest.FixtureRequest) -> Ablation[Any]:
    return ENGINES[request.param](family_model("registers"), 6)


def test_pruning_nothing_changes_nothing(plain: Ablation[Any]):
    images = random_images(plain.model, 2)
    for prunings in ([], [HeadPruning(1, 1, frozenset())]):
        result = plain.prune(images, prunings)
        assert np.array_equal(result.unpruned, result.probabilities) or prunings
        assert np.allclose(result.unpruned, result.probabilities, atol=1e-6)
        assert np.abs(np.stack([result.layer["cls"], result.layer["patch"]])).max() < 1e-6
    table = plain.mode_table(images)
    assert not table.layer["cls"][..., 0].any()
    assert not table.layer["patch"][..., 0].any()
    assert np.allclose(table.probabilities[..., 0, :], result.unpruned[:, None, None])


def test_all_heads_of_a_layer_are_its_attention_output(plain: Ablation[Any]):
    model, images = plain.model, random_images(plain.model, 2)
    attention = model.module.blocks[1].attn
    bias = attention.proj.bias
    handle = attention.register_forward_hook(lambda _module, _args, z: bias.expand_as(z))
    with torch.no_grad():
        expected = model.module(images).softmax(-1).numpy()
    handle.remove()
    result = plain.prune(images, [HeadPruning(1, head) for head in range(model.spec.n_heads)])
    assert np.abs(result.probabilities - expected).max() < TOLERANCE


def test_mode_4_is_modes_2_and_3_together(plain: Ablation[Any]):
    images = random_images(plain.model, 1)
    table = plain.mode_table(images)
    for layer, head in np.ndindex(plain.model.spec.n_layers, plain.model.spec.n_heads):
        both = [HeadPruning(layer, head, PruningMode(mode).regions) for mode in (2, 3)]
        result = plain.prune(images, both)
        assert np.abs(table.probabilities[:, layer, head, 4] - result.probabilities).max() < TOLERANCE
        assert np.abs(table.layer["cls"][:, layer, head, 4] - result.layer["cls"][:, layer]).max() < TOLERANCE


def test_a_batch_is_its_images_one_by_one(plain: Ablation[Any]):
    images = random_images(plain.model, 3)
    whole = plain.leave_one_out(images, NO_ATTENTION)
    single = [plain.leave_one_out(image[None], NO_ATTENTION) for image in images]
    for name in ("probabilities", "pruned"):
        expected = np.concatenate([getattr(one, name) for one in single])
        assert np.abs(getattr(whole, name) - expected).max() < TOLERANCE
    for key, values in whole.layer.items():
        assert np.abs(values - np.concatenate([one.layer[key] for one in single])).max() < TOLERANCE


def test_exchanging_heads_with_their_weights_exchanges_their_metrics(tmp_path: Path):
    model = create_family("plain", tmp_path)
    images, order = random_images(model, 2), [2, 0, 1]
    before = create_ablation(model).leave_one_out(images, NO_ATTENTION)
    attention = model.module.blocks[1].attn
    size = attention.head_dim
    columns = torch.cat([torch.arange(head * size, (head + 1) * size) for head in order])
    rows = torch.cat([part * attention.attn_dim + columns for part in range(3)])
    with torch.no_grad():
        attention.qkv.weight.copy_(attention.qkv.weight[rows])
        attention.qkv.bias.copy_(attention.qkv.bias[rows])
        attention.proj.weight.copy_(attention.proj.weight[:, columns])
    after = create_ablation(model).leave_one_out(images, NO_ATTENTION)
    assert np.abs(after.pruned[:, 1] - before.pruned[:, 1, order]).max() < TOLERANCE
    assert np.abs(after.layer["cls"][:, 1] - before.layer["cls"][:, 1, order]).max() < TOLERANCE
    assert np.abs(after.layer["patch"][:, 1] - before.layer["patch"][:, 1, order]).max() < TOLERANCE
    assert np.abs(after.pruned[:, [0, 2]] - before.pruned[:, [0, 2]]).max() < TOLERANCE


def test_a_layer_of_one_head_without_bias_loses_all_of_z(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(FAMILIES, "one head", ("vit_tiny_patch16_224", {"num_heads": 1, "proj_bias": False}))
    model = create_family("one head", tmp_path)
    for engine in ENGINES.values():
        result = engine(model, 8).leave_one_out(random_images(model, 2), NO_ATTENTION)
        assert (result.layer["cls"] == 1).all()
        assert (result.layer["patch"] == 1).all()


def test_no_forward_has_more_rows_than_the_batch_size():
    model, rows = family_model("plain"), []
    handles = [
        part.register_forward_hook(lambda _m, _args, output: rows.append(len(output)))
        for block in model.module.blocks
        for part in (block.norm1, block.norm2, block.mlp.fc1)
    ]
    try:
        for engine in ENGINES.values():
            engine(model, 4).leave_one_out(random_images(model, 2), NO_ATTENTION)
            engine(model, 4).mode_table(random_images(model, 2))
    finally:
        for handle in handles:
            handle.remove()
    assert max(rows) == 4


# -- the real model ----------------------------------------------------------------------------------------------------


@pytest.mark.real
def test_a_pretrained_model_on_a_photograph(test_data: Path):
    from vitpanel.models.images import read_image
    from vitpanel.models.loading import load_model

    model = load_model(None, checkpoint=test_data / "dinov2_vits14_16classes.safetensors", device="cpu")
    file = sorted((test_data / "photographs" / "bird").glob("*.jpg"))[2]
    images = model.preprocessing.tensor([model.preprocessing.crop(read_image(file))])
    ablation, clean = create_ablation(model), Pruned(model, images)
    assert type(ablation) is RestartAblation
    for layer, head in [(0, 4), (6, 1), (11, 0)]:
        modes = ablation.modes(images, layer, head)
        for mode, mask in mode_masks(model).items():
            pruned = Pruned(model, images, [(layer, head, mask)])
            cls, patch = layer_distances(model, clean, pruned, layer)
            assert np.abs(modes.probabilities[mode] - pruned.probabilities[0]).max() < TOLERANCE
            assert abs(modes.layer["cls"][mode] - cls[0]) < TOLERANCE
            assert abs(modes.layer["patch"][mode] - patch[0]) < TOLERANCE


@pytest.mark.parametrize(("precision", "wanted"), [("float32", "highest"), ("tf32", "high"), ("fp16", "highest")])
def test_precision_holds_on_cuda_alone_and_while_the_engine_runs(precision: Any, wanted: str):
    model = family_model("plain")
    before = torch.get_float32_matmul_precision()
    ablation = create_ablation(model, precision=precision)
    with ablation._running():
        assert torch.get_float32_matmul_precision() == before
    # There is no GPU here: the device is only named, nothing runs on it.
    ablation.model = replace(model, device=torch.device("cuda"))
    torch.set_float32_matmul_precision("medium")
    try:
        with ablation._running():
            assert torch.get_float32_matmul_precision() == wanted
            assert torch.backends.cudnn.allow_tf32 == (precision == "tf32")
            assert (torch.full((2, 2), 7e4) @ torch.ones(2, 2)).isinf().all() == (precision == "fp16")
        assert torch.get_float32_matmul_precision() == "medium"
        assert torch.backends.cudnn.allow_tf32
    finally:
        torch.set_float32_matmul_precision(before)
