"""What a model did without pruning, kept for the restart engine."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from vitpanel.models.adapters.timm_site import attention_hook, heads_module
from vitpanel.models.probe import input_hook, output_hook


@dataclass
class LayerRun:
    """What one attention module did without pruning.

    Parameters
    ----------
    arguments, options
        What it was called with.
    heads
        Concatenated outputs of its heads, before norm, gate and projection, ``(n, n_tokens, n_heads · size)``.
    gate
        What they are multiplied by, of the same shape, or None.
    """

    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    heads: Tensor = field(init=False)
    gate: Tensor | None = None


@dataclass
class RestartRun:
    """A run without pruning, with the input of every block.

    One that was stopped has the input of the next block last, and no output; that comes with the first pruning for
    which it is wanted.
    """

    images: Tensor
    blocks: list[tuple[Tensor, dict[str, Any]]] = field(default_factory=list)
    layers: list[LayerRun] = field(default_factory=list)
    z: list[Tensor] = field(default_factory=list)
    wants_output: bool = True
    _output: Tensor | None = None

    @property
    def lacks_output(self) -> bool:
        """Whether the model's output is still to be computed."""
        return self.wants_output and self._output is None

    @property
    def output(self) -> Tensor:
        """The model's output."""
        if self._output is None:
            message = "The run was stopped before its output."
            raise RuntimeError(message)
        return self._output

    @output.setter
    def output(self, value: Tensor) -> None:
        self._output = value


@contextmanager
def recorded(attention: nn.Module, run: LayerRun) -> Iterator[None]:
    """Note what an attention module is called with, what its heads give, and their gate."""

    def note_call(_module: nn.Module, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        run.arguments, run.options = arguments, options

    def note_heads(heads: Tensor) -> None:
        run.heads = heads

    def note_gate(gate: Tensor) -> None:
        run.gate = gate.sigmoid()

    with ExitStack() as hooks:
        hooks.callback(attention.register_forward_pre_hook(note_call, with_kwargs=True).remove)
        hooks.enter_context(input_hook(heads_module(attention), note_heads))
        if getattr(attention, "gate", None) is not None:
            hooks.enter_context(output_hook(attention.gate, note_gate))
        yield


def weights_and_values(attention: nn.Module, run: LayerRun) -> tuple[Tensor, Tensor]:
    """A ``(n, n_heads, n_tokens, n_tokens)``, and V of all heads ``(n, n_tokens, n_heads · size)``.

    V is what the heads give when A is the identity, which holds for every attention module whatever it does to its
    values.
    """
    kept: list[Tensor] = []

    def identity(weights: Tensor) -> Tensor:
        kept.append(weights)
        return torch.eye(weights.shape[-1], device=weights.device, dtype=weights.dtype).expand_as(weights)

    with attention_hook(attention, identity), input_hook(heads_module(attention), kept.append):
        attention(*run.arguments, **run.options)
    return kept[0], kept[1]
