"""Why tensors do not fit a model, with the cause where it can be seen."""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from vitpanel.errors import CheckpointError
from vitpanel.models.foreign_keys import whose_keys

_MOST_NAMED = 3
ARCHITECTURE_HINT = (
    "Give the architecture that it was trained as with --model, and what was other than timm's with --model-arg, "
    "for instance depth=6."
)
_SIZE_HINT = "Give the size of the images that it was trained on, for instance --model-arg img_size=224."
_PATCH_HINT = "Give the size of its patches, for instance --model-arg patch_size=16, and that of its images."
_POOL_HINT = (
    "It was trained with pooled patches: give --model-arg global_pool=avg. Without its class head (num_classes=0) "
    "fc_norm is left out."
)
_HEAD_HINT = "Leave num_classes away: the file has it. Another head is given with --head or fitted by --probe."
_NO_HEAD_HINT = "The file has no class head: leave num_classes away, and give a head with --head or --probe."


def misfit(state: Mapping[str, Tensor], module: nn.Module, *, file: str) -> CheckpointError | None:
    """The error that says what of a state dict does not fit a model and what to do; None where all of it fits."""
    expected = module.state_dict()
    shapes = {
        key: (tuple(state[key].shape), tuple(value.shape))
        for key, value in expected.items()
        if key in state and state[key].shape != value.shape
    }
    missing = [key for key in expected if key not in state]
    surplus = [key for key in state if key not in expected]
    if not (shapes or missing or surplus):
        return None
    pruned = _pruned_heads(shapes, module)
    if pruned:
        message = f"{file} is of a head-pruned model: {pruned}. How many each layer has must be said."
        return CheckpointError(message, hint="Give the heads of each layer: --model-arg num_heads=[12,9,…].")
    foreign = whose_keys(state) if len(missing) == len(expected) - len(shapes) else None
    if foreign is not None:
        message = f"{file} does not fit the model: it is {foreign[0]}, not timm's ({next(iter(state))} …)."
        return CheckpointError(message, hint=foreign[1])
    wrong = [f"{key} is {found} but the model has {wanted}" for key, (found, wanted) in shapes.items()]
    wrong += [f"{key} is missing" for key in missing] + [f"{key} is not in the model" for key in surplus]
    more = f" and {len(wrong) - _MOST_NAMED} more." if wrong[_MOST_NAMED:] else "."
    message = f"{file} does not fit the model: {'; '.join(wrong[:_MOST_NAMED])}{more}"
    return CheckpointError(message, hint=_cause(set(shapes), missing, surplus))


def _cause(shapes: set[str], missing: list[str], surplus: list[str]) -> str:
    """The hint for what is wrong: the size only where nothing else can be the cause."""
    wrong = {*shapes, *missing, *surplus}
    if any(key.startswith("fc_norm.") for key in surplus):
        return _POOL_HINT
    if wrong == shapes and all("relative_position" in key or key == "pos_embed" for key in shapes):
        return _SIZE_HINT
    if wrong == shapes and shapes <= {"pos_embed", "patch_embed.proj.weight"}:
        return _PATCH_HINT
    if all(re.match(r"head(_dist)?\.", key) for key in wrong):
        return _NO_HEAD_HINT if wrong == set(missing) else _HEAD_HINT
    return ARCHITECTURE_HINT


def _pruned_heads(shapes: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]], module: Any) -> str:
    """Which layers have how many heads less, in words; empty where the shapes do not look so.

    The width of the model must be its own: then rows of q, k and v that are whole heads less are heads taken out.
    """
    layers: dict[str, list[int]] = {}
    for key, (found, wanted) in shapes.items():
        match = re.match(r"blocks\.(\d+)\.(.*\.)?attn\w*\.(?:qkv|q_proj|q)\.weight$", key)
        attention = match and module.get_submodule(key.rpartition(".")[0].rpartition(".")[0])
        n_heads = getattr(attention, "num_heads", 0)
        if not match or not n_heads or wanted[0] % n_heads or found[1:] != wanted[1:]:
            continue
        rows = wanted[0] // n_heads
        if found[0] < wanted[0] and found[0] % rows == 0:
            layers.setdefault(f"{found[0] // rows} of {n_heads}", []).append(int(match[1]))
    parts = [f"{_of_layers(found)} {heads} heads" for heads, found in layers.items()]
    return ", ".join(parts)


def _of_layers(layers: list[int]) -> str:
    word = "layer" if len(layers) == 1 else "layers"
    return f"{word} {', '.join(map(str, layers))} {'has' if len(layers) == 1 else 'have'}"
