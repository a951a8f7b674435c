"""Metrics of a layer's output when heads are pruned: straight, and in closed form without z after pruning.

All of them come from the cosine distance of each token (Eq. 5 and 6 take that of CLS and the mean over patches); what
is made of it, `vitpanel.core.metrics` says.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from vitpanel.core import metrics
from vitpanel.core.grid import Grid

# Below this share of |z|², what is left of z is the rounding of float32.
_NOTHING = 1e-12


def cosine_distance(a: Tensor, b: Tensor) -> Tensor:
    """One minus the cosine along the last axis; 1 where either vector is zero. Same law as in `vitpanel.core`."""
    norms = a.norm(dim=-1) * b.norm(dim=-1)
    cosine = torch.where(norms > 0, (a * b).sum(-1) / norms, 0)
    return 1 - cosine.clamp(-1, 1)


def layer_metrics(z: Tensor, pruned: Tensor, grid: Grid) -> Tensor:
    """Metrics of the layer, along the last axis, from z before and after pruning, ``(…, n_tokens, width)``."""
    return _of_tokens(cosine_distance(z.double(), pruned.double()), grid)


def by_metric(values: Tensor) -> dict[str, np.ndarray]:
    """Values along the last axis by the keys of the metrics of a layer, float32."""
    return {
        metric.key: values[..., index].float().cpu().numpy() for index, metric in enumerate(metrics.layer_metrics())
    }


class LinearMetrics:
    """Metrics of a layer when z = heads · Wᵀ + b and a part of one head is taken away.

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

    def __call__(self, heads: Tensor, lost: Tensor, head_of: Tensor) -> Tensor:
        """Metrics ``(n, k, n_metrics)`` for k parts at once.

        Parameters
        ----------
        heads
            What the output projection is given, ``(n, n_tokens, n_heads, size)``.
        lost
            The parts, ``(k, n, n_tokens, size)``.
        head_of
            Head of each part, ``(k,)``.
        """
        joined, lost = heads.double().flatten(-2), lost.double()
        pulled = joined @ self._gram + self._pulled_bias
        size = ((joined * (pulled + self._pulled_bias)).sum(-1) + self._bias_size).clamp(min=0)
        along = pulled.unflatten(-1, heads.shape[-2:]).permute(2, 0, 1, 3)[head_of]
        dot = (along * lost).sum(-1)
        gram = self._gram_of_heads[head_of]
        lost_size = ((lost.flatten(1, 2) @ gram).view_as(lost) * lost).sum(-1)
        left = size - 2 * dot + lost_size
        is_zero = (left <= _NOTHING * size) | (size == 0)
        cosine = torch.where(is_zero, 0, (size - dot) / (size * left.clamp(min=0)).sqrt())
        return _of_tokens(1 - cosine.clamp(-1, 1), self._grid).transpose(0, 1)


def _of_tokens(distance: Tensor, grid: Grid) -> Tensor:
    """Metrics along the last axis in the order of the registry; NaN for one that needs a token that there is not."""
    nothing = torch.full_like(distance[..., 0], torch.nan)
    return torch.stack(list(_each(distance, grid, nothing)), -1)


def _each(distance: Tensor, grid: Grid, nothing: Tensor) -> Iterator[Tensor]:
    for metric in metrics.layer_metrics():
        lacks_token = metric.needs == metrics.CLS and grid.cls is None
        yield nothing if lacks_token or metric.from_distances is None else metric.from_distances(distance, grid)
