"""The modes stage: all pruning modes of every head."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from vitpanel.core.importance import reference_class
from vitpanel.core.metrics import importance_from_pruned
from vitpanel.models.ablation import Ablation
from vitpanel.models.model import ViTModel
from vitpanel.pipeline.step import BlockStep
from vitpanel.pipeline.work import Block, Work
from vitpanel.study.own_stages import N_TOP_CLASSES
from vitpanel.study.stage import Stage


def summarise_modes(
    model: ViTModel, ablation: Ablation, crops: list[Image.Image], labels: np.ndarray
) -> dict[str, np.ndarray]:
    """All arrays of the modes stage for a few images.

    Parameters
    ----------
    crops
        What the model sees, one image each.
    labels
        Class of each image, -1 for none.

    Returns
    -------
    Each ``(n, n_layers, n_heads, 6)``, with a further axis for the most probable classes; NaN for modes that the model
    does not have, whose classes are 0.
    """
    table = ablation.mode_table(model.preprocessing.tensor(crops))
    arrays = {f"modes/{key}": values for key, values in table.layer.items() if not np.isnan(values).all()}
    if table.probabilities is None:
        return arrays
    probabilities = table.probabilities
    reference = reference_class(probabilities[:, 0, 0, 0], labels)[:, None, None, None]
    top = np.argsort(-probabilities, axis=-1, kind="stable")[..., :N_TOP_CLASSES]
    of_top = np.take_along_axis(probabilities, top, axis=-1)
    importance = importance_from_pruned(probabilities[..., :1, :], probabilities, reference)
    arrays |= {f"modes/{key}": values for key, values in importance.items()}
    return arrays | {
        "modes/top_class": np.where(np.isnan(of_top), 0, top).astype(np.uint16),
        "modes/top_probability": of_top,
    }


class ModesStep(BlockStep):
    """All pruning modes of every head, from the crops of the study."""

    def __init__(self, stage: Stage, work: Work) -> None:
        super().__init__(stage, work)
        self.ablation = work.ablation()

    def compute(self, block: Block) -> Mapping[str, np.ndarray]:
        """All modes, image by image: there are six times the heads of each."""
        labels, parts = block.images["label"].to_numpy(), []
        for index, crop in enumerate(block.crops):
            parts.append(summarise_modes(self.work.model, self.ablation, [crop], labels[index, None]))
            block.advance(1)
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def end(self, n_before: int) -> dict[str, Any]:
        """Name the engine."""
        return {"resumed_at": n_before, "engine": type(self.ablation).__name__}
