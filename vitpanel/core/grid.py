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

    def name(self, token: int) -> str:
        """Short name of a token, as in "CLS", "register 0" or "patch 23"."""
        if token >= self.n_prefix:
            return f"patch {token - self.n_prefix}"
        kind = self.prefix[token]
        return "CLS" if kind == CLS else f"{kind} {self.prefix[:token].count(kind)}"

    def label(self, token: int) -> str:
        """Name of a token with the place of a patch."""
        place = self.position(token)
        return self.name(token) if place is None else f"{self.name(token)} (row {place[0]}, column {place[1]})"

    def find(self, text: str) -> int | None:
        """Token of that short name, of the bare number of a patch, or of its "row, column"; None if there is none."""
        words = text.strip().lower()
        if words.count(",") == 1 and all(part.strip().isdecimal() for part in words.split(",")):
            row, col = (int(part) for part in words.split(","))
            return self.n_prefix + row * self.cols + col if row < self.rows and col < self.cols else None
        names = {self.name(token).lower(): token for token in range(self.n_tokens)}
        return names.get(f"patch {int(words)}" if words.isdecimal() else words)
