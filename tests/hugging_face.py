"""Tiny models of transformers with random weights, in folders as the library saves them, and slow pruning of them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import transformers

SIZES: dict[str, Any] = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "image_size": 32,
    "patch_size": 8,
    "num_labels": 4,
}
MLP: dict[str, Any] = {"intermediate_size": 48}
CLASSES = ("bird", "cat", "dog", "frog")
SQUASHED: dict[str, Any] = {"size": {"height": 32, "width": 32}}
CUT: dict[str, Any] = {"size": {"shortest_edge": 40}, "crop_size": {"height": 24, "width": 24}}


class Family(NamedTuple):
    """Names of the library's classes, and what makes a member of them."""

    model: str
    config: str
    more: dict[str, Any]
    processor: tuple[str, dict[str, Any]] = ("ViTImageProcessor", SQUASHED)


FAMILIES = {
    "vit": Family("ViTForImageClassification", "ViTConfig", MLP),
    "vit, not square": Family("ViTForImageClassification", "ViTConfig", {**MLP, "image_size": (16, 32)}, (
        "ViTImageProcessor", {"size": {"height": 16, "width": 32}})),
    "vit without classes": Family("ViTModel", "ViTConfig", MLP),
    "deit": Family("DeiTForImageClassification", "DeiTConfig", MLP, (
        "DeiTImageProcessor", {"size": {"height": 40, "width": 40}, "crop_size": {"height": 32, "width": 32}})),
    "deit, distilled": Family("DeiTForImageClassificationWithTeacher", "DeiTConfig", MLP),
    # Its positions are resampled from 4 × 4 to 3 × 3.
    "dinov2": Family("Dinov2ForImageClassification", "Dinov2Config", {"mlp_ratio": 2, "layerscale_value": 0.5}, (
        "BitImageProcessor", CUT)),
    "dinov2, gated": Family("Dinov2ForImageClassification", "Dinov2Config", {"mlp_ratio": 2, "use_swiglu_ffn": True}),
    "dinov2 without classes": Family("Dinov2Model", "Dinov2Config", {"mlp_ratio": 2}, ("BitImageProcessor", CUT)),
    "dinov2 with registers": Family(
        "Dinov2WithRegistersForImageClassification",
        "Dinov2WithRegistersConfig",
        {"mlp_ratio": 2, "num_register_tokens": 2},
    ),
}  # fmt: skip


def write_folder(folder: Path, title: str, *, seed: int = 0, **more: Any) -> Path:
    """Save a member of a family and its processor; ``more`` goes into its configuration."""
    family = FAMILIES[title]
    names = {"id2label": dict(enumerate(CLASSES)), "label2id": {name: i for i, name in enumerate(CLASSES)}}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = getattr(transformers, family.config)(**SIZES | names | family.more | more)
        model = getattr(transformers, family.model)(config)
        with torch.no_grad():
            for value in model.parameters():
                value.add_(torch.randn_like(value), alpha=0.25)
    model.save_pretrained(folder)
    name, options = family.processor
    getattr(transformers, name)(image_mean=[0.4, 0.5, 0.6], image_std=[0.2, 0.3, 0.4], **options).save_pretrained(
        folder
    )
    return folder


class Pruned:
    """The library's own model, read by itself, that ran with some entries of some heads' attention set to 0.

    Parameters
    ----------
    cuts
        Layer, head and mask ``(n_tokens, n_tokens)`` of what is cut.

    Attributes
    ----------
    attention, z
        Of each layer, after the cut.
    probabilities
        Of the classes, or the features of CLS.
    """

    def __init__(
        self, folder: Path, title: str, images: torch.Tensor, cuts: Iterable[tuple[int, int, np.ndarray]] = ()
    ) -> None:
        kind = getattr(transformers, FAMILIES[title].model)
        model = kind.from_pretrained(folder, attn_implementation="eager").eval()
        self.attention: dict[int, np.ndarray] = {}
        self.z: dict[int, np.ndarray] = {}
        modules = [part for part in model.modules() if hasattr(part, "o_proj")]
        for layer, module in enumerate(modules):
            module.forward = self._attending(layer, module, [cut[1:] for cut in cuts if cut[0] == layer])
        with torch.no_grad():
            output = model(pixel_values=images)
        has_classes = "Classification" in FAMILIES[title].model
        values = output.logits.softmax(-1) if has_classes else output.last_hidden_state[:, 0]
        self.probabilities = values.double().numpy()

    def _attending(self, layer: int, module: Any, cuts: list[tuple[int, np.ndarray]]) -> Any:
        """Attention head by head, as it stands in the paper."""

        def forward(x: torch.Tensor, *_args: Any, **_options: Any) -> tuple[torch.Tensor, None]:
            size, weights, heads = module.head_dim, [], []
            for head in range(module.num_attention_heads):
                part = slice(head * size, (head + 1) * size)
                q, k, v = (proj(x)[..., part] for proj in (module.q_proj, module.k_proj, module.v_proj))
                a = (q @ k.mT / size**0.5).softmax(-1)
                for which, mask in cuts:
                    if which == head:
                        a = a.masked_fill(torch.from_numpy(mask), 0)
                weights.append(a)
                heads.append(a @ v)
            z = module.o_proj(torch.cat(heads, -1))
            self.attention[layer] = torch.stack(weights, 1).numpy()
            self.z[layer] = z.double().numpy()
            return z, None

        return forward
