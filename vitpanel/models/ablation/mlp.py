"""The second half of timm's plain pre-norm block, added in place."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import torch
from timm.layers import LayerScale
from torch import Tensor, nn

from vitpanel.models.ablation.base import chunks
from vitpanel.models.ablation.linear import CACHED_TOKENS, PackedLinear


class PlainMlp:
    """``x + scale(fc2(act(fc1(norm(x)))))``, written over x.

    Parameters
    ----------
    block
        One for which `vitpanel.models.ablation.plain.is_plain` holds. Its weights must not change any more.
    """

    def __init__(self, block: Any) -> None:
        self.block = block
        self.gamma = gamma_of(block.ls2)
        self.fc1, self.fc2 = PackedLinear(block.mlp.fc1), PackedLinear(block.mlp.fc2)

    def __call__(self, x: Tensor) -> Tensor:
        """Add to x ``(rows, n_tokens, width)`` what the MLP makes of it."""
        for rows in cached_rows(x):
            self.add(x[rows])
        return x

    def add(self, x: Tensor) -> None:
        """Do the same for rows that are computed at once."""
        self.add_activated(x, self.fc1(self.block.norm2(x)))

    def add_activated(self, x: Tensor, hidden: Tensor) -> None:
        """Add to rows that are computed at once what follows the first linear layer; both are overwritten."""
        add_scaled(x, self.fc2(self.activated(hidden)), self.gamma)

    def activated(self, hidden: Tensor) -> Tensor:
        """What the second linear layer is given; ``hidden`` is overwritten."""
        act = self.block.mlp.act
        is_gelu = isinstance(act, nn.GELU) and act.approximate == "none"
        return torch.ops.aten.gelu_(hidden) if is_gelu else act(hidden)

    def centred_hidden(self, x: Tensor) -> Tensor:
        """First linear layer after LayerNorm without its division and bias, ``(…, hidden)``."""
        gamma = 1 if self.block.norm2.weight is None else self.block.norm2.weight
        return ((x - x.mean(-1, keepdim=True)) * gamma) @ self.block.mlp.fc1.weight.T

    @cached_property
    def hidden_bias(self) -> Tensor:
        """What `centred_hidden`, divided, lacks, ``(hidden,)``."""
        fc1, norm = self.block.mlp.fc1, self.block.norm2
        bias = torch.zeros_like(fc1.weight[:, 0]) if fc1.bias is None else fc1.bias
        return bias if norm.bias is None else bias + fc1.weight @ norm.bias


def cached_rows(x: Tensor) -> Iterator[slice]:
    """Rows of ``(rows, n_tokens, width)``: on a CPU in parts of about `CACHED_TOKENS` tokens, elsewhere all at once."""
    rows, n_tokens, _ = x.shape
    return chunks(rows, n_tokens, CACHED_TOKENS if x.device.type == "cpu" else rows * n_tokens)


def gamma_of(scale: nn.Module) -> Tensor | None:
    """Factors of a LayerScale, None of what changes nothing."""
    return scale.gamma if isinstance(scale, LayerScale) else None


def add_scaled(x: Tensor, change: Tensor, gamma: Tensor | None) -> None:
    """Add a change times factors to x, in place."""
    if gamma is None:
        x.add_(change)
    else:
        x.addcmul_(change, gamma)
