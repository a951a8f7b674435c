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


def linear_layer_metrics(
    heads: Tensor, lost: Tensor, places: Tensor, proj: nn.Linear, grid: Grid
) -> tuple[Tensor, Tensor]:
    """Eq. 5 and 6 when z = heads · Wᵀ + b and a part of one head is taken away, for k parts at once.

    With c what the part adds to z, cos(z, z − c) needs |z|², z·c and |c|² alone, and these follow from the heads:
    z·c = (z W_j)·lost, |c|² = lost · W_jᵀ W_j · lost. In float64, since |z − c|² is a difference.

    Parameters
    ----------
    heads
        What the output projection is given, ``(n, n_tokens, n_heads, size)``.
    lost
        The parts, ``(k, n, n_tokens, size)``.
    places
        Head of each part, ``(k,)``.
    proj
        The output projection.

    Returns
    -------
    Each ``(n, k)``.
    """
    heads, lost = heads.double(), lost.double()
    weight = proj.weight.double()
    z = heads.flatten(-2) @ weight.T
    if proj.bias is not None:
        z += proj.bias.double()
    size = (z * z).sum(-1)
    # Each head once, however many of its parts there are.
    present, which = places.unique(return_inverse=True)
    of_heads = weight.T.unflatten(0, heads.shape[-2:])[present]
    along = torch.einsum("ntd,hed->hnte", z, of_heads)[which]
    gram = (of_heads @ of_heads.mT)[which]
    dot = (along * lost).sum(-1)
    lost_size = ((lost.flatten(1, 2) @ gram).view_as(lost) * lost).sum(-1)
    left = size - 2 * dot + lost_size
    is_zero = (left <= _NOTHING * size) | (size == 0)
    cosine = torch.where(is_zero, 0, (size - dot) / (size * left.clamp(min=0)).sqrt())
    cls, patch = _of_tokens(1 - cosine.clamp(-1, 1), grid)
    return cls.T, patch.T


def _of_tokens(distance: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    cls = torch.full_like(distance[..., 0], torch.nan) if grid.cls is None else distance[..., grid.cls]
    return cls, distance[..., grid.patches].mean(-1)
