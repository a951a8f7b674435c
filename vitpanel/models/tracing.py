"""Is this model's attention token-to-token attention over one grid of patches? Measured, whatever library it is of."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from vitpanel.core.grid import Grid
from vitpanel.core.spec import ViTSpec
from vitpanel.errors import UnsupportedModelError
from vitpanel.models.adapters.site import AttentionSite
from vitpanel.models.probe import input_hook

N_PROBES = 2
N_AXES = 4  # of A: image, head, source, target
N_INPUT_AXES = 3  # image, token, channel
# Of the largest value, for what two ways to compute the same z may differ by.
_TOLERANCE = 1e-4


class AttentionMap(NamedTuple):
    """What one attention module produced, and what it was given."""

    site: AttentionSite
    weights: Tensor
    input_shape: tuple[int, ...]


@dataclass(frozen=True)
class Trace:
    """What one forward showed: the model's shape and its attention in running order; made by `trace_sites`.

    Parameters
    ----------
    n_outputs
        Length of the output vector of an image; None where the output is something else than one vector.
    """

    spec: ViTSpec
    sites: tuple[AttentionSite, ...]
    n_outputs: int | None


def trace_sites(
    module: nn.Module,
    sites: Sequence[AttentionSite],
    grid: Callable[[], Grid],
    *,
    name: str,
    input_size: tuple[int, int, int],
    pooling: str = "",
    n_pools: int = 0,
) -> Trace:
    """Run a model on noise, and hold what an adapter says of it against what its attention produces.

    Parameters
    ----------
    sites
        All attention modules that an adapter found; the order in which they run is seen here.
    grid
        Gives token kinds and patch grid; asked once it is known that A is between tokens.
    pooling
        What the class head reads, see `ViTSpec`.
    n_pools
        Further calls of attention that are no layers: attention pooling.

    Raises
    ------
    UnsupportedModelError
        If a view of vitpanel would show something that is not token attention, or hooks would miss what they are to
        edit; the message says what it is.
    """
    output, maps, n_hidden = _run(module, name, sites, input_size)
    if not maps:
        refuse(name, "none of its attention modules handed out weights when it ran")
    for attention_map in maps:
        _check_map(name, attention_map)
    ran = tuple(found.site for found in maps)
    _check_modules(name, sites, ran)
    if n_hidden > n_pools:
        refuse(name, f"{n_hidden - n_pools} of its attention layers keep their weights to themselves")
    heads, tokens = [found.weights.shape[1] for found in maps], {found.weights.shape[2] for found in maps}
    if len(tokens) > 1:
        refuse(name, f"its layers attend over different numbers of tokens: {', '.join(map(str, sorted(tokens)))}")
    _check_ways_in(module, name, maps, input_size)
    is_vector = isinstance(output, Tensor) and output.ndim == 2  # noqa: PLR2004 - images, values
    n_outputs = output.shape[1] if is_vector else None
    spec = ViTSpec(
        n_layers=len(maps),
        n_heads=max(heads),
        grid=_checked_grid(grid(), name, tokens.pop()),
        image_size=input_size[1:],
        pooling=pooling,
        n_classes=n_outputs or 0,
        heads=tuple(heads) if len(set(heads)) > 1 else (),
    )
    return Trace(spec, ran, n_outputs)


def noise(n: int, input_size: tuple[int, int, int]) -> Tensor:
    """Images of noise, the same each time."""
    return torch.randn((n, *input_size), generator=torch.Generator().manual_seed(0))


def refuse(name: str, reason: str) -> NoReturn:
    """Refuse a model for what it does.

    Raises
    ------
    UnsupportedModelError
        Always.
    """
    message = f"{name} is not supported: {reason}."
    hint = "vitpanel takes isotropic ViTs with global attention, for instance timm's vit_*, deit_*, beit*, eva*."
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
    module: nn.Module, name: str, sites: Sequence[AttentionSite], input_size: tuple[int, int, int]
) -> tuple[Any, list[AttentionMap], int]:
    """Run on `N_PROBES` images, so that windows folded into the batch show.

    Returns
    -------
    The output, the weights of each site in running order, and how often attention ran without handing them out.
    """
    maps: list[AttentionMap] = []
    inputs: dict[nn.Module, tuple[int, ...]] = {}
    with torch.inference_mode(), ExitStack() as hooks, _FusedCalls() as hidden:
        for site in sites:
            hooks.enter_context(input_hook(site.module, lambda x, s=site: inputs.update({s.module: tuple(x.shape)})))
            hooks.enter_context(
                site.weights_hook(lambda a, s=site: maps.append(AttentionMap(s, a, inputs.get(s.module, ()))))
            )
        try:
            output = module(noise(N_PROBES, input_size))
        except Exception as error:
            message = f"{name} cannot be run on images of {' × '.join(map(str, input_size))}: {error}"
            hint = "Give the size that it was built for with --model-arg, for instance img_size=224."
            raise UnsupportedModelError(message, hint=hint) from error
    return output, maps, hidden.count


def _check_modules(name: str, sites: Sequence[AttentionSite], ran: Sequence[AttentionSite]) -> None:
    if len({site.module for site in ran}) < len(ran):
        refuse(name, "an attention module runs more than once: layers share it, and it cannot be pruned in one alone")
    if len(ran) < len(sites):
        refuse(name, f"only {len(ran)} of its {len(sites)} attention modules handed out weights when it ran")


def _check_map(name: str, found: AttentionMap) -> None:
    """Refuse what is not one matrix of weights between all tokens for each image and head."""
    weights, shape = found.weights, tuple(found.weights.shape)
    if len(shape) > N_AXES:
        refuse(name, f"it attends within windows: its attention weights have shape {shape}")
    if len(shape) < N_AXES:
        refuse(name, f"it does not keep its heads apart: its attention weights have shape {shape}")
    if shape[0] != N_PROBES:
        refuse(name, f"it attends within windows ({shape[0] // N_PROBES} an image), not over the whole grid")
    if shape[2] != shape[3]:
        refuse(name, f"its attention matrices are {shape[2]} × {shape[3]}: not all tokens attend to one another")
    if len(found.input_shape) == N_INPUT_AXES and found.input_shape[1] != shape[2]:
        refuse(
            name,
            f"its attention matrices are {shape[2]} × {shape[3]} for {found.input_shape[1]} tokens: it attends between "
            "channels, not between tokens",
        )
    declared = found.site.n_heads or shape[1]
    if shape[1] == 2 * declared:
        refuse(name, f"each of its {declared} heads is the difference of two attention matrices")
    if declared != shape[1]:
        refuse(name, f"a layer of {declared} heads gives {shape[1]} attention matrices")
    if weights.min() < 0:
        refuse(name, "its attention has negative weights: heads are mixed after the softmax (talking heads)")


@torch.inference_mode()
def _check_ways_in(
    module: nn.Module, name: str, maps: Sequence[AttentionMap], input_size: tuple[int, int, int]
) -> None:
    """Take the last head of every layer out, and see that it is missing in its place, and what z is made of."""
    heads: dict[AttentionSite, Tensor] = {}
    z: dict[AttentionSite, Tensor] = {}

    def without_last(weights: Tensor) -> Tensor:
        weights = weights.clone()
        weights[:, -1] = 0
        return weights

    with ExitStack() as hooks:
        for site in (found.site for found in maps):
            hooks.enter_context(site.weights_hook(without_last))
            hooks.enter_context(site.heads_hook(lambda value, s=site: heads.update({s: value})))
            hooks.enter_context(site.z_hook(lambda value, s=site: z.update({s: value})))
        module(noise(N_PROBES, input_size))
    for layer, found in enumerate(maps):
        n_heads, site = found.weights.shape[1], found.site
        if heads[site].unflatten(-1, (n_heads, -1))[..., -1, :].any():
            refuse(name, f"its layer {layer} does not go on with what is changed in its attention, head by head")
        if site.projection is not None and not _is_close(site.projection(heads[site]), z[site]):
            refuse(name, f"what its layer {layer} gives is not its projection of the outputs of its heads")


def _is_close(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and bool((a - b).abs().max() <= _TOLERANCE * b.abs().max().clamp(min=1))


def _checked_grid(grid: Grid, name: str, n_tokens: int) -> Grid:
    if grid.n_tokens != n_tokens:
        refuse(
            name,
            f"its attention matrices have {n_tokens} rows, but {grid.n_prefix} prefix tokens and {grid.rows} × "
            f"{grid.cols} patches make {grid.n_tokens}: this is not attention between the patches of one grid",
        )
    return grid
