"""Read a study: tables and arrays by name, checked, cached and read-only."""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import math
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vitpanel.core.stats import Moments, known_moments
from vitpanel.errors import StudyError, StudyFormatError, StudyIncompleteError, public_words
from vitpanel.study.arrays import checked_chunk, empty_rows, open_array, read_rows
from vitpanel.study.coverage import Coverage
from vitpanel.study.files import StudyFiles
from vitpanel.study.formats import converted
from vitpanel.study.manifest import Manifest
from vitpanel.study.own_stages import HEADS, MEANS
from vitpanel.study.places import damaged, read_bytes
from vitpanel.study.receipts import Receipt, block_receipt
from vitpanel.study.records import bytes_digest
from vitpanel.study.schema import absent_arrays
from vitpanel.study.stage import ArraySpec
from vitpanel.study.stages import INSTALL, unknown_arrays
from vitpanel.study.tables import read_crops, read_images, with_predictions

if TYPE_CHECKING:
    from xarray import Dataset

_CACHED_BLOCKS = 16
_LATER = "It comes with the run that computes the study; where none does, run the same precompute command again."


def open_study(path: str | Path) -> "Study":
    """Open a study, finished or not.

    Parameters
    ----------
    path
        The folder ``NAME.study``.

    Raises
    ------
    StudyError
        If there is no study, it is damaged, or its format is newer than this version of vitpanel.
    """
    return Study(Path(path))


def extra_file(path: Path, manifest: Manifest, name: str) -> bytes:
    """Return an extra file of the study at ``path``; raises as `Study.read_file` does."""
    if name not in manifest.files:
        message = f"{path} has no file {name}."
        raise StudyIncompleteError(message, hint=_LATER)
    data = read_bytes(path, path / name)
    if data is None or bytes_digest(data) != manifest.files[name]:
        raise damaged(path / name, "it is missing" if data is None else "it does not fit its checksum")
    return data


