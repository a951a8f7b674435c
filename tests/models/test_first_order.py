"""First-order estimates against finite differences, and the layer metrics of the same forward against pruning."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.pruned_families import RESTARTED, create_family, random_images
from vitpanel.models.ablation import RestartAblation
from vitpanel.models.model import ViTModel

FAMILIES = [family for family in RESTARTED if family != "headless"]
STEP = 1e-4


def odds_with_head_scaled(module: Any, attention: Any, images: torch.Tensor, head: int, scale: float) -> np.ndarray:
    """Log-odds of every class, float64 ``(n, n_classes)``, when A of one head is multiplied."""

    def edit(_module: Any, _args: Any, weights: torch.Tensor) -> torch.Tensor:
        weights = weights.clone()
        weights[:, head] *= scale
        return weights

    handle = attention.attn_drop.register_forward_hook(edit)
    attention.fused_attn = False
    with torch.no_grad():
        p = module(images).softmax(-1).numpy()
    handle.remove()
    return np.log(p / (1 - p))


def slopes(model: ViTModel, images: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds of every class without pruning, and their first-order change without each head."""
    attention = deepcopy(model.attention)
    # The copy of the model has the copies of its attention modules.
    memo = {id(part): attention[index] for index, part in enumerate(model.attention)}
    module: Any = deepcopy(model.module, memo).double()
    images = images.double()
    clean = odds_with_head_scaled(module, attention[0], images, 0, 1.0)
    change = np.empty((len(images), model.spec.n_layers, model.spec.n_heads, model.spec.n_classes))
    for layer, head in np.ndindex(model.spec.n_layers, model.spec.n_heads):
        up, down = (odds_with_head_scaled(module, attention[layer], images, head, 1 + step) for step in (STEP, -STEP))
        change[:, layer, head] = -(up - down) / (2 * STEP)
    return clean, change


@pytest.mark.parametrize("family", FAMILIES)
def test_the_log_odds_change_by_their_slope_and_the_layer_metrics_are_exact(tmp_path: Path, family: str):
    model = create_family(family, tmp_path)
    images, labels = random_images(model, 3), np.array([0, 1, 3])
    ablation = RestartAblation(model, 5)
    seen = []
    result = ablation.first_order(images, lambda p: seen.append(p) or labels)
    clean, change = slopes(model, images)
    p, q = (1 / (1 + np.exp(-odds)) for odds in (clean[:, None, None], clean[:, None, None] + change))
    assert np.allclose(seen[0], p[:, 0, 0], atol=1e-5)
    assert np.allclose(result.unpruned, p[:, 0, 0][np.arange(3), labels], atol=1e-5)
    assert np.allclose(result.left, np.stack([q[image, :, :, label] for image, label in enumerate(labels)]), atol=2e-5)
    exact = ablation.leave_one_out(images, lambda *_: None)
    assert np.allclose(result.layer["cls"], exact.layer["cls"], atol=1e-6, equal_nan=True)
    assert np.allclose(result.layer["patch"], exact.layer["patch"], atol=1e-6)


def test_a_graph_is_made_for_the_estimates_alone(tmp_path: Path):
    model = create_family("plain", tmp_path)
    ablation, images = RestartAblation(model, 5), random_images(model, 1)
    ablation.first_order(images, lambda p: p.argmax(-1))
    assert not images.requires_grad
    assert not any(parameter.requires_grad for parameter in model.module.parameters())
    assert all(parameter.grad is None for parameter in model.module.parameters())
    assert ablation.leave_one_out(images, lambda *_: None).pruned is not None
