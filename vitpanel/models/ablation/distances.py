"""Change of z when heads are pruned (Eq. 5 and 6): straight, and in closed form without z after pruning."""

import torch
from torch import Tensor, nn

from vitpanel.core.grid import Grid

# Below this share of |z|², what is left of z is the rounding of float32.
_NOTHING = 1e-12


def cosine_distance(a: Tensor, b: Tensor) -> Tensor:
    """One minus the cosine along the last axis; 1 where either vector is zero. Same law as in `vitpanel.core`."""
    norms = a.norm(dim=-1) * b.norm(dim=-1)
    cosine = torch.where(norms > 0, (a * b).sum(-1) / norms, 0)
    return 1 - cosine.clamp(-1, 1)


def layer_metrics(z: Tensor, pruned: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """Eq. 5 and 6 from z before and after pruning, both broadcast to ``(..., n_tokens, width)``."""
    return _of_tokens(cosine_distance(z.double(), pruned.double()), grid)


class LinearMetrics:
    """Eq. 5 and 6 when z = heads · Wᵀ + b and a part of one head is taken away.

    With c what the part adds to z, cos(z, z − c) needs |z|², z·c and |c|² alone, and these follow from the heads and
    WᵀW, which is computed once and takes 8 bytes times the width squared: |z|² = heads · (Wᵀz + Wᵀb) + |b|²,
    z·c = (Wᵀz)_j · lost, |c|² = lost · W_jᵀ W_j · lost. In float64, since |z − c|² is a difference.

    Parameters
    ----------
    proj
        The output projection. Its weights must not change any more.
    """

    def __init__(self, proj: nn.Linear, n_heads: int, grid: Grid) -> None:
        weight = proj.weight.detach().double()
        bias = torch.zeros_like(weight[:, 0]) if proj.bias is None else proj.bias.detach().double()
        self._grid = grid
        self._gram, self._pulled_bias, self._bias_size = weight.T @ weight, bias @ weight, bias @ bias
        by_head = self._gram.unflatten(0, (n_heads, -1)).unflatten(-1, (n_heads, -1))
        self._gram_of_heads = by_head.diagonal(dim1=0, dim2=2).permute(2, 0, 1).contiguous()

    def __call__(self, heads: Tensor, lost: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Both distances, each ``(n, k)``, for k parts at once.

        Parameters
        ----------
        heads
            What the output projection is given, ``(n, n_tokens, n_heads, size)``.
        lost
            The parts, ``(k, n, n_tokens, size)``.
        places
            Head of each part, ``(k,)``.
        """
        joined, lost = heads.double().flatten(-2), lost.double()
        pulled = joined @ self._gram + self._pulled_bias
        size = ((joined * (pulled + self._pulled_bias)).sum(-1) + self._bias_size).clamp(min=0)
        along = pulled.unflatten(-1, heads.shape[-2:]).permute(2, 0, 1, 3)[places]
        dot = (along * lost).sum(-1)
        gram = self._gram_of_heads[places]
        lost_size = ((lost.flatten(1, 2) @ gram).view_as(lost) * lost).sum(-1)
        left = size - 2 * dot + lost_size
        is_zero = (left <= _NOTHING * size) | (size == 0)
        cosine = torch.where(is_zero, 0, (size - dot) / (size * left.clamp(min=0)).sqrt())
        cls, patch = _of_tokens(1 - cosine.clamp(-1, 1), self._grid)
        return cls.T, patch.T


def _of_tokens(distance: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    cls = torch.full_like(distance[..., 0], torch.nan) if grid.cls is None else distance[..., grid.cls]
    return cls, distance[..., grid.patches].mean(-1)
