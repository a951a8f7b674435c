"""Where timm's attention modules have z, their heads' outputs and their gate."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from timm.models.vision_transformer import ParallelScalingBlock
from torch import Tensor, nn
from torch.nn import functional

from vitpanel.models.probe import input_hook, output_hook


@contextmanager
def z_hook(attention: Any, hook: Callable[[Tensor], None]) -> Iterator[None]:
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
