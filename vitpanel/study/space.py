"""How much room a study takes, and whether there is that much."""

import math
import shutil
from pathlib import Path

import numpy as np

from vitpanel.core.spec import ViTSpec
from vitpanel.errors import DiskFullError
from vitpanel.study.schema import array_specs

_CROP_BYTES_PER_PIXEL = 2.1
_THUMBNAIL_BYTES = 2048
_UNITS = ("B", "kB", "MB", "GB", "TB")


def estimated_bytes(spec: ViTSpec, n_images: int, *, latent_dim: int) -> int:
    """Room that a study of so many images takes, rather too much: arrays uncompressed, crops of noisy photographs."""
    arrays = array_specs(spec, n_images, latent_dim=latent_dim).values()
    height, width = spec.image_size
    pictures = n_images * (_CROP_BYTES_PER_PIXEL * height * width + _THUMBNAIL_BYTES)
    return int(pictures) + sum(math.prod(array.shape) * np.dtype(array.dtype).itemsize for array in arrays)


def attention_bytes(spec: ViTSpec, n_images: int) -> int:
    """Room that the raw float32 attention would take, which a study does without."""
    return n_images * spec.n_layers * spec.n_heads * spec.grid.n_tokens**2 * 4


def check_space(path: Path, needed_bytes: int) -> None:
    """Ask the disk, before a run, whether a study has room at ``path``, which need not exist.

    Raises
    ------
    DiskFullError
        If less is free; the message gives both numbers.
    """
    folder = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        message = f"{path} needs about {size_text(needed_bytes)}, but {folder} has {size_text(free)} free."
        raise DiskFullError(message, hint="Make room, choose another --out, or take fewer images.")


def size_text(n_bytes: float) -> str:
    """Return a size for people, as in "3.2 MB"."""
    power = min(int(math.log10(max(n_bytes, 1)) // 3), len(_UNITS) - 1)
    return f"{n_bytes / 1000**power:.{1 if power else 0}f} {_UNITS[power]}"
