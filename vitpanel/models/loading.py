"""From a timm name or a checkpoint to a checked `ViTModel`, or a refusal with its reason."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vitpanel.errors import CheckpointError, UnknownModelError, VitpanelError
from vitpanel.models.architecture import check_channels, check_name, create
from vitpanel.models.arguments import refuse_sources
from vitpanel.models.checks import class_check, trust_checks
from vitpanel.models.class_head import (
    NO_HEAD,
    LinearHead,
    attach_head,
    class_names_for,
    no_classes,
    remove_classes,
    split_single_output,
)
from vitpanel.models.fitting import Copy, Fitted, copies, fit, refuse_several
from vitpanel.models.images import Preprocessing
from vitpanel.models.model import ModelSource, ViTModel
from vitpanel.models.notes import ONE_OUTPUT, checkpoint_notes, preparation_notes
from vitpanel.models.pretrained import (
    Pretrained,
    build_pretrained,
    check_classes,
    fetch_weights,
    find_pretrained,
    is_elsewhere,
)
from vitpanel.models.stated import KEYS, Prepared, prepare
from vitpanel.models.structure import Trace, noise, trace
from vitpanel.models.weights_file import Weights, read_weights

ARGUMENTS = ("img_size", "patch_size", "in_chans", "embed_dim", "depth", "num_heads", "num_classes")


@dataclass(frozen=True, eq=False)
class _Built:
    """A module with its weights, and all that is known of it before its classes are looked at."""

    module: nn.Module
    traced: Trace
    prepared: Prepared
    source: ModelSource
    class_names: tuple[str, ...]
    is_imagenet: bool


def load_model(
    name: str | None,
    *,
    checkpoint: Path | None = None,
    args: Mapping[str, Any] | None = None,
    class_names: Sequence[str] | None = None,
    device: str = "auto",
    preparation: Mapping[str, Any] | None = None,
    pretrained_file: Path | None = None,
) -> ViTModel:
    """Build a timm model, load its weights, and check that its attention is what vitpanel takes it for.

    Parameters
    ----------
    name
        timm's name; None reads it from the metadata of the checkpoint.
    checkpoint
        Safetensors file with the weights; None takes pretrained weights from the hub, or from the folder in the name.
    args
        Further arguments of ``timm.create_model``; they win over the checkpoint's metadata.
    class_names
        In the order of the class head; None takes those of the checkpoint's metadata or of the pretrained weights.
    device
        ``"auto"`` takes CUDA where there is one.
    preparation
        Any of `vitpanel.models.stated.KEYS`; they win over the checkpoint's metadata and timm's configuration.
    pretrained_file
        Where the pretrained weights of ``name`` lie; None fetches them.

    Raises
    ------
    UnknownModelError, UnsupportedModelError, CheckpointError
        Each says which name, file or shape, and what to do.
    """
    args, preparation = dict(args or {}), dict(preparation or {})
    refuse_sources(args)
    if checkpoint is not None:
        built = _from_checkpoint(name, read_weights(checkpoint), args, preparation)
    elif name is None:
        message = "No model is named."
        raise UnknownModelError(message, hint="Give --model with timm's name of the architecture.")
    else:
        built = _from_pretrained(find_pretrained(name), args, preparation, file=pretrained_file)
    return _finished(built, class_names, _device(device))


def _from_checkpoint(name: str | None, weights: Weights, args: dict[str, Any], preparation: dict[str, Any]) -> _Built:
    name = name or weights.metadata.get("architecture")
    if name is None:
        message = f"No model is named, and {weights.path} names none in its metadata."
        raise UnknownModelError(message, hint="Give --model with timm's name of the architecture.")
    if is_elsewhere(name):
        message = f"--model {name} names weights, and --checkpoint names others."
        raise CheckpointError(message, hint="With --checkpoint give timm's plain name of the architecture.")
    check_name(name)
    stated = {key: weights.literal(key) for key in ARGUMENTS if key in weights.metadata} | args
    in_file = {key: _of_metadata(weights, key) for key in KEYS if key in weights.metadata} | preparation
    found = copies(weights)
    check_channels(name, stated.get("in_chans") or found[0].n_channels(name) or 3)
    module, arguments = _shell(name, stated, found[0])
    prepared = prepare(module, arguments, stated=in_file)
    traced = trace(module, name, prepared.preprocessing.input_size)
    copy, fitted = _fitting(name, weights, found, module, stated=(stated, args))
    if copy is not found[0]:
        module, arguments = _shell(name, stated, copy)
        traced = trace(module, name, prepared.preprocessing.input_size)
    module.load_state_dict(fitted.state)
    notes = [*fitted.notes, *checkpoint_notes(traced, prepared, stated, name=name)]
    source = ModelSource(name, arguments, weights.path.name, "", file=weights.path, notes=tuple(notes))
    names = weights.metadata.get("class_names", "")
    return _Built(module, traced, prepared, source, tuple(names.split("\n")) if names else (), is_imagenet=False)


def _shell(name: str, stated: Mapping[str, Any], copy: Copy) -> tuple[nn.Module, dict[str, Any]]:
    """A model without the weights of a copy, but for its classes and channels."""
    n_channels = copy.n_channels(name)
    channels = {} if n_channels is None else {"in_chans": n_channels}
    arguments = {"num_classes": copy.n_classes} | channels | dict(stated)
    if channels and arguments["in_chans"] == 3 and "in_chans" not in stated:  # noqa: PLR2004 - what is usual
        del arguments["in_chans"]
    return create(name, arguments), arguments


def _fitting(
    name: str,
    weights: Weights,
    found: list[Copy],
    module: nn.Module,
    *,
    stated: tuple[Mapping[str, Any], Mapping[str, Any]],
) -> tuple[Copy, Fitted]:
    """The copy that fits, and how; the first one's error where none does."""
    everything, args = stated
    fitting: list[tuple[Copy, Fitted]] = []
    errors: list[CheckpointError] = []
    for copy in found:
        shell = module if copy is found[0] else _shell(name, everything, copy)[0]
        try:
            fitting.append((copy, fit(shell, copy, name=name, file=str(weights.path), stated=args)))
        except CheckpointError as error:
            errors.append(error)
    if not fitting:
        raise errors[0]
    refuse_several([copy for copy, _ in fitting], file=str(weights.path))
    return fitting[0]


