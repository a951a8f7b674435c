"""A study's model, built again from what its manifest says of it: text that may be a stranger's.

The manifest gives a name that timm knows, arguments of a closed list and the preprocessing, all of them checked. It
gives no file: the weights are named by the person who opens the study. Nothing here asks a network.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from timm.layers import to_2tuple

from vitpanel.errors import VitpanelError
from vitpanel.models.architecture import check_channels, check_name, outline
from vitpanel.models.arguments import check_arguments
from vitpanel.models.loading import load_model
from vitpanel.models.model import ViTModel
from vitpanel.models.stated import KEYS, check_preparation
from vitpanel.models.weights_file import n_values

_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)?", re.ASCII)
# Of one layer on one image; 4,096 tokens with 16 heads take half of it.
MOST_ATTENTION_BYTES = 2 * 2**30
_LARGER = 4
_ROOM = 100_000_000
HINT = "Open the study on its own with `vitpanel serve --no-live`, or compute it again."


def restore_model(record: Mapping[str, Any], weights: Path) -> ViTModel:
    """Build the model of a study from ``model`` of its manifest and a file of weights.

    Raises
    ------
    VitpanelError
        If the record asks for anything but one of timm's own architectures of a usual size, or the file does not fit.
    """
    name, arguments = _checked_name(record), _checked_arguments(record)
    preparation = _checked_preparation(record, name)
    _check_size(name, arguments, weights)
    names = record.get("class_names")
    # A linear head brings its own names.
    is_named = bool(names) and isinstance(names, list) and not record.get("head")
    class_names = [str(name) for name in names or ()] if is_named else None
    if record.get("source") == "timm" and not record.get("architecture"):
        files: dict[str, Path] = {"pretrained_file": weights}
    else:
        files = {"checkpoint": weights}
    return load_model(name, args=arguments, class_names=class_names, preparation=preparation, **files)


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


def _check_size(name: str, arguments: Mapping[str, Any], weights: Path) -> None:
    """Refuse a model that is much larger than the weights that are there, or whose attention fits nowhere."""
    module: Any = outline(name, arguments)
    wanted, there = sum(value.numel() for value in module.state_dict().values()), n_values(weights)
    if wanted > _LARGER * there + _ROOM:
        message = f"The study's model would have {wanted:,} parameters, but {weights} holds {there:,} numbers."
        raise VitpanelError(message, hint=HINT)
    n_heads = max((int(getattr(part, "num_heads", 1) or 1) for part in module.modules()), default=1)
    n_bytes = 4 * n_heads * _n_patches(module, arguments) ** 2
    if n_bytes > MOST_ATTENTION_BYTES:
        message = f"Attention of one layer of the study's model would take {n_bytes / 2**30:,.0f} GiB."
        raise VitpanelError(message, hint=HINT)


def _n_patches(module: Any, arguments: Mapping[str, Any]) -> int:
    embed = getattr(module, "patch_embed", getattr(module, "embeds", None))
    grid = getattr(embed, "grid_size", None)
    if grid is None:
        sizes = zip(to_2tuple(arguments.get("img_size", 224)), to_2tuple(arguments.get("patch_size", 16)), strict=True)
        grid = tuple(image // patch for image, patch in sizes)
    return int(grid[0]) * int(grid[1])
