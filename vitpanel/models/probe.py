"""Reading and editing the attention of timm's modules while they run.

Every attention module of the supported families hands its post-softmax weights to ``attn_drop`` when it is not
fused, so a forward hook there sees A and may return another. Hooks live only inside these context managers; callers
hold the lock of the `ViTModel`, since ``fused_attn`` is a flag of the shared module.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn


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
    handle = attention.attn_drop.register_forward_hook(lambda _module, _args, weights: hook(weights))
    try:
        with unfused(attention):
            yield
    finally:
        handle.remove()


@contextmanager
def output_hook(module: nn.Module, hook: Callable[[Tensor], None]) -> Iterator[None]:
    """Call ``hook(output)`` whenever a module has run."""
    handle = module.register_forward_hook(lambda _module, _args, output: hook(output))
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def input_hook(module: nn.Module, hook: Callable[[Tensor], None]) -> Iterator[None]:
    """Call ``hook(input)`` with the first argument whenever a module is about to run."""
    handle = module.register_forward_pre_hook(lambda _module, args: hook(args[0]))
    try:
        yield
    finally:
        handle.remove()
