"""What is known of heads over many images: the sum of their attention, and their importance by pruning mode."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np


@dataclass(frozen=True)
class AttentionSum:
    """Attention of some layers, summed over images.

    Parameters
    ----------
    n_images
        How many images.
    layers
        By layer, float32 ``(n_heads, n_tokens, n_tokens)``; empty without images.
    """

    n_images: int = 0
    layers: Mapping[int, np.ndarray] = field(default_factory=dict[int, np.ndarray])

    def __len__(self) -> int:
        return self.n_images

    @property
    def nbytes(self) -> int:
        """Bytes of all sums."""
        return sum(layer.nbytes for layer in self.layers.values())

    def joined(self, more: Self) -> Self:
        """The sum over these images and more, of the same layers."""
        sums = {layer: values + self.layers[layer] if self.layers else values for layer, values in more.layers.items()}
        return type(self)(self.n_images + more.n_images, sums)

    def mean(self, layer: int, head: int) -> np.ndarray:
        """Mean attention of a head, float32 ``(n_tokens, n_tokens)``; its rows sum to 1 as those of each image do."""
        return self.layers[layer][head] / np.float32(self.n_images)


@dataclass(frozen=True)
class ModesOfImages:
    """One head of several images under the six pruning modes.

    Parameters
    ----------
    images
        Numbers of the images, ``(n,)``.
    drawn
        What charts draw of each metric, by its key, float ``(n, 6)``; NaN where it is not defined.
    """

    images: np.ndarray
    drawn: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.images.nbytes + sum(values.nbytes for values in self.drawn.values())

    def joined(self, more: Self) -> Self:
        """These images and more."""
        if not len(self):
            return more
        drawn = {metric: np.concatenate([values, more.drawn[metric]]) for metric, values in self.drawn.items()}
        return type(self)(np.concatenate([self.images, more.images]), drawn)

    @classmethod
    def none(cls) -> Self:
        """No image yet."""
        return cls(np.zeros(0, np.int64), {})
