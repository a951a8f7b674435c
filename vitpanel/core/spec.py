"""What the rest of vitpanel must know about a model."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from vitpanel.core.grid import Grid


@dataclass(frozen=True)
class ViTSpec:
    """Shape of a vision transformer.

    Parameters
    ----------
    n_layers
        Number of attention modules, in the order in which they run.
    n_heads
        Heads of each layer.
    grid
        Token kinds and patch grid.
    image_size
        Height and width of the input in pixels.
    pooling
        What the class head reads: ``"token"`` (the CLS token), ``"avg"`` (mean of the patches), ``"token+avg"`` (both)
        or another of timm's names.
    n_classes
        Outputs of the class head; 0 for a model without one.
    """

    n_layers: int
    n_heads: int
    grid: Grid
    image_size: tuple[int, int]
    pooling: str
    n_classes: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form, read back by :meth:`from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Inverse of :meth:`to_dict`."""
        grid = Grid(data["grid"]["rows"], data["grid"]["cols"], tuple(data["grid"]["prefix"]))
        height, width = data["image_size"]
        fields: dict[str, Any] = data | {"grid": grid, "image_size": (height, width)}
        return cls(**fields)


def head_name(layer: int, head: int) -> str:
    """Long name of a head, as in "layer 0 head 4"."""
    return f"layer {layer} head {head}"


def short_head_name(layer: int, head: int) -> str:
    """Short name of a head, as in "L0 H4"."""
    return f"L{layer} H{head}"
