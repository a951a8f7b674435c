"""Whose names the keys of a checkpoint are, where they are not timm's."""

import re
from collections.abc import Iterable

HUGGING_FACE_HINT = (
    "A ViT, DeiT or DINOv2 is taken with its folder or its name on the hub: --model hf:FOLDER or hf:OWNER/NAME. Others "
    "may be timm's by another name (it has BEiT, CLIP and SigLIP too), or can be loaded into timm's model, whose "
    "state_dict() is then saved."
)
_TIMM_HINT = (
    "Take the same weights by timm's name with --model, or load them into timm's model and save its state_dict()."
)
_HUGGING_FACE = (
    r"encoder\.layers?\.\d+\.attention\.(attention\.)?(query|q_proj|q_lin)\.|embeddings\.patch_embeddings\.|"
    r"vision_model\.(embeddings|encoder)\.|(^|\.)embeddings\.cls_token$"
)
# The first that fits some key counts.
_KINDS = (
    (
        _HUGGING_FACE,
        "a Hugging Face ViT: its names are those of the library transformers",
        HUGGING_FACE_HINT,
    ),
    (r"encoder\.layers\.encoder_layer_\d+\.|(^|\.)conv_proj\.weight$", "a ViT of torchvision", _TIMM_HINT),
    (r"(^|\.)resblocks\.\d+\.", "a CLIP of OpenAI or open_clip", _TIMM_HINT),
    (r"to_patch_embedding\.|\.to_qkv\.", "a ViT of vit-pytorch (lucidrains)", _TIMM_HINT),
    (r"patch_embed\.projection\.|layers\.\d+\.(ln1|attn\.qkv)\.", "a ViT of MMPretrain", _TIMM_HINT),
    (r"MultiHeadDotProductAttention|Transformer/encoderblock|posembed_input", "a ViT of JAX", _TIMM_HINT),
)


def whose_keys(keys: Iterable[str]) -> tuple[str, str] | None:
    """What the keys are those of, in words, and what to do; None where they are not known."""
    names = list(keys)
    for pattern, words, hint in _KINDS:
        if any(re.search(pattern, name) for name in names):
            return words, hint
    return None
