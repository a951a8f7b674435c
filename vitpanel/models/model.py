"""A checked vision transformer."""

import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vitpanel.core.spec import ViTSpec
from vitpanel.core.trust import Check
from vitpanel.models.images import Preprocessing
from vitpanel.models.probe import attention_hook, input_hook
from vitpanel.models.stopping import step


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
        BLAKE2b of all tensors in the order of their names, a linear head's among them.
    provenance
        What timm knows of its pretrained weights: ``tag``, ``hf_hub_id``, ``url``, ``license``.
    head
        Of a linear head that was put on the features: `LinearHead.about`; empty without one.
    architecture
        timm's plain name where ``name`` is that of a hub or folder; else empty.
    file
        Where the weights were read from, for the person's own record; no study gets it.
    notes
        What was assumed of the model and what was done to its weights, in sentences for people.
    """

    name: str
    args: dict[str, Any]
    checkpoint: str
    weight_hash: str
    provenance: dict[str, str] = field(default_factory=dict)
    head: dict[str, Any] = field(default_factory=dict)
    architecture: str = ""
    file: Path | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ViTModel:
    """A timm model whose attention vitpanel understands; made by `vitpanel.models.loading.load_model`.

    Parameters
    ----------
    module
        In evaluation mode, on ``device``.
    attention
        The attention modules in the order in which they run, one a layer; a block with two of them has two layers.
    n_outputs
        Length of the output; None where it is not one vector an image.
    class_names
        One name a class; empty where nobody gave names.
    checks
        What was measured at load, of a model that no check has refused.
    lock
        Held during every forward: capturing attention changes flags of the shared module.
    """

    module: nn.Module
    spec: ViTSpec
    attention: tuple[nn.Module, ...]
    n_outputs: int | None
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    source: ModelSource
    device: torch.device
    checks: tuple[Check, ...]
    lock: threading.RLock = field(default_factory=threading.RLock)

    def probabilities(self, images: Tensor) -> Tensor:
        """Class probabilities, float32 ``(n, n_classes)``."""
        with self.lock, torch.inference_mode():
            return self.module(images.to(self.device)).float().softmax(-1)

    def features(self, images: Tensor) -> Tensor:
        """Output of a model without classes, float32 ``(n, n_outputs)``."""
        with self.lock, torch.inference_mode():
            return self.module(images.to(self.device)).float()

    def attend(
        self, images: Tensor, on_attention: Callable[[int, Tensor], None], *, layers: Iterable[int] | None = None
    ) -> None:
        """Run once and call ``on_attention(layer, A)`` for each layer, A ``(n, n_heads, n_tokens, n_tokens)``.

        Parameters
        ----------
        layers
            Those whose attention is wanted, all by default; the others run without making theirs.
        """
        with self.lock, torch.inference_mode(), ExitStack() as hooks:
            for attention in self.attention:
                hooks.enter_context(input_hook(attention, lambda _input: step()))
            for layer in range(len(self.attention)) if layers is None else layers:
                attention = self.attention[layer]
                hooks.enter_context(attention_hook(attention, lambda a, i=layer: on_attention(i, a)))
            self.module(images.to(self.device))
