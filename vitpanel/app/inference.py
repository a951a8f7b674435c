"""The live model: one per process and study, shared by all sessions, with one worker thread.

Sessions ask through a `SessionInference`; equal requests are computed once, a session's newer request drops its
older one, and results are kept in a `ByteCache`. While nobody waits, the heads beside the last one are computed.
"""

import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from vitpanel.app.cache import ByteCache
from vitpanel.app.half_attention import HalfAttention
from vitpanel.core.importance import PrunedHead
from vitpanel.core.thumbnails import thumbnails
from vitpanel.errors import InferenceError, VitpanelError
from vitpanel.state.online import Matrices, Online
from vitpanel.study.reader import Study
from vitpanel.views.session_loop import SessionLoop

if TYPE_CHECKING:
    from vitpanel.models.ablation import Ablation
    from vitpanel.models.model import ViTModel

logger = logging.getLogger(__name__)

CACHE_BYTES = 512 * 2**20
MAX_WAITING = 64
Key = tuple[str, int, int, int]
Deliver = Callable[[Online[Any]], None]


class ModelService:
    """Loads a study's model in the background and computes what sessions ask.

    Parameters
    ----------
    study
        Its manifest names the model, its crops are the images.
    checkpoint
        Where the weights are now; None takes the place that the manifest gives.
    """

    def __init__(self, study: Study, *, checkpoint: Path | None = None) -> None:
        self.study = study
        self.checkpoint = checkpoint
        self.cache = ByteCache(CACHE_BYTES)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="vitpanel-model")
        self._lock = RLock()
        self._loaded: tuple[ViTModel, Ablation] | None = None
        self._waiting: dict[Key, tuple[Future[Any], set[object]]] = {}
        self._wishes: list[Key] = []

    @property
    def is_loaded(self) -> bool:
        """Whether the model is ready."""
        return self._loaded is not None

    def warm_up(self) -> "Future[Any]":
        """Load the model in the background; a failure shows at the first request."""
        loading = self._pool.submit(self._model)
        loading.add_done_callback(_log_failure)
        return loading

    def request(self, key: Key, asker: object) -> "Future[Any]":
        """Compute ``key`` for ``asker``, together with everybody else who asks the same."""
        with self._lock:
            if key in self._waiting:
                future, askers = self._waiting[key]
                askers.add(asker)
                return future
            if len(self._waiting) >= MAX_WAITING:
                message = f"{len(self._waiting)} requests wait for the model."
                raise InferenceError(message, hint="Choose the head again in a moment.")
            future = self._pool.submit(self._answer, key)
            self._waiting[key] = (future, {asker})
        future.add_done_callback(lambda _: self._forget(key))
        return future

    def abandon(self, key: Key, asker: object) -> None:
        """Drop a request that has not begun, unless somebody else wants it too."""
        with self._lock:
            future, askers = self._waiting.get(key, (None, set()))
            askers.discard(asker)
        if future is not None and not askers:
            future.cancel()

    def _forget(self, key: Key) -> None:
        with self._lock:
            self._waiting.pop(key, None)

    def _answer(self, key: Key) -> Any:
        result = self._compute(key)
        if key[0] == "modes":
            self._wishes = self._beside(key)
        self._go_on()
        return result

    def _go_on(self) -> None:
        # The pool takes nothing more when the process ends.
        with suppress(RuntimeError):
            self._pool.submit(self._prefetch).add_done_callback(_log_failure)

    def _prefetch(self) -> None:
        """Compute one head that may be chosen next, unless somebody waits."""
        with self._lock:
            if self._waiting or not self._wishes:
                return
            key = self._wishes.pop(0)
        self._compute(key)
        self._go_on()

    def _beside(self, key: Key) -> list[Key]:
        """Heads that are one step away from one, of the same image."""
        kind, image, layer, head = key
        spec = self.study.spec
        steps = ((0, 1), (0, -1), (1, 0), (-1, 0))
        places = [(layer + down, head + right) for down, right in steps]
        return [(kind, image, i, j) for i, j in places if 0 <= i < spec.n_layers and 0 <= j < spec.n_heads]

    def _compute(self, key: Key) -> Any:
        cached = self.cache.get(key)
        if cached is not None:
            return cached
        kind, image, layer, head = key
        model, ablation = self._model()
        from vitpanel.models.images import decode_crop

        pixels = model.preprocessing.tensor([decode_crop(self.study.crop(image))])
        if kind == "attention":
            return self._attention(model, pixels, image, layer)
        if kind == "atlas":
            return self._atlas(model, pixels, image)
        result = ablation.modes(pixels, layer, head, unpruned=self._unpruned(image))
        self.cache.put(key, result, size=_size(result))
        return result

    def _unpruned(self, image: int) -> np.ndarray | None:
        """Probabilities without pruning from the study, where they are of the arithmetic of the live model."""
        is_same = self.study.manifest.settings.get("precision", "float32") == "float32"
        if not is_same or "probabilities" not in self.study:
            return None
        known = self.study["probabilities"][image]
        return None if np.isnan(known).any() else known

    def _attention(self, model: "ViTModel", pixels: Any, image: int, wanted: int) -> HalfAttention:
        """Attention of a layer; the other layers of the same forward are kept too where they fit."""
        spec, results = model.spec, dict[int, HalfAttention]()
        fits = 2 * 2 * spec.n_layers * spec.n_heads * spec.grid.n_tokens**2 <= self.cache.limit

        def keep(layer: int, attention: Any) -> None:
            half = HalfAttention(attention[0])
            self.cache.put(("attention", image, layer, -1), half, size=half.nbytes)
            if layer == wanted:
                results[layer] = half

        model.attend(pixels, keep, layers=range(spec.n_layers) if fits else [wanted])
        return results[wanted]

    def _atlas(self, model: "ViTModel", pixels: Any, image: int) -> np.ndarray:
        """Thumbnails of all layers, from what is kept of an earlier forward or from a new one."""
        spec = model.spec
        kept = [self.cache.get(("attention", image, layer, -1)) for layer in range(spec.n_layers)]
        # A picture is the same whatever its head is scaled by.
        found = {layer: thumbnails(half.scaled, spec.grid) for layer, half in enumerate(kept) if half is not None}
        if len(found) < spec.n_layers:
            # In half precision as what is kept, so that the pictures are the same whichever it was.
            model.attend(
                pixels, lambda layer, a: found.update({layer: thumbnails(HalfAttention(a[0]).scaled, spec.grid)})
            )
        atlas = np.stack([found[layer] for layer in range(spec.n_layers)])
        self.cache.put(("atlas", image, -1, -1), atlas, size=atlas.nbytes)
        return atlas

    def _model(self) -> "tuple[ViTModel, Ablation]":
        if self._loaded is None:
            self._loaded = _load(self.study, self.checkpoint)
        return self._loaded


