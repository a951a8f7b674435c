"""Which of timm's models, blocks and attention modules the restart engine knows."""

from collections.abc import Sequence
from typing import Any

from timm.layers.attention import Attention, AttentionRope
from timm.models import beit, eva, vision_transformer, vision_transformer_relpos
from timm.models.deit import VisionTransformerDistilled
from torch import nn

# What was read, function by function; whatever overrides one of these is not taken for it.
_ATTENTION = (
    Attention,
    AttentionRope,
    eva.EvaAttention,
    beit.Attention,
    vision_transformer_relpos.RelPosAttention,
)
_BLOCKS = (
    vision_transformer.Block,
    vision_transformer.ResPostBlock,
    vision_transformer.ParallelThingsBlock,
    eva.EvaBlock,
    eva.EvaBlockPostNorm,
    beit.Block,
    vision_transformer_relpos.RelPosBlock,
    vision_transformer_relpos.ResPostRelPosBlock,
)
_MODELS = (
    vision_transformer.VisionTransformer,
    eva.Eva,
    beit.Beit,
    vision_transformer_relpos.VisionTransformerRelPos,
)


def is_restartable(module: nn.Module, attention: Sequence[nn.Module]) -> bool:
    """Whether a model is a chain of known blocks between an embedding, a norm and a head."""
    blocks = list(getattr(module, "blocks", []))
    inside = {part for block in blocks for part in block.modules()}
    return (
        any(_runs_as(module, known, "forward") and _runs_as(module, known, "forward_features") for known in _MODELS)
        and all(any(_runs_as(block, known, "forward") for known in _BLOCKS) for block in blocks)
        and all(any(_runs_as(part, known, "forward") for known in _ATTENTION) for part in attention)
        and inside.issuperset(attention)
    )


def n_read(module: Any) -> int | None:
    """How many tokens, from the first, the head of a VisionTransformer reads; None for all."""
    if _runs_as(module, VisionTransformerDistilled, "forward_head"):
        return 2
    reads_cls = (
        _runs_as(module, vision_transformer.VisionTransformer, "forward_head")
        and _runs_as(module, vision_transformer.VisionTransformer, "pool")
        and module.attn_pool is None
        and module.global_pool == "token"
    )
    return 1 if reads_cls else None


def _runs_as(module: nn.Module, known: type[nn.Module], method: str) -> bool:
    return getattr(type(module), method, None) is getattr(known, method)
