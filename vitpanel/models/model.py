"""A checked vision transformer."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from vitpanel.core.spec import ViTSpec
from vitpanel.models.images import Preprocessing
from vitpanel.models.probe import attention_hook


@dataclass(frozen=True)
class ModelSource:
    """Where a model came from.

    Parameters
    ----------
    name
        timm's name of the architecture, with its pretrained tag if the weights are timm's.
    args
        Further arguments of ``timm.create_model``.
    checkpoint
        File name of the user's own weights; empty for timm's.
    weight_hash
        BLAKE2b of all tensors in the order of their names.
    """

    name: str
    args: dict[str, Any]
    checkpoint: str
    weight_hash: str


@dataclass(frozen=True, eq=False)
class ViTModel:
    """A timm model whose attention vitpanel understands; made by `vitpanel.models.loading.load_model`.

    Parameters
    ----------
    module
        In evaluation mode, on ``device``.
    attention
        The attention modules in the order in which they run, one a layer.
    class_names
        One name a class; empty where nobody gave names.
    checks
        The figures that the model passed at load.
    lock
        Held during every forward: capturing attention changes flags of the shared module.
    """

    module: nn.Module
    spec: ViTSpec
    attention: tuple[nn.Module, ...]
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    source: ModelSource
    device: torch.device
    checks: dict[str, float]
    lock: threading.RLock = field(default_factory=threading.RLock)

    def probabilities(self, images: Tensor) -> Tensor:
        """Class probabilities, float32 ``(n, n_classes)``."""
        with self.lock, torch.inference_mode():
            return self.module(images.to(self.device)).float().softmax(-1)

    def attend(self, images: Tensor, on_attention: Callable[[int, Tensor], None]) -> None:
        """Run once and call ``on_attention(layer, A)`` for each layer, A ``(n, n_heads, n_tokens, n_tokens)``."""
        with self.lock, torch.inference_mode(), ExitStack() as hooks:
            for layer, attention in enumerate(self.attention):
                hooks.enter_context(attention_hook(attention, lambda a, i=layer: on_attention(i, a)))
            self.module(images.to(self.device))
