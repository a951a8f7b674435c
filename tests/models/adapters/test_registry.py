"""Finding adapters, and holding what they say against what their models do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tests.entry_points import Point
from tests.pruned_families import distance, random_images
from tests.toy_adapter import ToyAdapter, ToyViT
from vitpanel.core import packages
from vitpanel.core.grid import CLS, Grid
from vitpanel.errors import UnsupportedModelError, VitpanelError
from vitpanel.models import adapters
from vitpanel.models.ablation import create_ablation
from vitpanel.models.adapters import adapter_named, register
from vitpanel.models.adapters.site import ModuleSite
from vitpanel.models.class_head import LinearHead
from vitpanel.models.loading import load_model, with_head
from vitpanel.models.tracing import trace_sites

SIZE = (3, 32, 32)


def random_toy() -> Any:
    torch.manual_seed(0)
    module = ToyViT().eval()
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)
    return module


def sites_of(module: Any) -> list[ModuleSite]:
    return [ModuleSite(block, block.weights, block.proj, block.n_heads) for block in module.blocks]


def traced(module: Any, sites: list[ModuleSite], grid: Grid | None = None) -> Any:
    return trace_sites(module, sites, lambda: grid or Grid(4, 4, ()), name="toy", input_size=SIZE)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    save_file(random_toy().state_dict(), tmp_path / "toy.safetensors")
    return tmp_path / "toy.safetensors"


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "_registered", [])
    register(ToyAdapter())


def test_a_registered_adapter_is_found_by_the_name_of_its_model(checkpoint: Path, registered: None):
    model = load_model("toy", checkpoint=checkpoint, device="cpu")
    assert (model.source.adapter, model.spec.n_layers, model.spec.n_heads) == ("toy", 2, 3)
    assert model.class_names == ("bird", "cat", "dog", "frog")
    assert all(check.passed for check in model.checks)


def test_so_is_one_that_a_package_names_and_broken_ones_harm_nothing(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    class Needy(ToyAdapter):
        def __init__(self) -> None:
            message = "needy"
            raise ImportError(message)

    found = {"broken": ImportError("libtoy"), "needy": Needy, "other": dict, "toy": ToyAdapter}
    points = {"vitpanel.adapters": [Point(name, record) for name, record in found.items()]}
    monkeypatch.setattr(packages, "entry_points", lambda group: points.get(group, []))
    adapters._of_packages.cache_clear()
    try:
        assert load_model("toy", checkpoint=checkpoint, device="cpu").source.adapter == "toy"
    finally:
        adapters._of_packages.cache_clear()
    said = [record.getMessage().split(" is left out: ")[1] for record in caplog.records]
    assert said == ["ImportError: libtoy.", "ImportError: needy.", "it is no subclass of Adapter."]


def test_timm_takes_what_nobody_else_does_and_an_unknown_key_is_refused(registered: None):
    assert [adapter.key for adapter in adapters.adapters()] == ["toy", "transformers", "timm"]
    with pytest.raises(VitpanelError, match="'another', for which there is no adapter"):
        adapter_named("another")


def test_heads_are_pruned_as_by_their_attention_at_0(checkpoint: Path, registered: None):
    model = load_model("toy", checkpoint=checkpoint, device="cpu")
    images, module = random_images(model, 2), random_toy()
    found = create_ablation(model).leave_one_out(images, lambda _layer, _attention: None)
    for layer, head in np.ndindex(2, 3):
        outputs, z = [], []
        for is_pruned in (False, True):
            block = module.blocks[layer]
            block.weights = Without(head if is_pruned else None)
            block.register_forward_hook(lambda _block, _x, out, into=z: into.append(out.double().detach().numpy()))
            with torch.no_grad():
                outputs.append(module(images).softmax(-1).numpy())
            block._forward_hooks.clear()
        assert np.abs(found.probabilities - outputs[0]).max() < 1e-5
        assert np.abs(found.pruned[:, layer, head] - outputs[1]).max() < 1e-5
        assert np.abs(found.layer["patch"][:, layer, head] - distance(z[0], z[1]).mean(-1)).max() < 1e-5
        module.blocks[layer].weights = Without(None)
    assert np.isnan(found.layer["cls"]).all()


class Without(nn.Module):
    """Sets the attention of a head to 0."""

    def __init__(self, head: int | None) -> None:
        super().__init__()
        self.head = head

    def forward(self, weights: torch.Tensor) -> torch.Tensor:
        keep = torch.ones(weights.shape[1])
        if self.head is not None:
            keep[self.head] = 0
        return weights * keep[:, None, None]


def test_a_module_without_a_way_to_its_features_takes_no_linear_head(checkpoint: Path, registered: None):
    model = load_model("toy", checkpoint=checkpoint, device="cpu")
    with pytest.raises(VitpanelError, match="reset_classifier"):
        with_head(model, LinearHead(torch.zeros(2, 24), torch.zeros(2)))


def test_arguments_that_an_adapter_does_not_know_are_not_kept():
    with pytest.raises(VitpanelError, match="depth"):
        ToyAdapter().check_arguments({"depth": 2})


def test_sites_in_another_order_are_put_into_that_of_running():
    module = random_toy()
    found = traced(module, sites_of(module)[::-1])
    assert [site.module for site in found.sites] == list(module.blocks)


def test_a_hook_that_changes_nothing_is_refused():
    module = random_toy()
    module.blocks[1].forward = watched_only(module.blocks[1])
    with pytest.raises(UnsupportedModelError, match="layer 1 does not go on with what is changed"):
        traced(module, sites_of(module))


def watched_only(block: Any) -> Any:
    """Attention that shows its weights and goes on with others."""

    def forward(x: torch.Tensor) -> torch.Tensor:
        q, k, v = block.qkv(x).unflatten(-1, (3, block.n_heads, -1)).permute(2, 0, 3, 1, 4)
        weights = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1)
        block.weights(weights)
        return block.proj((weights @ v).transpose(1, 2).flatten(2))

    return forward


def test_heads_in_another_order_than_their_weights_are_refused():
    module = random_toy()
    module.blocks[0].weights = Flipped()
    sites = [ModuleSite(block, getattr(block.weights, "shown", block.weights), block.proj) for block in module.blocks]
    with pytest.raises(UnsupportedModelError, match="layer 0 does not go on with what is changed in its attention"):
        traced(module, sites)


class Flipped(nn.Module):
    """Shows the heads of A in the opposite order to that of the values."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = nn.Identity()

    def forward(self, weights: torch.Tensor) -> torch.Tensor:
        return self.shown(weights.flip(1)).flip(1)


def test_a_projection_that_does_not_make_z_is_refused():
    module = random_toy()
    sites = [ProjectedElsewhere(site.module, site.weights, site.projection) for site in sites_of(module)]
    with pytest.raises(UnsupportedModelError, match="not its projection"):
        traced(module, sites)


class ProjectedElsewhere(ModuleSite):
    """Takes twice the projection for z."""

    def z_hook(self, hook: Any) -> Any:
        return super().z_hook(lambda z: hook(2 * z))


@pytest.mark.parametrize("grid", [Grid(4, 4, (CLS,)), Grid(3, 5, ()), Grid(2, 4, ())])
def test_a_grid_that_is_not_that_of_the_tokens_is_refused(grid: Grid):
    module = random_toy()
    with pytest.raises(UnsupportedModelError, match="16 rows"):
        traced(module, sites_of(module), grid)


def test_heads_that_are_not_as_many_as_stated_are_refused():
    module = random_toy()
    sites = [ModuleSite(block, block.weights, block.proj, 4) for block in module.blocks]
    with pytest.raises(UnsupportedModelError, match="a layer of 4 heads gives 3"):
        traced(module, sites)
