"""timm's plain pre-norm block, computed in place and only as far as needed."""

from typing import Any

import torch
from timm.layers import LayerScale
from timm.layers.attention import Attention
from timm.layers.mlp import Mlp
from timm.models.vision_transformer import Block
from torch import Tensor, nn
from torch.nn import functional

# Tokens in one step on a CPU: enough for its matrix products to be fast, few enough for its caches.
CACHED_TOKENS = 800


def is_plain(block: nn.Module) -> bool:
    """Whether a block is timm's pre-norm block without gate and norms inside attention and MLP."""
    return (
        type(block).forward is Block.forward
        and type(block.attn).forward is Attention.forward
        and isinstance(block.attn.norm, nn.Identity)
        and block.attn.gate is None
        and type(block.mlp) is Mlp
        and isinstance(block.mlp.norm, nn.Identity)
        and isinstance(block.mlp.fc1, nn.Linear)
        and all(type(scale) in {LayerScale, nn.Identity} for scale in (block.ls1, block.ls2))
    )


def plain_block(block: Any, x: Tensor) -> Tensor:
    """Output of a block, written over its input ``(rows, n_tokens, width)``."""
    attn = block.attn
    qkv = attn.qkv(block.norm1(x)).unflatten(-1, (3, attn.num_heads, attn.head_dim))
    q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
    heads = functional.scaled_dot_product_attention(attn.q_norm(q), attn.k_norm(k), v)
    _add_linear(x, heads.transpose(1, 2).flatten(2), attn.proj, block.ls1)
    return plain_mlp(block, x)


def head_attention(attn: Any, y: Tensor, head: int) -> tuple[Tensor, Tensor]:
    """A ``(n, n_tokens, n_tokens)`` and V ``(n, n_tokens, size)`` of one head, from the input of attention."""
    size = attn.head_dim
    starts = [part * attn.attn_dim + head * size for part in range(3)]
    q, k, v = (functional.linear(y, *_part(attn.qkv, start, start + size)) for start in starts)
    return ((attn.q_norm(q) * attn.scale) @ attn.k_norm(k).mT).softmax(-1), v


def plain_mlp(block: Any, x: Tensor) -> Tensor:
    """Second half of a block, written over its input."""
    return _activated(block, block.mlp.fc1(block.norm2(x)), x)


def _activated(block: Any, hidden: Tensor, x: Tensor) -> Tensor:
    """Add to x what follows the first linear layer of the MLP; both are overwritten."""
    act = block.mlp.act
    is_gelu = isinstance(act, nn.GELU) and act.approximate == "none"
    hidden = torch.ops.aten.gelu_(hidden) if is_gelu else act(hidden)
    return _add_linear(x, hidden, block.mlp.fc2, block.ls2)


class PrunedBlock:
    """A block without parts of its heads.

    A head is of much lower rank than the block is wide. Since LayerNorm is linear but for one number a token, the
    first layer of the MLP is computed once, and each part changes it by a product over the size of a head.

    Parameters
    ----------
    block
        For which `is_plain` holds.
    x, z
        Input of the block and output of its attention without pruning, ``(n, n_tokens, width)``.
    places
        Head of each part that will be taken away.
    """

    def __init__(self, block: Any, x: Tensor, z: Tensor, places: Tensor) -> None:
        self._block = block
        self._middle = (x + block.ls1(z)).flatten(0, 1)
        self._weights = block.attn.proj.weight.T.unflatten(0, (block.attn.num_heads, -1))
        if isinstance(block.ls1, LayerScale):
            self._weights = self._weights * block.ls1.gamma
        self._hidden: Tensor | None = None
        if isinstance(block.norm2, nn.LayerNorm) and self._low_rank_pays(places):
            self._prepare(places)

    def _low_rank_pays(self, places: Tensor) -> bool:
        n_parts, n_heads, (n_tokens, width) = len(places), len(places.unique()), self._middle.shape
        size = self._weights.shape[1]
        straight = n_parts * n_tokens * width
        return n_tokens * width + n_heads * size * width + n_parts * n_tokens * size < straight

    def _prepare(self, places: Tensor) -> None:
        norm, fc1 = self._block.norm2, self._block.mlp.fc1
        gamma = 1 if norm.weight is None else norm.weight
        self._hidden = ((self._middle - self._middle.mean(-1, keepdim=True)) * gamma) @ fc1.weight.T
        self._changes: dict[int, Tensor] = {}
        for head in places.unique().tolist():
            weight = self._weights[head]
            self._changes[head] = ((weight - weight.mean(-1, keepdim=True)) * gamma) @ fc1.weight.T
        self._bias = torch.zeros_like(fc1.weight[:, 0]) if fc1.bias is None else fc1.bias
        if norm.bias is not None:
            self._bias = self._bias + fc1.weight @ norm.bias

    def without(self, lost: Tensor, places: Tensor) -> Tensor:
        """Output of the block without parts of its heads.

        Parameters
        ----------
        lost
            What is missing of the outputs of heads ``places``, ``(k, n, n_tokens, size)``.

        Returns
        -------
        ``(k · n, n_tokens, width)``.
        """
        lost, shape, heads = lost.flatten(1, 2), lost.shape[1:3], places.tolist()
        x = lost.new_empty((len(lost), *self._middle.shape))
        for row, (part, head) in enumerate(zip(lost, heads, strict=True)):
            torch.addmm(self._middle, part, self._weights[head], alpha=-1, out=x[row])
        if self._hidden is None:
            x = plain_mlp(self._block, x)
        else:
            _, _, scale = torch.native_layer_norm(x, x.shape[-1:], None, None, self._block.norm2.eps)
            hidden = torch.addcmul(self._bias, self._hidden, scale)
            for row, (part, head) in enumerate(zip(lost * scale, heads, strict=True)):
                hidden[row].addmm_(part, self._changes[head], alpha=-1)
            x = _activated(self._block, hidden, x)
        return x.view(-1, *shape[1:], x.shape[-1])


