"""The heads stage: all that one pass over a block of images gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from vitpanel.core.grid import Grid
from vitpanel.core.importance import reference_class
from vitpanel.core.patterns import cls_vector, offset_shares, patch_matrix, top_indices
from vitpanel.core.strength import attention_distance, strength_entropy, strength_vectors
from vitpanel.models.ablation import Ablation, images_at_once
from vitpanel.models.images import encode_crop, encode_thumbnail
from vitpanel.models.model import ViTModel
from vitpanel.pipeline.means import sampled_importance
from vitpanel.pipeline.sampling import block_order
from vitpanel.pipeline.step import BlockStep
from vitpanel.pipeline.work import Block, Work
from vitpanel.study.stage import Stage

_AT_ONCE_BYTES = 16 * 2**20


@dataclass
class AttentionSummary:
    """What is kept of A, reduced layer by layer while the model runs; A itself is never kept.

    Parameters
    ----------
    grid
        Token layout of the model.
    """

    grid: Grid
    _parts: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def add(self, _layer: int, attention: Tensor) -> None:
        """Take the attention of the next layer, ``(n, n_heads, n_tokens, n_tokens)``."""
        weights = attention.float().cpu().numpy()
        by_head = weights.reshape(-1, *weights.shape[2:])
        # What is derived takes several times the room of A: a few heads at a time, whatever the number of tokens.
        step = max(1, _AT_ONCE_BYTES // by_head[0].nbytes)
        pieces = [self._reduced(by_head[start : start + step]) for start in range(0, len(by_head), step)]
        for name in pieces[0]:
            part = np.concatenate([piece[name] for piece in pieces])
            self._parts.setdefault(name, []).append(part.reshape(*weights.shape[:2], *part.shape[1:]))

    def _reduced(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """What is kept of a few heads, ``(k, n_tokens, n_tokens)``."""
        kept = {
            "strength": strength_vectors(weights, self.grid),
            "distance": attention_distance(weights, self.grid),
            "patterns/patch_top": top_indices(patch_matrix(weights, self.grid)),
            "patterns/offset": offset_shares(weights, self.grid).reshape(len(weights), -1).astype(np.float16),
        }
        if self.grid.cls is not None:
            kept["patterns/cls"] = cls_vector(weights, self.grid).astype(np.float16)
        return kept

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of the study, each ``(n, n_layers, n_heads, …)``; NaN, or the whole number 0, where no head is."""
        arrays = {name: _padded(parts) for name, parts in self._parts.items()}
        return arrays | {"entropy": strength_entropy(arrays["strength"])}


def _padded(layers: list[np.ndarray]) -> np.ndarray:
    most = max(part.shape[1] for part in layers)
    nothing = np.nan if np.issubdtype(layers[0].dtype, np.floating) else 0
    result = np.full((len(layers[0]), len(layers), most, *layers[0].shape[2:]), nothing, layers[0].dtype)
    for layer, part in enumerate(layers):
        result[:, layer, : part.shape[1]] = part
    return result


def summarise_heads(
    model: ViTModel,
    ablation: Ablation,
    crops: list[Image.Image],
    labels: np.ndarray,
    *,
    known: dict[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """All arrays of the heads stage for a few images.

    Parameters
    ----------
    crops
        What the model sees, one image each.
    labels
        Class of each image, -1 for none.
    known
        Arrays of importance, where they are known: then nothing is pruned.
    """
    summary, images = AttentionSummary(model.spec.grid), model.preprocessing.tensor(crops)
    if known is not None:
        probabilities = ablation.unpruned(images, summary.add)
        return summary.arrays() | known | ({} if probabilities is None else {"probabilities": probabilities})
    result = ablation.leave_one_out(images, summary.add)
    arrays = summary.arrays()
    reference = labels
    if result.probabilities is not None:
        arrays["probabilities"] = result.probabilities
        reference = reference_class(result.probabilities, labels)
    importance = result.importance(reference)
    return arrays | {f"importance/{name}": values for name, values in importance.items()}


class HeadsStep(BlockStep):
    """Attention and pruning of all images; beside its arrays it writes the crops and what the model predicts."""

    def __init__(self, stage: Stage, work: Work) -> None:
        super().__init__(stage, work)
        self.ablation = work.ablation()
        self.known = sampled_importance(work.writer)
        spec = work.model.spec
        self.at_once = max(1, min(work.recipe.batch_size // spec.n_heads, images_at_once(spec)))

    def begin(self) -> list[int]:
        """Return the blocks that are not whole, those with labels not seen before first."""
        labels, recipe = self.work.images["label_name"].tolist(), self.work.recipe
        missing = frozenset(self.writer.pending_blocks())
        return [block for block in block_order(labels, recipe.block_size, seed=recipe.seed) if block in missing]

    def compute(self, block: Block) -> Mapping[str, np.ndarray]:
        """All that one pass over the images gives, a few images at a time."""
        labels, first = block.images["label"].to_numpy(), block.rows.start
        parts: list[dict[str, np.ndarray]] = []
        rows: list[int] = []
        for chosen, known in self.known.groups(block.rows, self.at_once):
            indices = [row - first for row in chosen]
            crops = [block.source_crops[index] for index in indices]
            parts.append(summarise_heads(self.work.model, self.ablation, crops, labels[indices], known=known))
            rows.extend(chosen)
            block.advance(len(chosen))
        order = np.argsort(rows)
        return {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}

    def write(self, block: Block, arrays: Mapping[str, np.ndarray]) -> None:
        """Write arrays and pictures, and the receipt that says that the block is there."""
        kept = {name: values for name, values in arrays.items() if name in self.writer.arrays}
        crops = [encode_crop(crop) for crop in block.source_crops]
        thumbnails = [encode_thumbnail(crop) for crop in block.source_crops]
        self.writer.write_block(block.number, kept, crops=crops, thumbnails=thumbnails)

    def end(self, n_before: int) -> dict[str, Any]:
        """Write what the model predicts into the table of images."""
        self.writer.write_predictions()
        return {"resumed_at": n_before, "engine": type(self.ablation).__name__}