class Study:
    """One model on one set of images, as found on disk when it was opened.

    Arrays are read when first asked for, then stay in memory and cannot be written to.

    Parameters
    ----------
    path
        The folder ``NAME.study``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = StudyFiles(path)
        self.manifest = Manifest.read(path)
        self.spec = self.manifest.spec
        self.class_names = self.manifest.class_names
        self.fingerprint = self.manifest.fingerprint
        self.n_images = self.manifest.n_images
        self.arrays = self.manifest.arrays()
        self._absent = absent_arrays(self.spec, checks=self.manifest.checks)
        self._unknown = unknown_arrays(self.manifest.stages)
        self._lock = RLock()
        self._cache: dict[tuple[str, str], np.ndarray] = {}
        self._damages: dict[str, StudyError] = {}
        self._broken: dict[str, StudyError] = {}
        self._heads: pd.DataFrame | None = None
        self.images = self._read_images()
        self._coverage = Coverage(self.manifest, self._read_receipts())
        self.names = tuple(name for name, spec in self.arrays.items() if self._coverage.is_wanted(spec.stage))
        self._pictures = lru_cache(_CACHED_BLOCKS)(self._read_pictures)
        self.images = self._with_predictions()

    def __repr__(self) -> str:
        """Name the study and say how far it is."""
        return f"Study({str(self.path)!r}, {self.n_done} of {self.n_images} images done)"

    @property
    def damages(self) -> tuple[StudyError, ...]:
        """What was found damaged so far: receipts when the study was opened, all else when it was first asked for."""
        return tuple(self._damages.values())

    @property
    def done_images(self) -> np.ndarray:
        """Whether each image's block is on disk, bool ``(n_images,)``."""
        return self._coverage.done_images

    @property
    def n_done(self) -> int:
        """Number of images whose block is on disk."""
        return int(self.done_images.sum())

    @property
    def is_finished(self) -> bool:
        """Whether every stage is complete."""
        return self._coverage.is_finished

    def __contains__(self, name: object) -> bool:
        """Whether an array can be had: its stage is complete or, where rows come in blocks, some are there."""
        return name in self.arrays and not self.reason(str(name))

    def __getitem__(self, name: str) -> np.ndarray:
        """Whole array, read-only; rows of images that are not done are NaN.

        Raises
        ------
        StudyIncompleteError
            If the model cannot have the array, or it is not computed yet; the message is that of `reason`.
        StudyError
            If the format has no such array, or what is on disk is damaged or missing.
        """
        self._check(name)
        return self._cached("values", name, lambda: self._read_array(self.arrays[name]))

    def block(self, name: str, block: int) -> np.ndarray:
        """Rows of one block of images of an array that comes in blocks, read anew and not kept.

        Raises
        ------
        StudyIncompleteError
            If the model cannot have the array, or it is not computed yet.
        StudyError
            If the format has no such array, or what is on disk is damaged or missing.
        """
        self._check(name)
        if block not in self._coverage.receipts:
            message = f"{self.path}: block {block} is not computed yet."
            raise StudyIncompleteError(message, hint=self._way_out(name))
        spec, images = self.arrays[name], self.manifest.block_images(block)
        rows = slice(images.start, images.stop)
        with self._noting_damage():
            array = open_array(self.files, spec, block_size=self.manifest.block_size)
            return self._converted(spec, read_rows(self._chunk(spec, block), array, rows), rows)

    def blocks_with(self, name: str) -> list[int]:
        """Blocks of images whose rows of an array that comes in blocks are on disk."""
        return self._coverage.blocks_with(self.arrays[name])

    def to_xarray(self) -> "Dataset":
        """All arrays with named dimensions and coordinates, read when they are looked at; see `to_dataset`.

        Examples
        --------
        >>> study.to_xarray()["entropy"].sel(layer=3).mean("image")  # doctest: +SKIP
        """
        from vitpanel.study.dataset import to_dataset

        return to_dataset(self)

    @property
    def heads(self) -> pd.DataFrame:
        """One row for each head, by layer and head, with every number that the study has of it; see `heads_table`."""
        from vitpanel.study.heads import heads_table

        with self._lock:
            if self._heads is None:
                self._heads = heads_table(self)
            return self._heads.copy()

    def reason(self, name: str) -> str:
        """Why an array is not in the study, in words for people; empty if it is.

        An array that was found damaged when it was read is not there from then on: what needs it says so, and all else
        goes on.

        Raises
        ------
        StudyError
            If the format has no array of this name.
        """
        if name in self._absent:
            return self._absent[name]
        if name not in self.arrays and name in self._unknown:
            return self._unknown[name]
        if name not in self.arrays:
            message = f"A study has no array {name!r}."
            raise StudyError(message, hint=f"The arrays of {self.path.name} are {', '.join(self.names)}.")
        if name in self._broken:
            return public_words(f"{self._broken[name].message} {self._broken[name].hint}")
        return self._coverage.reason(self.arrays[name])

    @property
    def attention_reason(self) -> str:
        """Why the model's attention matrices may not be shown, as one sentence; empty if they may."""
        return self._absent.get("attention", "")

    def mean(self, name: str) -> np.ndarray:
        """Mean over the images that are done, NaN aside; float32, read-only."""
        return self._cached("mean", name, lambda: _moments(self[name]).mean.astype(np.float32))

    def std(self, name: str) -> np.ndarray:
        """Standard deviation over the images that are done, NaN aside; float32, read-only."""
        return self._cached("std", name, lambda: _moments(self[name]).std.astype(np.float32))

    def crop(self, image_id: int) -> bytes:
        """Return the pixels that the model saw, as lossless WebP.

        Raises
        ------
        StudyIncompleteError
            If the image is not done yet.
        StudyError
            If there is no such image, or the file is damaged.
        """
        return self._picture(image_id, "crop")

    def thumbnail(self, image_id: int) -> bytes:
        """Return a small version of the crop as WebP, at most 64 pixels; raises as `crop` does."""
        return self._picture(image_id, "thumbnail")

    def read_file(self, name: str) -> bytes:
        """Return an extra file of the study, such as ``autoencoder.safetensors``.

        Raises
        ------
        StudyIncompleteError
            If it is not written yet.
        StudyError
            If it is damaged or missing.
        """
        with self._noting_damage():
            return extra_file(self.path, self.manifest, name)

    def _picture(self, image_id: int, column: str) -> bytes:
        if not 0 <= image_id < self.n_images:
            message = f"{self.path} has no image {image_id}."
            raise StudyError(message, hint=f"Image ids run from 0 to {self.n_images - 1}.")
        block = int(image_id) // self.manifest.block_size
        if block not in self._coverage.receipts:
            message = f"Image {image_id} of {self.path} is not computed yet."
            raise StudyIncompleteError(message, hint=_LATER)
        return self._pictures(block, column)[int(image_id)]

    def _check(self, name: str) -> None:
        if name in self._broken:
            raise self._broken[name]
        reason = self.reason(name)
        if reason:
            message = f"{self.path} has no array {name}. {reason}"
            raise StudyIncompleteError(message, hint=self._way_out(name))

    def _way_out(self, name: str) -> str:
        if name in self._absent:
            return f"The arrays of {self.path.name} are {', '.join(self.names)}."
        if name in self._unknown:
            return INSTALL
        return _LATER

    def _cached(self, kind: str, name: str, read: Callable[[], np.ndarray]) -> np.ndarray:
        with self._lock:
            if (kind, name) not in self._cache:
                array = read()
                array.flags.writeable = False
                self._cache[kind, name] = array
            return self._cache[kind, name]

    @contextmanager
    def _noting_damage(self, array: str = "") -> Generator[None]:
        """Keep the error of a damaged file, so that whoever shows the study can say so; it is raised all the same."""
        try:
            yield
        except StudyFormatError as error:
            self._damages[error.message] = error
            if array:
                self._broken[array] = error
            raise

    def _read_receipts(self) -> dict[int, Receipt]:
        """Receipts of the blocks on disk; a block with a damaged one is not on disk whole, and that is noted."""
        receipts: dict[int, Receipt] = {}
        for block in range(self.manifest.n_blocks):
            if not os.path.lexists(self.files.receipt(block)):
                continue
            with suppress(StudyError), self._noting_damage():
                receipts[block] = block_receipt(self.files, block, self.manifest.block_images(block))
        return receipts

    def _read_images(self) -> pd.DataFrame:
        return read_images(self.path, self.files.images, n_images=self.n_images, n_classes=self.spec.n_classes)

    def _with_predictions(self) -> pd.DataFrame:
        """The table of images, with what is known so far of a study whose heads are not finished."""
        if self.manifest.is_done(HEADS) or "probabilities" not in self:
            return self.images
        with suppress(StudyError):
            return with_predictions(self.images, self["probabilities"], self.class_names)
        return self.images

    def _read_pictures(self, block: int, column: str) -> dict[int, bytes]:
        images, n_pixels = self.manifest.block_images(block), math.prod(self.spec.image_size)
        with self._noting_damage():
            return read_crops(self.path, self.files.crops(block), column, images=images, n_pixels=n_pixels)

    def _read_array(self, spec: ArraySpec) -> np.ndarray:
        with self._noting_damage(spec.name):
            array = open_array(self.files, spec, block_size=self.manifest.block_size)
            if not spec.is_per_block:
                return read_rows(self._chunk(spec, 0), array, slice(0, spec.shape[0]))
            paths = {block: self._chunk(spec, block) for block in self.blocks_with(spec.name)}
            result = empty_rows(spec)
            for block, path in paths.items():
                images = self.manifest.block_images(block)
                rows = slice(images.start, images.stop)
                result[rows] = read_rows(path, array, rows)
            return self._converted(spec, result, slice(None))

    def _converted(self, spec: ArraySpec, values: np.ndarray, rows: slice) -> np.ndarray:
        """Rows of an array as the current format has them, whatever the study's."""

        def unpruned() -> np.ndarray:
            if spec.stage == MEANS:
                return self["means/unpruned"][rows]
            images = self.images
            if not self.manifest.is_done(HEADS):
                # The table lacks what is read here, and says nothing where that is damaged.
                images = with_predictions(images, self["probabilities"], self.class_names)
            return np.asarray(images["p_true"], np.float64)[rows]

        return converted(spec.name, values, version=self.manifest.format_version, unpruned=unpruned)

    def _chunk(self, spec: ArraySpec, block: int) -> Path:
        return checked_chunk(self.files, spec, block, self.manifest.block_size)


def _moments(values: np.ndarray) -> Moments:
    return known_moments(values, np.ones(len(values), bool))
