"""Where timm's attention modules have A, their heads' outputs, their gate and z.

Every attention module of the supported families hands its post-softmax weights to ``attn_drop`` when it is not fused,
so a forward hook there sees A and may return another.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from timm.models.vision_transformer import ParallelScalingBlock
from torch import Tensor, nn
from torch.nn import functional

from vitpanel.models.adapters.site import Edit, Watch
from vitpanel.models.probe import input_hook, output_hook, returned_hook


@dataclass(frozen=True, eq=False)
class TimmSite:
    """The site of an attention module of timm."""

    module: nn.Module

    @property
    def n_heads(self) -> int | None:
        """Heads that the module states."""
        return getattr(self.module, "num_heads", None)

    @property
    def projection(self) -> nn.Linear | None:
        """The output projection where it alone makes z of the heads."""
        proj = getattr(self.module, "proj", None)
        is_alone = is_linear(self.module) and getattr(self.module, "gate", None) is None
        return proj if is_alone and isinstance(proj, nn.Linear) else None

    def weights_hook(self, hook: Edit) -> AbstractContextManager[None]:
        """See `AttentionSite`."""
        return attention_hook(self.module, hook)

    def heads_hook(self, hook: Watch) -> AbstractContextManager[None]:
        """See `AttentionSite`; before a norm of the heads where there is one."""
        if not isinstance(self.module, ParallelScalingBlock):
            return input_hook(heads_module(self.module), hook)
        block: Any = self.module
        width = block.num_heads * block.head_dim
        return input_hook(block.attn_out_proj or block.out_proj, lambda given: hook(given[..., :width]))

    def z_hook(self, hook: Watch) -> AbstractContextManager[None]:
        """See `AttentionSite`."""
        return z_hook(self.module, hook)


@contextmanager
def unfused(attention: nn.Module) -> Iterator[None]:
    """Let an attention module materialise A; timm reads the flag of the instance at each call."""
    was_fused = getattr(attention, "fused_attn", None)
    if was_fused is not None:
        attention.fused_attn = False
    try:
        yield
    finally:
        if was_fused is not None:
            attention.fused_attn = was_fused


@contextmanager
def attention_hook(attention: nn.Module, hook: Callable[[Tensor], Tensor | None]) -> Iterator[None]:
    """Call ``hook(A)`` with the weights ``(batch, n_heads, n_tokens, n_tokens)``; what it returns replaces A."""
    with returned_hook(attention.attn_drop, hook), unfused(attention):
        yield


@contextmanager
def z_hook(attention: Any, hook: Callable[[Tensor], object]) -> Iterator[None]:
    """Call ``hook(z)`` with the output of an attention module after its projection (Eq. 2).

    A block whose attention and MLP run side by side is its own attention module. Where it has one projection for both,
    z is attention's part of it, and the common bias belongs to neither.
    """
    if not isinstance(attention, ParallelScalingBlock):
        with output_hook(attention, hook):
            yield
    elif attention.attn_out_proj is not None:
        with output_hook(attention.attn_out_proj, hook):
            yield
    else:
        width = attention.num_heads * attention.head_dim
        out_proj: Any = attention.out_proj
        weight = out_proj.weight[:, :width]
        with input_hook(out_proj, lambda both: hook(functional.linear(both[..., :width], weight))):
            yield


def heads_module(attention: Any) -> nn.Module:
    """The module that is given the concatenated outputs of the heads first: a norm over them, else the projection."""
    norm = getattr(attention, "norm", None)
    return attention.proj if norm is None else norm


def is_linear(attention: nn.Module) -> bool:
    """Whether z is linear in the outputs of the heads."""
    return isinstance(getattr(attention, "norm", None), nn.Identity | None)


def projected(attention: Any, heads: Tensor, gate: Tensor | None) -> Tensor:
    """z from the concatenated outputs of the heads."""
    norm = getattr(attention, "norm", None)
    heads = heads if norm is None else norm(heads)
    return attention.proj(heads if gate is None else heads * gate)
