"""From a timm name or a checkpoint to a checked `ViTModel`, or a refusal with its reason."""

import ast
import difflib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import timm
import torch
from timm.data import resolve_model_data_config
from timm.layers import to_2tuple
from torch import Tensor, nn

from vitpanel.errors import CheckpointError, UnknownModelError, VitpanelError
from vitpanel.models.checks import class_check, trust_checks
from vitpanel.models.class_head import (
    NO_HEAD,
    LinearHead,
    attach_head,
    class_names_for,
    has_names,
    no_classes,
    remove_classes,
)
from vitpanel.models.images import Preprocessing
from vitpanel.models.model import ModelSource, ViTModel
from vitpanel.models.structure import Trace, noise, trace
from vitpanel.models.weights_file import opened_weights

ARGUMENTS = ("img_size", "patch_size", "in_chans", "embed_dim", "depth", "num_heads", "num_classes")
CONVERT = "Weights of other formats can be converted with safetensors.torch.save_file(model.state_dict(), FILE)."
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
    # Random weights are enough to see the structure, so that what is refused is refused before any download; always
    # the same ones, so that it is refused with the same words.
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = _create(name, arguments)
    preprocessing = _preprocessing(module, metadata, arguments)
    traced = trace(module, name, preprocessing.input_size)
    if state is None:
        module = _create(name, arguments, pretrained=True)
        traced = trace(module, name, preprocessing.input_size)
    else:
        _load_weights(module, state, checkpoint=str(checkpoint))
    target = _device(device)
    module = module.to(target).eval()
    is_named = class_names is not None or has_names(metadata, traced.spec.n_classes)
    reason = no_classes(module, traced.n_outputs, name=name, is_named=is_named)
    names = () if reason and class_names is None else class_names_for(class_names, metadata, traced.spec.n_classes)
    source = ModelSource(
        name,
        arguments,
        checkpoint.name if checkpoint else "",
        weight_hash(module),
        provenance={} if checkpoint else _provenance(module),
    )
    return _checked(module, traced, preprocessing, names, source, reason)


def without_classes(model: ViTModel) -> ViTModel:
    """Take the class head off a model, in place, so that its output is the pooled features; a projection stays."""
    if model.spec.n_classes == 0:
        return model
    remove_classes(model.module)
    return _again(model, model.module, class_names=(), reason=NO_HEAD)


def with_head(model: ViTModel, head: LinearHead) -> ViTModel:
    """Put a linear head on a model's pooled features, in place; a class head of its own goes.

    Raises
    ------
    VitpanelError
        If the head does not fit the features.
    """
    bare = without_classes(model)
    attach_head(bare.module, head, n_features=bare.n_outputs, name=model.source.name)
    source = replace(bare.source, weight_hash=weight_hash(bare.module), head=dict(head.about))
    return _again(replace(bare, source=source), bare.module, class_names=head.class_names, reason="")


def checked_on(model: ViTModel, image: Tensor) -> ViTModel:
    """The same model with its trust checks measured on an image ``(1, channels, height, width)``.

    Raises
    ------
    UnsupportedModelError
        If a check fails on which all views depend.
    """
    traced = Trace(model.spec, model.attention, model.n_outputs)
    check = next(check for check in model.checks if check.name == "class_head")
    with model.lock:
        checks = trust_checks(model.module, traced, image.to(model.device), name=model.source.name, class_check=check)
    return replace(model, checks=checks)


def _again(model: ViTModel, module: nn.Module, *, class_names: tuple[str, ...], reason: str) -> ViTModel:
    """The same model after its head has changed."""
    with torch.inference_mode():
        output = module(noise(1, model.preprocessing.input_size).to(model.device))
    n_outputs = output.shape[1] if output.ndim == 2 else None  # noqa: PLR2004 - images, values
    n_classes = 0 if reason else int(module.num_classes)
    traced = Trace(replace(model.spec, n_classes=n_classes), model.attention, n_outputs)
    return _checked(module, traced, model.preprocessing, class_names, model.source, reason)


def _checked(
    module: nn.Module,
    traced: Trace,
    preprocessing: Preprocessing,
    class_names: tuple[str, ...],
    source: ModelSource,
    reason: str,
) -> ViTModel:
    spec = replace(traced.spec, n_classes=0) if reason else traced.spec
    device = next(module.parameters()).device
    check = class_check(traced.n_outputs, spec.n_classes, n_names=len(class_names), reason=reason)
    image = noise(1, preprocessing.input_size).to(device)
    return ViTModel(
        module=module,
        spec=spec,
        attention=traced.attention,
        n_outputs=traced.n_outputs,
        preprocessing=preprocessing,
        class_names=class_names,
        source=source,
        device=device,
        checks=trust_checks(module, traced, image, name=source.name, class_check=check),
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
        return timm.create_model(name, pretrained=pretrained, **arguments).eval().requires_grad_(requires_grad=False)
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
    with opened_weights(checkpoint, hint=CONVERT) as file:
        return file.metadata() or {}


def _read_weights(checkpoint: Path) -> dict[str, Tensor]:
    with opened_weights(checkpoint, hint=CONVERT) as file:
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


def _preprocessing(module: nn.Module, metadata: Mapping[str, str], arguments: Mapping[str, Any]) -> Preprocessing:
    """Take timm's data configuration, at the size that the model was built for, with the checkpoint's own values."""
    config = resolve_model_data_config(module)
    embed = getattr(module, "patch_embed", None)
    stated = getattr(embed, "img_size", None) or arguments.get("img_size") or config["input_size"][1:]
    size = to_2tuple(stated)
    channels = int(arguments.get("in_chans", config["input_size"][0]))
    given: dict[str, Any] = {key: config[key] for key in ("mean", "std", "interpolation", "crop_pct", "crop_mode")}
    for key in given:
        if key in metadata:
            value = metadata[key]
            given[key] = value if key in {"interpolation", "crop_mode"} else ast.literal_eval(value)
    for key in ("mean", "std"):
        values = tuple(given[key]) if isinstance(given[key], tuple | list) else (given[key],)
        given[key] = values if len(values) == channels else (sum(values) / len(values),) * channels
    return Preprocessing(input_size=(channels, size[0], size[1]), **given)


def _provenance(module: Any) -> dict[str, str]:
    """What timm knows of its pretrained weights."""
    config = getattr(module, "pretrained_cfg", None) or {}
    return {key: str(config[key]) for key in ("tag", "hf_hub_id", "url", "license") if config.get(key)}
