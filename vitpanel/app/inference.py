"""The live model: one per process and study, shared by all sessions, with one worker thread.

Sessions ask through `vitpanel.app.session_inference`; equal requests are computed once, a session's newer request drops
its older one, and what nobody wants any more stops at its next step. While nobody waits, the heads beside the last one
are computed. What is answered, and kept, is in `vitpanel.app.live_answers`.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vitpanel.app.image_runs import ImageRuns
from vitpanel.app.live_answers import LiveAnswers
from vitpanel.app.outcomes import failure_of, outcome_of
from vitpanel.app.requests import Key, Request, Requests
from vitpanel.core.pruned_head import PrunedHead
from vitpanel.core.regions import PruningMode
from vitpanel.errors import InferenceError
from vitpanel.models.stopping import Stopped, stoppable
from vitpanel.state.online import Matrices
from vitpanel.state.queries.pruned_images import image_table
from vitpanel.state.queries.pruned_set import pruning_job
from vitpanel.state.queries.so_far import Found, Job
from vitpanel.study.reader import Study

if TYPE_CHECKING:
    import pandas as pd

    from vitpanel.state.brush import Brush

logger = logging.getLogger(__name__)


class ModelService:
    """Loads a study's model in the background and computes what sessions ask.

    Parameters
    ----------
    study
        Its manifest names the model, its crops are the images.
    checkpoint
        The model's weights, named by the person who opens the study; None takes the file that this person computed
        with, never one that the study names.
    """

    def __init__(self, study: Study, *, checkpoint: Path | None = None) -> None:
        self.checkpoint = checkpoint
        self.answers = LiveAnswers(study, checkpoint)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="vitpanel-model")
        self._requests = Requests(self._pool, self._answer)
        self.runs = ImageRuns(self._pool, self._of_images, failed=failure_of, cache=self.answers.cache)
        self._wishes: list[Key] = []
        self._wishers: set[object] = set()

    @property
    def study(self) -> Study:
        """The study as it is known now; of one that is being computed, another can be set that has more."""
        return self.answers.study

    @study.setter
    def study(self, study: Study) -> None:
        self.answers.study = study

    @property
    def is_loaded(self) -> bool:
        """Whether the model is ready."""
        return self.answers.loaded is not None

    def warm_up(self) -> "Future[Any]":
        """Load the model in the background; a failure shows at the first request."""
        loading = self._pool.submit(self.answers.model)
        loading.add_done_callback(_log_failure)
        return loading

    def request(self, key: Key, asker: object) -> "Future[Any]":
        """Compute ``key`` for ``asker``, together with everybody else who asks the same; raises as `Requests.ask`."""
        return self._requests.ask(key, asker)

    def attention(self, image: int, layer: int) -> Matrices:
        """Wait for the attention of a layer; raises as `modes`."""
        return self._wait_for(("attention", image, layer))

    def received(self, image: int) -> np.ndarray:
        """Wait for what each token receives in all heads; raises as `modes`."""
        return self._wait_for(("received", image))

    def modes(self, image: int, layer: int, head: int) -> PrunedHead:
        """Wait for all pruning modes of a head.

        Raises
        ------
        InferenceError
            If the model cannot be loaded or fails.
        """
        return self._wait_for(("modes", image, layer, head))

    def prune(
        self,
        heads: "Brush | np.ndarray | Sequence[tuple[int, int]]",
        *,
        mode: int = PruningMode.HEAD,
        images: "Brush | Sequence[int] | None" = None,
    ) -> "pd.DataFrame":
        """Prune heads together and wait for what that does to images.

        Parameters
        ----------
        heads
            A brush of heads, a mask ``(n_layers, n_heads)`` of booleans, or heads as ``(layer, head)``.
        mode
            What of them is pruned, one of `PruningMode`.
        images
            A brush of images, or their numbers; None takes all that are done.

        Returns
        -------
        One row an image, in the order of their numbers or as they were given, with the columns and meanings of
        `vitpanel.state.queries.pruned_images.image_table`.

        Raises
        ------
        ChoiceError
            If there is no such head, mode or image, or the model has no class head.
        InferenceError
            If the model cannot be loaded or fails.
        """
        job = pruning_job(self.study, heads, mode=mode, images=images)
        *_, outcome = self.runs.outcomes(job)
        if outcome.value is None or outcome.status != "done":
            raise InferenceError(outcome.message, hint=outcome.hint)
        return image_table(self.study, outcome.value.found)

    def _wait_for(self, key: Key) -> Any:
        asker = object()
        try:
            outcome = outcome_of(self.request(key, asker))
        finally:
            self.leave(asker)
        # It cannot have been dropped while its asker waited.
        if outcome is None or outcome.status == "failed":
            message = "The live model gave no answer." if outcome is None else outcome.message
            raise InferenceError(message, hint="Ask again." if outcome is None else outcome.hint)
        return outcome.value

    def abandon(self, key: Key, asker: object) -> None:
        """Drop a request, or stop it at its next step, unless somebody else wants it too."""
        self._requests.leave(asker, key)

    def leave(self, asker: object) -> None:
        """Let somebody want nothing any more; nor is anything prepared for them."""
        self._requests.leave(asker)
        self.runs.leave(asker)
        self._wishers.discard(asker)

    def _answer(self, key: Key, request: Request) -> Any:
        try:
            with stoppable(request.is_unwanted):
                result = self.answers.of_one(key)
        except Stopped:
            self._go_on()
            raise CancelledError from None
        if key[0] == "modes":
            self._wishes, self._wishers = self._beside(key), set(request.askers)
        self._go_on()
        return result

    def _go_on(self) -> None:
        # The pool takes nothing more when the process ends.
        with suppress(RuntimeError):
            self._pool.submit(self._prefetch).add_done_callback(_log_failure)

    def _prefetch(self) -> None:
        """Compute one head that may be chosen next, while nobody waits and somebody is there."""
        if not self._wishes or self._must_wait():
            return
        key = self._wishes.pop(0)
        try:
            with stoppable(self._must_wait):
                self.answers.of_one(key)
        except Stopped:
            self._wishes.insert(0, key)
        else:
            self._go_on()

    def _must_wait(self) -> bool:
        return bool(len(self._requests)) or not self._wishers

    def _beside(self, key: Key) -> list[Key]:
        """Heads that are one step away from one, of the same image."""
        kind, image, layer, head = key
        spec = self.study.spec
        steps = ((0, 1), (0, -1), (1, 0), (-1, 0))
        places = [(layer + down, head + right) for down, right in steps]
        return [(kind, image, i, j) for i, j in places if spec.has_head(i, j)]

    def _of_images(self, job: Job, images: np.ndarray, is_unwanted: Callable[[], bool]) -> Found | None:
        """Answer a job for some of its images; None where it is stopped."""
        try:
            with stoppable(is_unwanted):
                return self.answers.of_many(job, images)
        except Stopped:
            return None


def _log_failure(future: "Future[Any]") -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None:
        logger.warning("The live model failed while nobody waited: %s", error)