def last_block(block: Any, x: Tensor, n_read: int) -> Tensor:
    """Output of a block for its first tokens alone, ``(rows, n_read, width)``; the others are keys and values.

    Where keys are not normed, q·k = (W_Kᵀ q)·y up to a constant of each row of A, and the mean of the values is the
    value of the mean, so that keys and values of all tokens are never computed.
    """
    attn, y = block.attn, block.norm1(x)
    if not isinstance(attn.k_norm, nn.Identity):
        return _last_block_of_keys(block, x, y, n_read)
    weights = attn.qkv.weight.unflatten(0, (3, attn.num_heads, attn.head_dim))
    q = functional.linear(y[:, :n_read], *_part(attn.qkv, 0, attn.attn_dim)).unflatten(-1, weights.shape[1:3])
    q = attn.q_norm(q) * attn.scale
    asked = torch.einsum("brhe,hed->bhrd", q, weights[1]).flatten(1, 2)
    shares = asked @ y.mT
    mean = (shares.softmax(-1) @ y).unflatten(1, (attn.num_heads, n_read))
    heads = torch.einsum("bhrd,hed->brhe", mean, weights[2]).flatten(-2)
    if attn.qkv.bias is not None:
        heads = heads + attn.qkv.bias[2 * attn.attn_dim :]
    return plain_mlp(block, _add_linear(x[:, :n_read].contiguous(), heads, attn.proj, block.ls1))


def _last_block_of_keys(block: Any, x: Tensor, y: Tensor, n_read: int) -> Tensor:
    attn = block.attn
    q = functional.linear(y[:, :n_read], *_part(attn.qkv, 0, attn.attn_dim))
    kv = functional.linear(y, *_part(attn.qkv, attn.attn_dim, 3 * attn.attn_dim))
    q = q.unflatten(-1, (attn.num_heads, attn.head_dim)).transpose(1, 2)
    k, v = kv.unflatten(-1, (2, attn.num_heads, attn.head_dim)).permute(2, 0, 3, 1, 4)
    heads = functional.scaled_dot_product_attention(attn.q_norm(q), attn.k_norm(k), v)
    heads = heads.transpose(1, 2).flatten(2)
    return plain_mlp(block, _add_linear(x[:, :n_read].contiguous(), heads, attn.proj, block.ls1))


def _part(linear: nn.Linear, start: int, stop: int) -> tuple[Tensor, Tensor | None]:
    """Weight and bias of some outputs of a linear layer."""
    return linear.weight[start:stop], None if linear.bias is None else linear.bias[start:stop]


def _add_linear(x: Tensor, inputs: Tensor, linear: nn.Linear, scale: nn.Module) -> Tensor:
    """Add ``scale(linear(inputs))`` to x, in place."""
    if isinstance(scale, LayerScale):
        return torch.addcmul(x, linear(inputs), scale.gamma, out=x)
    flat = x.view(-1, x.shape[-1])
    flat.addmm_(inputs.flatten(0, -2), linear.weight.T)
    if linear.bias is not None:
        flat += linear.bias
    return x
