"""ViT, DeiT and DINOv2 of transformers: ``hf:FOLDER``, or ``hf:OWNER/NAME`` of the hub.

Of a folder or of the hub three files are read: config.json, preprocessor_config.json and model.safetensors. Nothing
else is fetched and no code of theirs is run. A study keeps what decides about the model (`transformers_config`), so
that it is built again without its folder, from the file of weights alone.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from timm.layers import to_2tuple

from vitpanel.errors import CheckpointError, UnknownModelError, VitpanelError
from vitpanel.models.adapters.base import Adapter, Built, ModelRequest
from vitpanel.models.adapters.record import HINT, check_size, names_of
from vitpanel.models.adapters.transformers_config import (
    architecture_of,
    check_kept,
    kept_arguments,
    kind_of,
    labels_of,
    why_no_classes,
)
from vitpanel.models.adapters.transformers_images import (
    ProcessorPreprocessing,
    preprocessing_of,
    restored_preprocessing,
)
from vitpanel.models.architecture import check_channels
from vitpanel.models.model import ModelSource
from vitpanel.models.tracing import refuse, trace_sites
from vitpanel.models.weights_file import read_weights

PREFIX = "hf:"
CONFIG, PROCESSOR, WEIGHTS = "config.json", "preprocessor_config.json", "model.safetensors"
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", re.ASCII)
_SAVE = "In Python: model.save_pretrained(FOLDER) and processor.save_pretrained(FOLDER), then --model hf:FOLDER."
# A pooler is not what our output reads, and mask tokens are for training.
_UNREAD = re.compile(r"(^|\.)(pooler\.|embeddings\.mask_token$)")


@dataclass(frozen=True)
class _Found:
    """Where the three files of a model are, and what is known of it."""

    name: str
    config: Mapping[str, Any]
    processor: Mapping[str, Any]
    weights: Path
    provenance: dict[str, str] = field(default_factory=dict)


class TransformersAdapter(Adapter):
    """Image classifiers and backbones of transformers."""

    key = "transformers"
    packages = ("transformers",)

    def matches(self, request: ModelRequest) -> bool:
        """Take names that begin with ``hf:``."""
        return request.name is not None and request.name.startswith(PREFIX)

    def build(self, request: ModelRequest) -> Built:
        """See `Adapter`; for a study, with its arguments, preprocessing and file of weights."""
        _require()
        if request.pretrained_file is not None:
            preparing = restored_preprocessing(request.preparation, channels=request.args["num_channels"])
            source = ModelSource(str(request.name), dict(request.args), "", "", file=request.pretrained_file)
            return _built(source, preparing)
        _check_options(request)
        found = _find(str(request.name).removeprefix(PREFIX))
        arguments = kept_arguments(found.config, _defaults(found.config, name=found.name), name=found.name)
        check_channels(found.name, arguments["num_channels"])
        preparing = preprocessing_of(
            found.processor,
            processor=kind_of(arguments).processor,
            channels=arguments["num_channels"],
            name=found.name,
            given=request.preparation,
        )
        source = ModelSource(found.name, arguments, "", "", provenance=found.provenance, file=found.weights)
        return replace(_built(source, preparing), class_names=labels_of(found.config))

    def restored(self, record: Mapping[str, Any], weights: Path) -> ModelRequest:
        """See `Adapter`."""
        _require()
        arguments, prepared = record.get("args"), record.get("preprocessing")
        if not isinstance(arguments, Mapping) or not isinstance(prepared, Mapping):
            message = "The study does not say how its model of transformers is built."
            raise VitpanelError(message, hint=HINT)
        check_kept(arguments)
        check_channels("The study's model", arguments["num_channels"])
        preparing = restored_preprocessing(prepared, channels=arguments["num_channels"])
        height, width = to_2tuple(arguments["patch_size"])
        n_tokens = preparing.input_size[1] * preparing.input_size[2] // (height * width)
        check_size(_outline(arguments), weights, n_heads=arguments["num_attention_heads"], n_tokens=n_tokens)
        return ModelRequest(
            # Only shown: what is built does not depend on it.
            f"{PREFIX}{arguments['architecture']}",
            args=arguments,
            class_names=names_of(record),
            preparation=prepared,
            pretrained_file=weights,
        )

    def check_arguments(self, arguments: Mapping[str, Any]) -> None:
        """See `Adapter`."""
        check_kept(arguments)


def _require() -> None:
    try:
        import transformers  # noqa: F401 - whether it is there
    except ImportError as error:
        message = f"Models named hf:… need the library transformers: {error}."
        raise VitpanelError(message, hint="Install it with: pip install 'vitpanel[transformers]'.") from error


def _check_options(request: ModelRequest) -> None:
    if request.checkpoint is not None:
        message = f"--model {request.name} names weights, and --checkpoint names others."
        raise CheckpointError(message, hint="Leave one of the two away.")
    for name in request.args:
        message = f"--model-arg {name} has no place: a model of transformers is what its config.json says."
        raise VitpanelError(message, hint="Change config.json, or leave the option away.")
    for name in request.preparation.keys() - {"mean", "std"}:
        message = f"{name} has no place: {PROCESSOR} says how images of a model of transformers are cut."
        raise VitpanelError(message, hint=f"Change {PROCESSOR}, or leave the option away.")


def _find(identity: str) -> _Found:
    """Look for a model in a folder, which is asked first, or on the hub."""
    folder = Path(identity)
    if folder.is_dir():
        files = {name: folder / name for name in (CONFIG, PROCESSOR, WEIGHTS)}
        provenance, shown = {}, f"{PREFIX}{folder.resolve().name}"
    elif _HUB_NAME.fullmatch(identity):
        files = {name: _from_hub(identity, name) for name in (CONFIG, PROCESSOR)}
        # So that what is refused is refused before its weights are downloaded.
        architecture_of(_json(files[CONFIG]), name=identity)
        files[WEIGHTS] = _from_hub(identity, WEIGHTS)
        provenance = {"hf_hub_id": identity, "commit": files[WEIGHTS].parent.name}
        shown = f"{PREFIX}{identity}"
    else:
        message = f"There is no folder {identity}, and it is no name of the Hugging Face hub either."
        raise UnknownModelError(message, hint="Give --model hf:FOLDER or hf:OWNER/NAME.")
    for name, file in files.items():
        if not file.is_file():
            raise _missing(name, file.parent)
    return _Found(shown, _json(files[CONFIG]), _json(files[PROCESSOR]), files[WEIGHTS], provenance)


def _missing(name: str, folder: Path) -> CheckpointError:
    hints = {
        CONFIG: "Give a folder that transformers saved.",
        PROCESSOR: f"Without it nothing says how images are prepared. {_SAVE}",
        WEIGHTS: f"Weights are read as safetensors alone, and from one file. {_SAVE}",
    }
    return CheckpointError(f"{folder} holds no {name}.", hint=hints[name])


def _from_hub(identity: str, filename: str) -> Path:
    from huggingface_hub import hf_hub_download

    repository, _, revision = identity.partition("@")
    try:
        return Path(hf_hub_download(repository, filename, revision=revision or None))
    except Exception as error:
        message = f"{filename} of {identity} cannot be had from the Hugging Face hub: {error}"
        raise CheckpointError(message, hint=f"Check the name and the connection. {_SAVE}") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read: {error}."
        raise CheckpointError(message, hint=_SAVE) from error
    if not isinstance(content, dict):
        message = f"{path} holds no JSON object."
        raise CheckpointError(message, hint=_SAVE)
    return content


def _defaults(config: Mapping[str, Any], *, name: str) -> dict[str, Any]:
    import transformers

    architecture = architecture_of(config, name=name)
    return getattr(transformers, kind_of({"architecture": architecture}).config)().to_dict()


def _built(source: ModelSource, preparing: ProcessorPreprocessing) -> Built:
    from vitpanel.models.adapters.transformers_module import ImageModel, grid_of, sites_of

    arguments, name = source.args, source.name
    patch, size = to_2tuple(arguments["patch_size"]), preparing.input_size[1:]
    if any(pixels % side for pixels, side in zip(size, patch, strict=True)):
        refuse(
            name, f"images of {size[0]} × {size[1]} pixels are no whole number of patches of {patch[0]} × {patch[1]}"
        )
    model, notes = _loaded(arguments, source.file, name=name)
    module = ImageModel(model).eval().requires_grad_(requires_grad=False)
    traced = trace_sites(
        module,
        sites_of(module),
        lambda: grid_of(module, preparing.input_size),
        name=name,
        input_size=preparing.input_size,
        pooling="token+avg" if "Dinov2" in arguments["architecture"] and arguments["num_labels"] else "token",
    )
    return Built(module, traced, preparing, replace(source, notes=tuple(notes)), no_classes=why_no_classes(arguments))


def _loaded(arguments: Mapping[str, Any], file: Path | None, *, name: str) -> tuple[Any, list[str]]:
    """The library's model with all of its weights, and what was left out of the file, in words."""
    from vitpanel.models.adapters.transformers_module import ATTENTION

    if file is None:
        message = f"{name} has no file of weights."
        raise CheckpointError(message, hint=_SAVE)
    weights, (kind, options) = read_weights(file), _class_of(arguments)
    try:
        with _quiet():
            model, report = kind.from_pretrained(
                None,
                state_dict=weights.tensors,
                output_loading_info=True,
                # Without it the library's error does not say which.
                ignore_mismatched_sizes=True,
                dtype=torch.float32,
                attn_implementation=ATTENTION,
                **options,
            )
    except Exception as error:
        message = f"{file} does not fit {arguments['architecture']}: {str(error).strip().splitlines()[0]}"
        raise CheckpointError(message, hint="Give the weights that belong to this config.json.") from error
    surplus = sorted(report["unexpected_keys"])
    wrong = [f"{key} is missing" for key in sorted(report["missing_keys"]) if not _UNREAD.search(key)]
    wrong += [f"{key} is {tuple(found)}, not {tuple(need)}" for key, found, need in sorted(report["mismatched_keys"])]
    wrong += [f"{key} is not in the model" for key in surplus if not _UNREAD.search(key)]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""  # noqa: PLR2004 - so many are named
        message = f"{file} does not fit {arguments['architecture']}: {'; '.join(wrong[:3])}{more}."
        raise CheckpointError(message, hint="Give the weights that belong to this config.json.")
    return model, [f"Left out of the weights, since no output reads it: {', '.join(surplus)}."] if surplus else []


def _class_of(arguments: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The library's class, and what it is made with."""
    import transformers

    settings = {key: arguments[key] for key in kind_of(arguments).keys}
    config = getattr(transformers, kind_of(arguments).config)(**settings, num_labels=arguments["num_labels"])
    # The features are those of CLS, not what a pooler makes of them.
    unpooled = {"add_pooling_layer": False} if arguments["architecture"] in {"ViTModel", "DeiTModel"} else {}
    return getattr(transformers, arguments["architecture"]), {"config": config, **unpooled}


def _outline(arguments: Mapping[str, Any]) -> Any:
    """The model with tensors that take no memory."""
    kind, options = _class_of(arguments)
    try:
        with torch.device("meta"):
            return kind(**options)
    except Exception as error:
        message = f"The study's model cannot be built: {error}"
        raise VitpanelError(message, hint=HINT) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from drawing bars and tables: what does not fit is an error here, and in our words."""
    from transformers.utils import logging

    level, has_bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if has_bar:
            logging.enable_progress_bar()
