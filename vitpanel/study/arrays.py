"""zarr arrays with checksums, whose stored metadata is held against the format."""
# pyright: reportUnknownMemberType=false

from contextvars import Context
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import zarr
from zarr.codecs import ZstdCodec
from zarr.core.buffer import default_buffer_prototype
from zarr.storage import LocalStore, MemoryStore

from vitpanel.errors import StudyError, StudyFormatError
from vitpanel.study.files import StudyFiles
from vitpanel.study.places import RECOMPUTE, checked_file, damaged
from vitpanel.study.stage import ArraySpec

_LARGEST_METADATA = 2**20
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_MAGIC_LENGTH, _LONGEST_HEADER = len(_ZSTD_MAGIC), 18


def create_array(store: LocalStore | MemoryStore, spec: ArraySpec, block_size: int) -> zarr.Array[Any]:
    """Create an empty array at the root of a store.

    Chunks of fill values are written too, so that a missing file always means missing data.
    """
    return zarr.create_array(
        store,
        shape=spec.shape,
        chunks=spec.chunks(block_size),
        dtype=spec.dtype,
        fill_value=np.nan if np.dtype(spec.dtype).kind == "f" else 0,
        compressors=ZstdCodec(level=3, checksum=True),
        dimension_names=spec.dims,
        config={"write_empty_chunks": True},
    )


def open_array(files: StudyFiles, spec: ArraySpec, *, block_size: int, mode: str = "r") -> zarr.Array[Any]:
    """Open an array and check that its metadata is what the format says.

    Raises
    ------
    StudyError
        If the array is missing, or its metadata is damaged or of other sizes.
    """
    path = checked_file(files.root, files.metadata(spec.name), largest=_LARGEST_METADATA)
    if not path.exists():
        message = f"The array {spec.name} is missing: {path} does not exist."
        raise StudyFormatError(message, hint=RECOMPUTE)
    try:
        store = LocalStore(path.parent, read_only=mode == "r")
        # Of an array that exists, open_array ignores a configuration.
        # zarr starts an event loop at its first call, which keeps the context of that call for as long as the process.
        opened = Context().run(partial(zarr.open_array, store, mode=mode, zarr_format=3))  # pyright: ignore[reportArgumentType]
        array = opened.with_config({"write_empty_chunks": True})
        metadata = _comparable(array)
    except Exception as error:
        raise damaged(path, f"the array {spec.name} cannot be opened ({error})") from error
    if metadata != _expected(spec, block_size):
        raise damaged(path, f"the array {spec.name} is not of shape {spec.shape} and type {spec.dtype}")
    return array


