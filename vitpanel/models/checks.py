"""Is this model's attention token-to-token attention over one grid of patches? Measured, not guessed from names."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import torch
from torch import Tensor, nn

from vitpanel.core.grid import CLS, DISTILLATION, REGISTER, Grid
from vitpanel.core.spec import ViTSpec
from vitpanel.errors import UnsupportedModelError
from vitpanel.models.probe import attention_hook, input_hook

TOLERANCE = 1e-4
N_PROBES = 2
N_AXES = 4  # of A: image, head, source, target
N_INPUT_AXES = 3  # image, token, channel


class AttentionMap(NamedTuple):
    """What one attention module produced, and what it was given."""

    module: nn.Module
    weights: Tensor
    input_shape: tuple[int, ...]


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
    maps = _attention_maps(module, candidates, input_size)
    if not maps:
        _refuse(name, "none of its attention modules handed out weights when it ran")
    for attention_map in maps:
        _check_map(name, attention_map)
    heads, tokens = ({found.weights.shape[axis] for found in maps} for axis in (1, 2))
    if len(tokens) > 1:
        _refuse(name, f"its layers attend over different numbers of tokens: {sorted(tokens)}")
    if len(heads) > 1:
        _refuse(name, f"its layers have different numbers of heads: {sorted(heads)}")
    grid = _grid(module, name, tokens.pop(), input_size)
    spec = ViTSpec(
        n_layers=len(maps),
        n_heads=heads.pop(),
        grid=grid,
        image_size=input_size[1:],
        pooling=str(getattr(module, "global_pool", "") or ""),
        n_classes=int(getattr(module, "num_classes", 0)),
    )
    return Trace(spec, tuple(found.module for found in maps))


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


def _refuse(name: str, reason: str) -> NoReturn:
    message = f"{name} is not supported: {reason}."
    hint = "vitpanel takes timm's isotropic ViTs with global attention, for instance vit_*, deit_*, beit*, eva*."
    raise UnsupportedModelError(message, hint=hint)


def _noise(n: int, input_size: tuple[int, int, int]) -> Tensor:
    return torch.randn((n, *input_size), generator=torch.Generator().manual_seed(0))


def _attention_maps(
    module: nn.Module, candidates: list[nn.Module], input_size: tuple[int, int, int]
) -> list[AttentionMap]:
    """Weights of each module in running order. `N_PROBES` images, so that windows folded into the batch show."""
    maps: list[AttentionMap] = []
    inputs: dict[nn.Module, tuple[int, ...]] = {}
    with torch.inference_mode(), ExitStack() as hooks:
        for part in candidates:
            hooks.enter_context(input_hook(part, lambda x, p=part: inputs.update({p: tuple(x.shape)})))
            hooks.enter_context(attention_hook(part, lambda a, p=part: maps.append(AttentionMap(p, a, inputs[p]))))
        module(_noise(N_PROBES, input_size))
    return maps


def _check_map(name: str, found: AttentionMap) -> None:
    """Refuse what is not one matrix of probabilities between all tokens for each image and head."""
    weights, shape = found.weights, tuple(found.weights.shape)
    if len(shape) != N_AXES:
        _refuse(name, f"its attention weights have shape {shape}, not (images, heads, tokens, tokens)")
    if shape[0] != N_PROBES:
        _refuse(name, f"it attends within windows ({shape[0] // N_PROBES} an image), not over the whole grid")
    if shape[2] != shape[3]:
        _refuse(name, f"its {shape[2]} tokens attend to {shape[3]} others, not to one another")
    if len(found.input_shape) == N_INPUT_AXES and found.input_shape[1] != shape[2]:
        _refuse(
            name,
            f"its attention matrices are {shape[2]} × {shape[3]} for {found.input_shape[1]} tokens: it attends between "
            "channels, not between tokens",
        )
    if weights.min() < 0 or (weights.float().sum(-1) - 1).abs().max() > TOLERANCE:
        _refuse(name, "the rows of its attention weights are not probabilities (heads are mixed or subtracted)")
    declared = getattr(found.module, "num_heads", shape[1])
    if declared != shape[1]:
        _refuse(name, f"a layer of {declared} heads gives {shape[1]} attention matrices")


def _grid(module: Any, name: str, n_tokens: int, input_size: tuple[int, int, int]) -> Grid:
    """Token kinds and patch grid as the model states them, held against the number of tokens that attend."""
    embed: Any = getattr(module, "patch_embed", None)
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
