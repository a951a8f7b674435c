"""zarr arrays with checksums, whose stored metadata is held against the format."""
# pyright: reportUnknownMemberType=false

from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import zarr
from zarr.codecs import ZstdCodec
from zarr.storage import LocalStore, MemoryStore

from vitpanel.errors import StudyError
from vitpanel.study.records import damaged
from vitpanel.study.schema import ArraySpec


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


def open_array(path: Path, spec: ArraySpec, *, block_size: int, mode: str = "r") -> zarr.Array[Any]:
    """Open an array and check that its metadata is what the format says.

    Raises
    ------
    StudyError
        If the array is missing, or its metadata is damaged or of other sizes.
    """
    try:
        store = LocalStore(path, read_only=mode == "r")
        # Of an array that exists, open_array ignores a configuration.
        array = zarr.open_array(store, mode=mode, zarr_format=3).with_config({"write_empty_chunks": True})  # pyright: ignore[reportArgumentType]
        metadata = _comparable(array)
    except FileNotFoundError as error:
        message = f"The array {spec.name} is missing: {path} does not exist."
        raise StudyError(message, hint="Run the same precompute command again: it computes what is missing.") from error
    except Exception as error:
        raise damaged(path / "zarr.json", f"the array {spec.name} cannot be opened ({error})") from error
    if metadata != _expected(spec, block_size):
        raise damaged(path / "zarr.json", f"the array {spec.name} is not of shape {spec.shape} and type {spec.dtype}")
    return array


def read_rows(path: Path, array: zarr.Array[Any], rows: slice) -> np.ndarray:
    """Read rows of an array; `StudyError` if a chunk fails its checksum."""
    try:
        return np.asarray(array[rows])
    except Exception as error:
        raise damaged(path, f"rows {rows.start} to {rows.stop - 1} cannot be read ({error})") from error


@lru_cache(maxsize=64)
def _expected(spec: ArraySpec, block_size: int) -> dict[str, Any]:
    return _comparable(create_array(MemoryStore(), spec, block_size))


def _comparable(array: zarr.Array[Any]) -> dict[str, Any]:
    metadata = dict(cast("dict[str, Any]", array.metadata.to_dict()))
    metadata.pop("attributes", None)
    metadata["fill_value"] = str(metadata["fill_value"])
    return metadata
