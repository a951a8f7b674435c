"""What the live model says of heads over many images, a few of them at a time."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vitpanel.core.head_means import AttentionSum, ModesOfImages
from vitpanel.core.metrics import metrics
from vitpanel.core.pruned_head import PrunedHead
from vitpanel.state.queries.modes import reference_class
from vitpanel.study.reader import Study

if TYPE_CHECKING:
    from vitpanel.models.model import ViTModel


def attention_sum(model: "ViTModel", pixels: Any, layers: Sequence[int]) -> AttentionSum:
    """Attention of some layers, summed over the images whose pixels are given."""
    sums = dict[int, np.ndarray]()

    def add(layer: int, attention: Any) -> None:
        sums[layer] = attention.float().sum(0).cpu().numpy()

    model.attend(pixels, add, layers=layers)
    return AttentionSum(len(pixels), sums)


def modes_of_images(study: Study, images: np.ndarray, prune: Callable[[int], PrunedHead]) -> ModesOfImages:
    """Pruning modes of a head on each of some images, which ``prune`` computes."""
    judged = [(prune(image), reference_class(study, image)) for image in images.tolist()]
    drawn = {
        metric.key: np.stack([pruned.drawn(metric.key, reference or 0) for pruned, reference in judged])
        for metric in metrics()
    }
    return ModesOfImages(images, drawn)