def _from_pretrained(
    found: Pretrained, args: dict[str, Any], preparation: dict[str, Any], *, file: Path | None
) -> _Built:
    arguments, config = found.args | args, None if found.is_timms else found.config
    # Random weights are enough to see the structure, so that what is refused is refused before any download.
    shell: Any = create(found.architecture, arguments, config)
    channels = int(arguments.get("in_chans") or (found.config.get("input_size") or (3,))[0])
    check_channels(found.name, channels)
    stated = {key: found.config[key] for key in KEYS if found.config.get(key) is not None} | preparation
    prepared = prepare(shell, arguments | {"in_chans": channels}, stated=stated)
    trace(shell, found.name, prepared.preprocessing.input_size)
    check_classes(found, args)
    file = file or fetch_weights(found)
    module: Any = build_pretrained(found, arguments, file)
    traced = trace(module, found.name, prepared.preprocessing.input_size)
    if not found.is_timms:
        # The configuration is not there when the model is built again from a study.
        arguments = _explicit(module, channels) | arguments
    source = ModelSource(
        found.name,
        arguments,
        "",
        "",
        provenance=found.provenance,
        architecture="" if found.is_timms else found.architecture,
        file=file,
        notes=tuple(preparation_notes(prepared)),
    )
    is_timms = found.is_timms or str(found.config.get("hf_hub_id", "")).startswith("timm/")
    return _Built(module, traced, prepared, source, found.label_names, is_imagenet=is_timms)


def _explicit(module: Any, channels: int) -> dict[str, Any]:
    """Arguments that say what a configuration of pretrained weights decided."""
    size = getattr(getattr(module, "patch_embed", None), "img_size", None)
    sizes = {} if size is None else {"img_size": tuple(size)}
    return {"num_classes": int(module.num_classes)} | sizes | ({} if channels == 3 else {"in_chans": channels})  # noqa: PLR2004 - what is usual


def _finished(built: _Built, class_names: Sequence[str] | None, device: torch.device) -> ViTModel:
    """The checked model, with the names of its classes."""
    module, traced, source = built.module, built.traced, built.source
    notes = source.notes
    if traced.n_outputs == 1 and int(module.num_classes) == 1:
        split_single_output(module)
        notes += (ONE_OUTPUT,)
        traced = Trace(replace(traced.spec, n_classes=2), traced.attention, 2)
    module = module.to(device).eval()
    n_classes = traced.spec.n_classes
    names = class_names_for(class_names, built.class_names, n_classes, is_imagenet=built.is_imagenet)
    reason = no_classes(module, traced.n_outputs, name=source.name, is_named=bool(names))
    if reason and class_names is None:
        names = ()
    if built.class_names and not names and not reason:
        notes += (f"{len(built.class_names)} names stand with the weights, not {n_classes}: they are not taken.",)
    source = replace(source, weight_hash=weight_hash(module), notes=notes)
    return _checked(module, traced, built.prepared.preprocessing, names, source, reason)


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


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        message = "There is no CUDA device that torch can use."
        raise VitpanelError(message, hint="Give --device cpu, or install torch for your GPU.")
    return torch.device(name)


def _of_metadata(weights: Weights, key: str) -> Any:
    return weights.metadata[key] if key in {"interpolation", "crop_mode"} else weights.literal(key)
