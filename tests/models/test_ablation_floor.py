"""The engine's arithmetic, counted while it runs, against the least that the task takes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from tests.pruned_families import FAMILIES, create_family, random_images
from vitpanel.models.ablation import HookAblation, RestartAblation
from vitpanel.models.ablation.floor import Shape, captum_flops, floor_flops, naive_flops

SHAPE = Shape(n_tokens=101, width=96, n_layers=6, n_heads=3, hidden=384)
ARGUMENTS = {"img_size": 80, "embed_dim": SHAPE.width, "depth": SHAPE.n_layers, "num_heads": SHAPE.n_heads}


def counted(engine: Any, images: torch.Tensor) -> int:
    """Floating point operations of all matrix products of leaving each head out."""
    aten = torch.ops.aten

    def product(_sum: Any, a: Any, b: Any, **_options: Any) -> int:
        return 2 * a[0] * a[1] * b[1]

    def attention(q: Any, k: Any, _v: Any, *_arguments: Any, **_options: Any) -> int:
        return 4 * q[0] * q[1] * q[2] * k[2] * q[3]

    # torch does not count what is done in place, nor its attention on the CPU.
    more = {aten.addmm_: product, aten._scaled_dot_product_flash_attention_for_cpu: attention}
    with FlopCounterMode(display=False, custom_mapping=more) as counter:
        engine.leave_one_out(images, lambda _layer, _attention: None)
    return counter.get_total_flops()


@pytest.mark.parametrize("n", [1, 2])
def test_the_restart_engine_is_within_a_tenth_of_the_floor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n: int):
    monkeypatch.setitem(FAMILIES, "sized", ("vit_tiny_patch16_224", ARGUMENTS))
    model = create_family("sized", tmp_path)
    assert model.spec.grid.n_tokens == SHAPE.n_tokens
    engine, images = RestartAblation(model, 8), random_images(model, n)
    first, later = counted(engine, images) / n, counted(engine, images) / n
    assert floor_flops(SHAPE) < first < 1.1 * floor_flops(SHAPE)
    assert floor_flops(SHAPE) < later < 1.07 * floor_flops(SHAPE)
    # Products of weights with weights, once for all images.
    assert 0 < (first - later) * n <= SHAPE.n_layers * 2 * SHAPE.width**2 * (SHAPE.hidden + SHAPE.width)


def test_the_hook_engine_takes_a_forward_for_each_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(FAMILIES, "sized", ("vit_tiny_patch16_224", ARGUMENTS))
    model = create_family("sized", tmp_path)
    total = counted(HookAblation(model, 8), random_images(model, 1))
    assert naive_flops(SHAPE) < total < 1.1 * naive_flops(SHAPE)


def test_captum_takes_two_forwards_a_layer_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    attr = pytest.importorskip("captum.attr")
    monkeypatch.setitem(FAMILIES, "sized", ("vit_tiny_patch16_224", ARGUMENTS))
    model = create_family("sized", tmp_path)
    images, n_runs = random_images(model, 1), []
    handle = model.module.register_forward_hook(lambda *_: n_runs.append(1))
    for attention in model.attention:
        proj = attention.proj
        mask = torch.arange(SHAPE.width) // (SHAPE.width // SHAPE.n_heads)
        with torch.inference_mode():
            attr.LayerFeatureAblation(model.module, proj).attribute(
                images, target=0, layer_baselines=0, layer_mask=mask[None, None], attribute_to_layer_input=True
            )
    handle.remove()
    n_forwards = 1 + SHAPE.n_layers * SHAPE.n_heads
    assert captum_flops(SHAPE) / naive_flops(SHAPE) == pytest.approx(len(n_runs) / n_forwards)


def test_shapes_that_people_use_have_less_than_half_the_arithmetic():
    for width, n_heads in ((192, 3), (384, 6), (768, 12)):
        shape = Shape(197, width, 12, n_heads, 4 * width)
        assert 2.3 < naive_flops(shape) / floor_flops(shape) < 2.45