def checked_chunk(files: StudyFiles, spec: ArraySpec, block: int, block_size: int) -> Path:
    """Return the path of a block's rows of an array once it is known that they are there and unpack to their size.

    Raises
    ------
    StudyError
        If the file is missing, is no regular file of the study, or would unpack to another number of bytes.
    """
    n_bytes = spec.chunk_bytes(block_size)
    path = files.chunk(spec.name, block, len(spec.shape))
    # What cannot be made smaller grows by a few bytes for each of zstd's blocks of 128 kB.
    checked_file(files.root, path, largest=n_bytes + n_bytes // 128 + 512)
    try:
        with path.open("rb") as file:
            found = _unpacked_size(file.read(_LONGEST_HEADER))
    except (FileNotFoundError, NotADirectoryError) as error:
        message = f"The array {spec.name} of {files.root} is damaged: {path} is missing."
        raise StudyFormatError(message, hint=RECOMPUTE) from error
    except OSError as error:
        raise damaged(path, f"it cannot be read ({error.strerror})") from error
    if found != n_bytes:
        raise damaged(path, f"it unpacks to {found} bytes, not to {n_bytes}")
    return path


def read_rows(path: Path, array: zarr.Array[Any], rows: slice) -> np.ndarray:
    """Read rows of an array; `StudyError` if a chunk fails its checksum."""
    try:
        return np.asarray(array[rows])
    except Exception as error:
        raise damaged(path, f"rows {rows.start} to {rows.stop - 1} cannot be read ({error})") from error


class ChunkReader:
    """Unpacks chunks of an array as the format has them, whatever the array's metadata on disk says."""

    def __init__(self, spec: ArraySpec, block_size: int) -> None:
        self._chunks: dict[str, Any] = {}
        self._spec, self._n_rows = spec, spec.chunks(block_size)[0]
        self._array = create_array(MemoryStore(self._chunks), spec, block_size)

    def check(self, path: Path, block: int) -> None:
        """Unpack a block's rows; `StudyError` if they fail their checksum."""
        key = "/".join(("c", str(block), *["0"] * (len(self._spec.shape) - 1)))
        self._chunks[key] = default_buffer_prototype().buffer.from_bytes(path.read_bytes())
        rows = slice(block * self._n_rows, min((block + 1) * self._n_rows, self._spec.shape[0]))
        try:
            read_rows(path, self._array, rows)
        finally:
            del self._chunks[key]


def check_rows(array: np.ndarray, spec: ArraySpec, rows: slice, *, is_there: np.ndarray) -> None:
    """Check rows that are to be written.

    Parameters
    ----------
    is_there
        Which heads the model has, bool ``(n_layers, n_heads)``; the others may be NaN.

    Raises
    ------
    StudyError
        If they are of another shape or type, or not finite where they must be.
    """
    shape = (rows.stop - rows.start, *spec.shape[1:])
    if array.shape != shape or array.dtype != np.dtype(spec.dtype):
        message = f"{spec.name} must be {spec.dtype} {shape} here, not {array.dtype} {array.shape}."
        raise StudyError(message)
    known = array[:, is_there] if spec.is_ragged else array
    if not spec.may_be_nan and not np.isfinite(known).all():
        image = rows.start + int(np.argwhere(~np.isfinite(known))[0][0])
        message = f"{spec.name} of image {image} is not finite."
        hint = "Check the model's weights; fp16 cannot hold values above 65,504: try --precision float32."
        raise StudyError(message, hint=hint)


def empty_rows(spec: ArraySpec) -> np.ndarray:
    """An array of the whole study with rows that are not there yet: NaN, or 0 where there is none.

    Raises
    ------
    StudyError
        If it does not fit into the memory.
    """
    try:
        return np.full(spec.shape, np.nan if np.dtype(spec.dtype).kind == "f" else 0, spec.dtype)
    except (MemoryError, ValueError) as error:
        message = f"The array {spec.name} of shape {spec.shape} does not fit into the memory."
        raise StudyError(message, hint="Open the study on a machine with more, or take fewer images.") from error


def _unpacked_size(header: bytes) -> int | None:
    """Number of bytes that a frame of zstd says it holds (RFC 8878, 3.1.1), None where it does not say."""
    if len(header) < _MAGIC_LENGTH + 1 or header[:_MAGIC_LENGTH] != _ZSTD_MAGIC:
        return None
    descriptor = header[_MAGIC_LENGTH]
    is_single_segment = descriptor >> 5 & 1
    start = _MAGIC_LENGTH + 1 + (1 - is_single_segment) + (0, 1, 2, 4)[descriptor & 3]
    length = (is_single_segment, 2, 4, 8)[descriptor >> 6]
    # Of two bytes, the smallest size is that which one byte cannot hold.
    return int.from_bytes(header[start : start + length], "little") + (256 if length == 2 else 0) if length else None  # noqa: PLR2004


@lru_cache(maxsize=64)
def _expected(spec: ArraySpec, block_size: int) -> dict[str, Any]:
    return _comparable(create_array(MemoryStore(), spec, block_size))


def _comparable(array: zarr.Array[Any]) -> dict[str, Any]:
    metadata = dict(cast("dict[str, Any]", array.metadata.to_dict()))
    metadata.pop("attributes", None)
    metadata["fill_value"] = str(metadata["fill_value"])
    return metadata
