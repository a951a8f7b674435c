"""What is computed on many images: a batch at a time, between which the model answers what is asked at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from threading import RLock
from time import monotonic
from typing import Any
from weakref import ref

import numpy as np

from vitpanel.app.cache import ByteCache
from vitpanel.state.online import Online
from vitpanel.state.queries.so_far import Found, Job, SoFar
from vitpanel.views.session_loop import SessionLoop

# As long as a person who asks for something else may wait for a batch, and as often as progress is told.
BATCH_SECONDS, TELL_SECONDS = 0.3, 0.4
LARGEST_BATCH = 256
Outcome = Online[SoFar[Any, Any]]
Hear = Callable[[Outcome], None]
Compute = Callable[[Any, np.ndarray, Callable[[], bool]], Found | None]


@dataclass(eq=False)
class Run:
    """A job that somebody waits for.

    Parameters
    ----------
    job
        What is computed.
    found
        What is known of its first images.
    hearers
        Who want it, and how they are told.
    batch
        Images of the next batch, which grows as far as it is fast enough.
    told
        When they were told last.
    timed_from
        How many images there were when the pace was first measured, and when: after the first batch, which may have
        had to load the model.
    """

    job: Job
    found: Found
    hearers: dict[object, Hear]
    batch: int = 1
    told: float = 0.0
    timed_from: tuple[int, float] | None = None

    def is_unwanted(self) -> bool:
        """Whether all have left."""
        return not self.hearers

    @property
    def is_whole(self) -> bool:
        """Whether all images are there."""
        return len(self.found) == len(self.job.images)

    def so_far(self) -> SoFar[Any, Any]:
        """What there is, and how long the rest will take at the pace so far."""
        n, seconds = len(self.found), None
        if self.timed_from is not None and n > self.timed_from[0]:
            n_before, began = self.timed_from
            seconds = (monotonic() - began) / (n - n_before) * (len(self.job.images) - n)
        return SoFar(self.job, self.found, seconds)


class ImageRuns:
    """Runs of one worker thread, equal ones together; what was found is kept, and gone on with when it is asked again.

    Parameters
    ----------
    pool
        Has the one thread, which requests share: a batch is put in its queue after those that wait.
    compute
        Answers a job for some of its images; returns None where it was stopped, which it asks for at its steps.
    failed
        What to say of an error.
    cache
        Keeps what was found.
    """

    def __init__(
        self, pool: ThreadPoolExecutor, compute: Compute, *, failed: Callable[[Exception], Outcome], cache: ByteCache
    ) -> None:
        self._pool, self._compute, self._failed, self._cache = pool, compute, failed, cache
        self._runs: dict[Job, Run] = {}
        self._lock = RLock()

    def ask(self, job: Job, asker: object, hear: Hear) -> None:
        """Tell somebody of a job from time to time, in the worker's thread, and at its end, failure or not."""
        with self._lock:
            if job in self._runs:
                self._runs[job].hearers[asker] = hear
                return
            run = Run(job, self._cache.get(("run", job)) or job.nothing(), {asker: hear})
            self._runs[job] = run
        self._go_on(run)

    def leave(self, asker: object, job: Job | None = None) -> None:
        """Let somebody want a job no more, or without one none at all; what nobody wants stops at its next step."""
        with self._lock:
            for known, run in list(self._runs.items()):
                if job in {None, known} and run.hearers.pop(asker, None) and run.is_unwanted():
                    # Whoever asks the same from now on gets a new one: this one may have seen that it is unwanted.
                    del self._runs[known]

    def outcomes(self, job: Job) -> Iterator[Outcome]:
        """Wait for a job, and hear how far it is until it is done or has failed."""
        heard: SimpleQueue[Outcome] = SimpleQueue()
        asker = object()
        self.ask(job, asker, heard.put)
        try:
            outcome = heard.get()
            while outcome.status == "running":
                yield outcome
                outcome = heard.get()
            yield outcome
        finally:
            self.leave(asker, job)

    def _go_on(self, run: Run) -> None:
        with suppress(RuntimeError):  # the pool takes nothing more when the process ends
            self._pool.submit(self._advance, run)

    def _advance(self, run: Run) -> None:
        """Compute a batch, tell of it, and put the next one in the queue."""
        if run.is_unwanted():
            return
        try:
            is_stopped = not run.is_whole and self._is_stopped_in_batch(run)
        except Exception as error:  # noqa: BLE001 - told to who asked
            failure = self._failed(error)
            self._end(run, Online("failed", run.so_far(), failure.message, failure.hint))
            return
        if is_stopped:
            return
        if run.is_whole:
            self._end(run, Online("done", run.so_far()))
            return
        if monotonic() - run.told > TELL_SECONDS:
            run.told = monotonic()
            self._tell(run, Online("running", run.so_far()))
        self._go_on(run)

    def _is_stopped_in_batch(self, run: Run) -> bool:
        n, began = len(run.found), monotonic()
        images = np.array(run.job.images[n : n + run.batch])
        more = self._compute(run.job, images, run.is_unwanted)
        if more is None:
            return True
        run.found = run.found.joined(more)
        self._cache.put(("run", run.job), run.found, size=run.found.nbytes)
        pace = (monotonic() - began) / len(images)
        if run.timed_from is None:
            run.timed_from = len(run.found), monotonic()
        run.batch = int(np.clip(BATCH_SECONDS / max(pace, 1e-6), 1, min(4 * run.batch, LARGEST_BATCH)))
        return False

    def _end(self, run: Run, outcome: Outcome) -> None:
        with self._lock:
            if self._runs.get(run.job) is run:
                del self._runs[run.job]
        self._tell(run, outcome)

    def _tell(self, run: Run, outcome: Outcome) -> None:
        with self._lock:
            hearers = list(run.hearers.values())
        for hear in hearers:
            hear(outcome)


