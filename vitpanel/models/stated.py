"""How images are prepared for a model: what a person or a file says of it, and what is assumed where they do not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from timm.data import resolve_model_data_config
from timm.layers import to_2tuple
from torch import nn

from vitpanel.errors import VitpanelError
from vitpanel.models.images import Preprocessing

LARGEST_CROP = 1.5
KEYS = ("mean", "std", "interpolation", "crop_pct", "crop_mode")
_WORDS = {
    "interpolation": ("bilinear", "bicubic", "lanczos", "nearest", "box", "hamming"),
    "crop_mode": ("center", "squash", "border"),
}


@dataclass(frozen=True)
class Prepared:
    """Preprocessing, and which of its parts nobody stated."""

    preprocessing: Preprocessing
    assumed: tuple[str, ...]


def prepare(module: nn.Module, arguments: Mapping[str, Any], *, stated: Mapping[str, Any]) -> Prepared:
    """Take timm's data configuration, at the size that the model was built for, with what is stated in its place.

    Parameters
    ----------
    stated
        Some of `KEYS`.

    Raises
    ------
    VitpanelError
        If a stated value cannot be.
    """
    config = resolve_model_data_config(module)
    embed = getattr(module, "patch_embed", None)
    size = to_2tuple(getattr(embed, "img_size", None) or arguments.get("img_size") or config["input_size"][1:])
    channels = int(arguments.get("in_chans", config["input_size"][0]))
    values = {key: stated.get(key, config[key]) for key in KEYS}
    for key in ("mean", "std"):
        values[key] = _of_channels(key, values[key], channels)
    check_preparation(values, channels)
    preprocessing = Preprocessing(input_size=(channels, int(size[0]), int(size[1])), **values)
    return Prepared(preprocessing, tuple(key for key in KEYS if key not in stated))


def assumed_words(prepared: Prepared) -> list[str]:
    """What was assumed of the preprocessing, in words."""
    found = prepared.preprocessing
    words = {
        "mean": f"mean {_numbers(found.mean)}",
        "std": f"std {_numbers(found.std)}",
        "interpolation": f"{found.interpolation} interpolation",
        "crop_pct": f"crop {found.crop_pct:.3g}",
        "crop_mode": f"{found.crop_mode} crop",
    }
    # Hardly anybody crops otherwise.
    return [words[key] for key in prepared.assumed if key != "crop_mode"]


def check_preparation(values: Mapping[str, Any], channels: int) -> None:
    """Refuse values that no preprocessing has.

    Raises
    ------
    VitpanelError
        With the name, the value and what it may be.
    """
    for key in {"mean", "std"} & values.keys():
        # Of pixels in [0, 1]; who has them for 0 to 255 must hear of it.
        low, high = (0, 1) if key == "mean" else (1e-6, 10)
        found = values[key]
        if not isinstance(found, list | tuple) or not all(
            _is_number(value) and low <= value <= high for value in found
        ):
            raise _misstated(key, values[key], f"{channels} numbers from {low} to {high}, of pixels from 0 to 1")
    key, share = "crop_pct", values.get("crop_pct", 1)
    # timm has some above 1, whose images get a border.
    if not (_is_number(share) and 0 < share <= LARGEST_CROP):
        raise _misstated(key, share, "a number above 0 and at most 1.5")
    for key, words in _WORDS.items():
        if values.get(key, words[0]) not in words:
            raise _misstated(key, values[key], f"one of {', '.join(words)}")


def _of_channels(key: str, given: Any, channels: int) -> tuple[float, ...]:
    """One value a channel: one given value is for all, and those of three colours have their mean for grey."""
    values = tuple(given) if isinstance(given, tuple | list) else (given,)
    if not values or not all(map(_is_number, values)):
        raise _misstated(key, given, f"{channels} numbers")
    if len(values) == channels:
        return values
    if len(values) == 1 or channels == 1:
        return (sum(values) / len(values),) * channels
    raise _misstated(key, given, f"one number or {channels}, one a channel")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _misstated(key: str, value: Any, may_be: str) -> VitpanelError:
    message = f"{key} is {value!r:.80}."
    return VitpanelError(message, hint=f"It must be {may_be}.")


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.4g}" for value in values)
