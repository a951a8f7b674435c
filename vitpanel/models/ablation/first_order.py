"""What one forward and its gradient tell about pruning every head, for means over many images.

For a single image this is no importance: what is far from linear, as the effect of a head through several layers, it
gets wrong. It correlates with the exact values over images, and that is all that a control variate needs. The
divergence of the predictions has no first order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class FirstOrder:
    """A batch of images without pruning, and first-order estimates of pruning each head.

    Parameters
    ----------
    unpruned
        Probability of the reference class, ``(n,)``.
    left
        Estimate of what pruning each head leaves of it, ``(n, n_layers, n_heads)``.
    layer
        By each metric of a layer, exact; NaN for tokens that the model does not have.
    """

    unpruned: np.ndarray
    left: np.ndarray
    layer: dict[str, np.ndarray]


def log_odds(logits: Tensor, classes: Tensor) -> Tensor:
    """log(p / (1 − p)) of one class of each image, ``(n,)``.

    Its gradient does not vanish where p is near 0 or 1, as that of p does.
    """
    wanted = torch.nn.functional.one_hot(classes, logits.shape[-1]).bool()
    others = logits.masked_fill(wanted, -torch.inf)
    return logits.gather(-1, classes[:, None])[:, 0] - others.logsumexp(-1)


def change_without_heads(value: Tensor, heads: Sequence[Tensor], n_heads: int) -> Tensor:
    """First-order change of a value of each image when the output of a head becomes 0.

    Parameters
    ----------
    value
        ``(n,)``, with a graph, which is used up.
    heads
        Concatenated outputs of the heads of each layer, ``(n, n_tokens, n_heads · size)``.

    Returns
    -------
    ``(n, n_layers, n_heads)``.
    """
    gradients = torch.autograd.grad(value.sum(), list(heads))
    changes = [
        -(gradient * outputs.detach()).unflatten(-1, (n_heads, -1)).sum((1, 3))
        for gradient, outputs in zip(gradients, heads, strict=True)
    ]
    return torch.stack(changes, 1)


def estimates(logits: Tensor, reference: Tensor, heads: Sequence[Tensor], n_heads: int) -> dict[str, np.ndarray]:
    """Probability of the reference class, without pruning and with each head pruned: its log-odds to first order."""
    odds = log_odds(logits, reference)
    change = change_without_heads(odds, heads, n_heads)
    odds = odds.detach().double()
    values = {"unpruned": odds, "left": odds[:, None, None] + change}
    return {name: value.sigmoid().float().cpu().numpy() for name, value in values.items()}
