"""What the rest of vitpanel must know about a model."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from vitpanel.core.grid import Grid


@dataclass(frozen=True)
class ViTSpec:
    """Shape of a vision transformer.

    Parameters
    ----------
    n_layers
        Number of attention modules, in the order in which they run.
    n_heads
        Heads of each layer; of the layer that has most where they differ. Arrays have as many places in each layer,
        and NaN in those without a head.
    grid
        Token kinds and patch grid.
    image_size
        Height and width of the input in pixels.
    pooling
        What the class head reads: ``"token"`` (the CLS token), ``"avg"`` (mean of the patches), ``"token+avg"`` (both)
        or another of timm's names.
    n_classes
        Outputs of the class head; 0 for a model without one.
    heads
        Heads of each layer where they differ, as in a model whose heads were taken out; empty where all have
        ``n_heads``.
    """

    n_layers: int
    n_heads: int
    grid: Grid
    image_size: tuple[int, int]
    pooling: str
    n_classes: int
    heads: tuple[int, ...] = ()

    def heads_of(self, layer: int) -> int:
        """Heads of a layer."""
        return self.heads[layer] if self.heads else self.n_heads

    def has_head(self, layer: int, head: int) -> bool:
        """Whether there is such a head."""
        return 0 <= layer < self.n_layers and 0 <= head < self.heads_of(layer)

    @property
    def is_there(self) -> np.ndarray:
        """Which places of a layer have a head, bool ``(n_layers, n_heads)``."""
        return np.arange(self.n_heads) < np.array([[self.heads_of(layer)] for layer in range(self.n_layers)])

    @property
    def heads_words(self) -> str:
        """How many heads the layers have, as in "12" or "8 to 12"."""
        return f"{min(self.heads)} to {max(self.heads)}" if self.heads else str(self.n_heads)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form, read back by :meth:`from_dict`; ``heads`` only where they differ."""
        content = asdict(self)
        return content if self.heads else {key: value for key, value in content.items() if key != "heads"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Inverse of :meth:`to_dict`."""
        grid = Grid(data["grid"]["rows"], data["grid"]["cols"], tuple(data["grid"]["prefix"]))
        height, width = data["image_size"]
        heads = tuple(data.get("heads", ()))
        fields: dict[str, Any] = data | {"grid": grid, "image_size": (height, width), "heads": heads}
        return cls(**fields)


def head_name(layer: int, head: int) -> str:
    """Long name of a head, as in "layer 0 head 4"."""
    return f"layer {layer} head {head}"


def short_head_name(layer: int, head: int) -> str:
    """Short name of a head, as in "L0 H4"."""
    return f"L{layer} H{head}"
