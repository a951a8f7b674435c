"""Pruning of heads and of regions of their attention (section 5.2), exact.

Two engines give the same numbers. `HookAblation` runs the whole model once for each pruned head with A edited in
place; it is right for every accepted model. `RestartAblation` runs the model once, takes heads out of z by linearity,
and runs only what follows; it is right for the blocks whose structure it knows. `create_ablation` picks by structure.
"""

from vitpanel.models.ablation.base import Ablation, OnAttention, Precision, images_at_once
from vitpanel.models.ablation.hooks import HookAblation
from vitpanel.models.ablation.known_blocks import is_restartable
from vitpanel.models.ablation.restart import RestartAblation
from vitpanel.models.ablation.results import LeaveOneOut, ModeTable, PrunedTogether
from vitpanel.models.model import ViTModel


def create_ablation(model: ViTModel, *, batch_size: int = 32, precision: Precision = "float32") -> Ablation:
    """Return the fastest engine that is right for a model; no forward has more than ``batch_size`` rows."""
    # What the restart computes at once for all heads of a layer, it computes for layers of equal numbers of them.
    is_known = not model.spec.heads and is_restartable(model.module, model.attention)
    engine = RestartAblation if is_known else HookAblation
    return engine(model, batch_size, precision)


__all__ = [
    "Ablation",
    "HookAblation",
    "LeaveOneOut",
    "ModeTable",
    "OnAttention",
    "Precision",
    "PrunedTogether",
    "RestartAblation",
    "create_ablation",
    "images_at_once",
]
