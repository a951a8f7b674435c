"""From a timm name or a checkpoint to a checked `ViTModel`, or a refusal with its reason."""

import ast
import difflib
import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors import SafetensorError, safe_open
from timm.data import ImageNetInfo, infer_imagenet_subset, resolve_model_data_config
from torch import Tensor, nn

from vitpanel.core.spec import ViTSpec
from vitpanel.errors import CheckpointError, UnknownModelError, UnsupportedModelError, VitpanelError
from vitpanel.models.checks import trace, trust_checks
from vitpanel.models.images import Preprocessing
from vitpanel.models.model import ModelSource, ViTModel

logger = logging.getLogger(__name__)

ARGUMENTS = ("img_size", "patch_size", "in_chans", "embed_dim", "depth", "num_heads", "num_classes")
HUB_PREFIXES = ("hf-hub:", "hf_hub:", "local-dir:")


def load_model(
    name: str | None,
    *,
    checkpoint: Path | None = None,
    args: Mapping[str, Any] | None = None,
    class_names: Sequence[str] | None = None,
    device: str = "auto",
) -> ViTModel:
    """Build a timm model, load its weights, and check that its attention is what vitpanel takes it for.

    Parameters
    ----------
    name
        timm's name; None reads it from the metadata of the checkpoint.
    checkpoint
        Safetensors file with the weights; None takes timm's pretrained weights from the hub.
    args
        Further arguments of ``timm.create_model``; they win over the checkpoint's metadata.
    class_names
        In the order of the class head; None takes them from the checkpoint's metadata or from ImageNet.
    device
        ``"auto"`` takes CUDA where there is one.

    Raises
    ------
    UnknownModelError, UnsupportedModelError, CheckpointError
        Each says which name, file or shape, and what to do.
    """
    metadata = _read_metadata(checkpoint) if checkpoint else {}
    name = name or metadata.get("architecture")
    if name is None:
        message = "No model is named."
        raise UnknownModelError(message, hint="Give --model with timm's name of the architecture.")
    arguments = {key: ast.literal_eval(metadata[key]) for key in ARGUMENTS if key in metadata} | dict(args or {})
    state = _read_weights(checkpoint) if checkpoint else None
    if state is not None:
        arguments = {"num_classes": _count_classes(state)} | arguments
    # Random weights are enough to see the structure, so that what is refused is refused before any download.
    module = _create(name, arguments)
    preprocessing = _preprocessing(module, metadata)
    traced = trace(module, name, preprocessing.input_size)
    if state is None:
        module = _create(name, arguments, pretrained=True)
        traced = trace(module, name, preprocessing.input_size)
    else:
        _load_weights(module, state, checkpoint=str(checkpoint))
    target = _device(device)
    module = module.to(target).eval()
    return ViTModel(
        module=module,
        spec=traced.spec,
        attention=traced.attention,
        preprocessing=preprocessing,
        class_names=_class_names(class_names, metadata, module, traced.spec),
        source=ModelSource(name, arguments, checkpoint.name if checkpoint else "", weight_hash(module)),
        device=target,
        checks=trust_checks(module, traced, preprocessing.input_size, target),
    )


def weight_hash(module: nn.Module) -> str:
    """BLAKE2b of all parameters and buffers, in the order of their names."""
    digest = hashlib.blake2b(digest_size=16)
    for key, value in sorted(module.state_dict().items()):
        digest.update(f"{key}{tuple(value.shape)}{value.dtype}".encode())
        digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _create(name: str, arguments: Mapping[str, Any], *, pretrained: bool = False) -> nn.Module:
    is_local = not name.startswith(HUB_PREFIXES)
    if is_local and not timm.is_model(name):
        close = difflib.get_close_matches(name, timm.list_models(), n=3)
        message = f"timm has no model named {name!r}."
        hint = f"Did you mean {', '.join(close)}?" if close else "timm.list_models() gives the names."
        raise UnknownModelError(message, hint=hint)
    try:
        return timm.create_model(name, pretrained=pretrained, **arguments).eval()
    except TypeError as error:
        message = f"{name} cannot be built with {dict(arguments)}: {error}."
        raise VitpanelError(message, hint="Check the names in --model-arg.") from error
    except Exception as error:
        if not pretrained:
            message = f"{name} cannot be built with {dict(arguments)}: {error}"
            raise VitpanelError(message, hint="Check the values in --model-arg.") from error
        message = f"The pretrained weights of {name} cannot be had: {error}"
        hint = "Check the connection to the Hugging Face hub, or give your own weights with --checkpoint."
        raise CheckpointError(message, hint=hint) from error


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        message = "There is no CUDA device that torch can use."
        raise VitpanelError(message, hint="Give --device cpu, or install torch for your GPU.")
    return torch.device(name)


