"""timm's models whose layers have lost heads, each its own number of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from timm.layers.attention import Attention
from torch import nn

from vitpanel.errors import VitpanelError

_HINT = "Give one number for each layer, for instance --model-arg num_heads=[12,9,12,…]."


def heads_apart(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[int, ...]]:
    """Arguments of timm, and the heads of each layer where ``num_heads`` gives them; else nothing."""
    heads = arguments.get("num_heads")
    if not isinstance(heads, list | tuple):
        return dict(arguments), ()
    return {key: value for key, value in arguments.items() if key != "num_heads"}, tuple(heads)


def take_heads_out(module: nn.Module, heads: Sequence[int], *, name: str) -> None:
    """Leave so many heads to each layer of a model, in place; which ones, the weights say that are loaded then.

    Heads keep the size that they have in the whole model.

    Raises
    ------
    VitpanelError
        If there are not as many layers, a layer has less heads, or its attention is not timm's plain one.
    """
    if not heads:
        return
    layers: list[Any] = [part for part in module.modules() if isinstance(getattr(part, "attn_drop", None), nn.Module)]
    if len(layers) != len(heads):
        message = f"num_heads gives the heads of {len(heads)} layers, but {name} has {len(layers)}."
        raise VitpanelError(message, hint=_HINT)
    for layer, (attention, n_heads) in enumerate(zip(layers, heads, strict=True)):
        if type(attention) is not Attention or not isinstance(attention.norm, nn.Identity) or attention.gate:
            message = f"Layer {layer} of {name} is no plain attention of timm, which alone can have lost heads."
            raise VitpanelError(message, hint="Give one number of heads for all layers.")
        if not 1 <= n_heads <= attention.num_heads:
            message = f"num_heads gives layer {layer} {n_heads} heads, but {name} has {attention.num_heads} there."
            raise VitpanelError(message, hint=_HINT)
        _leave(attention, n_heads)


def _leave(attention: Any, n_heads: int) -> None:
    qkv, proj, width = attention.qkv, attention.proj, n_heads * attention.head_dim
    options = {"device": qkv.weight.device, "dtype": qkv.weight.dtype}
    attention.num_heads, attention.attn_dim = n_heads, width
    attention.qkv = nn.Linear(qkv.in_features, 3 * width, bias=qkv.bias is not None, **options)
    attention.proj = nn.Linear(width, proj.out_features, bias=proj.bias is not None, **options)
