"""Which weights a person has computed studies with, in that person's own folder.

A study names its weights, but it may come from a stranger, who could name any file. What is opened for a study is the
file that its person computed with, found by the hash of the weights; nothing of what the study says leads to a path.
"""

import json
import re
from pathlib import Path

from platformdirs import user_data_path

from vitpanel.errors import StudyError
from vitpanel.study.atomic import write_atomically

_HASH = re.compile("[0-9a-f]{32}")


def remember_weights(weight_hash: str, file: Path) -> bool:
    """Note where the weights of a model lie; returns False where that cannot be written."""
    record = _record(weight_hash)
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(record, json.dumps({"file": str(file.absolute())}).encode())
    except (OSError, StudyError):
        return False
    return True


def known_weights(weight_hash: object) -> Path | None:
    """Where the weights of this hash lay when this person computed with them; None where that is not known."""
    if not isinstance(weight_hash, str) or not _HASH.fullmatch(weight_hash):
        return None
    try:
        return Path(json.loads(_record(weight_hash).read_bytes())["file"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _record(weight_hash: str) -> Path:
    return user_data_path("vitpanel") / "weights" / f"{weight_hash}.json"
