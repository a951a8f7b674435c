"""Is this model's attention token-to-token attention over one grid of patches? Measured, not guessed from names."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vitpanel.core.grid import CLS, DISTILLATION, REGISTER, Grid
from vitpanel.core.spec import ViTSpec
from vitpanel.errors import UnsupportedModelError
from vitpanel.models.probe import attention_hook

TOLERANCE = 1e-4
MAPS = 4  # dimensions of A: image, head, source, target


@dataclass(frozen=True)
class Trace:
    """What one forward showed: the model's shape and its attention modules in running order."""

    spec: ViTSpec
    attention: tuple[nn.Module, ...]


def trace(module: nn.Module, name: str, input_size: tuple[int, int, int]) -> Trace:
    """Run a model on noise and read its structure from what its attention modules produce.

    Raises
    ------
    UnsupportedModelError
        If a view of vitpanel would show something that is not token attention; the message says what it is.
    """
    candidates = [part for part in module.modules() if isinstance(getattr(part, "attn_drop", None), nn.Module)]
    if not candidates:
        _refuse(name, "it has no attention module that hands out its weights (timm's attn_drop)")
    maps, batch = _attention_maps(module, candidates, input_size)
    if not maps:
        _refuse(name, "none of its attention modules handed out weights when it ran")
    for _, weights in maps:
        _check_map(name, weights, batch)
    heads, tokens = ({weights.shape[axis] for _, weights in maps} for axis in (1, 2))
    if len(tokens) > 1:
        _refuse(name, f"its layers attend over different numbers of tokens: {sorted(tokens)}")
    if len(heads) > 1:
        _refuse(name, f"its layers have different numbers of heads: {sorted(heads)}")
    grid = _grid(module, name, tokens.pop(), input_size)
    for attention, weights in maps:
        _check_heads(name, attention, weights)
    spec = ViTSpec(
        n_layers=len(maps),
        n_heads=heads.pop(),
        grid=grid,
        image_size=input_size[1:],
        pooling=str(getattr(module, "global_pool", "") or ""),
        n_classes=int(getattr(module, "num_classes", 0)),
    )
    return Trace(spec, tuple(attention for attention, _ in maps))


def trust_checks(
    module: nn.Module, traced: Trace, input_size: tuple[int, int, int], device: torch.device
) -> dict[str, float]:
    """Figures that a person can hold against the model, from one forward on noise.

    Returns
    -------
    ``attention_modules`` that ran, ``fused_difference`` = max |output fused − unfused|, and ``row_sum_error`` =
    max |sum of a row of A − 1|.
    """
    image = _noise(1, input_size).to(device)
    sums: list[float] = []
    with torch.inference_mode():
        fused = module(image)
        with ExitStack() as hooks:
            for attention in traced.attention:
                hooks.enter_context(
                    attention_hook(attention, lambda a: sums.append(float((a.float().sum(-1) - 1).abs().max())))
                )
            unfused = module(image)
    return {
        "attention_modules": float(len(sums)),
        "fused_difference": float((fused.float() - unfused.float()).abs().max()),
        "row_sum_error": max(sums),
    }


def _refuse(name: str, reason: str) -> None:
    message = f"{name} is not supported: {reason}."
    hint = "vitpanel takes timm's isotropic ViTs with global attention, for instance vit_*, deit_*, beit*, eva*."
    raise UnsupportedModelError(message, hint=hint)


def _noise(n: int, input_size: tuple[int, int, int]) -> Tensor:
    return torch.randn((n, *input_size), generator=torch.Generator().manual_seed(0))


def _attention_maps(
    module: nn.Module, candidates: list[nn.Module], input_size: tuple[int, int, int]
) -> tuple[list[tuple[nn.Module, Tensor]], int]:
    """Each module's weights in running order. Two images, so that windows folded into the batch show."""
    maps: list[tuple[nn.Module, Tensor]] = []
    with torch.inference_mode(), ExitStack() as hooks:
        for part in candidates:
            hooks.enter_context(attention_hook(part, lambda a, m=part: maps.append((m, a.detach()))))
        module(_noise(2, input_size))
    return maps, 2


def _check_map(name: str, weights: Tensor, batch: int) -> None:
    shape = tuple(weights.shape)
    if len(shape) != MAPS:
        _refuse(name, f"its attention weights have shape {shape}, not (images, heads, tokens, tokens)")
    if shape[0] != batch:
        _refuse(name, f"it attends within windows ({shape[0] // batch} an image), not over the whole grid")
    if shape[2] != shape[3]:
        _refuse(name, f"its {shape[2]} tokens attend to {shape[3]} others, not to one another")
    sums = weights.float().sum(-1)
    if weights.min() < 0 or (sums - 1).abs().max() > TOLERANCE:
        _refuse(name, "the rows of its attention weights are not probabilities")


def _check_heads(name: str, attention: nn.Module, weights: Tensor) -> None:
    declared = getattr(attention, "num_heads", weights.shape[1])
    if declared != weights.shape[1]:
        _refuse(name, f"a layer of {declared} heads gives {weights.shape[1]} attention matrices")


def _grid(module: Any, name: str, n_tokens: int, input_size: tuple[int, int, int]) -> Grid:
    """Token kinds and patch grid as the model states them, held against the number of tokens that attend."""
    embed = getattr(module, "patch_embed", None)
    size = getattr(embed, "grid_size", None)
    if size is None and hasattr(embed, "dynamic_feat_size"):
        size = embed.dynamic_feat_size(input_size[1:])
    if size is None:
        _refuse(name, "it does not say how many rows and columns of patches it has")
    prefix = _prefix(module)
    grid = Grid(int(size[0]), int(size[1]), prefix)
    stated = getattr(module, "num_prefix_tokens", len(prefix))
    if grid.n_tokens != n_tokens or stated != len(prefix):
        _refuse(
            name,
            f"its attention matrices have {n_tokens} rows, but {len(prefix)} prefix tokens and {grid.rows} × "
            f"{grid.cols} patches make {grid.n_tokens}: this is not attention between the patches of one grid",
        )
    return grid


def _prefix(module: Any) -> tuple[str, ...]:
    """Kinds of the prefix tokens in timm's order: CLS, distillation, registers."""
    registers = getattr(module, "reg_token", None)
    return (
        (CLS,) * (getattr(module, "cls_token", None) is not None)
        + (DISTILLATION,) * (getattr(module, "dist_token", None) is not None)
        + (REGISTER,) * (0 if registers is None else registers.shape[-2])
    )
