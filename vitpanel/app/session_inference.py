"""What one session asks of the live model."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from vitpanel.app.image_runs import SessionImageRuns
from vitpanel.app.inference import ModelService
from vitpanel.app.outcomes import outcome_of
from vitpanel.app.requests import Key
from vitpanel.errors import InferenceError
from vitpanel.state.online import MEAN_ATTENTION, MEAN_MODES, Online
from vitpanel.state.queries.head_means import AttentionJob, ModesJob
from vitpanel.state.queries.pruned_set import SetJob
from vitpanel.state.queries.so_far import Job
from vitpanel.views.bridge import Bridge
from vitpanel.views.session_loop import SessionLoop

if TYPE_CHECKING:
    import numpy as np

    from vitpanel.core.pruned_head import PrunedHead
    from vitpanel.state.online import Matrices
    from vitpanel.state.queries.pruned_set import PrunedSoFar

Deliver = Callable[[Online[Any]], None]


class SessionInference:
    """What one session asks of a `ModelService`; see `vitpanel.state.session.Inference`.

    Results are delivered in the session's own thread: on its document's next tick on a server, in the event loop of
    a notebook, at once elsewhere.

    Parameters
    ----------
    bridge
        Of the views that wait for the results; while it is asleep, nothing is asked. None without views.
    """

    def __init__(self, service: ModelService, bridge: Bridge | None = None) -> None:
        self._service, self._bridge = service, bridge
        self._loop: SessionLoop | None = SessionLoop()
        # The service knows a session by this alone, so that it keeps nothing of it alive.
        self._asker = object()
        self._runs = SessionImageRuns(service.runs, self._loop)
        self._asked: dict[str, tuple[Key, Deliver]] = {}

    def close(self) -> None:
        """Want nothing any more: what is computed for this session alone stops, and nothing is delivered."""
        self._asked.clear()
        self._runs.close()
        self._loop = None
        self._service.leave(self._asker)

    def modes(
        self,
        image: int,
        layer: int,
        head: int,
        deliver: "Callable[[Online[PrunedHead]], None]",
        *,
        purpose: str = "chosen",
    ) -> None:
        """Ask for all pruning modes of a head."""
        self._ask(("modes", image, layer, head), deliver, purpose=purpose)

    def attention(self, image: int, layer: int, deliver: "Callable[[Online[Matrices]], None]") -> None:
        """Ask for the attention of a layer."""
        self._ask(("attention", image, layer), deliver, purpose="attention")

    def atlas(self, image: int, deliver: "Callable[[Online[np.ndarray]], None]") -> None:
        """Ask for thumbnails of all heads of an image."""
        self._ask(("atlas", image), deliver, purpose="atlas")

    def received(self, image: int, deliver: "Callable[[Online[np.ndarray]], None]") -> None:
        """Ask for what each token receives in all heads of an image."""
        self._ask(("received", image), deliver, purpose="received")

    def prune_image(self, job: SetJob, deliver: "Callable[[Online[np.ndarray]], None]") -> None:
        """Ask for probabilities of an image without pruning and with a set of heads pruned."""
        self._ask(("prune", job), deliver, purpose="prune")

    def prune_images(
        self, job: SetJob, deliver: "Callable[[Online[PrunedSoFar]], None]", *, purpose: str = "images"
    ) -> None:
        """Ask for sets of heads pruned on many images."""
        self._begin(job, deliver, purpose=purpose)

    def attention_of_images(self, job: AttentionJob, deliver: Deliver) -> None:
        """Ask for the attention of heads summed over images."""
        self._begin(job, deliver, purpose=MEAN_ATTENTION)

    def modes_of_images(self, job: ModesJob, deliver: Deliver) -> None:
        """Ask for all pruning modes of a head on each of some images."""
        self._begin(job, deliver, purpose=MEAN_MODES)

    def _begin(self, job: Job, deliver: Deliver, *, purpose: str) -> None:
        if self._loop is None or self._waits(purpose, partial(self._begin, job, deliver, purpose=purpose)):
            return
        message = "computing …" if self._service.is_loaded else "loading the model …"
        deliver(Online("running", message=message))
        self._runs.begin(job, deliver, purpose=purpose)

    def _waits(self, purpose: str, ask: Callable[[], None]) -> bool:
        """Whether something is asked only when the views are shown again that wait for it; the latest of a purpose."""
        if self._bridge is None or not self._bridge.is_asleep:
            return False
        self._bridge.put(("model", purpose), ask)
        return True

    def stop_pruning(self, purpose: str) -> None:
        """Want the job of a purpose no more."""
        self._runs.stop(purpose)

    def _ask(self, key: Key, deliver: Deliver, *, purpose: str) -> None:
        if self._loop is None or self._waits(purpose, partial(self._ask, key, deliver, purpose=purpose)):
            return
        previous = self._asked.pop(purpose, None)
        cached = self._service.answers.cache.get(key)
        if cached is None:
            self._asked[purpose] = key, deliver
        if previous is not None and previous[0] not in {wanted for wanted, _ in self._asked.values()}:
            self._service.abandon(previous[0], self._asker)
        if cached is not None:
            deliver(Online("done", cached))
            return
        message = "computing …" if self._service.is_loaded else "loading the model …"
        deliver(Online("running", message=message))
        try:
            future = self._service.request(key, self._asker)
        except InferenceError as error:
            deliver(Online("failed", message=error.message, hint=error.hint))
            return
        if self._loop is not None and self._loop.is_there:
            future.add_done_callback(partial(_arrived, ref(self), purpose, key))
        else:
            self._hand_over(purpose, key, future)

    def _arrive(self, purpose: str, key: Key, future: "Future[Any]") -> None:
        """Hear from the worker thread that an answer is there."""
        loop = self._loop
        if loop is not None:
            loop.soon(partial(self._hand_over, purpose, key, future))

    def _hand_over(self, purpose: str, key: Key, future: "Future[Any]") -> None:
        """Deliver an answer unless it is not wanted any more."""
        wanted, deliver = self._asked.get(purpose, (None, None))
        if deliver is None or wanted != key:
            return
        outcome = outcome_of(future)
        if outcome is not None:
            del self._asked[purpose]
            deliver(outcome)


def _arrived(inference: "ref[SessionInference]", purpose: str, key: Key, future: "Future[Any]") -> None:
    """Tell a session of an answer if the session is still there: a request that others wait for must not keep it."""
    session = inference()
    if session is not None:
        session._arrive(purpose, key, future)  # noqa: SLF001 - half of `SessionInference`, apart for the weak reference
