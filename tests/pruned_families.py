"""Vision transformers of many kinds, small, with random weights, and what pruning does to them, computed slowly.

`Pruned` runs the whole model once, with hooks of its own on timm's modules: every entry that is cut is set to 0 in the
attention matrix, nothing is reused and nothing is fused.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from safetensors.torch import save_file
from timm.layers.attention import Attention
from timm.models.vision_transformer import ParallelScalingBlock, ResPostBlock

from vitpanel.models.loading import load_model
from vitpanel.models.model import ViTModel

SIZES: dict[str, Any] = {"img_size": 24, "patch_size": 8, "embed_dim": 24, "depth": 3, "num_heads": 3, "num_classes": 4}


class GatedAttention(Attention):
    """timm's attention with its gate on."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options, gated=True)


VIT = "vit_tiny_patch16_224"
RESTARTED: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": (VIT, {}),
    "wide image": (VIT, {"img_size": (16, 32)}),
    "no bias": (VIT, {"qkv_bias": False, "proj_bias": False}),
    "pooled": (VIT, {"global_pool": "avg"}),
    "max-pooled": (VIT, {"global_pool": "max"}),
    "register, no CLS": ("vit_medium_patch16_reg1_gap_256", {}),
    "registers": ("vit_small_patch14_reg4_dinov2", {}),
    "distilled": ("deit_tiny_distilled_patch16_224", {}),
    "LayerScale": (VIT, {"init_values": 0.5}),
    "qk-norm": (VIT, {"qk_norm": True}),
    "scale-norm": (VIT, {"scale_attn_norm": True, "scale_mlp_norm": True}),
    "gated": (VIT, {"attn_layer": GatedAttention}),
    "gated scale-norm": (VIT, {"attn_layer": GatedAttention, "scale_attn_norm": True}),
    "two at once": ("vit_small_patch16_18x2_224", {"num_heads": 3, "depth": 2}),
    "post-norm": (VIT, {"block_fn": ResPostBlock}),
    "attention pooling": ("vit_base_patch16_siglip_224", {}),
    "relative positions": ("vit_relpos_small_patch16_224", {}),
    "beit": ("beit_base_patch16_224", {}),
    "eva02": ("eva02_tiny_patch14_224", {}),
    "eva, post-norm": ("eva02_tiny_patch14_224", {"use_post_norm": True}),
    "dinov3": ("vit_small_patch16_dinov3", {}),
    "headless": (VIT, {"num_classes": 0}),
}
HOOKED: dict[str, tuple[str, dict[str, Any]]] = {
    "parallel": (VIT, {"block_fn": ParallelScalingBlock}),
}
FAMILIES = RESTARTED | HOOKED


def create_family(family: str, folder: Path, *, seed: int = 0) -> ViTModel:
    """Load a tiny member of a family, whose heads differ and matter."""
    name, more = FAMILIES[family]
    arguments = SIZES | more
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        state = timm.create_model(name, pretrained=False, **arguments).state_dict()
        for key, value in state.items():
            state[key] = value + torch.randn_like(value) * 0.25 if value.is_floating_point() else value
    path = folder / "weights.safetensors"
    save_file({key: value.contiguous().clone() for key, value in state.items()}, path)
    return load_model(name, checkpoint=path, args=arguments, device="cpu")


def random_images(model: ViTModel, n: int, *, seed: int = 0) -> torch.Tensor:
    """Return noise of the model's input size."""
    return torch.randn((n, *model.preprocessing.input_size), generator=torch.Generator().manual_seed(seed))


class Pruned:
    """A model that ran with some entries of some heads' attention set to 0.

    Parameters
    ----------
    cuts
        Layer, head and mask ``(n_tokens, n_tokens)`` of what is cut.

    Attributes
    ----------
    attention, z
        Of each layer, after the cut.
    probabilities
        Of the classes, or the features of a model without classes.
    """

    def __init__(self, model: ViTModel, images: torch.Tensor, cuts: Iterable[tuple[int, int, np.ndarray]] = ()) -> None:
        self.attention: dict[int, np.ndarray] = {}
        self.z: dict[int, np.ndarray] = {}
        self._cuts = list(cuts)
        with torch.no_grad(), ExitStack() as stack:
            for layer, module in enumerate(model.attention):
                stack.enter_context(self._watched(layer, module))
            output = model.module(images)
        self.probabilities = output.softmax(-1).double().numpy()

    @contextmanager
    def _watched(self, layer: int, module: Any) -> Iterator[None]:
        def edit(_module: Any, _args: Any, weights: torch.Tensor) -> torch.Tensor:
            weights = weights.clone()
            for where, head, mask in self._cuts:
                if where == layer:
                    weights[:, head][:, torch.from_numpy(mask)] = 0
            self.attention[layer] = weights.numpy()
            return weights

        def note(_module: Any, _args: Any, z: torch.Tensor) -> None:
            self.z[layer] = z.double().numpy()

        output: Any = module.attn_out_proj if isinstance(module, ParallelScalingBlock) else module
        handles = [module.attn_drop.register_forward_hook(edit), output.register_forward_hook(note)]
        was_fused, module.fused_attn = module.fused_attn, False
        try:
            yield
        finally:
            module.fused_attn = was_fused
            for handle in handles:
                handle.remove()


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One minus the cosine, token by token."""
    result = np.ones(a.shape[:-1])
    for place in np.ndindex(*result.shape):
        norms = np.sqrt((a[place] ** 2).sum() * (b[place] ** 2).sum())
        if norms > 0:
            result[place] = 1 - (a[place] * b[place]).sum() / norms
    return result


def divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence in bits."""
    middle = (p + q) / 2
    return ((p * np.log2(p / middle)).sum(-1) + (q * np.log2(q / middle)).sum(-1)) / 2


def layer_distances(model: ViTModel, before: Pruned, after: Pruned, layer: int) -> tuple[np.ndarray, np.ndarray]:
    """Eq. 5 (NaN without CLS) and 6 of each image."""
    grid = model.spec.grid
    tokens = distance(before.z[layer], after.z[layer])
    cls = np.full(len(tokens), np.nan) if grid.cls is None else tokens[:, grid.cls]
    return cls, tokens[:, grid.n_prefix :].mean(-1)