class SessionInference:
    """What one session asks of a `ModelService`; see `vitpanel.state.session.Inference`.

    Results are delivered in the session's own thread: on its document's next tick on a server, in the event loop of
    a notebook, at once elsewhere.
    """

    def __init__(self, service: ModelService) -> None:
        self._service = service
        self._loop = SessionLoop()
        self._latest: dict[str, Key] = {}

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
        self._ask(("attention", image, layer, -1), deliver, purpose="attention")

    def atlas(self, image: int, deliver: "Callable[[Online[np.ndarray]], None]") -> None:
        """Ask for thumbnails of all heads of an image."""
        self._ask(("atlas", image, -1, -1), deliver, purpose="atlas")

    def _ask(self, key: Key, deliver: Deliver, *, purpose: str) -> None:
        previous = self._latest.get(purpose)
        self._latest[purpose] = key
        if previous is not None and previous not in self._latest.values():
            self._service.abandon(previous, self)
        cached = self._service.cache.get(key)
        if cached is not None:
            deliver(Online("done", cached))
            return
        message = "computing …" if self._service.is_loaded else "loading the model …"
        deliver(Online("running", message=message))
        try:
            future = self._service.request(key, self)
        except InferenceError as error:
            deliver(Online("failed", message=error.message, hint=error.hint))
            return
        self._call_when_done(future, deliver)

    def _call_when_done(self, future: "Future[Any]", deliver: Deliver) -> None:
        call = partial(_deliver, future, deliver)
        if self._loop.is_there:
            future.add_done_callback(lambda _: self._loop.soon(call))
        else:
            call()


def _deliver(future: "Future[Any]", deliver: Deliver) -> None:
    try:
        outcome = Online("done", future.result())
    except CancelledError:
        return
    except VitpanelError as error:
        outcome = Online("failed", message=error.message, hint=error.hint)
    except Exception as error:
        logger.exception("The live model failed")
        outcome = Online(
            "failed", message=f"The model failed: {type(error).__name__}.", hint="The log has the details."
        )
    deliver(outcome)


def _load(study: Study, checkpoint: Path | None) -> "tuple[ViTModel, Ablation]":
    try:
        from vitpanel.models.ablation import create_ablation
        from vitpanel.models.class_head import LinearHead
        from vitpanel.models.loading import load_model, with_head
    except ImportError as error:
        message = f"The live model needs torch and timm: {error}."
        raise InferenceError(message, hint="Install them with: pip install 'vitpanel[compute]'.") from error
    source = study.manifest.model
    stated = source.get("checkpoint")
    path = checkpoint or (Path(stated) if stated else None)
    has_head = bool(source.get("head"))
    class_names = None if has_head else source["class_names"] or None
    model = load_model(source["name"], checkpoint=path, args=source["args"], class_names=class_names)
    if has_head:
        model = with_head(model, LinearHead.from_bytes(study.read_file(study.files.head.name)))
    if model.source.weight_hash != source["weight_hash"]:
        message = "The weights are not those that the study was computed with."
        raise InferenceError(message, hint="Give the right file with --checkpoint, or compute the study again.")
    return model, create_ablation(model, precision=study.manifest.settings.get("precision", "float32"))


def _size(result: PrunedHead) -> int:
    return sum(part.nbytes for part in (result.probabilities, result.cls, result.patch) if part is not None)


def _log_failure(future: "Future[Any]") -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None:
        logger.warning("The live model failed while nobody waited: %s", error)
