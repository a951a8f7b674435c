"""Models of timm: pretrained by name, from the hub or a folder of timm's, or with weights of one's own."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from vitpanel.errors import CheckpointError, UnknownModelError
from vitpanel.models.adapters.base import Adapter, Built, ModelRequest
from vitpanel.models.adapters.timm_record import timm_request
from vitpanel.models.architecture import check_channels, check_name, create
from vitpanel.models.arguments import check_arguments, refuse_sources
from vitpanel.models.class_head import class_names_for, no_classes, split_single_output
from vitpanel.models.fitting import Copy, Fitted, copies, fit, refuse_several
from vitpanel.models.model import ModelSource
from vitpanel.models.notes import ONE_OUTPUT, checkpoint_notes, preparation_notes
from vitpanel.models.pretrained import (
    Pretrained,
    build_pretrained,
    check_classes,
    fetch_weights,
    find_pretrained,
    is_elsewhere,
)
from vitpanel.models.stated import KEYS, prepare
from vitpanel.models.structure import trace
from vitpanel.models.weights_file import Weights, read_weights

ARGUMENTS = ("img_size", "patch_size", "in_chans", "embed_dim", "depth", "num_heads", "num_classes")


class TimmAdapter(Adapter):
    """timm's architectures by their names."""

    key = "timm"

    def matches(self, request: ModelRequest) -> bool:  # noqa: ARG002 - it is asked last
        """Take whatever no other adapter took."""
        return True

    def build(self, request: ModelRequest) -> Built:
        """See `Adapter`."""
        refuse_sources(request.args)
        if request.checkpoint is not None:
            return _from_checkpoint(request, read_weights(request.checkpoint))
        if request.name is None:
            message = "No model is named."
            raise UnknownModelError(message, hint="Give --model with timm's name of the architecture.")
        return _from_pretrained(request, find_pretrained(request.name))

    def restored(self, record: Mapping[str, Any], weights: Path) -> ModelRequest:
        """See `Adapter`."""
        return timm_request(record, weights)

    def check_arguments(self, arguments: Mapping[str, Any]) -> None:
        """See `Adapter`."""
        check_arguments(arguments)


def _from_checkpoint(request: ModelRequest, weights: Weights) -> Built:
    args, name = dict(request.args), request.name or weights.metadata.get("architecture")
    if name is None:
        message = f"No model is named, and {weights.path} names none in its metadata."
        raise UnknownModelError(message, hint="Give --model with timm's name of the architecture.")
    if is_elsewhere(name):
        message = f"--model {name} names weights, and --checkpoint names others."
        raise CheckpointError(message, hint="With --checkpoint give timm's plain name of the architecture.")
    check_name(name)
    stated = {key: weights.literal(key) for key in ARGUMENTS if key in weights.metadata} | args
    in_file = {key: _of_metadata(weights, key) for key in KEYS if key in weights.metadata}
    found = copies(weights)
    check_channels(name, stated.get("in_chans") or found[0].n_channels(name) or 3)
    module, arguments = _shell(name, stated, found[0])
    prepared = prepare(module, arguments, stated=in_file | dict(request.preparation))
    traced = trace(module, name, prepared.preprocessing.input_size)
    copy, fitted = _fitting(name, weights, found, module, stated=(stated, args))
    if copy is not found[0]:
        module, arguments = _shell(name, stated, copy)
        traced = trace(module, name, prepared.preprocessing.input_size)
    module.load_state_dict(fitted.state)
    notes = [*fitted.notes, *checkpoint_notes(traced, prepared, stated, name=name)]
    source = ModelSource(name, arguments, weights.path.name, "", file=weights.path, notes=tuple(notes))
    stored = tuple(names.split("\n")) if (names := weights.metadata.get("class_names", "")) else ()
    built = Built(module, traced, prepared.preprocessing, source, stored)
    return _with_classes(built, request, is_imagenet=False)


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


def _from_pretrained(request: ModelRequest, found: Pretrained) -> Built:
    arguments, config = found.args | dict(request.args), None if found.is_timms else found.config
    # Random weights are enough to see the structure, so that what is refused is refused before any download.
    shell: Any = create(found.architecture, arguments, config)
    channels = int(arguments.get("in_chans") or (found.config.get("input_size") or (3,))[0])
    check_channels(found.name, channels)
    stated = {key: found.config[key] for key in KEYS if found.config.get(key) is not None}
    stated |= dict(request.preparation)
    prepared = prepare(shell, arguments | {"in_chans": channels}, stated=stated)
    trace(shell, found.name, prepared.preprocessing.input_size)
    check_classes(found, request.args)
    file = request.pretrained_file or fetch_weights(found)
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
    built = Built(module, traced, prepared.preprocessing, source, found.label_names)
    return _with_classes(built, request, is_imagenet=is_timms)


def _with_classes(built: Built, request: ModelRequest, *, is_imagenet: bool) -> Built:
    """The same model with what its outputs are, one output made into two classes.

    Parameters
    ----------
    is_imagenet
        Whether as many classes as ImageNet has are ImageNet's.
    """
    module: Any = built.module
    traced, notes = built.traced, built.source.notes
    if traced.n_outputs == 1 and int(module.num_classes) == 1:
        split_single_output(module)
        notes += (ONE_OUTPUT,)
        traced = replace(traced, spec=replace(traced.spec, n_classes=2), n_outputs=2)
    n_classes = traced.spec.n_classes
    names = class_names_for(request.class_names, built.class_names, n_classes, is_imagenet=is_imagenet)
    reason = no_classes(module, traced.n_outputs, name=built.source.name, is_named=bool(names))
    if built.class_names and not names and not reason:
        notes += (f"{len(built.class_names)} names stand with the weights, not {n_classes}: they are not taken.",)
    source = replace(built.source, notes=notes)
    return replace(built, traced=traced, source=source, class_names=names, no_classes=reason)


def _explicit(module: Any, channels: int) -> dict[str, Any]:
    """Arguments that say what a configuration of pretrained weights decided."""
    size = getattr(getattr(module, "patch_embed", None), "img_size", None)
    sizes = {} if size is None else {"img_size": tuple(size)}
    return {"num_classes": int(module.num_classes)} | sizes | ({} if channels == 3 else {"in_chans": channels})  # noqa: PLR2004 - what is usual


def _of_metadata(weights: Weights, key: str) -> Any:
    return weights.metadata[key] if key in {"interpolation", "crop_mode"} else weights.literal(key)
