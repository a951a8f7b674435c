"""Is this model's attention token-to-token attention over one grid of patches? Measured, not guessed from names."""

import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import torch
from timm.layers import AttentionPoolLatent
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from vitpanel.core.grid import CLS, DISTILLATION, REGISTER, Grid
from vitpanel.core.spec import ViTSpec
from vitpanel.errors import UnsupportedModelError
from vitpanel.models.probe import attention_hook, input_hook

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
    """What one forward showed: the model's shape and its attention modules in running order.

    Parameters
    ----------
    n_outputs
        Length of the output vector of an image; None where the output is something else than one vector.
    """

    spec: ViTSpec
    attention: tuple[nn.Module, ...]
    n_outputs: int | None


def trace(module: nn.Module, name: str, input_size: tuple[int, int, int]) -> Trace:
    """Run a model on noise and read its structure from what its attention modules produce.

    Raises
    ------
    UnsupportedModelError
        If a view of vitpanel would show something that is not token attention; the message says what it is.
    """
    candidates = [part for part in module.modules() if isinstance(getattr(part, "attn_drop", None), nn.Module)]
    if not candidates:
        _refuse(name, _why_no_weights(module))
    output, maps, n_hidden = _run(module, name, candidates, input_size)
    if not maps:
        _refuse(name, "none of its attention modules handed out weights when it ran")
    for attention_map in maps:
        _check_map(name, attention_map)
    _check_modules(name, candidates, [found.module for found in maps])
    n_pools = sum(isinstance(part, AttentionPoolLatent) for part in module.modules())
    if n_hidden > n_pools:
        _refuse(name, f"{n_hidden - n_pools} of its attention layers keep their weights to themselves")
    heads, tokens = ({found.weights.shape[axis] for found in maps} for axis in (1, 2))
    if len(tokens) > 1:
        _refuse(name, f"its layers attend over different numbers of tokens: {', '.join(map(str, sorted(tokens)))}")
    if len(heads) > 1:
        _refuse(name, f"its layers have different numbers of heads: {', '.join(map(str, sorted(heads)))}")
    spec = ViTSpec(
        n_layers=len(maps),
        n_heads=heads.pop(),
        grid=_grid(module, name, tokens.pop(), input_size),
        image_size=input_size[1:],
        pooling=str(getattr(module, "global_pool", "") or ""),
        n_classes=int(getattr(module, "num_classes", 0)),
    )
    is_vector = isinstance(output, Tensor) and output.ndim == 2  # noqa: PLR2004 - images, values
    return Trace(spec, tuple(found.module for found in maps), output.shape[1] if is_vector else None)


def noise(n: int, input_size: tuple[int, int, int]) -> Tensor:
    """Images of noise, the same each time."""
    return torch.randn((n, *input_size), generator=torch.Generator().manual_seed(0))


def _refuse(name: str, reason: str) -> NoReturn:
    message = f"{name} is not supported: {reason}."
    hint = "vitpanel takes timm's isotropic ViTs with global attention, for instance vit_*, deit_*, beit*, eva*."
    raise UnsupportedModelError(message, hint=hint)


class _FusedCalls(TorchFunctionMode):
    """Counts calls of the fused attention, which hands out no weights."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func is functional.scaled_dot_product_attention
        return func(*args, **(kwargs or {}))


def _run(
    module: nn.Module, name: str, candidates: list[nn.Module], input_size: tuple[int, int, int]
) -> tuple[Any, list[AttentionMap], int]:
    """Run on `N_PROBES` images, so that windows folded into the batch show.

    Returns
    -------
    The output, the weights of each module in running order, and how often attention ran without handing them out.
    """
    maps: list[AttentionMap] = []
    inputs: dict[nn.Module, tuple[int, ...]] = {}
    with torch.inference_mode(), ExitStack() as hooks, _FusedCalls() as hidden:
        for part in candidates:
            hooks.enter_context(input_hook(part, lambda x, p=part: inputs.update({p: tuple(x.shape)})))
            hooks.enter_context(attention_hook(part, lambda a, p=part: maps.append(AttentionMap(p, a, inputs[p]))))
        try:
            output = module(noise(N_PROBES, input_size))
        except Exception as error:
            message = f"{name} cannot be run on images of {' × '.join(map(str, input_size))}: {error}"
            hint = "Give the size that it was built for with --model-arg, for instance img_size=224."
            raise UnsupportedModelError(message, hint=hint) from error
    return output, maps, hidden.count


def _why_no_weights(module: nn.Module) -> str:
    names = {type(part).__name__ for part in module.modules()}
    kinds = sorted(name for name in names if re.search("attention|attn", name, re.IGNORECASE))
    if kinds:
        return f"its attention ({', '.join(kinds)}) does not hand out its weights (timm's attn_drop)"
    return "it has no attention between tokens (no module with timm's attn_drop)"


def _check_modules(name: str, candidates: list[nn.Module], ran: list[nn.Module]) -> None:
    if len(set(ran)) < len(ran):
        _refuse(name, "an attention module runs more than once: layers share it, and it cannot be pruned in one alone")
    if len(ran) < len(candidates):
        _refuse(name, f"only {len(ran)} of its {len(candidates)} attention modules handed out weights when it ran")


def _check_map(name: str, found: AttentionMap) -> None:
    """Refuse what is not one matrix of weights between all tokens for each image and head."""
    weights, shape = found.weights, tuple(found.weights.shape)
    if len(shape) > N_AXES:
        _refuse(name, f"it attends within windows: its attention weights have shape {shape}")
    if len(shape) < N_AXES:
        _refuse(name, f"it does not keep its heads apart: its attention weights have shape {shape}")
    if shape[0] != N_PROBES:
        _refuse(name, f"it attends within windows ({shape[0] // N_PROBES} an image), not over the whole grid")
    if shape[2] != shape[3]:
        _refuse(name, f"its attention matrices are {shape[2]} × {shape[3]}: not all tokens attend to one another")
    if len(found.input_shape) == N_INPUT_AXES and found.input_shape[1] != shape[2]:
        _refuse(
            name,
            f"its attention matrices are {shape[2]} × {shape[3]} for {found.input_shape[1]} tokens: it attends between "
            "channels, not between tokens",
        )
    declared = getattr(found.module, "num_heads", shape[1])
    if shape[1] == 2 * declared:
        _refuse(name, f"each of its {declared} heads is the difference of two attention matrices")
    if declared != shape[1]:
        _refuse(name, f"a layer of {declared} heads gives {shape[1]} attention matrices")
    if weights.min() < 0:
        _refuse(name, "its attention has negative weights: heads are mixed after the softmax (talking heads)")


def _grid(module: Any, name: str, n_tokens: int, input_size: tuple[int, int, int]) -> Grid:
    """Token kinds and patch grid as the model states them, held against the number of tokens that attend."""
    embed: Any = getattr(module, "patch_embed", getattr(module, "embeds", None))
    size = getattr(embed, "grid_size", None)
    if size is None and hasattr(embed, "dynamic_feat_size"):
        size = embed.dynamic_feat_size(input_size[1:])
    if size is None:
        _refuse(name, "it does not say how many rows and columns of patches it has")
    prefix = _prefix(module if hasattr(module, "cls_token") else embed)
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
