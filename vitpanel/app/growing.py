"""A study that a run may still be writing, and the line on its pages that lets them show more of it as it comes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import panel as pn

from vitpanel.app.inference import ModelService
from vitpanel.core.metrics import metric_keys
from vitpanel.state.first_values import first_values
from vitpanel.state.session import Session
from vitpanel.study.files import StudyFiles
from vitpanel.study.own_stages import STAGES
from vitpanel.study.reader import Study, open_study
from vitpanel.study.run_progress import RunProgress, read_progress
from vitpanel.study.stages import stage_title
from vitpanel.theme.notices import create_notice
from vitpanel.views.background import Background
from vitpanel.views.base import counted, escaped
from vitpanel.views.bridge import Bridge

LOOK_MS = 1_000
OTHER = "Another study has been begun in the place of"


class Growing:
    """The study of a live model, read anew when a run has written more of it; shared by all pages of a process.

    Parameters
    ----------
    service
        Has the study as it was when it was opened, and is given each that follows. Where another study has been begun
        in its place, pages that are opened from then on have another service.
    """

    def __init__(self, service: ModelService) -> None:
        self.service = service
        # Unknown: more may have been written since the study was opened.
        self._stamp: tuple[int, ...] | None = None
        self._lock = Lock()

    def look(self) -> Study:
        """Return the study as it stands on disk; a finished one is not looked at. From any thread.

        While another thread looks, what was found last is returned.

        Raises
        ------
        VitpanelError
            If what is on disk cannot be read.
        """
        if self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        return self.service.study

    def _look(self) -> None:
        known = self.service.study
        stamp = self._stamp if known.is_finished else _stamp(known.path)
        if stamp == self._stamp:
            return
        found = open_study(known.path)
        if found.fingerprint == known.fingerprint:
            self.service.study = found
        else:  # of which the old model and its answers know nothing
            self.service = ModelService(found, checkpoint=self.service.checkpoint)
        self._stamp = stamp


class RunLine(pn.viewable.Viewer):
    """Says above the views of a study that is not finished what its run is at, and lets them show what has come.

    Parameters
    ----------
    session
        Whose views they are. Where nothing has been asked for or chosen yet, the first image and head are chosen once
        it is known which matter.
    bridge
        The session's.
    growing
        The study.
    is_free
        Whether the page was asked for nothing, so that it may choose what a page of this study starts with.
    on_more
        Told when there is more of the study.
    """

    def __init__(
        self,
        session: Session,
        bridge: Bridge,
        growing: Growing,
        *,
        is_free: bool = True,
        on_more: Sequence[Callable[[Study], Any]] = (),
    ) -> None:
        super().__init__()
        self._session, self._growing, self._on_more = session, growing, on_more
        self._background = Background(bridge, is_slow=True)
        self._may_choose = is_free
        self._pane = create_notice("", kind="known", sizing_mode="stretch_width", margin=(4, 4, 0, 4))
        self._say(session.study, read_progress(session.study.path))
        self._looks = pn.state.add_periodic_callback(self._look, LOOK_MS)

    def __panel__(self) -> pn.viewable.Viewable:
        """Return the line."""
        return self._pane

    def _look(self) -> None:
        def found() -> tuple[Study, RunProgress | None]:
            study = self._growing.look()
            return study, read_progress(study.path)

        # What is read in the middle of a change is read again a second later.
        self._background.run(found, lambda answer: self._show(*answer))

    def _show(self, study: Study, progress: RunProgress | None) -> None:
        if study.fingerprint != self._session.study.fingerprint:
            self._looks.stop()
            self._write(f"{OTHER} {self._session.study.path.name}. Reload the page to see it.")
            return
        if study is not self._session.study:
            self._session.renew(study)
            self._choose_first(study)
            for tell in self._on_more:
                tell(study)
        self._say(study, progress)
        if study.is_finished:
            self._looks.stop()

    def _choose_first(self, study: Study) -> None:
        """Choose what a page of this study starts with, once that is known and if nothing has been chosen."""
        if not self._may_choose or not any(f"importance/{key}" in study for key in metric_keys()):
            return
        self._may_choose = False
        history = self._session.selection.history
        if history.before is None:
            self._session.selection.param.update(**first_values(study))
            history.forget()  # nobody has chosen that

    def _say(self, study: Study, progress: RunProgress | None) -> None:
        self._pane.visible = not study.is_finished
        self._write(run_words(study, progress))

    def _write(self, words: str) -> None:
        html = f'<div class="notice known" role="status">{escaped(words)}</div>'
        if html != self._pane.object:
            self._pane.object = html


def run_words(study: Study, progress: RunProgress | None) -> str:
    """What the run of a study that is not finished is at, and what comes after it, as a line."""
    if progress is None:
        return (
            f"This study is not finished, and nothing computes it now: {study.n_done:,} of "
            f"{counted(study.n_images, 'image')} are done. Run the same precompute command again to go on."
        )
    left = "" if progress.seconds_left is None else f", {_duration(progress.seconds_left)} left"
    now = f"{progress.title}, {progress.done:,} of {counted(progress.total, progress.unit)}{left}"
    later = [stage_title(stage) for stage in STAGES if not study.manifest.is_done(stage)][1:]
    after = f" Then come {' and '.join(later)}." if later else ""
    return f"The study is being computed, and the views show what is there: {now}.{after}"


def _duration(seconds: float) -> str:
    minute = 60
    return f"{round(seconds)} s" if seconds < 2 * minute else f"{round(seconds / minute)} min"


def _stamp(path: Path) -> tuple[int, ...]:
    """What changes when a run completes a block, an array or a stage."""
    files = StudyFiles(path)
    return tuple(place.stat().st_mtime_ns if place.exists() else 0 for place in (files.manifest, files.receipts))
