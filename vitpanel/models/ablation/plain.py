"""timm's plain pre-norm block, computed in place and only as far as needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import torch
from timm.layers import LayerScale
from timm.layers.attention import Attention
from timm.layers.mlp import Mlp
from timm.models.vision_transformer import Block
from torch import Tensor, nn
from torch.nn import functional

from vitpanel.models.ablation.linear import PackedLinear
from vitpanel.models.ablation.mlp import PlainMlp, add_scaled, cached_rows, gamma_of


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


class PlainBlock:
    """A block for which `is_plain` holds, computed in place; what depends on its weights alone is computed once.

    Parameters
    ----------
    block
        Its weights must not change any more.
    """

    def __init__(self, block: Any) -> None:
        self.block = block
        self._qkv, self._proj = PackedLinear(block.attn.qkv), PackedLinear(block.attn.proj)
        self.mlp = PlainMlp(block)
        self._changes: dict[int, Tensor] = {}

    def __call__(self, x: Tensor) -> Tensor:
        """Output of the block, written over its input ``(rows, n_tokens, width)``."""
        attn = self.block.attn
        for rows in cached_rows(x):
            part = x[rows]
            qkv = self._qkv(self.block.norm1(part)).unflatten(-1, (3, attn.num_heads, attn.head_dim))
            q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
            heads = functional.scaled_dot_product_attention(attn.q_norm(q), attn.k_norm(k), v)
            self._add_heads(part, heads.transpose(1, 2).flatten(2))
        return self.mlp(x)

    @contextmanager
    def packed(self) -> Iterator[None]:
        """Let the block, when it is called itself, take the same products."""
        linears = self._qkv, self._proj, self.mlp.fc1, self.mlp.fc2
        for linear in linears:
            linear.layer.forward = linear
        try:
            yield
        finally:
            for linear in linears:
                del linear.layer.forward

    def of_first(self, x: Tensor, n_read: int) -> Tensor:
        """Output of the block for its first tokens alone, ``(rows, n_read, width)``; the others are keys and values.

        Where keys are not normed, q·k = (W_Kᵀ q)·y up to a constant of each row of A, and the mean of the values is
        the value of the mean, so that keys and values of all tokens are never computed.
        """
        attn, y = self.block.attn, self.block.norm1(x)
        read = _read_by_mean if isinstance(attn.k_norm, nn.Identity) else _read_by_key
        x = x[:, :n_read].contiguous()
        self._add_heads(x, read(attn, y, n_read))
        return self.mlp(x)

    def _add_heads(self, x: Tensor, heads: Tensor) -> None:
        add_scaled(x, self._proj(heads), gamma_of(self.block.ls1))

    @cached_property
    def by_head(self) -> Tensor:
        """What the output of each head adds to the residual stream, ``(n_heads, size, width)``."""
        weights = self.block.attn.proj.weight.T.unflatten(0, (self.block.attn.num_heads, -1))
        gamma = gamma_of(self.block.ls1)
        return weights if gamma is None else weights * gamma

    def change(self, head: int) -> Tensor:
        """What the output of a head adds to `PlainMlp.centred_hidden`, ``(size, hidden)``."""
        if head not in self._changes:
            self._changes[head] = self.mlp.centred_hidden(self.by_head[head])
        return self._changes[head]


class PrunedBlock:
    """A block without parts of its heads.

    A head is of much lower rank than the block is wide. Since LayerNorm is linear but for one number a token, the
    first layer of the MLP is computed once, and each part changes it by a product over the size of a head.

    Parameters
    ----------
    plain
        The block.
    x, z
        Input of the block and output of its attention without pruning, ``(n, n_tokens, width)``.
    head_of
        Head of each part that will be taken away, ``(k,)``.
    """

    def __init__(self, plain: PlainBlock, x: Tensor, z: Tensor, head_of: Tensor) -> None:
        self._plain = plain
        self._middle = (x + plain.block.ls1(z)).flatten(0, 1)
        is_low_rank = isinstance(plain.block.norm2, nn.LayerNorm) and self._low_rank_pays(head_of)
        self._hidden = plain.mlp.centred_hidden(self._middle) if is_low_rank else None

    def _low_rank_pays(self, head_of: Tensor) -> bool:
        """Whether low rank takes less already with the first image, when the change of each head is not known yet."""
        n_parts, n_heads, (n_tokens, width) = len(head_of), len(head_of.unique()), self._middle.shape
        size = self._plain.by_head.shape[1]
        straight = n_parts * n_tokens * width
        return n_tokens * width + n_heads * size * width + n_parts * n_tokens * size < straight

    def without(self, lost: Tensor, head_of: Tensor) -> Tensor:
        """Output of the block without parts of its heads.

        Parameters
        ----------
        lost
            What is missing of the outputs of heads, ``(k, n, n_tokens, size)``.
        head_of
            Head of each part, ``(k,)``.

        Returns
        -------
        ``(k · n, n_tokens, width)``.
        """
        plain, lost, shape, heads = self._plain, lost.flatten(1, 2), lost.shape[1:3], head_of.tolist()
        x = lost.new_empty((len(lost), *self._middle.shape))
        for row, (part, head) in enumerate(zip(lost, heads, strict=True)):
            torch.addmm(self._middle, part, plain.by_head[head], alpha=-1, out=x[row])
        if self._hidden is None:
            plain.mlp(x)
        else:
            for rows in cached_rows(x):
                self._add_mlp(x[rows], lost[rows], heads[rows])
        return x.view(-1, *shape[1:], x.shape[-1])

    def _add_mlp(self, x: Tensor, lost: Tensor, heads: list[int]) -> None:
        """Add the second half of the block to what its attention gave without parts of heads."""
        plain = self._plain
        _, _, scale = torch.native_layer_norm(x, x.shape[-1:], None, None, plain.block.norm2.eps)
        hidden = torch.addcmul(plain.mlp.hidden_bias, self._hidden, scale)
        for row, (part, head) in enumerate(zip(lost * scale, heads, strict=True)):
            hidden[row].addmm_(part, plain.change(head), alpha=-1)
        plain.mlp.add_activated(x, hidden)


def head_attention(attn: Any, y: Tensor, head: int) -> tuple[Tensor, Tensor]:
    """A ``(n, n_tokens, n_tokens)`` and V ``(n, n_tokens, size)`` of one head, from the input of attention."""
    size = attn.head_dim
    starts = [part * attn.attn_dim + head * size for part in range(3)]
    q, k, v = (functional.linear(y, *_part(attn.qkv, start, start + size)) for start in starts)
    return ((attn.q_norm(q) * attn.scale) @ attn.k_norm(k).mT).softmax(-1), v


def _read_by_mean(attn: Any, y: Tensor, n_read: int) -> Tensor:
    """Concatenated outputs of the heads for the first tokens, ``(rows, n_read, n_heads · size)``."""
    weights = attn.qkv.weight.unflatten(0, (3, attn.num_heads, attn.head_dim))
    q = functional.linear(y[:, :n_read], *_part(attn.qkv, 0, attn.attn_dim)).unflatten(-1, weights.shape[1:3])
    q = attn.q_norm(q) * attn.scale
    asked = torch.einsum("brhe,hed->bhrd", q, weights[1]).flatten(1, 2)
    shares = asked @ y.mT
    mean = (shares.softmax(-1) @ y).unflatten(1, (attn.num_heads, n_read))
    heads = torch.einsum("bhrd,hed->brhe", mean, weights[2]).flatten(-2)
    return heads if attn.qkv.bias is None else heads + attn.qkv.bias[2 * attn.attn_dim :]


def _read_by_key(attn: Any, y: Tensor, n_read: int) -> Tensor:
    """Give the same, with the keys that a norm needs."""
    q = functional.linear(y[:, :n_read], *_part(attn.qkv, 0, attn.attn_dim))
    kv = functional.linear(y, *_part(attn.qkv, attn.attn_dim, 3 * attn.attn_dim))
    q = q.unflatten(-1, (attn.num_heads, attn.head_dim)).transpose(1, 2)
    k, v = kv.unflatten(-1, (2, attn.num_heads, attn.head_dim)).permute(2, 0, 3, 1, 4)
    heads = functional.scaled_dot_product_attention(attn.q_norm(q), attn.k_norm(k), v)
    return heads.transpose(1, 2).flatten(2)


def _part(linear: nn.Linear, start: int, stop: int) -> tuple[Tensor, Tensor | None]:
    """Weight and bias of some outputs of a linear layer."""
    return linear.weight[start:stop], None if linear.bias is None else linear.bias[start:stop]
