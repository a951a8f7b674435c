"""Where a model of timm attends, and what its tokens are."""

import re
from dataclasses import replace
from typing import Any

from timm.layers import AttentionPoolLatent
from torch import nn

from vitpanel.core.grid import CLS, DISTILLATION, REGISTER, Grid
from vitpanel.models.adapters.timm_site import TimmSite
from vitpanel.models.tracing import Trace, refuse, trace_sites


def trace(module: nn.Module, name: str, input_size: tuple[int, int, int]) -> Trace:
    """Run a model of timm on noise and read its structure from what its attention modules produce.

    Raises
    ------
    UnsupportedModelError
        As `trace_sites`, and if the model has no attention or does not hand out its weights.
    """
    sites = [TimmSite(part) for part in module.modules() if isinstance(getattr(part, "attn_drop", None), nn.Module)]
    if not sites:
        refuse(name, _why_no_weights(module))
    traced = trace_sites(
        module,
        sites,
        lambda: _grid(module, name, input_size),
        name=name,
        input_size=input_size,
        pooling=str(getattr(module, "global_pool", "") or ""),
        n_pools=sum(isinstance(part, AttentionPoolLatent) for part in module.modules()),
    )
    return replace(traced, spec=replace(traced.spec, n_classes=int(getattr(module, "num_classes", 0))))


def _why_no_weights(module: nn.Module) -> str:
    names = {type(part).__name__ for part in module.modules()}
    kinds = sorted(name for name in names if re.search("attention|attn", name, re.IGNORECASE))
    if kinds:
        return f"its attention ({', '.join(kinds)}) does not hand out its weights (timm's attn_drop)"
    return "it has no attention between tokens (no module with timm's attn_drop)"


def _grid(module: Any, name: str, input_size: tuple[int, int, int]) -> Grid:
    """Token kinds and patch grid as the model states them."""
    embed: Any = getattr(module, "patch_embed", getattr(module, "embeds", None))
    size = getattr(embed, "grid_size", None)
    if size is None and hasattr(embed, "dynamic_feat_size"):
        size = embed.dynamic_feat_size(input_size[1:])
    if size is None:
        refuse(name, "it does not say how many rows and columns of patches it has")
    prefix = _prefix(module if hasattr(module, "cls_token") else embed)
    stated = getattr(module, "num_prefix_tokens", len(prefix))
    if stated != len(prefix):
        refuse(name, f"it states {stated} tokens before the patches, but has {len(prefix)}")
    return Grid(int(size[0]), int(size[1]), prefix)


def _prefix(module: Any) -> tuple[str, ...]:
    """Kinds of the prefix tokens in timm's order: CLS, distillation, registers."""
    registers = getattr(module, "reg_token", None)
    return (
        (CLS,) * (getattr(module, "cls_token", None) is not None)
        + (DISTILLATION,) * (getattr(module, "dist_token", None) is not None)
        + (REGISTER,) * (0 if registers is None else registers.shape[-2])
    )
