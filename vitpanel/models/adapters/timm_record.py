"""A study's model of timm, as its manifest names it: text that may be a stranger's.

The manifest gives a name that timm knows, arguments of a closed list and the preprocessing, all of them checked. It
gives no file: the weights are named by the person who opens the study. Nothing here asks a network.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from timm.layers import to_2tuple

from vitpanel.errors import VitpanelError
from vitpanel.models.adapters.base import ModelRequest
from vitpanel.models.adapters.record import HINT, check_size, names_of
from vitpanel.models.architecture import check_channels, check_name, outline
from vitpanel.models.arguments import check_arguments
from vitpanel.models.stated import KEYS, check_preparation

_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)?", re.ASCII)


def timm_request(record: Mapping[str, Any], weights: Path) -> ModelRequest:
    """What to build from ``model`` of a manifest and a file of weights.

    Raises
    ------
    VitpanelError
        If the record asks for anything but one of timm's own architectures of a usual size, or the file does not fit.
    """
    name, arguments = _checked_name(record), _checked_arguments(record)
    preparation = _checked_preparation(record, name)
    module: Any = outline(name, arguments)
    n_heads = max((int(getattr(part, "num_heads", 1) or 1) for part in module.modules()), default=1)
    check_size(module, weights, n_heads=n_heads, n_tokens=_n_patches(module, arguments))
    if record.get("source") == "timm" and not record.get("architecture"):
        files: dict[str, Path] = {"pretrained_file": weights}
    else:
        files = {"checkpoint": weights}
    return ModelRequest(name, args=arguments, class_names=names_of(record), preparation=preparation, **files)


def _checked_name(record: Mapping[str, Any]) -> str:
    """The plain name of the architecture: one that leads to the hub or to a folder is not followed."""
    name = record.get("architecture") or record.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        message = f"The study names its model {name!r:.120}, which is not a plain name of timm's."
        raise VitpanelError(message, hint=HINT)
    check_name(name)
    return name


def _checked_arguments(record: Mapping[str, Any]) -> dict[str, Any]:
    arguments = record.get("args")
    if not isinstance(arguments, Mapping):
        message = f"The study says that the arguments of its model are {arguments!r:.80}."
        raise VitpanelError(message, hint=HINT)
    check_arguments(arguments)
    return dict(arguments)


def _checked_preparation(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = record.get("preprocessing")
    channels = record.get("in_chans")
    if not isinstance(found, Mapping) or not isinstance(channels, int):
        message = "The study does not say how images are prepared for its model."
        raise VitpanelError(message, hint=HINT)
    check_channels(name, channels)
    values = {key: found[key] for key in KEYS if key in found}
    check_preparation(values, channels)
    return values


def _n_patches(module: Any, arguments: Mapping[str, Any]) -> int:
    embed = getattr(module, "patch_embed", getattr(module, "embeds", None))
    grid = getattr(embed, "grid_size", None)
    if grid is None:
        sizes = zip(to_2tuple(arguments.get("img_size", 224)), to_2tuple(arguments.get("patch_size", 16)), strict=True)
        grid = tuple(image // patch for image, patch in sizes)
    return int(grid[0]) * int(grid[1])