def _read_metadata(checkpoint: Path) -> dict[str, str]:
    try:
        with safe_open(checkpoint, "pt") as file:
            return file.metadata() or {}
    except (OSError, SafetensorError) as error:
        message = f"{checkpoint} cannot be read as safetensors: {error}."
        hint = "Weights of other formats can be converted with safetensors.torch.save_file(model.state_dict(), FILE)."
        raise CheckpointError(message, hint=hint) from error


def _read_weights(checkpoint: Path) -> dict[str, Tensor]:
    with safe_open(checkpoint, "pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118


def _count_classes(state: Mapping[str, Tensor]) -> int:
    """Return the outputs of the class head in a state dict, 0 without one; timm calls it ``head`` in ViTs."""
    weight = state.get("head.weight")
    return 0 if weight is None else len(weight)


def _load_weights(module: nn.Module, state: Mapping[str, Tensor], *, checkpoint: str) -> None:
    expected = module.state_dict()
    wrong = [
        f"{key} is {tuple(state[key].shape)} but the model has {tuple(value.shape)}"
        for key, value in expected.items()
        if key in state and state[key].shape != value.shape
    ]
    wrong += [f"{key} is missing" for key in expected if key not in state]
    wrong += [f"{key} is not in the model" for key in state if key not in expected]
    if wrong:
        message = f"{checkpoint} does not fit the model: {'; '.join(wrong[:3])}" + (
            f" and {len(wrong) - 3} more." if wrong[3:] else "."
        )
        hint = (
            "Give the architecture it was trained with in --model, and its arguments with --model-arg, "
            "for instance img_size=224."
        )
        raise CheckpointError(message, hint=hint)
    module.load_state_dict({key: value.to(expected[key].dtype) for key, value in state.items()})


def _preprocessing(module: nn.Module, metadata: Mapping[str, str]) -> Preprocessing:
    """Take timm's data configuration, at the size that the model was built for, with the checkpoint's own values."""
    config = resolve_model_data_config(module)
    embed = getattr(module, "patch_embed", None)
    size = tuple(getattr(embed, "img_size", None) or config["input_size"][1:])
    channels = getattr(getattr(embed, "proj", None), "in_channels", config["input_size"][0])
    given: dict[str, Any] = {key: config[key] for key in ("mean", "std", "interpolation", "crop_pct", "crop_mode")}
    for key in given:
        if key in metadata:
            value = metadata[key]
            given[key] = value if key in {"interpolation", "crop_mode"} else ast.literal_eval(value)
    for key in ("mean", "std"):
        values = tuple(given[key]) if isinstance(given[key], tuple | list) else (given[key],)
        given[key] = values if len(values) == channels else (sum(values) / len(values),) * channels
    return Preprocessing(input_size=(channels, size[0], size[1]), **given)


def _class_names(
    given: Sequence[str] | None, metadata: Mapping[str, str], module: nn.Module, spec: ViTSpec
) -> tuple[str, ...]:
    if given is not None:
        if len(given) != spec.n_classes:
            message = f"{len(given)} class names are given, but the class head has {spec.n_classes} outputs."
            raise VitpanelError(message, hint="Give one name a line, in the order of the class head.")
        return tuple(given)
    if "class_names" in metadata and len(metadata["class_names"].split("\n")) == spec.n_classes:
        return tuple(metadata["class_names"].split("\n"))
    subset = infer_imagenet_subset(module) if getattr(module, "pretrained_cfg", None) and spec.n_classes else None
    if subset is not None and spec.n_classes == ImageNetInfo(subset).num_classes():
        info = ImageNetInfo(subset)
        return tuple(info.index_to_description(index) for index in range(spec.n_classes))
    return ()


__all__ = ["UnsupportedModelError", "load_model", "weight_hash"]
