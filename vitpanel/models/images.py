"""From image bytes to what the model sees, and back to what a person is shown."""

import io
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from PIL import Image, ImageOps
from timm.data import create_transform
from torch import Tensor

from vitpanel.errors import BadImageError

THUMBNAIL_SIZE = 64
MAX_PIXELS = 100_000_000


@dataclass(frozen=True)
class Preprocessing:
    """How timm prepares an image for a model.

    Parameters
    ----------
    input_size
        Channels, height, width.
    mean, std
        One value a channel, of pixels in [0, 1].
    interpolation, crop_pct, crop_mode
        As in timm's data configuration.
    """

    input_size: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str = "bicubic"
    crop_pct: float = 1.0
    crop_mode: str = "center"

    def __post_init__(self) -> None:
        # timm ends every evaluation transform with the conversion to a tensor and the normalisation.
        steps = create_transform(**asdict(self)).transforms
        object.__setattr__(self, "_crop_steps", steps[:-2])
        object.__setattr__(self, "_tensor_steps", steps[-2:])

    @property
    def _mode(self) -> str:
        return "L" if self.input_size[0] == 1 else "RGB"

    def crop(self, image: Image.Image) -> Image.Image:
        """Return the part of an image that the model sees, at the model's size, before normalisation."""
        image = image.convert(self._mode)
        for step in self._crop_steps:  # type: ignore[attr-defined]
            image = step(image)
        return image

    def tensor(self, crops: Sequence[Image.Image]) -> Tensor:
        """Normalised input of the model, float32 ``(n, channels, height, width)``."""
        batch: list[Any] = [crop.convert(self._mode) for crop in crops]
        for step in self._tensor_steps:  # type: ignore[attr-defined]
            batch = [step(image) for image in batch]
        return torch.stack(batch)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form, read back by `from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Preprocessing":
        """Inverse of `to_dict`."""
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in data.items()})


def read_image(source: Path | BinaryIO, *, name: str = "") -> Image.Image:
    """Decode an image whole and turn it upright by its EXIF orientation.

    Raises
    ------
    BadImageError
        If the file is no image, is truncated, or has more than 100 million pixels; the message names it.
    """
    name = name or str(source)
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(source) as image:
            if image.width * image.height > MAX_PIXELS:
                message = f"{name} has {image.width} × {image.height} pixels, more than {MAX_PIXELS}."
                raise BadImageError(message)
            image.load()
            return ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        message = f"{name} cannot be decoded: {error}."
        raise BadImageError(message) from error


def encode_crop(crop: Image.Image) -> bytes:
    """Lossless WebP, so that the live model gets the very pixels of the precompute run."""
    buffer = io.BytesIO()
    crop.convert("RGB").save(buffer, "WEBP", lossless=True, quality=0, method=1)
    return buffer.getvalue()


def decode_crop(data: bytes) -> Image.Image:
    """Inverse of `encode_crop`."""
    return Image.open(io.BytesIO(data)).convert("RGB")


def encode_thumbnail(crop: Image.Image) -> bytes:
    """Small WebP for tooltips."""
    thumbnail = crop.convert("RGB")
    thumbnail.thumbnail((THUMBNAIL_SIZE, THUMBNAIL_SIZE))
    buffer = io.BytesIO()
    thumbnail.save(buffer, "WEBP", quality=80)
    return buffer.getvalue()
