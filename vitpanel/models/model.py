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
from vitpanel.models.adapters.site import AttentionSite
from vitpanel.models.images import Preprocessing
from vitpanel.models.probe import input_hook
from vitpanel.models.stopping import step


@dataclass(frozen=True)
class ModelSource:
    """Where a model came from.

    Parameters
    ----------
    name
        By which the person named it. Of timm: the architecture, with its pretrained tag if the weights are timm's.
    args
        What it was built with; together with the weights, enough for the adapter to build it again.
    checkpoint
        File name of the user's own weights; empty for the library's.
    weight_hash
        BLAKE2b of all tensors in the order of their names, a linear head's among them.
    provenance
        What is known of pretrained weights: ``tag``, ``hf_hub_id``, ``url``, ``license``.
    head
        Of a linear head that was put on the features: `LinearHead.about`; empty without one.
    architecture
        timm's plain name where ``name`` is that of a hub or folder; else empty.
    file
        Where the weights were read from, for the person's own record; no study gets it.
    notes
        What was assumed of the model and what was done to its weights, in sentences for people.
    adapter
        Key of the `vitpanel.models.adapters.base.Adapter` that built it.
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
    adapter: str = "timm"


@dataclass(frozen=True, eq=False)
class ViTModel:
    """A model whose attention vitpanel understands; made by `vitpanel.models.loading.load_model`.

    Parameters
    ----------
    module
        In evaluation mode, on ``device``.
    sites
        Where it attends, in the order in which that runs, one a layer; a block with two attention modules has two.
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
    sites: tuple[AttentionSite, ...]
    n_outputs: int | None
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    source: ModelSource
    device: torch.device
    checks: tuple[Check, ...]
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def attention(self) -> tuple[nn.Module, ...]:
        """The attention modules."""
        return tuple(site.module for site in self.sites)

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
            for layer in range(len(self.sites)) if layers is None else layers:
                hooks.enter_context(self.sites[layer].weights_hook(lambda a, i=layer: on_attention(i, a)))
            self.module(images.to(self.device))
