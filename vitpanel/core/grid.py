"""The tokens of a ViT: prefix tokens first, then a grid of patches in row-major order."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

CLS = "cls"
REGISTER = "register"
DISTILLATION = "distillation"


@dataclass(frozen=True)
class Grid:
    """Which token is what.

    Parameters
    ----------
    rows, cols
        Size of the patch grid; it need not be square.
    prefix
        Kind of each token before the patches: ``"cls"``, ``"register"`` or ``"distillation"``.
    """

    rows: int
    cols: int
    prefix: tuple[str, ...] = (CLS,)

    @property
    def size(self) -> int:
        """Number of patches, p² of the paper for a square grid."""
        return self.rows * self.cols

    @property
    def n_prefix(self) -> int:
        """Number of tokens before the patches."""
        return len(self.prefix)

    @property
    def n_tokens(self) -> int:
        """Number of all tokens."""
        return self.n_prefix + self.size

    @property
    def n_hops(self) -> int:
        """Number of rings around a patch, its own cell (hop 0) included."""
        return max(self.rows, self.cols)

    @property
    def cls(self) -> int | None:
        """Index of the CLS token, None for a model without one."""
        return self.prefix.index(CLS) if CLS in self.prefix else None

    @property
    def patches(self) -> slice:
        """Where the patch tokens are."""
        return slice(self.n_prefix, self.n_tokens)

    @cached_property
    def hops(self) -> np.ndarray:
        """Chebyshev distance between every two patches, int ``(size, size)``."""
        row, col = np.divmod(np.arange(self.size), self.cols)
        return np.maximum(np.abs(row[:, None] - row), np.abs(col[:, None] - col))

    def position(self, token: int) -> tuple[int, int] | None:
        """Row and column of a patch token, None for a prefix token."""
        if token < self.n_prefix:
            return None
        row, col = divmod(token - self.n_prefix, self.cols)
        return row, col

    def label(self, token: int) -> str:
        """Name of a token as shown to people."""
        place = self.position(token)
        if place is not None:
            return f"patch {token - self.n_prefix} (row {place[0]}, column {place[1]})"
        kind = self.prefix[token]
        if kind == CLS:
            return "CLS"
        return f"{kind} {self.prefix[:token].count(kind)}"
