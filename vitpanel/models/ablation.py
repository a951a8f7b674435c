"""Leave-one-out and region pruning of heads (section 5.2), exact.

Two engines give the same numbers. `HookAblation` runs the whole model once for each pruned head with A edited in
place; it is right for every accepted model. `RestartAblation` knows timm's plain pre-norm block: it takes a head out of
z by linearity, restarts at the pruned block, and computes only the tokens that reach the class head in the last
block. `create_ablation` picks by structure.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from timm.layers.attention import Attention
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor, nn
from torch.nn import functional

from vitpanel.core.grid import Grid
from vitpanel.core.importance import PrunedHead, jensen_shannon
from vitpanel.core.regions import PruningMode, pruning_mask
from vitpanel.models.model import ViTModel
from vitpanel.models.probe import attention_hook, input_hook, output_hook

OnAttention = Callable[[int, Tensor], None]


@dataclass(frozen=True)
class LeaveOneOut:
    """What pruning each head does to a batch of images.

    Parameters
    ----------
    probabilities
        Without pruning, ``(n, n_classes)``; None for a model without a class head.
    pruned
        With one head pruned, ``(n, n_layers, n_heads, n_classes)``, or None.
    cls, patch
        Eq. 5 and 6, ``(n, n_layers, n_heads)``; NaN for tokens that the model does not have.
    """

    probabilities: np.ndarray | None
    pruned: np.ndarray | None
    cls: np.ndarray
    patch: np.ndarray

    def importance(self, reference: np.ndarray) -> dict[str, np.ndarray]:
        """The metrics that the model has, each ``(n, n_layers, n_heads)``.

        Parameters
        ----------
        reference
            Class of each image whose probability is kept, ``(n,)``.
        """
        result = {"patch": self.patch} if np.isnan(self.cls).all() else {"cls": self.cls, "patch": self.patch}
        if self.probabilities is None or self.pruned is None:
            return result
        kept = np.take_along_axis(self.pruned, reference[:, None, None, None], axis=-1)[..., 0]
        return {"probability": kept, "jsd": jensen_shannon(self.probabilities[:, None, None], self.pruned)} | result


class Ablation(Protocol):
    """An engine that prunes heads."""

    def leave_one_out(self, images: Tensor, on_attention: OnAttention) -> LeaveOneOut:
        """Prune every head of every image; ``on_attention(layer, A)`` hears the unpruned attention."""
        ...

    def modes(self, image: Tensor, layer: int, head: int) -> PrunedHead:
        """Run all six pruning modes of a head on one image ``(1, channels, height, width)``."""
        ...


def create_ablation(model: ViTModel, *, batch_size: int = 32) -> Ablation:
    """Return the fastest engine that is right for a model; no forward has more than ``batch_size`` rows."""
    return RestartAblation(model, batch_size) if is_plain(model.module) else HookAblation(model, batch_size)


def is_plain(module: nn.Module) -> bool:
    """Whether a model is timm's VisionTransformer of plain pre-norm blocks, so that `RestartAblation` is right."""
    return (
        isinstance(module, VisionTransformer)
        and type(module).forward_features is VisionTransformer.forward_features
        and all(
            type(block) is Block
            and type(block.attn) is Attention
            and isinstance(block.attn.norm, nn.Identity)
            and block.attn.gate is None
            for block in module.blocks
        )
    )


def cosine_distance(a: Tensor, b: Tensor) -> Tensor:
    """One minus the cosine along the last axis; 1 where either vector is zero. Same law as in `vitpanel.core`."""
    norms = a.norm(dim=-1) * b.norm(dim=-1)
    cosine = torch.where(norms > 0, (a * b).sum(-1) / norms, 0)
    return 1 - cosine.clamp(-1, 1)


