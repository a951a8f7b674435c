"""The engine that is right for every accepted model, and slow."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import torch
from torch import Tensor

from vitpanel.core.regions import HeadPruning, pruning_mask
from vitpanel.models.ablation.base import Ablation, OnAttention, Outcome, chunks, images_at_once
from vitpanel.models.ablation.layer_metrics import layer_metrics


@dataclass
class HookRun:
    """A run without pruning."""

    images: Tensor
    z: list[Tensor] = field(default_factory=list)
    output: Tensor = field(init=False)


class HookAblation(Ablation[HookRun]):
    """One forward of the whole model for each pruned head."""

    def _clean(self, images: Tensor, on_attention: OnAttention | None = None) -> HookRun:
        run = HookRun(images)
        with ExitStack() as hooks:
            for layer, site in enumerate(self.model.sites):
                if on_attention is not None:
                    hooks.enter_context(site.weights_hook(lambda a, i=layer: on_attention(i, a)))
                hooks.enter_context(site.z_hook(run.z.append))
            run.output = self.model.module(images)
        return run

    def _prune_each(self, clean: HookRun, prunings: Sequence[HeadPruning]) -> Outcome:
        layer, n = prunings[0].layer, len(clean.images)
        site, grid = self.model.sites[layer], self.model.spec.grid
        logits, metrics = [], []
        for part in chunks(len(prunings), n, min(self.batch_size, images_at_once(self.model.spec))):
            z: list[Tensor] = []

            def edit(weights: Tensor, prunings: Sequence[HeadPruning] = prunings[part]) -> Tensor:
                weights = weights.clone()
                for row, pruning in enumerate(prunings):
                    mask = torch.from_numpy(pruning_mask(grid, pruning.regions)).to(weights.device)
                    weights[row * n : (row + 1) * n, pruning.head].masked_fill_(mask, 0)
                return weights

            with site.weights_hook(edit), site.z_hook(z.append):
                output = self.model.module(clean.images.repeat(part.stop - part.start, 1, 1, 1))
            logits.append(output.unflatten(0, (-1, n)))
            metrics.append(layer_metrics(clean.z[layer], z[0].unflatten(0, (-1, n)), grid))
        has_classes = bool(self.model.spec.n_classes)
        return Outcome(torch.cat(logits).transpose(0, 1) if has_classes else None, torch.cat(metrics).transpose(0, 1))

    def _run_from(self, clean: HookRun, layer: int) -> Tensor:  # noqa: ARG002 - it always runs everything
        return self.model.module(clean.images)
