"""From image bytes to what the model sees, and back to what a person is shown."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO, Self

import torch
from PIL import Image
from timm.data import create_transform
from torch import Tensor

from vitpanel.errors import BadImageError
from vitpanel.models.decoding import MAX_PIXELS, decode_image

THUMBNAIL_SIZE = 64
CROP_FORMAT = "WEBP"
MAX_ENLARGED = 2 * MAX_PIXELS


@dataclass(frozen=True)
class Preprocessing:
    """How an image is prepared for a model, as timm does it.

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
        steps = create_transform(
            **{field.name: getattr(self, field.name) for field in fields(Preprocessing)}
        ).transforms
        object.__setattr__(self, "_crop_steps", steps[:-2])
        object.__setattr__(self, "_tensor_steps", steps[-2:])

    @property
    def _mode(self) -> str:
        return "L" if self.input_size[0] == 1 else "RGB"

    def crop(self, image: Image.Image) -> Image.Image:
        """Return the part of an image that the model sees, at the model's size, before normalisation.

        Raises
        ------
        BadImageError
            If the image is so much longer than wide that it cannot be brought to that size.
        """
        self._check_memory(image)
        # Pillow knows no way from La, of which no file is, to colours.
        image = (image.convert("LA") if image.mode == "La" else image).convert(self._mode)
        try:
            for step in self._crop_steps:  # type: ignore[attr-defined]
                image = step(image)
        except ValueError as error:  # a side has shrunk to nothing
            raise self._too_narrow(image) from error
        return image

    def _check_memory(self, image: Image.Image) -> None:
        """Refuse an image whose middle can only be had by enlarging all of it beyond measure."""
        side = max(self.input_size[1:]) / self.crop_pct
        is_enlarged = self.crop_mode not in {"border", "squash"}
        if is_enlarged and side * side * max(image.size) / min(image.size) > MAX_ENLARGED:
            raise self._too_narrow(image)

    def _too_narrow(self, image: Image.Image) -> BadImageError:
        height, width = self.input_size[1:]
        message = f"{image.width} × {image.height} pixels are too narrow for an input of {width} × {height}."
        return BadImageError(message)

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
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_dict`."""
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in data.items()})


def read_image(source: Path | BinaryIO, *, name: str = "", upright: bool = True) -> Image.Image:
    """Decode an image whole, to 8 bits, and turn it upright by its EXIF orientation unless told otherwise.

    Raises
    ------
    BadImageError
        If it cannot be decoded, or is too large; the message names it. `vitpanel.models.decoding` says what is taken.
    """
    return decode_image(source, name=name or str(source), upright=upright).image


def encode_crop(crop: Image.Image) -> bytes:
    """Lossless WebP, so that the live model gets the very pixels of the precompute run."""
    buffer = io.BytesIO()
    crop.convert("RGB").save(buffer, CROP_FORMAT, lossless=True, quality=0, method=1)
    return buffer.getvalue()


def decode_crop(data: bytes) -> Image.Image:
    """Inverse of `encode_crop`."""
    return Image.open(io.BytesIO(data), formats=[CROP_FORMAT]).convert("RGB")


def encode_thumbnail(crop: Image.Image) -> bytes:
    """Small WebP for tooltips."""
    thumbnail = crop.convert("RGB")
    thumbnail.thumbnail((THUMBNAIL_SIZE, THUMBNAIL_SIZE))
    buffer = io.BytesIO()
    thumbnail.save(buffer, CROP_FORMAT, quality=80)
    return buffer.getvalue()
