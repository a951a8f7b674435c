"""Pretrained weights: timm's own by name, those of a repository of the Hugging Face hub, or of a folder of timm's.

What a name leads to is found here, and read by ourselves as safetensors: timm alone would also take pickles.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import timm
from timm.models import get_pretrained_cfg, load_model_config_from_hf
from timm.models._hub import load_model_config_from_path
from torch import nn

from vitpanel.errors import CheckpointError, UnknownModelError, VitpanelError
from vitpanel.models.architecture import check_name
from vitpanel.models.foreign_files import describe_foreign, hugging_face_kind
from vitpanel.models.foreign_keys import HUGGING_FACE_HINT
from vitpanel.models.weights_file import read_weights

HUB_PREFIXES = ("hf-hub:", "hf_hub:")
LOCAL_PREFIX = "local-dir:"
_SAFE_NAMES = ("model.safetensors", "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors")
_UNSAFE_ENDINGS = (".bin", ".pth", ".pt", ".tar", ".ckpt")
_SYNSET = re.compile(r"n\d{8}")
_NO_HUB = "Check the connection to the Hugging Face hub, or give your own weights with --checkpoint."


@dataclass(frozen=True)
class Pretrained:
    """What a name of pretrained weights leads to.

    Parameters
    ----------
    name
        As it was given.
    architecture
        timm's name of the architecture; with the tag of the weights where they are timm's own.
    args
        Arguments that the weights were saved with.
    config
        timm's configuration of these weights: preprocessing, number and names of classes, origin.
    folder
        Where the file lies; None for the hub.
    """

    name: str
    architecture: str
    args: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def is_timms(self) -> bool:
        """Whether the weights are of timm's own list."""
        return self.name == self.architecture

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the class head, as the configuration gives them; else none."""
        names = self.config.get("label_names") or ()
        words = self.config.get("label_descriptions") or {}
        if not names and isinstance(words, list | tuple):
            return tuple(map(str, words))
        if not isinstance(words, dict):
            return tuple(map(str, names))
        # Numbers of WordNet say nothing to people; as a further synonym they still match folders of that name.
        return tuple(
            f"{words[name]}, {name}" if _SYNSET.fullmatch(str(name)) and name in words else str(name) for name in names
        )

    @property
    def provenance(self) -> dict[str, str]:
        """What is known of the weights."""
        return {key: str(self.config[key]) for key in ("tag", "hf_hub_id", "url", "license") if self.config.get(key)}


def is_elsewhere(name: str) -> bool:
    """Whether a name leads to the hub or to a folder."""
    return name.startswith((*HUB_PREFIXES, LOCAL_PREFIX))


def find_pretrained(name: str) -> Pretrained:
    """Find what a name leads to; of the hub at most the configuration is fetched.

    Raises
    ------
    UnknownModelError
        If timm has no such model.
    CheckpointError
        If the configuration cannot be had, or is not timm's.
    """
    if not is_elsewhere(name):
        check_name(name)
        return Pretrained(name, name, config=_timms_config(name))
    identity = name.partition(":")[2]
    folder = Path(identity) if name.startswith(LOCAL_PREFIX) else None
    try:
        found = load_model_config_from_path(folder) if folder else load_model_config_from_hf(identity)
    except FileNotFoundError as error:
        message = f"{identity} is no folder that timm saved: it holds no config.json."
        raise CheckpointError(
            message, hint="Give a folder of timm's save_for_hf, or a file with --checkpoint."
        ) from error
    except KeyError as error:
        raise _not_timms(identity, folder) from error
    except Exception as error:
        message = f"The configuration of {name} cannot be had: {error}"
        raise CheckpointError(message, hint="Check config.json." if folder else _NO_HUB) from error
    config, architecture, args = found
    if not timm.is_model(architecture):
        message = f"{name} is of the architecture {architecture!r}, which timm does not have."
        raise UnknownModelError(message, hint="Upgrade timm, or choose another model.")
    return Pretrained(name, architecture, dict(args), config, folder)


def build_pretrained(found: Pretrained, arguments: Mapping[str, Any], file: Path) -> nn.Module:
    """Build a model with pretrained weights from a safetensors file, as timm would.

    Raises
    ------
    CheckpointError
        If the file cannot be read or is not of this model.
    """
    # As a dictionary of tensors, timm asks for no file and no address itself.
    config = found.config | {"state_dict": read_weights(file).tensors, "source": "", "custom_load": False}
    architecture, arguments = found.architecture.partition(".")[0], dict(arguments)
    # timm overlooks missing weights where the number of classes differs: the head is taken off afterwards.
    is_headless = arguments.get("num_classes") == 0 and bool(config.get("num_classes"))
    if is_headless:
        arguments["num_classes"] = config["num_classes"]
    try:
        module: Any = timm.create_model(architecture, pretrained=True, pretrained_cfg=config, **arguments)
    except Exception as error:
        # torch names every tensor.
        reason = " ".join(line.strip() for line in str(error).splitlines()[:3])
        message = f"{file} does not fit {found.name}: {reason}"
        raise CheckpointError(message, hint="Leave --model-arg away, or give the weights with --checkpoint.") from error
    if is_headless:
        module.reset_classifier(0)
    # The model must not keep the tensors a second time.
    module.pretrained_cfg = {**module.pretrained_cfg, "state_dict": None}
    return module.eval().requires_grad_(requires_grad=False)


def check_classes(found: Pretrained, arguments: Mapping[str, Any]) -> None:
    """Refuse another number of classes than that of the weights: timm would put an untrained head on them.

    Raises
    ------
    VitpanelError
        With both numbers, and the ways to another head.
    """
    wanted, trained = arguments.get("num_classes"), found.config.get("num_classes")
    if wanted in {None, 0, trained} or trained is None:
        return
    message = (
        f"num_classes is {wanted}, but the pretrained weights of {found.name} have a head of {trained} classes: one of "
        f"{wanted} would be untrained, and its values random."
    )
    hint = (
        "Leave num_classes away; or give a head with --head, have one fitted with --probe, or give your own trained "
        "weights with --checkpoint."
    )
    raise VitpanelError(message, hint=hint)


def fetch_weights(found: Pretrained) -> Path:
    """Path of the safetensors file of pretrained weights, downloaded to the hub's cache where it is not there.

    Raises
    ------
    CheckpointError
        If they cannot be had, or are pickled.
    """
    if found.folder is not None:
        return _in_folder(found.folder)
    repository = str(found.config.get("hf_hub_id") or "")
    if not repository:
        message = f"timm has no pretrained weights of {found.name} on the Hugging Face hub."
        raise CheckpointError(message, hint="Choose a name with weights: timm.list_pretrained(), or give --checkpoint.")
    return _from_hub(found.name, repository, str(found.config.get("hf_hub_filename") or ""))


def _timms_config(name: str) -> dict[str, Any]:
    try:
        config = get_pretrained_cfg(name)
    except RuntimeError as error:
        tags = ", ".join(timm.list_pretrained(f"{name.partition('.')[0]}.*")[:5])
        message = str(error)
        raise UnknownModelError(message, hint=f"timm has {tags}." if tags else "Leave the tag away.") from error
    if config is None:
        return {}
    return config.to_dict() | {"architecture": name.partition(".")[0]}


def _not_timms(identity: str, folder: Path | None) -> CheckpointError:
    kind = hugging_face_kind(folder) if folder else "config.json names no architecture of timm"
    what = f" of the library transformers ({kind})" if kind else ": its config.json names no architecture"
    message = f"{identity} is a Hugging Face model{what}, not one that timm saved."
    return CheckpointError(message, hint=HUGGING_FACE_HINT)


def _in_folder(folder: Path) -> Path:
    safe = [folder / name for name in _SAFE_NAMES if (folder / name).is_file()] or sorted(folder.glob("*.safetensors"))
    if len(safe) == 1 or (safe and safe[0].name in _SAFE_NAMES):
        return safe[0]
    if safe:
        message = f"{folder} holds several files of weights: {', '.join(file.name for file in safe[:3])}."
        raise CheckpointError(message, hint="Give one of them with --checkpoint.")
    unsafe = [file for file in sorted(folder.iterdir()) if file.name.endswith(_UNSAFE_ENDINGS)]
    if not unsafe:
        message = f"{folder} holds no weights."
        raise CheckpointError(message, hint="Give a folder with model.safetensors.")
    foreign = describe_foreign(unsafe[0])
    message = f"{folder} holds its weights only in {unsafe[0].name}, and vitpanel reads safetensors only."
    raise CheckpointError(message, hint=foreign.hint if foreign else "Save the weights as model.safetensors.")


def _from_hub(name: str, repository: str, filename: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    repository, _, revision = repository.partition("@")
    stem = filename.rpartition(".")[0]
    wanted = [filename] if filename.endswith(".safetensors") else [f"{stem}.safetensors"] if stem else []
    try:
        for safe in dict.fromkeys([*wanted, *_SAFE_NAMES]):
            try:
                return Path(hf_hub_download(repository, safe, revision=revision or None))
            except LocalEntryNotFoundError:  # the hub cannot be reached
                raise
            except EntryNotFoundError:
                continue
    except Exception as error:
        message = f"The pretrained weights of {name} cannot be had: {error}"
        raise CheckpointError(message, hint=_NO_HUB) from error
    message = f"{repository} holds no safetensors, and vitpanel reads no pickles."
    raise CheckpointError(message, hint="Choose another name of timm's, or convert the weights and give --checkpoint.")
