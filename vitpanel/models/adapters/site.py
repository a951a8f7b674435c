"""The place where one layer attends, and the ways into it: all that pruning with hooks needs to know of a library."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from vitpanel.models.probe import input_hook, output_hook, returned_hook

Edit = Callable[[Tensor], Tensor | None]
Watch = Callable[[Tensor], object]


class AttentionSite(Protocol):
    """One attention module. Hooks are there while their context is open; the lock of the `ViTModel` is held meanwhile.

    Nothing here is taken on trust: `vitpanel.models.tracing.trace_sites` runs the model and holds it all together.
    """

    @property
    def module(self) -> nn.Module:
        """The attention module; it runs once in a forward, and is called with the tokens first."""
        ...

    @property
    def n_heads(self) -> int | None:
        """Heads that the module states; None where it states nothing."""
        ...

    @property
    def projection(self) -> nn.Linear | None:
        """The layer that makes z of the concatenated outputs of the heads; None where more than a layer does."""
        ...

    def weights_hook(self, hook: Edit) -> AbstractContextManager[None]:
        """Call ``hook(A)`` with the attention ``(n, n_heads, n_tokens, n_tokens)``; what it returns replaces A."""
        ...

    def heads_hook(self, hook: Watch) -> AbstractContextManager[None]:
        """Call ``hook(heads)`` with the outputs of all heads side by side, ``(n, n_tokens, n_heads · size)``."""
        ...

    def z_hook(self, hook: Watch) -> AbstractContextManager[None]:
        """Call ``hook(z)`` with the output after the projection (Eq. 2), ``(n, n_tokens, width)``."""
        ...


@dataclass(frozen=True, eq=False)
class ModuleSite:
    """A site of an attention that is made of modules.

    Parameters
    ----------
    module
        The attention module.
    weights
        A module inside of it that gives out A, after the softmax: its dropout, or an identity put there for this.
    projection
        The layer inside of it that is given the outputs of the heads and gives out z.
    n_heads
        Heads that the module states.
    """

    module: nn.Module
    weights: nn.Module
    projection: nn.Linear
    n_heads: int | None = None

    def weights_hook(self, hook: Edit) -> AbstractContextManager[None]:
        """See `AttentionSite`."""
        return returned_hook(self.weights, hook)

    def heads_hook(self, hook: Watch) -> AbstractContextManager[None]:
        """See `AttentionSite`."""
        return input_hook(self.projection, hook)

    def z_hook(self, hook: Watch) -> AbstractContextManager[None]:
        """See `AttentionSite`."""
        return output_hook(self.projection, hook)
