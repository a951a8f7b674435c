"""Write a study block by block, so that a killed run loses one block at most."""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import filelock
import numpy as np
import pandas as pd
from zarr.storage import LocalStore

from vitpanel.errors import StudyError, StudyFormatError, StudyLockedError, StudyMismatchError
from vitpanel.study.arrays import create_array, open_array, read_rows
from vitpanel.study.atomic import flush, sweep, write_atomically, write_errors
from vitpanel.study.files import StudyFiles
from vitpanel.study.manifest import Manifest
from vitpanel.study.records import bytes_digest, read_record, record_bytes
from vitpanel.study.schema import HEADS, LATENTS, ArraySpec, array_specs
from vitpanel.study.tables import crops_bytes, images_bytes, read_images, unpredicted_images, with_predictions


class StudyWriter:
    """The one writer of a study; made by `create_or_resume`, closed by ``with`` or `close`.

    Every method that writes raises `DiskFullError` when the disk is full; what is written stays.

    Parameters
    ----------
    path
        The folder ``NAME.study``.
    manifest
        Of the study on disk; kept up to date there.
    lock
        Held until the writer is closed.
    """

    def __init__(self, path: Path, manifest: Manifest, lock: filelock.BaseFileLock) -> None:
        self.path = path
        self.files = StudyFiles(path)
        self.manifest = manifest
        self.arrays = array_specs(
            manifest.spec, manifest.n_images, latent_dim=manifest.latent_dim, checks=manifest.checks
        )
        self._lock = lock

    @classmethod
    def create_or_resume(cls, path: str | Path, manifest: Manifest, images: pd.DataFrame) -> Self:
        """Create a study, or go on with the one at ``path`` if it was begun with the same model, images and settings.

        Parameters
        ----------
        path
            The folder ``NAME.study``; made where there is none.
        manifest
            What is to be computed. That on disk counts when a study is resumed.
        images
            With columns ``file``, ``label`` (-1 for none) and ``label_name``; row i becomes image i.

        Raises
        ------
        StudyMismatchError
            If the study at ``path`` was begun with something else; the message names it, with both values.
        StudyLockedError
            If another run is writing it.
        StudyError
            If ``path`` is something else than a study, or there are no images.
        """
        path = Path(path)
        if images.empty:
            message = f"{path} would be a study of no images."
            raise StudyError(message, hint="Check the folder or table of images.")
        manifest = replace(manifest, images=manifest.images | {"n_images": len(images)})
        _check_folder(path)
        with write_errors(path):
            path.mkdir(parents=True, exist_ok=True)
            lock = _locked(path)
        try:
            with write_errors(path):
                sweep(path)
                writer = cls(path, _created_or_found(path, manifest), lock)
                writer._create_missing(images)
        except BaseException:
            lock.release()
            raise
        return writer

    def __enter__(self) -> Self:
        """Return the writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the writer."""
        self.close()

    def close(self) -> None:
        """Let others write the study."""
        self._lock.release()

    @property
    def n_blocks(self) -> int:
        """Number of blocks of images."""
        return self.manifest.n_blocks

    def block_images(self, block: int) -> range:
        """Return the image ids of a block."""
        return self.manifest.block_images(block)

    def pending_blocks(self) -> list[int]:
        """Blocks that are not on disk whole, in order."""
        return [block for block in range(self.n_blocks) if not self._is_whole(block)]

    def blocks_without(self, stage: str) -> list[int]:
        """Blocks of which rows of a stage that comes in blocks are missing, in order."""
        specs = [spec for spec in self.arrays.values() if spec.stage == stage]
        return [block for block in range(self.n_blocks) if not all(self._chunk(spec, block).exists() for spec in specs)]

    def is_done(self, stage: str) -> bool:
        """Whether a stage is complete and none of its files was lost since."""
        if not self.manifest.is_done(stage):
            return False
        if stage == HEADS:
            return not self.pending_blocks()
        extra = [self.path / name for name in self.manifest.files if stage == LATENTS]
        chunks = [chunk for spec in self.arrays.values() if spec.stage == stage for chunk in self._chunks(spec)]
        return all(path.exists() for path in [*extra, *chunks])

    def write_block(
        self, block: int, arrays: dict[str, np.ndarray], crops: Sequence[bytes], thumbnails: Sequence[bytes]
    ) -> None:
        """Write all that the heads stage gives for a block of images, and its receipt last.

        Parameters
        ----------
        block
            Number of the block.
        arrays
            Every array of the stage that the model has, each with the rows of this block.
        crops, thumbnails
            Encoded pictures, one of each per image.

        Raises
        ------
        StudyError
            If an array is missing, unknown, of another shape or type, or not finite where it must be.
        """
        images = self.block_images(block)
        names = [name for name, spec in self.arrays.items() if spec.stage == HEADS]
        if set(arrays) != set(names):
            message = f"Block {block} needs the arrays {', '.join(names)}, but was given {', '.join(arrays)}."
            raise StudyError(message)
        if not len(crops) == len(thumbnails) == len(images):
            message = (
                f"Block {block} has {len(images)} images, not {len(crops)} crops and {len(thumbnails)} thumbnails."
            )
            raise StudyError(message)
        with write_errors(self.path):
            self.files.receipt(block).unlink(missing_ok=True)
        for name in names:
            self.write_rows(name, block, arrays[name])
        receipt = {"block": block, "images": [images.start, images.stop], "arrays": names}
        with write_errors(self.path):
            write_atomically(self.files.crops(block), crops_bytes(images, crops, thumbnails))
            write_atomically(self.files.receipt(block), record_bytes(receipt))

    def write_rows(self, name: str, block: int, array: np.ndarray) -> None:
        """Write the rows of one block of an array; raises as `write_block` does."""
        spec = self._spec(name)
        images = self.block_images(block)
        self._write(spec, array, rows=slice(images.start, images.stop), block=block)

    def write_array(self, name: str, array: np.ndarray) -> None:
        """Write a whole array that does not come in blocks; raises as `write_block` does."""
        spec = self._spec(name)
        self._write(spec, array, rows=slice(0, spec.shape[0]), block=0)

    def write_predictions(self) -> None:
        """Fill what the model predicts into the table of images; nothing for a model without classes."""
        if "probabilities" not in self.arrays:
            return
        spec, path = self.arrays["probabilities"], self.files.array("probabilities")
        array = open_array(path, spec, block_size=self.manifest.block_size)
        probabilities = read_rows(path, array, slice(0, spec.shape[0]))
        images = with_predictions(read_images(self.files.images), probabilities, self.manifest.class_names)
        with write_errors(self.path):
            write_atomically(self.files.images, images_bytes(images))

    def write_file(self, name: str, data: bytes) -> None:
        """Write an extra file into the study, such as ``autoencoder.safetensors``, and its digest in the manifest."""
        with write_errors(self.path):
            write_atomically(self.path / name, data)
        self.manifest.files[name] = bytes_digest(data)
        self._write_manifest()

    def write_checks(self, checks: dict[str, Any]) -> None:
        """Add figures that tell how far to trust the study."""
        self.manifest.checks.update(checks)
        self._write_manifest()

    def finish_stage(self, stage: str, *, seconds: float, detail: dict[str, Any] | None = None) -> None:
        """Note that a stage is complete, what it wrote, and how long it took."""
        arrays = [name for name, spec in self.arrays.items() if spec.stage == stage]
        record = {"done": True, "seconds": round(seconds, 3), "arrays": arrays, "detail": detail or {}}
        self.manifest.stages[stage] = record
        self._write_manifest()

    def _write_manifest(self) -> None:
        with write_errors(self.path):
            self.manifest.write(self.path)

    def _create_missing(self, images: pd.DataFrame) -> None:
        self.files.receipts.mkdir(exist_ok=True)
        self.files.crops(0).parent.mkdir(exist_ok=True)
        is_new = not self.files.images.exists()
        if is_new:
            write_atomically(self.files.images, images_bytes(unpredicted_images(images)))
        for name, spec in self.arrays.items():
            if not (self.files.array(name) / "zarr.json").exists():
                create_array(LocalStore(self.files.array(name)), spec, self.manifest.block_size)
        if is_new and self.is_done(HEADS):
            self.write_predictions()

    def _is_whole(self, block: int) -> bool:
        chunks = [self._chunk(spec, block) for spec in self.arrays.values() if spec.stage == HEADS]
        try:
            read_record(self.files.receipt(block))
        except (FileNotFoundError, StudyFormatError):
            return False
        return all(path.exists() for path in [self.files.crops(block), *chunks])

    def _chunk(self, spec: ArraySpec, block: int) -> Path:
        return self.files.chunk(spec.name, block, len(spec.shape))

    def _chunks(self, spec: ArraySpec) -> list[Path]:
        return [self._chunk(spec, block) for block in range(self.n_blocks if spec.is_per_block else 1)]

    def _spec(self, name: str) -> ArraySpec:
        if name not in self.arrays:
            message = f"{self.path} can have no array {name!r}."
            raise StudyError(message, hint=f"The arrays of this model are {', '.join(self.arrays)}.")
        return self.arrays[name]

    def _write(self, spec: ArraySpec, array: np.ndarray, *, rows: slice, block: int) -> None:
        shape = (rows.stop - rows.start, *spec.shape[1:])
        if array.shape != shape or array.dtype != np.dtype(spec.dtype):
            message = f"{spec.name} must be {spec.dtype} {shape} here, not {array.dtype} {array.shape}."
            raise StudyError(message)
        if not spec.may_be_nan and not np.isfinite(array).all():
            image = rows.start + int(np.argwhere(~np.isfinite(array))[0][0])
            message = f"{spec.name} of image {image} is not finite."
            hint = "Check the model's weights; fp16 cannot hold values above 65,504: try --precision float32."
            raise StudyError(message, hint=hint)
        target = open_array(self.files.array(spec.name), spec, block_size=self.manifest.block_size, mode="r+")
        with write_errors(self.path):
            target[rows] = array
            flush(self._chunk(spec, block))


def _check_folder(path: Path) -> None:
    if path.is_dir():
        if StudyFiles(path).manifest.exists() or all(child.name.startswith(".") for child in path.iterdir()):
            return
        message = f"{path} exists and is not a study."
    elif path.exists():
        message = f"{path} exists and is not a folder."
    else:
        return
    raise StudyError(message, hint="Choose another --out.")


def _locked(path: Path) -> filelock.BaseFileLock:
    lock = filelock.FileLock(StudyFiles(path).lock, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        message = f"Another run is writing {path}."
        raise StudyLockedError(message, hint="Wait for it to end, or choose another --out.") from error
    return lock


def _created_or_found(path: Path, manifest: Manifest) -> Manifest:
    if not StudyFiles(path).manifest.exists():
        manifest.write(path)
        return manifest
    found = Manifest.read(path)
    differences = found.differences(manifest)
    if differences:
        message = f"{path} was begun with something else: {'; '.join(differences)}."
        raise StudyMismatchError(message, hint="Choose another --out, or delete the folder to begin anew.")
    return found
