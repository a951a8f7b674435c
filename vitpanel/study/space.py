"""How much room a study takes, and whether there is that much."""

import math
import shutil
from collections.abc import Iterable
from pathlib import Path

from vitpanel.core.spec import ViTSpec
from vitpanel.errors import DiskFullError
from vitpanel.study.files import StudyFiles
from vitpanel.study.manifest import Manifest

_CROP_BYTES_PER_PIXEL = 2.1
_THUMBNAIL_BYTES = 2048
_UNITS = ("B", "kB", "MB", "GB", "TB")


def missing_bytes(path: Path, manifest: Manifest, stages: Iterable[str]) -> int:
    """Room that what a study lacks will take, rather too much: arrays uncompressed, crops of noisy photographs.

    Parameters
    ----------
    path
        The folder ``NAME.study``, which need not exist.
    manifest
        Of the study as it is to be.
    stages
        Those that are to be computed.
    """
    files, wanted = StudyFiles(path), frozenset(stages)
    height, width = manifest.spec.image_size
    total = 0.0
    for block in range(manifest.n_blocks):
        if not files.crops(block).exists():
            picture_bytes = _CROP_BYTES_PER_PIXEL * height * width + _THUMBNAIL_BYTES
            total += len(manifest.block_images(block)) * picture_bytes
    for spec in manifest.arrays().values():
        if spec.stage not in wanted:
            continue
        blocks = range(manifest.n_blocks if spec.is_per_block else 1)
        total += spec.chunk_bytes(manifest.block_size) * sum(
            not files.chunk(spec.name, block, len(spec.shape)).exists() for block in blocks
        )
    return int(total)


def attention_bytes(spec: ViTSpec, n_images: int) -> int:
    """Room that the raw float32 attention would take, which a study does without."""
    return n_images * spec.n_layers * spec.n_heads * spec.grid.n_tokens**2 * 4


def check_space(path: Path, needed_bytes: int) -> None:
    """Ask the disk, before a run, whether a study has room at ``path``, which need not exist.

    Parameters
    ----------
    needed_bytes
        What it still lacks.

    Raises
    ------
    DiskFullError
        If less is free; the message gives both numbers.
    """
    folder = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        message = f"{path} needs about {size_text(needed_bytes)} more, but {folder} has {size_text(free)} free."
        raise DiskFullError(message, hint="Make room, choose another --out, or take fewer images.")


def size_text(n_bytes: float) -> str:
    """Return a size for people, as in "3.2 MB"."""
    power = min(int(math.log10(max(n_bytes, 1)) // 3), len(_UNITS) - 1)
    return f"{n_bytes / 1000**power:.{1 if power else 0}f} {_UNITS[power]}"
