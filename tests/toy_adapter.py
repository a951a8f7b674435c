"""A vision transformer of ten lines, and all that vitpanel needs to show it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from vitpanel.core.grid import Grid
from vitpanel.errors import VitpanelError
from vitpanel.models.adapters.base import Adapter, Built, ModelRequest
from vitpanel.models.adapters.site import ModuleSite
from vitpanel.models.images import Preprocessing
from vitpanel.models.model import ModelSource
from vitpanel.models.tracing import trace_sites


class Block(nn.Module):
    """Attention alone."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads, self.qkv, self.proj = n_heads, nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.weights = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        heads = self.weights((q @ k.mT / q.shape[-1] ** 0.5).softmax(-1)) @ v
        return self.proj(heads.transpose(1, 2).flatten(2))


class ToyViT(nn.Module):
    """Two layers over 4 × 4 patches; the class head reads their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Conv2d(3, 24, 8, 8), nn.Linear(24, 4)
        self.blocks = nn.ModuleList(Block(24, 3) for _ in range(2))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.embed(images).flatten(2).mT
        for block in self.blocks:
            x = x + block(x)
        return self.head(x.mean(1))


class ToyAdapter(Adapter):
    """The way to a `ToyViT`: the name is "toy", the weights are a file."""

    key = "toy"

    def matches(self, request: ModelRequest) -> bool:
        """Take one name."""
        return request.name == "toy"

    def build(self, request: ModelRequest) -> Built:
        """Build it; raises where no weights are named."""
        if request.checkpoint is None:
            message = "The toy has no weights of its own."
            raise VitpanelError(message, hint="Give --checkpoint.")
        module: Any = ToyViT().eval().requires_grad_(requires_grad=False)
        module.load_state_dict(load_file(request.checkpoint))
        preprocessing = Preprocessing((3, 32, 32), mean=(0.5,) * 3, std=(0.5,) * 3)
        sites = [ModuleSite(block, block.weights, block.proj, block.n_heads) for block in module.blocks]
        traced = trace_sites(
            module, sites, lambda: Grid(4, 4, ()), name="toy", input_size=preprocessing.input_size, pooling="avg"
        )
        source = ModelSource("toy", {}, request.checkpoint.name, "", file=request.checkpoint)
        return Built(module, traced, preprocessing, source, class_names=("bird", "cat", "dog", "frog"))

    def restored(self, record: Mapping[str, Any], weights: Path) -> ModelRequest:
        """Build the same from weights alone; nothing of the record matters."""
        del record
        return ModelRequest("toy", checkpoint=weights)
