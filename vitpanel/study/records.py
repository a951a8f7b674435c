"""JSON records that carry a digest of their content, so that a damaged one is noticed."""

import hashlib
import json
from pathlib import Path
from typing import Any, cast

from vitpanel.errors import StudyFormatError

RECOMPUTE = "Delete this file and run the same precompute command again: it computes what is missing."
_DIGEST = "sha256"


def record_bytes(content: dict[str, Any]) -> bytes:
    """Return the content as JSON with its digest as last key."""
    plain = json.loads(json.dumps(content))
    return json.dumps(plain | {_DIGEST: _digest(plain)}, indent=1, ensure_ascii=False).encode()


def parse_record(path: Path, *, hint: str = RECOMPUTE) -> dict[str, Any]:
    """Read a record without looking at its digest; ``hint`` is the way out of a damaged one.

    Raises
    ------
    StudyFormatError
        If the file is not a JSON object.
    """
    try:
        record = json.loads(path.read_bytes())
    except ValueError as error:
        raise damaged(path, f"it is not valid JSON ({error})", hint=hint) from error
    if not isinstance(record, dict):
        raise damaged(path, "it is not a JSON object", hint=hint)
    return cast("dict[str, Any]", record)


def read_record(path: Path) -> dict[str, Any]:
    """Read a record and check its digest.

    Raises
    ------
    StudyFormatError
        If the file is not a JSON object, or was changed since it was written.
    """
    return checked(parse_record(path), path)


def checked(record: dict[str, Any], path: Path, *, hint: str = RECOMPUTE) -> dict[str, Any]:
    """Return the content of a parsed record without its digest; `StudyFormatError` if the two do not fit."""
    content = {key: value for key, value in record.items() if key != _DIGEST}
    if record.get(_DIGEST) != _digest(content):
        raise damaged(path, "its content does not fit its checksum", hint=hint)
    return content


def damaged(path: Path, reason: str, *, hint: str = RECOMPUTE) -> StudyFormatError:
    """Return the error for a file that is not as it was written."""
    return StudyFormatError(f"{path} is damaged: {reason}.", hint=hint)


def bytes_digest(data: bytes) -> str:
    """Return the SHA-256 of a file's content, as the manifest keeps it."""
    return hashlib.sha256(data).hexdigest()


def _digest(content: dict[str, Any]) -> str:
    return bytes_digest(json.dumps(content, sort_keys=True).encode())
