"""Wide MLPs by seven products of half the size where there were eight."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import _get_current_dispatch_mode

from vitpanel.models.ablation.base import chunks
from vitpanel.models.ablation.linear import is_packable, packed
from vitpanel.models.ablation.mlp import PlainMlp, add_scaled

# At a width of 384 the additions cost what the eighth product saves.
LEAST_WIDTH = 768
# So do they when there are few tokens.
_LEAST_TOKENS = 256
# Tokens whose hidden features are held at once.
_MOST_TOKENS = 1200


class QuarteredLinear:
    """A linear layer of a matrix in quarters, by Strassen's scheme in Winograd's form.

    Seven products and fifteen additions; four of these are of weights alone and are done once, five come with a
    product. An error is bounded relative to the norms of the matrices, not to each element's own terms as for the
    ordinary product: Higham, Accuracy and Stability of Numerical Algorithms, section 23.2.2. No gradients.

    Parameters
    ----------
    layer
        `is_packable` must hold for it, and its weights must not change any more.
    """

    def __init__(self, layer: nn.Linear) -> None:
        # Quarters of the transposed weight are these in another order, each transposed.
        w11, w12, w21, w22 = quarters(layer.weight.detach())
        t1 = w21 - w11
        t2 = w22 - t1
        self._weights = [packed(weight) for weight in (w11, w12, w22, w12 - t2, t1, t2, w22 - w21)]
        self._left_bias = self._right_bias = None
        if layer.bias is not None:
            self._left_bias, right = layer.bias.detach().clone().chunk(2)
            self._right_bias = right - self._left_bias

    def __call__(self, x: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Quarters of the output from those of the input."""
        x11, x12, x21, x22 = x
        w11, w12, w22, w4, w5, w6, w7 = self._weights
        product, added = torch.ops.mkldnn._linear_pointwise, torch.ops.mkldnn._linear_pointwise.binary  # noqa: SLF001
        first = product(x11, w11, self._left_bias, "none", [], "")
        y11 = added(x12, first, w12, None, "add")
        s = x21 + x22
        fifth = product(s, w5, self._right_bias, "none", [], "")
        s -= x11
        second = added(s, first, w6, None, "add")
        torch.sub(x12, s, out=s)
        y12 = added(s, torch.add(second, fifth, out=first), w22, None, "add")
        torch.sub(x11, x21, out=s)
        third = added(s, second, w7, None, "add")
        y21 = added(x22, third, w4, None, "add")
        return y11, y12, y21, fifth.add_(third)


class QuarteredMlp(PlainMlp):
    """A wide MLP whose hidden features stay in quarters: two halves of the rows by two of the features."""

    def __init__(self, block: Any) -> None:
        # Odd rows are left to the layers themselves, whose weights are not copied once more.
        super().__init__(block, linear=lambda layer: layer)
        self._quartered = QuarteredLinear(block.mlp.fc1), QuarteredLinear(block.mlp.fc2)

    def rows(self, x: Tensor) -> Iterator[slice]:
        """Rows of x that are computed at once: pairs, which have the same tokens, and an odd last one."""
        pairs, odd = divmod(len(x), 2)
        if pairs:
            yield from (slice(2 * some.start, 2 * some.stop) for some in chunks(pairs, 2 * x.shape[1], _MOST_TOKENS))
        if odd:
            yield slice(len(x) - 1, len(x))

    def add(self, x: Tensor) -> None:
        """Add to rows that are computed at once what the MLP makes of them."""
        if _suits(x):
            self._add_activated(x, self._quartered[0](quarters(self.block.norm2(x))))
        else:
            super().add(x)

    def add_activated(self, x: Tensor, hidden: Tensor) -> None:
        """Add to rows that are computed at once what follows the first linear layer; both are overwritten."""
        if _suits(x):
            self._add_activated(x, quarters(hidden))
        else:
            super().add_activated(x, hidden)

    def _add_activated(self, x: Tensor, hidden: Sequence[Tensor]) -> None:
        changes = self._quartered[1]([self.activated(quarter) for quarter in hidden])
        gammas = (None, None) if self.gamma is None else self.gamma.chunk(2)
        for quarter, change, gamma in zip(quarters(x), changes, gammas * 2, strict=True):
            add_scaled(quarter, change, gamma)


def is_wide(block: Any) -> bool:
    """Whether `QuarteredMlp` is faster than `PlainMlp`, and possible."""
    fc1, fc2 = block.mlp.fc1, block.mlp.fc2
    sizes = fc1.in_features, fc1.out_features
    return is_packable(fc1) and is_packable(fc2) and all(size >= LEAST_WIDTH and size % 2 == 0 for size in sizes)


def quarters(x: Tensor) -> tuple[Tensor, ...]:
    """Views of a matrix whose first and last axis are even: top left, top right, bottom left, bottom right."""
    top, bottom = x.chunk(2)
    return *top.chunk(2, -1), *bottom.chunk(2, -1)


def _suits(x: Tensor) -> bool:
    # A dispatch mode is to see the products of the model.
    return not len(x) % 2 and len(x) * x.shape[1] >= _LEAST_TOKENS and _get_current_dispatch_mode() is None
