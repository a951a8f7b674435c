"""Write a study block by block, so that a killed run loses one block at most."""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import filelock
import numpy as np
import pandas as pd
from zarr.storage import LocalStore

from vitpanel.errors import StudyError
from vitpanel.study.arrays import check_rows, create_array, open_array, read_rows
from vitpanel.study.atomic import flush, sweep, write_atomically, write_errors
from vitpanel.study.files import StudyFiles
from vitpanel.study.manifest import Manifest
from vitpanel.study.mending import mend
from vitpanel.study.own_stages import HEADS, STAGES
from vitpanel.study.receipts import block_receipt, block_receipt_bytes, stage_receipt_bytes
from vitpanel.study.records import bytes_digest
from vitpanel.study.stage import ArraySpec
from vitpanel.study.stages import stage_of
from vitpanel.study.tables import crops_bytes, images_bytes, read_images, unpredicted_images, with_predictions
from vitpanel.study.target import check_folder, found_manifest, locked


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
        self.arrays = manifest.arrays()
        self._lock = lock
        # Stages of which files have changed since their receipt was written.
        self._changed: set[str] = set()

    @classmethod
    def create_or_resume(
        cls,
        path: str | Path,
        manifest: Manifest,
        images: pd.DataFrame,
        *,
        say: Callable[[str], object] = lambda _: None,
    ) -> Self:
        """Create a study, or go on with the one at ``path`` if it was begun with the same model, images and settings.

        What is there is read whole first; what of it is broken is taken away, so that it is pending again.

        Parameters
        ----------
        path
            The folder ``NAME.study``; made where there is none.
        manifest
            What is to be computed. That on disk counts when a study is resumed.
        images
            With columns ``file``, ``label`` (-1 for none) and ``label_name``; row i becomes image i.
        say
            Hears what is done with a study that is there, and what is broken in it.

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
        check_folder(path)
        with write_errors(path):
            path.mkdir(parents=True, exist_ok=True)
            lock = locked(path)
        try:
            with write_errors(path):
                sweep(path)
                is_new = not StudyFiles(path).manifest.exists()
                if is_new:
                    manifest.write(path)
                writer = cls(path, manifest if is_new else found_manifest(path, manifest, images), lock)
                if not is_new:
                    writer._mend(say)
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

    def lacks(self, name: str) -> bool:
        """Whether rows of an array are missing."""
        return not all(path.exists() for path in self._chunks(self._spec(name)))

    def is_done(self, stage: str) -> bool:
        """Whether a stage is complete and none of its files was lost since."""
        if not self.manifest.is_done(stage):
            return False
        if stage == HEADS:
            return not self.pending_blocks()
        record = stage_of(stage)
        files = [name for name in (record.files if record else ()) if name in self.manifest.files]
        if not all((self.path / name).exists() for name in files):
            return False
        return not any(self.lacks(name) for name, spec in self.arrays.items() if spec.stage == stage)

    def ask_for(self, stage: str) -> None:
        """Note that an optional stage is wanted, so that a study without it is not finished."""
        if stage not in self.manifest.stages:
            self.manifest.stages[stage] = {"done": False, "seconds": 0.0, "arrays": [], "detail": {}}
            self._write_manifest()

    def reopen(self, stage: str) -> None:
        """Note that a stage has to be computed anew, or is not asked for any more."""
        if self.manifest.stages.pop(stage, None) is not None:
            self._write_manifest()

    def discard(self, stage: str) -> None:
        """Note that a stage has to be computed anew, and delete the rows that it wrote."""
        with write_errors(self.path):
            for spec in self.arrays.values():
                for path in self._chunks(spec) if spec.stage == stage else ():
                    path.unlink(missing_ok=True)
        self.reopen(stage)

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
        with write_errors(self.path):
            write_atomically(self.files.crops(block), crops_bytes(images, crops, thumbnails))
            paths = [self.files.crops(block), *(self._chunk(self.arrays[name], block) for name in names)]
            receipt = block_receipt_bytes(self.files, block, images, arrays=names, paths=paths)
            write_atomically(self.files.receipt(block), receipt)

    def write_rows(self, name: str, block: int, array: np.ndarray) -> None:
        """Write the rows of one block of an array; raises as `write_block` does."""
        spec = self._spec(name)
        images = self.block_images(block)
        self._write(spec, array, rows=slice(images.start, images.stop), block=block)

    def write_array(self, name: str, array: np.ndarray) -> None:
        """Write a whole array that does not come in blocks; raises as `write_block` does."""
        spec = self._spec(name)
        self._write(spec, array, rows=slice(0, spec.shape[0]), block=0)

    def note_array(self, name: str) -> None:
        """Note that a whole array is on disk, so that it can be seen before its stage is complete."""
        stage = self._spec(name).stage
        record = self.manifest.stages.setdefault(stage, {"done": False, "seconds": 0.0, "arrays": [], "detail": {}})
        if name not in record["arrays"]:
            record["arrays"] = [*record["arrays"], name]
            self._write_manifest()

    def write_predictions(self) -> None:
        """Fill what the model predicts into the table of images; nothing for a model without classes."""
        if "probabilities" not in self.arrays:
            return
        spec, manifest = self.arrays["probabilities"], self.manifest
        array = open_array(self.files, spec, block_size=manifest.block_size)
        probabilities = read_rows(self.files.array(spec.name), array, slice(0, spec.shape[0]))
        images = read_images(
            self.path, self.files.images, n_images=manifest.n_images, n_classes=manifest.spec.n_classes
        )
        self._write_images(with_predictions(images, probabilities, manifest.class_names))

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
        """Note that a stage is complete, what it wrote, and how long it took.

        A stage that was complete before, of which files were lost or broken, keeps its time, and its detail where there
        is no other.
        """
        arrays = [name for name, spec in self.arrays.items() if spec.stage == stage]
        before = self.manifest.stages[stage] if self.manifest.is_done(stage) else {}
        self.manifest.stages[stage] = {
            "done": True,
            "seconds": before.get("seconds", round(seconds, 3)),
            "arrays": arrays,
            "detail": before.get("detail", {}) if detail is None else detail,
        }
        self._seal(stage)

    def seal(self) -> None:
        """Write the receipts of complete stages whose files have changed, or that have none yet."""
        for stage, record in self.manifest.stages.items():
            if stage_of(stage) is None:
                continue  # nobody here knows its files
            if self.is_done(stage) and (stage in self._changed or "receipt" not in record):
                self._seal(stage)

    def _seal(self, stage: str) -> None:
        specs = [self.arrays[name] for name in self.manifest.stages[stage].get("arrays", []) if name in self.arrays]
        paths = [self.files.metadata(spec.name) for spec in specs]
        if stage == HEADS:
            paths.append(self.files.images)
        else:
            paths += [path for spec in specs for path in self._chunks(spec)]
        with write_errors(self.path):
            receipt = stage_receipt_bytes(self.files, stage, paths)
            write_atomically(self.files.stage_receipt(stage), receipt)
        self.manifest.stages[stage]["receipt"] = bytes_digest(receipt)
        self._write_manifest()
        self._changed.discard(stage)

    def _write_manifest(self) -> None:
        with write_errors(self.path):
            self.manifest.write(self.path)

    def _write_images(self, images: pd.DataFrame) -> None:
        self._changed.add(HEADS)
        with write_errors(self.path):
            write_atomically(self.files.images, images_bytes(images))

    def _mend(self, say: Callable[[str], object]) -> None:
        mend(self.files, self.manifest, say=say)
        self._changed.update(stage for stage in self.manifest.stages if not self.files.stage_receipt(stage).exists())

    def _create_missing(self, images: pd.DataFrame) -> None:
        self.files.receipts.mkdir(exist_ok=True)
        self.files.crops(0).parent.mkdir(exist_ok=True)
        is_new = not self.files.images.exists()
        if is_new:
            self._write_images(unpredicted_images(images))
        for spec in self.arrays.values():
            if spec.stage in STAGES or self.manifest.is_done(spec.stage):
                self._create(spec)
        if is_new and self.is_done(HEADS):
            self.write_predictions()

    def _create(self, spec: ArraySpec) -> None:
        if not self.files.metadata(spec.name).exists():
            create_array(LocalStore(self.files.array(spec.name)), spec, self.manifest.block_size)
            self._changed.add(spec.stage)

    def _is_whole(self, block: int) -> bool:
        chunks = [self._chunk(spec, block) for spec in self.arrays.values() if spec.stage == HEADS]
        try:
            block_receipt(self.files, block, self.block_images(block))
        except StudyError:
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
        check_rows(array, spec, rows, is_there=self.manifest.spec.is_there)
        with write_errors(self.path):
            self._create(spec)
        target = open_array(self.files, spec, block_size=self.manifest.block_size, mode="r+")
        self._changed.add(spec.stage)
        with write_errors(self.path):
            target[rows] = array
            flush(self._chunk(spec, block))
