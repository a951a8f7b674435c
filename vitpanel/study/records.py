"""JSON records that carry a digest of their content, so that a damaged one is noticed."""

import hashlib
import json
from pathlib import Path
from typing import Any, NoReturn, cast

from vitpanel.errors import StudyError
from vitpanel.study.places import LARGEST_RECORD, RECOMPUTE, damaged, read_bytes
from vitpanel.study.rules import MisfitError, Rule

_DIGEST = "sha256"


def record_bytes(content: dict[str, Any]) -> bytes:
    """Return the content as JSON with its digest as last key."""
    plain = json.loads(json.dumps(content))
    return json.dumps(plain | {_DIGEST: _digest(plain)}, indent=1, ensure_ascii=False).encode()


def parse_record(root: Path, path: Path, *, hint: str = RECOMPUTE) -> dict[str, Any]:
    """Read a record of the study at ``root`` without looking at its digest.

    Parameters
    ----------
    hint
        The way out of a damaged one.

    Raises
    ------
    StudyFormatError
        If the file is not a JSON object of numbers, texts and the like, or is no regular file of the study.
    StudyError
        If it is missing.
    """
    data = read_bytes(root, path, largest=LARGEST_RECORD, hint=hint)
    if data is None:
        message = f"{path} is missing."
        raise StudyError(message, hint=hint)
    try:
        record = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"it is not valid JSON ({error})", hint=hint) from error
    if not isinstance(record, dict):
        raise damaged(path, "it is not a JSON object", hint=hint)
    return cast("dict[str, Any]", record)


def read_record(root: Path, path: Path, rule: Rule) -> dict[str, Any]:
    """Read a record, and check its digest and its shape.

    Raises
    ------
    StudyFormatError
        If the file is not a JSON object of that shape, or was changed since it was written.
    StudyError
        If it is missing.
    """
    content = checked(parse_record(root, path), path)
    try:
        rule(content, "")
    except MisfitError as error:
        raise damaged(path, str(error)) from error
    return content


def checked(record: dict[str, Any], path: Path, *, hint: str = RECOMPUTE) -> dict[str, Any]:
    """Return the content of a parsed record without its digest; `StudyFormatError` if the two do not fit."""
    content = {key: value for key, value in record.items() if key != _DIGEST}
    try:
        fits = record.get(_DIGEST) == _digest(content)
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"it is not a plain record ({error})", hint=hint) from error
    if not fits:
        raise damaged(path, "its content does not fit its checksum", hint=hint)
    return content


def check_spelling(root: Path, path: Path) -> None:
    """Check a record byte by byte: what its digest does not cover, blanks and line ends, is as we write it.

    Raises
    ------
    StudyFormatError
        If a byte differs from what `record_bytes` gives.
    """
    if record_bytes(checked(parse_record(root, path), path)) != path.read_bytes():
        raise damaged(path, "it is not spelt as it was written, though its content is right")


def bytes_digest(data: bytes) -> str:
    """Return the SHA-256 of a file's content, as manifest and receipts keep it."""
    return hashlib.sha256(data).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is no number"
    raise ValueError(message)


def _digest(content: dict[str, Any]) -> str:
    return bytes_digest(json.dumps(content, sort_keys=True).encode())
