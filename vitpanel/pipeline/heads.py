"""The heads stage: all that one pass over a block of images gives."""

from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from torch import Tensor

from vitpanel.core.grid import Grid
from vitpanel.core.importance import reference_class
from vitpanel.core.patterns import cls_vector, offset_shares, patch_matrix, top_indices
from vitpanel.core.strength import attention_distance, strength_entropy, strength_vectors
from vitpanel.models.ablation import Ablation
from vitpanel.models.model import ViTModel

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
        """Arrays of the study, each ``(n, n_layers, n_heads, …)``."""
        arrays = {name: np.stack(parts, 1) for name, parts in self._parts.items()}
        return arrays | {"entropy": strength_entropy(arrays["strength"])}


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
