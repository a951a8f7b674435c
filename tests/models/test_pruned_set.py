"""A set of heads pruned in one forward, against slow hooks, for every family and both engines."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch

from tests.pruned_families import FAMILIES, RESTARTED, Pruned, create_family, random_images
from tests.ragged_vit import KEPT, TAKEN_OUT, write_ragged
from vitpanel.core.regions import HeadPruning, PruningMode, is_defined, pruning_mask
from vitpanel.errors import ChoiceError
from vitpanel.models.ablation import HookAblation, RestartAblation, create_ablation
from vitpanel.models.ablation.pruned_set import makes_attention
from vitpanel.models.loading import load_model
from vitpanel.models.model import ViTModel
from vitpanel.models.stopping import Stopped, stoppable

TOLERANCE = 1e-5
ENGINES = {"hooks": HookAblation, "restart": RestartAblation}
CASES = [pytest.param(f, e, id=f"{f}, {e}") for f in FAMILIES for e in ENGINES if e == "hooks" or f in RESTARTED]
SET = [(0, 1), (1, 0), (1, 2), (2, 2)]


@cache
def family_model(family: str) -> ViTModel:
    """Return the same model to all tests, which leave it as it is."""
    with TemporaryDirectory() as folder:
        return create_family(family, Path(folder))


def mask_of(model: ViTModel, heads: list[tuple[int, int]]) -> np.ndarray:
    mask = np.zeros((model.spec.n_layers, model.spec.n_heads), bool)
    mask[tuple(np.array(heads).T)] = True
    return mask


@pytest.mark.parametrize(("family", "engine"), [case for case in CASES if "headless" not in str(case.id)])
def test_a_set_of_heads_is_a_forward_with_all_their_regions_at_0(family: str, engine: str):
    model = family_model(family)
    # Layers of a block with two attention modules count on their own.
    images, mask = random_images(model, 3), mask_of(model, SET)
    ablation = ENGINES[engine](model, 2)
    for mode in PruningMode:
        if not is_defined(mode, model.spec.grid):
            with pytest.raises(ChoiceError, match=f"Mode {int(mode)} prunes nothing"):
                ablation.prune_set(images, mask, mode)
            continue
        entries = pruning_mask(model.spec.grid, mode.regions)
        expected = Pruned(model, images, [(*head, entries) for head in SET]).probabilities
        found = ablation.prune_set(images, mask, mode)
        assert found.shape == (3, 4)
        assert found.dtype == np.float32
        assert np.abs(found - expected).max() < TOLERANCE


@pytest.mark.parametrize("family", ["plain", "parallel", "scale-norm", "register, no CLS"])
def test_a_set_of_one_head_is_that_head_pruned_alone(family: str):
    model = family_model(family)
    images, ablation = random_images(model, 2), create_ablation(model)
    table = ablation.mode_table(images)
    for layer, head in [(0, 2), (1, 0), (2, 1)]:
        for mode in ablation.modes_defined:
            found = ablation.prune_set(images, mask_of(model, [(layer, head)]), mode)
            assert np.abs(found - table.probabilities[:, layer, head, mode]).max() < TOLERANCE


def test_it_is_what_pruning_by_cuts_gives_and_no_cut_changes_nothing():
    model = family_model("registers")
    images, ablation = random_images(model, 5), create_ablation(model, batch_size=2)
    together = ablation.prune(images, [HeadPruning(*head) for head in SET])
    assert np.abs(ablation.prune_set(images, mask_of(model, SET)) - together.probabilities).max() < TOLERANCE
    nothing = np.zeros((model.spec.n_layers, model.spec.n_heads), bool)
    assert np.abs(ablation.prune_set(images, nothing) - together.unpruned).max() < TOLERANCE
    assert np.abs(ablation.prune_set(images, ~nothing, PruningMode.NONE) - together.unpruned).max() < TOLERANCE


def test_layers_of_different_numbers_of_heads(tmp_path: Path):
    whole, ragged = (load_model(None, checkpoint=path, device="cpu") for path in write_ragged(tmp_path))
    images, entries = random_images(ragged, 2), np.ones((17, 17), bool)
    cuts = [(0, TAKEN_OUT, entries), (0, KEPT[1], entries), (1, 2, entries)]
    found = create_ablation(ragged).prune_set(images, mask_of(ragged, [(0, 1), (1, 2)]))
    assert np.abs(found - Pruned(whole, images, cuts).probabilities).max() < TOLERANCE
    with pytest.raises(ChoiceError, match="no layer 0 head 2"):
        create_ablation(ragged).prune_set(images, mask_of(ragged, [(0, 2)]))


def test_what_is_no_set_of_this_models_heads_is_refused():
    plain, headless = create_ablation(family_model("plain")), create_ablation(family_model("headless"))
    images = random_images(plain.model, 1)
    for heads in (np.zeros((3, 4), bool), np.zeros((3, 3), int)):
        with pytest.raises(ChoiceError, match=r"of the shape \(3, 3\)"):
            plain.prune_set(images, heads)
    with pytest.raises(ChoiceError, match="no class head"):
        headless.prune_set(images, np.ones((3, 3), bool))


def test_whole_heads_need_no_attention_matrix_and_batches_are_bounded(monkeypatch: pytest.MonkeyPatch):
    model, rows, made = family_model("plain"), [], []
    assert [mode for mode in PruningMode if makes_attention(model, mode)] == [2, 3, 4, 5]
    assert makes_attention(family_model("scale-norm"), PruningMode.HEAD)
    block = model.module.blocks[1]
    handles = [
        block.register_forward_hook(lambda _m, _args, output: rows.append(len(output))),
        block.attn.attn_drop.register_forward_hook(lambda _m, _args, output: made.append(output.shape)),
    ]
    images, ablation, mask = random_images(model, 7), create_ablation(model, batch_size=4), mask_of(model, SET)
    try:
        ablation.prune_set(images, mask)
        assert (rows, made) == ([4, 3], [])
        assert block.attn.fused_attn
        monkeypatch.setattr("vitpanel.models.ablation.base.ATTENTION_BYTES", 2 * 4 * 3 * 10**2)
        rows.clear()
        ablation.prune_set(images, mask, PruningMode.PATCHES)
        assert rows == [2, 2, 2, 1]
        assert len(made) == 4
    finally:
        for handle in handles:
            handle.remove()


@pytest.mark.parametrize("at", [1, 2, 5])
def test_it_stops_at_any_step_and_leaves_the_model_as_it_was(at: int):
    model, n_steps = family_model("plain"), 0

    def is_unwanted() -> bool:
        nonlocal n_steps
        n_steps += 1
        return n_steps == at

    images, ablation, mask = random_images(model, 4), create_ablation(model, batch_size=2), mask_of(model, SET)
    before = model.module(images)
    with pytest.raises(Stopped), stoppable(is_unwanted):
        ablation.prune_set(images, mask, PruningMode.PATCHES)
    assert n_steps == at
    with torch.inference_mode():
        assert torch.allclose(model.module(images), before, atol=1e-6)
    assert not model.lock._is_owned()
