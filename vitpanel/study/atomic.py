"""Files that are on disk whole or not at all."""

import errno
import os
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from vitpanel.errors import DiskFullError, StudyError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_STALE = (".*.tmp", "*.partial")


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a reader, or a crash at any moment, finds the old content or the new, never a part."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush(path.parent)


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk itself."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Delete what killed runs left half-written; zarr calls its temporary files ``*.partial``."""
    for pattern in _STALE:
        for path in folder.rglob(pattern):
            path.unlink(missing_ok=True)


@contextmanager
def write_errors(path: Path) -> Generator[None]:
    """Turn errors of the operating system in the block into errors that name the study and the way out.

    Raises
    ------
    DiskFullError
        If the disk or the quota is full.
    StudyError
        If writing fails for another reason, such as missing permission.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            message = f"The disk is full: {error.filename or path} could not be written."
            hint = "What is written stays. Make room, then run the same command again: it continues where it stopped."
            raise DiskFullError(message, hint=hint) from error
        message = f"{error.filename or path} could not be written: {error.strerror or error}."
        raise StudyError(message, hint="Check that the folder is writable, or choose another --out.") from error
