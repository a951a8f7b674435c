"""Fitting the tensors of a checkpoint to a timm model: prefixes, other sizes, and what is left out, all of it said."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from timm.models import get_pretrained_cfg, model_entrypoint
from torch import Tensor, nn

from vitpanel.errors import CheckpointError
from vitpanel.models.misfits import misfit
from vitpanel.models.weights_file import Weights

# Every family that is taken has its blocks under this name.
_FIRST_BLOCK = re.compile(r"((?:.*\.)?)blocks\.0\.")
# In a file, but not part of what the model computes.
_HARMLESS = re.compile(
    r"(^|\.)(relative_position_index|relative_coords_table|mask_token|num_batches_tracked|rope\.periods|freqs_cis)$"
    r"|^decoder_|^(decoder|ema|model_ema|ema_model|_ema|optimizer|criterion|lpips)\."
)
_MOST_NAMED = 3
# Shapes before and after, by key.
Resampled = dict[str, tuple[tuple[int, ...], tuple[int, ...]]]


@dataclass(frozen=True, eq=False)
class Copy:
    """One set of weights of a file: those below a prefix, which may be empty.

    Parameters
    ----------
    left_out
        Keys of the file that are not below the prefix.
    """

    prefix: str
    tensors: Mapping[str, Tensor]
    left_out: tuple[str, ...] = ()

    @property
    def n_classes(self) -> int:
        """Outputs of the class head, 0 without one; timm calls it ``head`` in ViTs."""
        weight = self.tensors.get("head.weight", self.tensors.get("head.fc.weight"))
        return 0 if weight is None else len(weight)

    def n_channels(self, name: str) -> int | None:
        """Channels of the images that the first layer of an architecture takes; None where that cannot be seen."""
        config: Any = get_pretrained_cfg(name.partition(".")[0])
        first = getattr(config, "first_conv", None)
        weight = self.tensors.get(f"{first}.weight")
        return weight.shape[1] if weight is not None and weight.ndim == 4 else None  # noqa: PLR2004 - a convolution


@dataclass(frozen=True, eq=False)
class Fitted:
    """Tensors under the model's own names and shapes, and what was done to them, in sentences."""

    state: dict[str, Tensor]
    notes: tuple[str, ...]


