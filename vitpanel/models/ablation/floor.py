"""The least arithmetic that exact pruning of every head takes, to hold an engine against."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """A plain ViT whose class head reads one token.

    Parameters
    ----------
    n_tokens, width, n_layers, n_heads, hidden
        ``hidden`` is the width inside the MLP.
    """

    n_tokens: int
    width: int
    n_layers: int
    n_heads: int
    hidden: int

    @property
    def block(self) -> int:
        """Multiply-adds of a block: four projections, two products with A, two layers of the MLP."""
        n, d = self.n_tokens, self.width
        return 4 * n * d**2 + 2 * n**2 * d + 2 * n * d * self.hidden

    @property
    def tail(self) -> int:
        """Multiply-adds of a last block that computes CLS alone, its keys and values absorbed."""
        n, d = self.n_tokens, self.width
        return 4 * d**2 + 2 * n * d * self.n_heads + 2 * d * self.hidden

    @property
    def pruned_block(self) -> int:
        """Multiply-adds of the rest of a block without one head: the head out of z and of the MLP's first layer."""
        n, d, size = self.n_tokens, self.width, self.width // self.n_heads
        return n * size * (d + self.hidden) + n * self.hidden * d


def naive_flops(shape: Shape) -> int:
    """Floating point operations of one forward without pruning and one for each head."""
    return 2 * (1 + shape.n_layers * shape.n_heads) * shape.n_layers * shape.block


def captum_flops(shape: Shape) -> int:
    """Floating point operations of captum's LayerFeatureAblation of every head, for one metric.

    Each layer takes a forward for each of its heads, one without pruning, and one more to see what the layer is given.
    """
    return 2 * shape.n_layers * (shape.n_heads + 2) * shape.n_layers * shape.block


def floor_flops(shape: Shape) -> int:
    """Floating point operations of one forward and, for each head, of what depends on it.

    That is the least for weights without structure: after one MLP the change that pruning a head makes has full rank.
    Embedding, class head, and all that is not a matrix product are left out; together they are below one in a hundred.
    """
    last = shape.n_layers - 1
    suffix = sum(shape.pruned_block + (last - 1 - layer) * shape.block + shape.tail for layer in range(last))
    in_last = shape.width**2 // shape.n_heads + 2 * shape.width * shape.hidden
    return 2 * (shape.n_layers * shape.block + shape.n_heads * (suffix + in_last))
