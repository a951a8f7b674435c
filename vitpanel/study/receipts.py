"""Receipts: written last, they say that a block or a stage is on disk whole, and what each of its files holds."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vitpanel.study.files import StudyFiles
from vitpanel.study.manifest_rules import MOST_IMAGES, inner_name
from vitpanel.study.places import checked_file, damaged
from vitpanel.study.records import file_digest, read_record, record_bytes
from vitpanel.study.rules import each, integer, pairs, record, text

_COUNT, _DIGESTS = integer(0, MOST_IMAGES), pairs(text(64), most=10_000_000, key=inner_name)
_BLOCK = record(
    {"block": _COUNT, "images": each(_COUNT, least=2, most=2), "arrays": each(text(), most=1_000)}, {"files": _DIGESTS}
)
_STAGE = record({"stage": text(100), "files": _DIGESTS})


@dataclass(frozen=True)
class Receipt:
    """What a receipt says.

    Parameters
    ----------
    arrays
        Names of the arrays that a block has.
    files
        SHA-256 of each file by its path in the study; None in studies of a time when receipts had none.
    """

    arrays: frozenset[str] = frozenset()
    files: dict[str, str] | None = field(default=None, repr=False)


def block_receipt(files: StudyFiles, block: int, images: range) -> Receipt:
    """Read the receipt of a block of images.

    Raises
    ------
    StudyError
        If it is missing, damaged, or of another block.
    """
    path = files.receipt(block)
    content = read_record(files.root, path, _BLOCK)
    if content["block"] != block or content["images"] != [images.start, images.stop]:
        raise damaged(path, "it is the receipt of another block")
    return Receipt(frozenset(content["arrays"]), content.get("files"))


def stage_receipt(files: StudyFiles, stage: str) -> Receipt:
    """Read the receipt of a stage; raises as `block_receipt` does."""
    path = files.stage_receipt(stage)
    content = read_record(files.root, path, _STAGE)
    if content["stage"] != stage:
        raise damaged(path, "it is the receipt of another stage")
    return Receipt(files=content["files"])


def block_receipt_bytes(
    files: StudyFiles, block: int, images: range, *, arrays: list[str], paths: Iterable[Path]
) -> bytes:
    """Return the receipt of a block whose files are written."""
    content: dict[str, Any] = {"block": block, "images": [images.start, images.stop], "arrays": arrays}
    return record_bytes(content | {"files": _digests(files.root, paths)})


def stage_receipt_bytes(files: StudyFiles, stage: str, paths: Iterable[Path]) -> bytes:
    """Return the receipt of a stage whose files are written."""
    return record_bytes({"stage": stage, "files": _digests(files.root, paths)})


def _digests(root: Path, paths: Iterable[Path]) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): file_digest(checked_file(root, path)) for path in paths}
