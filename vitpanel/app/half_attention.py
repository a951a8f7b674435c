"""Attention kept in half precision."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

# Largest entry of a head as it is kept: float16 ends at 65,504.
_LARGEST = 15


class HalfAttention:
    """Attention of one layer in float16, each head scaled by a power of two; ``half[head]`` is float32 again.

    Scaled, entries down to 2⁻²⁸ of the head's largest have 11 bits, so that the third digit, the last that is shown of
    them, is off by one at most; in plain float16 those below 6e-5 have fewer.

    Parameters
    ----------
    attention
        ``(n_heads, n_tokens, n_tokens)``, not negative.
    """

    def __init__(self, attention: "Tensor") -> None:
        import torch

        # frexp: largest < 2**exponent. The bound keeps the way back from becoming 0.
        up = (_LARGEST - torch.frexp(attention.amax((1, 2))).exponent).clamp(max=126)
        factors = torch.ldexp(torch.ones_like(up, dtype=attention.dtype), up)
        scaled = torch.empty_like(attention, dtype=torch.half)
        # Head by head, so that what is scaled stays in the cache of the processor.
        for head, factor in enumerate(factors):
            scaled[head] = attention[head] * factor
        self.scaled: np.ndarray = scaled.cpu().numpy()
        self._back: np.ndarray = factors.reciprocal().cpu().numpy()

    def __getitem__(self, head: int) -> np.ndarray:
        """Attention of a head, float32 ``(n_tokens, n_tokens)``."""
        return self.scaled[head].astype(np.float32) * self._back[head]

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return self.scaled.nbytes + self._back.nbytes
