"""From a name or a checkpoint to a checked `ViTModel`, or a refusal with its reason."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vitpanel.errors import VitpanelError
from vitpanel.models.adapters import adapter_for
from vitpanel.models.adapters.base import Adapter, ModelRequest
from vitpanel.models.checks import class_check, trust_checks
from vitpanel.models.class_head import NO_HEAD, LinearHead, attach_head, class_names_for, remove_classes
from vitpanel.models.images import Preprocessing
from vitpanel.models.model import ModelSource, ViTModel
from vitpanel.models.tracing import Trace, noise


def load_model(
    name: str | None,
    *,
    checkpoint: Path | None = None,
    args: Mapping[str, Any] | None = None,
    class_names: Sequence[str] | None = None,
    device: str = "auto",
    preparation: Mapping[str, Any] | None = None,
) -> ViTModel:
    """Build a model, load its weights, and check that its attention is what vitpanel takes it for.

    Parameters
    ----------
    name
        timm's name, ``hf:`` and a name or folder of transformers, or what another adapter takes; None reads timm's
        from the metadata of the checkpoint.
    checkpoint
        Safetensors file with the weights; None takes those that the name leads to.
    args
        Further arguments of the model; they win over the checkpoint's metadata.
    class_names
        In the order of the class head; None takes those of the checkpoint's metadata or of the pretrained weights.
    device
        ``"auto"`` takes CUDA where there is one.
    preparation
        Parts of the preprocessing; they win over the checkpoint's metadata and the library's configuration.

    Raises
    ------
    UnknownModelError, UnsupportedModelError, CheckpointError
        Each says which name, file or shape, and what to do.
    """
    request = ModelRequest(name, checkpoint, args or {}, class_names, preparation or {})
    return build_model(adapter_for(request), request, device=device)


def build_model(adapter: Adapter, request: ModelRequest, *, device: str = "auto") -> ViTModel:
    """Let an adapter build a model, and check it; raises as `load_model`."""
    built = adapter.build(request)
    module, spec = built.module.to(device_of(device)).eval(), built.traced.spec
    names = class_names_for(request.class_names, built.class_names, spec.n_classes, is_imagenet=False)
    if built.no_classes and request.class_names is None:
        names = ()
    source = replace(built.source, weight_hash=weight_hash(module), adapter=adapter.key)
    return _checked(module, built.traced, built.preprocessing, names, source, built.no_classes)


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
    traced = Trace(model.spec, model.sites, model.n_outputs)
    check = next(check for check in model.checks if check.name == "class_head")
    with model.lock:
        checks = trust_checks(model.module, traced, image.to(model.device), name=model.source.name, class_check=check)
    return replace(model, checks=checks)


def _again(model: ViTModel, module: nn.Module, *, class_names: tuple[str, ...], reason: str) -> ViTModel:
    """The same model after its head has changed."""
    with torch.inference_mode():
        output = module(noise(1, model.preprocessing.input_size).to(model.device))
    n_outputs = output.shape[1] if output.ndim == 2 else None  # noqa: PLR2004 - images, values
    n_classes = 0 if reason else n_outputs or 0
    traced = Trace(replace(model.spec, n_classes=n_classes), model.sites, n_outputs)
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
        sites=traced.sites,
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


def device_of(name: str) -> torch.device:
    """The device that a name means; ``"auto"`` takes CUDA where there is one.

    Raises
    ------
    VitpanelError
        If there is no CUDA that is asked for.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        message = "There is no CUDA device that torch can use."
        raise VitpanelError(message, hint="Give --device cpu, or install torch for your GPU.")
    return torch.device(name)
