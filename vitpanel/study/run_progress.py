"""What the run that writes a study is at, noted beside it for those who look at the study meanwhile."""

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from vitpanel.study.files import StudyFiles
from vitpanel.study.rules import integer, maybe, number, record, text

MOST_BYTES = 1_000
# A step may take long; without a note for as long as this, nobody seems to write any more.
SILENCE_SECONDS = 120
_WORDS, _COUNT = text(60), integer(0, 2**53)
_RULE = record(
    {"title": _WORDS, "done": _COUNT, "total": _COUNT, "unit": _WORDS, "seconds_left": maybe(number(0, 1e12))}
)


@dataclass(frozen=True)
class RunProgress:
    """How far the present part of a run is.

    Parameters
    ----------
    title
        What is computed, in a word or two.
    done, total
        Of its units.
    unit
        What is counted, in the singular.
    seconds_left
        Of this part, at its mean speed until now; None while nothing is known.
    """

    title: str
    done: int
    total: int
    unit: str
    seconds_left: float | None = None


def write_progress(path: Path, progress: RunProgress) -> None:
    """Note how far a run is; a note that cannot be written is no reason to stop."""
    file = StudyFiles(path).progress
    temporary = file.with_name(f"{file.name}.tmp")
    with suppress(OSError):
        temporary.write_text(json.dumps(asdict(progress)), encoding="utf-8")
        temporary.replace(file)


def end_progress(path: Path) -> None:
    """Take the note away: nothing is computed any more."""
    with suppress(OSError):
        StudyFiles(path).progress.unlink(missing_ok=True)


def read_progress(path: Path) -> RunProgress | None:
    """Return how far the run is that writes a study; None where nobody does, or nothing can be made of the note."""
    file = StudyFiles(path).progress
    try:
        status = file.lstat()
        if not file.is_file() or file.is_symlink() or status.st_size > MOST_BYTES:
            return None
        if time.time() - status.st_mtime > SILENCE_SECONDS:
            return None
        note = json.loads(file.read_text(encoding="utf-8"))
        _RULE(note, "progress")
    except (OSError, ValueError):  # of JSON, of Unicode, of a rule
        return None
    return RunProgress(**note)
