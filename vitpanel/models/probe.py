"""Reading and editing what modules are given and give out while they run.

Hooks live only inside these context managers; callers hold the lock of the `ViTModel`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn


@contextmanager
def returned_hook(module: nn.Module, hook: Callable[[Tensor], Tensor | None]) -> Iterator[None]:
    """Call ``hook(output)`` whenever a module has run; what it returns takes the place of the output."""
    handle = module.register_forward_hook(lambda _module, _args, output: hook(output))
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def output_hook(module: nn.Module, hook: Callable[[Tensor], object]) -> Iterator[None]:
    """Call ``hook(output)`` whenever a module has run, and leave the output as it is."""

    def watch(output: Tensor) -> None:
        hook(output)

    with returned_hook(module, watch):
        yield


@contextmanager
def input_hook(module: nn.Module, hook: Callable[[Tensor], object]) -> Iterator[None]:
    """Call ``hook(input)`` with the first argument whenever a module is about to run."""

    def watch(_module: nn.Module, args: tuple[Tensor, ...]) -> None:
        hook(args[0])

    handle = module.register_forward_pre_hook(watch)
    try:
        yield
    finally:
        handle.remove()
