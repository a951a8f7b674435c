"""Where the progress of a run goes."""

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from vitpanel.study.run_progress import RunProgress, end_progress, write_progress

NOTE_SECONDS = 1.0
# Seconds between two states of a bar where nobody watches it, as in the log of a job, which keeps them all.
LOG_SECONDS = 10.0


class Progress:
    """Bars and lines on standard error, or nothing; and a note in the study, once there is one.

    Parameters
    ----------
    is_shown
        False for tests and notebooks that want silence.
    """

    def __init__(self, *, is_shown: bool = True) -> None:
        self.is_shown = is_shown
        self._study: Path | None = None

    def bar(self, label: str, *, total: int, unit: str, done: int = 0) -> "Bar":
        """Bar to be used in ``with`` and advanced by ``update``."""
        look: dict[str, Any] = {"dynamic_ncols": True, "disable": not self.is_shown}
        if not sys.stderr.isatty():
            look["mininterval"] = LOG_SECONDS
        shown: tqdm[Any] = tqdm(total=total, initial=done, desc=label, unit=unit, **look)
        return Bar(shown, RunProgress(label, done, total, unit), study=self._study)

    def say(self, text: str) -> None:
        """One line."""
        if self.is_shown:
            tqdm.write(text)

    def begin_notes(self, study: Path) -> None:
        """Note from now on in a study how far its run is."""
        self._study = study

    def end_notes(self) -> None:
        """Note in the study that nothing is computed any more."""
        if self._study is not None:
            end_progress(self._study)
            self._study = None


class Bar:
    """One part of a run; made by `Progress.bar`."""

    def __init__(self, shown: "tqdm[Any]", begun: RunProgress, *, study: Path | None) -> None:
        self._shown, self._begun, self._study = shown, begun, study
        self._done, self._started, self._noted = begun.done, time.monotonic(), -NOTE_SECONDS

    def __enter__(self) -> Self:
        """Begin the part."""
        self._shown.__enter__()
        self._note(time.monotonic())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the part."""
        self._shown.__exit__(kind, error, trace)

    def update(self, n: int = 1) -> None:
        """Note that so many units more are done."""
        self._shown.update(n)
        self._done += n
        now = time.monotonic()
        if now - self._noted >= NOTE_SECONDS:
            self._note(now)

    def end_early(self) -> None:
        """Say that what is done is all."""
        self._shown.total = self._shown.n

    def _note(self, now: float) -> None:
        if self._study is None:
            return
        self._noted, begun, n_new = now, self._begun, self._done - self._begun.done
        left = (now - self._started) / n_new * (begun.total - self._done) if n_new else None
        write_progress(self._study, RunProgress(begun.title, self._done, begun.total, begun.unit, left))