class SessionImageRuns:
    """The runs that one session wants, one for each purpose; it is told in its own thread.

    Parameters
    ----------
    runs
        Of the model.
    loop
        Of the session.
    """

    def __init__(self, runs: ImageRuns, loop: SessionLoop) -> None:
        self._runs, self._loop = runs, loop
        # The runs know a session by this alone, so that they keep nothing of it alive.
        self._asker = object()
        self._wanted: dict[str, tuple[Job, Hear]] = {}

    def begin(self, job: Job, deliver: Hear, *, purpose: str) -> None:
        """Want a job in the place of the one before of the same purpose."""
        self.stop(purpose)
        self._wanted[purpose] = job, deliver
        if self._loop.is_there:
            self._runs.ask(job, self._asker, partial(_heard, ref(self), purpose, job))
            return
        for outcome in self._runs.outcomes(job):
            self._deliver(purpose, job, outcome)

    def stop(self, purpose: str) -> None:
        """Want a job no more."""
        job, _ = self._wanted.pop(purpose, (None, None))
        if job is not None and job not in {wanted for wanted, _ in self._wanted.values()}:
            self._runs.leave(self._asker, job)

    def close(self) -> None:
        """Want nothing any more."""
        self._wanted.clear()
        self._runs.leave(self._asker)

    def hear(self, purpose: str, job: Job, outcome: Outcome) -> None:
        """Hear from the worker's thread how far a job is."""
        self._loop.soon(partial(self._deliver, purpose, job, outcome))

    def _deliver(self, purpose: str, job: Job, outcome: Outcome) -> None:
        wanted, deliver = self._wanted.get(purpose, (None, None))
        if deliver is None or wanted != job:
            return
        if outcome.status != "running":
            del self._wanted[purpose]
        deliver(outcome)


def _heard(session: "ref[SessionImageRuns]", purpose: str, job: Job, outcome: Any) -> None:
    """Tell a session if it is still there: a run that others wait for must not keep it."""
    runs = session()
    if runs is not None:
        runs.hear(purpose, job, outcome)