def copies(weights: Weights) -> list[Copy]:
    """Sets of weights in a file by their prefixes; one without a prefix counts alone, whatever lies beside it."""
    found = (_FIRST_BLOCK.match(key) for key in weights.tensors)
    prefixes = sorted({match[1] for match in found if match})
    if not prefixes or "" in prefixes:
        return [Copy("", weights.tensors)]
    return [_below(prefix, weights.tensors) for prefix in prefixes]


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> Copy:
    below = {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
    return Copy(prefix, below, tuple(key for key in tensors if not key.startswith(prefix)))


def fit(module: nn.Module, copy: Copy, *, name: str, file: str, stated: Mapping[str, Any]) -> Fitted:
    """Bring a copy to the names and shapes of a model, by timm's own filter where they are not the model's already.

    Parameters
    ----------
    name
        timm's name of the architecture.
    file
        For messages.
    stated
        Arguments that the person or the file gave: weights are resampled only to sizes that are among them.

    Raises
    ------
    CheckpointError
        If a tensor of the model is missing or of another shape, or one of the file has no place in it.
    """
    expected = module.state_dict()
    notes = _prefix_notes(copy)
    state = dict(copy.tensors)
    if not _is_whole(state, expected):
        state, resampled = _filtered(module, state, name=name)
        _refuse_unasked(resampled, stated, file=file)
        notes += [
            f"{key} was resampled by timm from {before} to {after}." for key, (before, after) in resampled.items()
        ]
    state, left_out = _without_surplus(state, expected, module)
    problem = misfit(state, module, file=file)
    if problem is not None:
        raise problem
    if left_out:
        notes.append(f"Left out of the file, since the model has no place for it: {_named(left_out)}.")
    return Fitted({key: state[key].to(value.dtype) for key, value in expected.items()}, tuple(notes))


def refuse_several(fitting: list[Copy], *, file: str) -> None:
    """Refuse a file in which several copies fit, since nothing says which one is meant.

    Raises
    ------
    CheckpointError
        With their prefixes and the lines that take one out.
    """
    if len(fitting) < 2:  # noqa: PLR2004
        return
    prefixes = [repr(copy.prefix) for copy in fitting]
    message = f"{file} holds several models: the keys fit without the prefix {' and without '.join(prefixes)}."
    hint = (
        f"Save the one that you want by itself: state = safetensors.torch.load_file(FILE); safetensors.torch.save_file("
        f"{{k.removeprefix({prefixes[-1]}): v for k, v in state.items() if k.startswith({prefixes[-1]})}}, NEW)."
    )
    raise CheckpointError(message, hint=hint)


def _prefix_notes(copy: Copy) -> list[str]:
    notes = []
    if copy.prefix:
        notes.append(f"All keys of the model fit without the prefix {copy.prefix!r}, which was taken off.")
    if copy.left_out:
        head = any(re.search(r"(head|fc|classifier)\w*\.weight$", key) for key in copy.left_out)
        way = " If a class head is among them, give it with --head." if head else ""
        notes.append(f"Left out of the file, since they do not begin with it: {_named(copy.left_out)}.{way}")
    return notes


def _is_whole(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> bool:
    return all(key in state and state[key].shape == value.shape for key, value in expected.items())


def _filtered(module: nn.Module, state: dict[str, Tensor], *, name: str) -> tuple[dict[str, Tensor], Resampled]:
    """What timm makes of other names and sizes, and what it resampled; as it was where timm fails."""
    try:
        filtered = _filter_of(name, state)(dict(state), module)
    except Exception:  # noqa: BLE001 - the filters index and reshape freely; what does not fit is said afterwards
        return state, {}
    # timm leaves an old layer before the head out without a word; it is part of what the model computed.
    filtered |= {key: value for key, value in state.items() if key.startswith("pre_logits.")}
    resampled = {
        key: (tuple(state[key].shape), tuple(value.shape))
        for key, value in filtered.items()
        if key in state and state[key].ndim == value.ndim and state[key].shape != value.shape
    }
    return filtered, resampled


def _filter_of(name: str, state: Mapping[str, Tensor]) -> Any:
    """timm's filter of an architecture's checkpoints, with the options that timm itself gives it."""
    entrypoint = model_entrypoint(name.partition(".")[0])
    found: Any = getattr(sys.modules[entrypoint.__module__], "checkpoint_filter_fn", None)
    if found is None:
        return lambda tensors, _module: tensors
    if "flexi" in name or "radio" in name:
        return partial(found, interpolation="bilinear", antialias=False)
    if any("gamma_" in key for key in state) and "deit3" in name:
        return partial(found, adapt_layer_scale=True)
    return found


def _refuse_unasked(resampled: Resampled, stated: Mapping[str, Any], *, file: str) -> None:
    """Refuse weights of another size where nobody gave the size, which is then more likely a mistake than a wish."""
    others_patches = "patch_embed.proj.weight" in resampled
    if not resampled or ("patch_size" in stated if others_patches else "img_size" in stated):
        return
    key, (before, after) = next(iter(resampled.items()))
    argument = "patch_size" if others_patches else "img_size"
    message = f"{file} is of a model of another size: {key} is {before} but the model has {after}."
    hint = (
        f"Give the size that it was trained with, --model-arg {argument}=…; to any other that is given so, timm "
        "resamples the weights."
    )
    raise CheckpointError(message, hint=hint)


def _without_surplus(
    state: dict[str, Tensor], expected: Mapping[str, Tensor], module: Any
) -> tuple[dict[str, Tensor], list[str]]:
    """Without keys that the model does not compute with; a head goes where the model was asked for without one."""
    headless = not getattr(module, "num_classes", 0)
    left_out = [
        key
        for key in state
        if key not in expected
        and (_HARMLESS.search(key) or (headless and key.startswith(("head.", "head_dist.", "fc_norm."))))
    ]
    return {key: value for key, value in state.items() if key not in set(left_out)}, left_out


def _named(keys: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(keys) - _MOST_NAMED} more" if keys[_MOST_NAMED:] else ""
    return ", ".join(keys[:_MOST_NAMED]) + more
