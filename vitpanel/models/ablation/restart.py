"""The engine that runs only what follows a pruned head."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vitpanel.core.regions import HeadPruning, Region, pruning_mask
from vitpanel.models.ablation.base import Ablation, OnAttention, Outcome, Precision, chunks
from vitpanel.models.ablation.first_order import FirstOrder, estimates
from vitpanel.models.ablation.known_blocks import n_read
from vitpanel.models.ablation.layer_metrics import LinearMetrics, by_metric, layer_metrics
from vitpanel.models.ablation.linear import STEP_TOKENS
from vitpanel.models.ablation.plain import PlainBlock, PrunedBlock, head_attention, is_plain
from vitpanel.models.ablation.recording import LayerRun, RestartRun, recorded, weights_and_values
from vitpanel.models.adapters.timm_site import attention_hook, is_linear, projected, z_hook
from vitpanel.models.model import ViTModel
from vitpanel.models.stopping import step

_WHOLE = frozenset(Region)


class _Stopped(Exception):  # noqa: N818 - it is no error
    """Ends a run before a block that is not needed."""


class RestartAblation(Ablation[RestartRun]):
    """Restarts at the pruned block from its cached input, the pruned z by linearity.

    Blocks of timm's plain pre-norm kind run through `vitpanel.models.ablation.plain`, the others as they are, with
    their attention modules answering with what is known. With CLS pooling the last block computes CLS alone.
    """

    def __init__(self, model: ViTModel, batch_size: int, precision: Precision = "float32") -> None:
        super().__init__(model, batch_size, precision)
        module: Any = model.module
        self._module = module
        self._blocks = list(module.blocks)
        self._block_of = [
            next(i for i, block in enumerate(self._blocks) if any(part is attention for part in block.modules()))
            for attention in model.attention
        ]
        self._plain = [PlainBlock(block) if is_plain(block) else None for block in self._blocks]
        n_tokens = model.spec.grid.n_tokens
        # Tokens of the last block that reach the head, from the first.
        self._n_read = (n_read(module) if self._plain[-1] else None) or n_tokens
        on_cpu = model.device.type == "cpu"
        self._rows = min(batch_size, max(1, round(STEP_TOKENS / n_tokens))) if on_cpu else batch_size
        self._metrics: dict[int, LinearMetrics] = {}
        self._remembered: RestartRun | None = None

    def first_order(self, images: Tensor, reference: Callable[[np.ndarray], np.ndarray]) -> FirstOrder:
        """Estimate what pruning each head does from one forward and its gradient; see `FirstOrder`.

        Parameters
        ----------
        reference
            Gives the class that each image is judged by, ``(n,)``, from the probabilities without pruning.
        """
        spec, images = self.model.spec, images.to(self.model.device, copy=True)
        with self._running(with_gradient=True):
            with torch.inference_mode(mode=False), torch.enable_grad():
                clean = self._clean(images.requires_grad_())
                probabilities = clean.output.detach().float().softmax(-1).cpu().numpy()
                classes = torch.from_numpy(reference(probabilities)).to(images.device)
                heads = [layer.heads for layer in clean.layers]
                estimated = estimates(clean.output.float(), classes, heads, spec.n_heads)
            layers = [
                self._prune_each(clean, [HeadPruning(layer, head) for head in range(spec.n_heads)], to_logits=False)
                for layer in range(spec.n_layers)
            ]
        return FirstOrder(**estimated, layer=by_metric(torch.stack([outcome.layer for outcome in layers], 1)))

    @contextmanager
    def _running(self, *, with_gradient: bool = False) -> Iterator[None]:
        with super()._running(with_gradient=with_gradient), ExitStack() as packed:
            # So that runs with and without pruning have the same arithmetic. Packed products have no gradient.
            for plain in self._plain:
                if plain is not None and not with_gradient:
                    packed.enter_context(plain.packed())
            yield

    def _recent(self, image: Tensor, layer: int, *, to_output: bool) -> RestartRun:
        # What follows a plain block takes nothing but its output: there the run can be stopped, and gone on with.
        last = len(self._blocks) - 1
        until = self._block_of[layer] if all(self._plain) else last
        # One that fails is not gone on with.
        run, self._remembered = self._remembered, None
        if run is None or not torch.equal(run.images, image):
            run = RestartRun(image, layers=[LayerRun() for _ in self.model.attention])
            with self._recording(run, until), suppress(_Stopped):
                run.output = self._module(image)
        elif len(run.z) <= layer:
            x, options = run.blocks.pop()
            with self._recording(run, until), suppress(_Stopped):
                for block in self._blocks[len(run.blocks) :]:
                    x = block(x, **options)
                run.output = self._classified(x)
        run.wants_output = to_output
        self._remembered = run
        return run

    def _clean(self, images: Tensor, on_attention: OnAttention | None = None) -> RestartRun:
        run = RestartRun(images, layers=[LayerRun() for _ in self.model.attention])
        with self._recording(run, len(self._blocks) - 1), ExitStack() as hooks:
            for layer, attention in enumerate(self.model.attention):
                if on_attention is not None:
                    hooks.enter_context(attention_hook(attention, lambda a, i=layer: on_attention(i, a)))
            run.output = self._module(images)
        return run

    @contextmanager
    def _recording(self, run: RestartRun, until: int) -> Iterator[None]:
        """Note what a run does, and stop it when block ``until`` is done unless that is the last."""

        def note_input(_block: nn.Module, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
            step()
            run.blocks.append((arguments[0], options))
            if len(run.blocks) - 1 > until:
                raise _Stopped

        with ExitStack() as hooks:
            for block in self._blocks:
                hooks.callback(block.register_forward_pre_hook(note_input, with_kwargs=True).remove)
            for attention, layer_run in zip(self.model.attention, run.layers, strict=True):
                hooks.enter_context(recorded(attention, layer_run))
                hooks.enter_context(z_hook(attention, run.z.append))
            yield

    def _run_from(self, clean: RestartRun, layer: int) -> Tensor:
        first = self._block_of[layer]
        x = clean.blocks[first][0]
        for block, (_, options) in zip(self._blocks[first:], clean.blocks[first:], strict=True):
            x = block(x, **options)
        return self._classified(x)

    def _prune_each(self, clean: RestartRun, prunings: Sequence[HeadPruning], *, to_logits: bool = True) -> Outcome:
        layer, to_logits = prunings[0].layer, to_logits and bool(self.model.spec.n_classes)
        attention, grid = self.model.attention[layer], self.model.spec.grid
        lost = self._lost(clean.layers[layer], layer, prunings)
        head_of = torch.tensor([pruning.head for pruning in prunings], device=lost.device)
        metrics: list[Tensor] = []
        if is_linear(attention):
            heads, gate = self._by_head(clean.layers[layer].heads), clean.layers[layer].gate
            if gate is not None:
                gates = self._by_head(gate)
                heads, lost = heads * gates, lost * gates.permute(2, 0, 1, 3)[head_of]
            metrics.append(self._linear_metrics(layer)(heads, lost, head_of))
            if not to_logits:
                return Outcome(None, metrics[0])
        logits = []
        if clean.lacks_output:
            # Nothing is taken away: the unpruned model runs along.
            lost, head_of = torch.cat([lost, torch.zeros_like(lost[:1])]), torch.cat([head_of, head_of[:1]])
        pruned = self._pruned_block(clean, layer, head_of)
        for part in chunks(len(lost), len(clean.images), self._rows):
            if pruned is not None:
                x = pruned.without(lost[part, :, : self._read(layer)], head_of[part])
                logits.append(self._rest(clean, self._block_of[layer] + 1, x))
                continue
            z = self._pruned_z(clean, layer, lost[part], head_of[part])
            if not is_linear(attention):
                metrics.append(layer_metrics(clean.z[layer], z, grid).transpose(0, 1))
            if to_logits:
                logits.append(self._after(clean, layer, z))
        joined = torch.cat(logits).unflatten(0, (len(lost), -1)).transpose(0, 1) if logits else None
        if joined is not None and clean.lacks_output:
            clean.output, joined = joined[:, -1], joined[:, :-1]
        return Outcome(joined, torch.cat(metrics, 1))

    def _linear_metrics(self, layer: int) -> LinearMetrics:
        if layer not in self._metrics:
            spec, attention = self.model.spec, self.model.attention[layer]
            self._metrics[layer] = LinearMetrics(attention.proj, spec.n_heads, spec.grid)
        return self._metrics[layer]

    def _pruned_block(self, clean: RestartRun, layer: int, head_of: Tensor) -> PrunedBlock | None:
        index = self._block_of[layer]
        plain = self._plain[index]
        if plain is None:
            return None
        x, z, read = clean.blocks[index][0], clean.z[layer], self._read(layer)
        return PrunedBlock(plain, x[:, :read], z[:, :read], head_of)

    def _read(self, layer: int) -> int:
        """How many tokens of a layer's block, from the first, reach the head."""
        return self._n_read if self._block_of[layer] == len(self._blocks) - 1 else self.model.spec.grid.n_tokens

    def _by_head(self, joined: Tensor) -> Tensor:
        return joined.unflatten(-1, (self.model.spec.n_heads, -1))

    def _lost(self, run: LayerRun, layer: int, prunings: Sequence[HeadPruning]) -> Tensor:
        """Outputs of the heads that come from what is pruned, ``(k, n, n_tokens, size)``."""
        heads = self._by_head(run.heads)
        if all(pruning.regions == _WHOLE for pruning in prunings):
            return torch.stack([heads[:, :, pruning.head] for pruning in prunings])
        attention, known = self.model.attention[layer], dict[int, tuple[Tensor, Tensor]]()
        if self._plain[self._block_of[layer]]:
            pruned = {pruning.head for pruning in prunings}
            known = {head: head_attention(attention, run.arguments[0], head) for head in pruned}
        else:
            weights, values = weights_and_values(attention, run)
            known = {head: (weights[:, head], self._by_head(values)[:, :, head]) for head in range(heads.shape[2])}
        masks, lost = dict[frozenset[Region], Tensor](), []
        for pruning in prunings:
            weights, values = known[pruning.head]
            if pruning.regions not in masks:
                mask = torch.from_numpy(pruning_mask(self.model.spec.grid, pruning.regions))
                masks[pruning.regions] = mask.to(weights.device, weights.dtype)
            lost.append((weights * masks[pruning.regions]) @ values)
        return torch.stack(lost)

    def _pruned_z(self, clean: RestartRun, layer: int, lost: Tensor, head_of: Tensor) -> Tensor:
        """z of a layer after each pruning, ``(k, n, n_tokens, width)``; ``lost`` is gated where the layer is linear."""
        attention, run = self.model.attention[layer], clean.layers[layer]
        if is_linear(attention):
            weight = attention.proj.weight.T.unflatten(0, (self.model.spec.n_heads, -1))[head_of]
            return clean.z[layer] - (lost.flatten(1, 2) @ weight).unflatten(1, lost.shape[1:3])
        pruned = []
        for head, part in zip(head_of.tolist(), lost, strict=True):
            heads = self._by_head(run.heads).clone()
            heads[:, :, head] -= part
            pruned.append(projected(attention, heads.flatten(-2), run.gate))
        return torch.stack(pruned)

    def _after(self, clean: RestartRun, layer: int, z: Tensor) -> Tensor:
        """Logits ``(k · n, n_classes)`` when a layer gave z ``(k, n, n_tokens, width)``."""
        index, k = self._block_of[layer], len(z)
        x, options = clean.blocks[index]
        with ExitStack() as answers:
            for other, block in enumerate(self._block_of):
                if block == index:
                    known = z.flatten(0, 1) if other == layer else clean.z[other].repeat(k, 1, 1)
                    answers.enter_context(_answering(self.model.attention[other], known))
            x = self._blocks[index](x.repeat(k, 1, 1), **options)
        return self._rest(clean, index + 1, x)

    def _rest(self, clean: RestartRun, first: int, x: Tensor) -> Tensor:
        """Logits from the input of a block, which may be overwritten."""
        last = len(self._blocks) - 1
        for index in range(first, last + 1):
            step()
            plain = self._plain[index]
            if plain is None:
                x = self._blocks[index](x, **clean.blocks[index][1])
            elif index == last and self._n_read < x.shape[1]:
                x = plain.of_first(x, self._n_read)
            else:
                x = plain(x)
        return self._classified(x)

    def _classified(self, x: Tensor) -> Tensor:
        return self._module.forward_head(self._module.norm(x))


@contextmanager
def _answering(attention: nn.Module, z: Tensor) -> Iterator[None]:
    """Let an attention module give z without computing anything."""
    attention.forward = lambda *_arguments, **_options: z
    try:
        yield
    finally:
        del attention.forward