def _layer_metrics(z: Tensor, pruned: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """Eq. 5 and 6 from z before and after pruning, both broadcast to ``(..., n_tokens, width)``."""
    distance = cosine_distance(z.float(), pruned.float())
    cls = torch.full_like(distance[..., 0], torch.nan) if grid.cls is None else distance[..., grid.cls]
    return cls, distance[..., grid.patches].mean(-1)


def _chunks(total: int, rows: int, limit: int) -> Iterator[slice]:
    """Slices of ``range(total)`` of at most ``limit // rows`` (but at least 1) each."""
    step = max(1, limit // rows)
    for start in range(0, total, step):
        yield slice(start, min(start + step, total))


def _mode_masks(grid: Grid, device: torch.device) -> Tensor:
    """What each mode keeps of A, ``(6, n_tokens, n_tokens)`` of zeros and ones."""
    keep = np.stack([~pruning_mask(grid, mode.regions) for mode in PruningMode])
    return torch.from_numpy(keep).to(device, torch.float32)


class HookAblation:
    """One forward of the whole model for each pruned head; the reference for every other engine."""

    def __init__(self, model: ViTModel, batch_size: int) -> None:
        self._model = model
        self._batch_size = batch_size

    def leave_one_out(self, images: Tensor, on_attention: OnAttention) -> LeaveOneOut:
        """See `Ablation`."""
        model, spec = self._model, self._model.spec
        images = images.to(model.device)
        with model.lock, torch.inference_mode():
            logits, z = self._clean(images, on_attention)
            pruned: list[list[Tensor]] = []
            metrics: list[tuple[Tensor, Tensor]] = []
            for layer in range(spec.n_layers):
                keep = 1 - torch.eye(spec.n_heads, device=model.device)[:, None, :, None, None]
                outputs, after = self._pruned(images, layer, keep)
                pruned.append(outputs)
                metrics.append(_layer_metrics(z[layer][:, None], after, spec.grid))
        return LeaveOneOut(
            probabilities=_probabilities(logits, spec.n_classes),
            pruned=_probabilities(torch.stack(pruned, 1), spec.n_classes),
            cls=torch.stack([cls for cls, _ in metrics], 1).cpu().numpy(),
            patch=torch.stack([patch for _, patch in metrics], 1).cpu().numpy(),
        )

    def modes(self, image: Tensor, layer: int, head: int) -> PrunedHead:
        """See `Ablation`."""
        model, spec = self._model, self._model.spec
        keep = torch.ones(len(PruningMode), 1, spec.n_heads, spec.grid.n_tokens, spec.grid.n_tokens)
        keep[:, 0, head] = _mode_masks(spec.grid, torch.device("cpu"))
        with model.lock, torch.inference_mode():
            outputs, z = self._pruned(image.to(model.device), layer, keep.to(model.device))
            cls, patch = _layer_metrics(z[:, :1], z, spec.grid)
        return _pruned_head(outputs[0], cls[0], patch[0], spec.n_classes)

    def _clean(self, images: Tensor, on_attention: OnAttention) -> tuple[Tensor, list[Tensor]]:
        z: list[Tensor] = []
        with ExitStack() as hooks:
            for layer, attention in enumerate(self._model.attention):
                hooks.enter_context(attention_hook(attention, lambda a, i=layer: on_attention(i, a)))
                hooks.enter_context(output_hook(attention, z.append))
            return self._model.module(images), z

    def _pruned(self, images: Tensor, layer: int, keep: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and z with A of one layer multiplied by each ``keep[k]``: ``(n, k, ...)`` each."""
        attention, n = self._model.attention[layer], len(images)
        logits, z = [], []
        for part in _chunks(len(keep), n, self._batch_size):
            factors = keep[part].expand(-1, n, *keep.shape[2:]).flatten(0, 1)
            with attention_hook(attention, lambda a, f=factors: a * f), output_hook(attention, z.append):
                logits.append(self._model.module(images.repeat(part.stop - part.start, 1, 1, 1)))
        return tuple(torch.cat(rows).unflatten(0, (-1, n)).transpose(0, 1) for rows in (logits, z))  # type: ignore[return-value]


class RestartAblation:
    """Restarts at the pruned block from its cached input, for models of timm's plain pre-norm blocks."""

    def __init__(self, model: ViTModel, batch_size: int) -> None:
        self._model = model
        self._batch_size = batch_size
        self._module: VisionTransformer = model.module  # type: ignore[assignment]
        grid = model.spec.grid
        # With CLS pooling only the prefix tokens of the last block reach the class head.
        self._read = slice(0, grid.n_prefix) if model.spec.pooling == "token" else slice(0, grid.n_tokens)

    def leave_one_out(self, images: Tensor, on_attention: OnAttention) -> LeaveOneOut:
        """See `Ablation`."""
        spec, pruned, metrics = self._model.spec, [], []
        with self._model.lock, torch.inference_mode():
            x = self._embed(images)
            for layer, block in enumerate(self._module.blocks):
                z, heads = self._attend(block, x, lambda a, i=layer: on_attention(i, a))
                without, cls, patch = self._without_heads(layer, x, z, heads)
                pruned.append(without)
                metrics.append((cls, patch))
                x = _finish(block, x, z)
            logits = self._classify(x)
        return LeaveOneOut(
            probabilities=_probabilities(logits, spec.n_classes),
            pruned=_probabilities(torch.stack(pruned, 1), spec.n_classes) if spec.n_classes else None,
            cls=torch.stack([cls for cls, _ in metrics], 1).cpu().numpy(),
            patch=torch.stack([patch for _, patch in metrics], 1).cpu().numpy(),
        )

    def modes(self, image: Tensor, layer: int, head: int) -> PrunedHead:
        """See `Ablation`."""
        spec = self._model.spec
        with self._model.lock, torch.inference_mode():
            x = self._embed(image)
            for block in self._module.blocks[:layer]:
                x = block(x)
            block, kept = self._module.blocks[layer], []
            with input_hook(block.attn.qkv, kept.append):
                z, _ = self._attend(block, x, kept.append)
            tokens, weights = kept
            lost = weights[:, head] * (1 - _mode_masks(spec.grid, x.device))
            pruned = z - self._projected(block, lost @ self._values(block, tokens, head), head)
            cls, patch = _layer_metrics(z, pruned, spec.grid)
            logits = torch.cat(
                [
                    self._rest(layer, x.expand(part.stop - part.start, -1, -1), pruned[part])
                    for part in _chunks(len(pruned), 1, self._batch_size)
                ]
            )
        return _pruned_head(logits, cls, patch, spec.n_classes)

    def _embed(self, images: Tensor) -> Tensor:
        """Input of the first block."""
        module = self._module
        x = module._pos_embed(module.patch_embed(images.to(self._model.device)))  # noqa: SLF001
        return module.norm_pre(module.patch_drop(x))

    def _attend(self, block: Block, x: Tensor, on_attention: Callable[[Tensor], None]) -> tuple[Tensor, Tensor]:
        """z of a block, and the outputs of its heads before the projection, ``(n, n_tokens, n_heads · size)``."""
        heads: list[Tensor] = []
        with attention_hook(block.attn, on_attention), input_hook(block.attn.proj, heads.append):
            return block.attn(block.norm1(x)), heads[0]

    def _values(self, block: Block, tokens: Tensor, head: int) -> Tensor:
        """V of a head, ``(n, n_tokens, size)``, from the input of the qkv layer."""
        start = 2 * block.attn.attn_dim + head * block.attn.head_dim
        rows = slice(start, start + block.attn.head_dim)
        bias = block.attn.qkv.bias
        return functional.linear(tokens, block.attn.qkv.weight[rows], None if bias is None else bias[rows])

    def _projected(self, block: Block, outputs: Tensor, head: int) -> Tensor:
        """What a head adds to z: its outputs through its columns of the output projection."""
        size = block.attn.head_dim
        return functional.linear(outputs, block.attn.proj.weight[:, head * size : (head + 1) * size])

    def _without_heads(self, layer: int, x: Tensor, z: Tensor, heads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits ``(n, n_heads, n_classes)`` and Eq. 5 and 6 ``(n, n_heads)`` with each head of a layer pruned."""
        block, spec, n = self._module.blocks[layer], self._model.spec, len(x)
        size = block.attn.head_dim
        logits, metrics = [], []
        for part in _chunks(spec.n_heads, n, self._batch_size):
            pruned = torch.stack(
                [
                    z - self._projected(block, heads[..., j * size : (j + 1) * size], j)
                    for j in range(part.start, part.stop)
                ]
            )
            metrics.append(_layer_metrics(z, pruned, spec.grid))
            if spec.n_classes:
                rows = self._rest(layer, x.repeat(part.stop - part.start, 1, 1), pruned.flatten(0, 1))
                logits.append(rows.unflatten(0, (-1, n)))
        cls, patch = (torch.cat(parts).T for parts in zip(*metrics, strict=True))
        return torch.cat(logits).transpose(0, 1) if logits else z.new_empty(0), cls, patch

    def _rest(self, layer: int, x: Tensor, z: Tensor) -> Tensor:
        """Logits when the attention of a block gave z: the rest of the block, the later blocks, the class head."""
        blocks = self._module.blocks
        if layer == len(blocks) - 1:
            return self._classify(_finish(blocks[layer], x[:, self._read], z[:, self._read]))
        x = _finish(blocks[layer], x, z)
        for block in blocks[layer + 1 : -1]:
            x = block(x)
        return self._classify(self._last_block(x))

    def _last_block(self, x: Tensor) -> Tensor:
        """Outputs of the last block for the tokens that reach the class head; the others are keys and values only."""
        block = self._module.blocks[-1]
        if self._read.stop == self._model.spec.grid.n_tokens:
            return block(x)
        attn, y = block.attn, block.norm1(x)
        weights, bias = attn.qkv.weight, attn.qkv.bias
        q = functional.linear(
            y[:, self._read], weights[: attn.attn_dim], None if bias is None else bias[: attn.attn_dim]
        )
        kv = functional.linear(y, weights[attn.attn_dim :], None if bias is None else bias[attn.attn_dim :])
        q = q.unflatten(-1, (attn.num_heads, attn.head_dim)).transpose(1, 2)
        k, v = kv.unflatten(-1, (2, attn.num_heads, attn.head_dim)).permute(2, 0, 3, 1, 4)
        heads = functional.scaled_dot_product_attention(attn.q_norm(q), attn.k_norm(k), v, scale=attn.scale)
        return _finish(block, x[:, self._read], attn.proj(heads.transpose(1, 2).flatten(2)))

    def _classify(self, x: Tensor) -> Tensor:
        return self._module.forward_head(self._module.norm(x))


def _finish(block: Block, x: Tensor, z: Tensor) -> Tensor:
    """Output of a pre-norm block with input x whose attention module gave z."""
    x = x + block.ls1(z)
    return x + block.ls2(block.mlp(block.norm2(x)))


def _probabilities(logits: Tensor, n_classes: int) -> np.ndarray | None:
    return logits.float().softmax(-1).cpu().numpy() if n_classes else None


def _pruned_head(logits: Tensor, cls: Tensor, patch: Tensor, n_classes: int) -> PrunedHead:
    return PrunedHead(_probabilities(logits, n_classes), cls.cpu().numpy(), patch.cpu().numpy())
