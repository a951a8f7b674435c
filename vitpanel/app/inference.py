"""The live model: one per process and study, shared by all sessions, with one worker thread.

Sessions ask through `vitpanel.app.session_inference`; equal requests are computed once, a session's newer request drops
its older one, what nobody wants any more stops at its next step, and results are kept in a `ByteCache`. While nobody
waits, the heads beside the last one are computed.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from vitpanel.app.cache import ByteCache
from vitpanel.app.half_attention import HalfAttention
from vitpanel.app.head_means import attention_sum, modes_of_images
from vitpanel.app.outcomes import failure_of, outcome_of
from vitpanel.app.requests import Key, Request, Requests
from vitpanel.app.set_runs import SetRuns
from vitpanel.core.head_means import AttentionSum
from vitpanel.core.pruned_head import PrunedHead
from vitpanel.core.pruned_images import PrunedImages, pruned_images
from vitpanel.core.received import received_attention
from vitpanel.core.regions import PruningMode
from vitpanel.drawing.thumbnails import thumbnails
from vitpanel.errors import InferenceError, VitpanelError
from vitpanel.models.stopping import Stopped, step, stoppable
from vitpanel.pipeline.known_weights import known_weights
from vitpanel.state.online import Matrices
from vitpanel.state.queries.head_means import AttentionJob, ModesJob
from vitpanel.state.queries.pruned_images import image_table
from vitpanel.state.queries.pruned_set import SetJob, changes_one_by_one, mask_of_heads, pruning_job
from vitpanel.state.queries.so_far import Found, Job
from vitpanel.study.reader import Study

if TYPE_CHECKING:
    import pandas as pd

    from vitpanel.models.ablation import Ablation
    from vitpanel.models.model import ViTModel
    from vitpanel.state.brush import Brush

logger = logging.getLogger(__name__)

CACHE_BYTES = 512 * 2**20
NAME_THE_WEIGHTS = (
    "Name the safetensors file: `vitpanel serve STUDY --checkpoint FILE`, `panel serve apps/explorer.py --args STUDY "
    "FILE`, or `vitpanel.explore(study, checkpoint=FILE)` in a notebook."
)


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
        self.study = study
        self.checkpoint = checkpoint
        self.cache = ByteCache(CACHE_BYTES)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="vitpanel-model")
        self._requests = Requests(self._pool, self._answer)
        self.runs = SetRuns(self._pool, self._of_images, failed=failure_of, cache=self.cache)
        self._loaded: tuple[ViTModel, Ablation] | None = None
        self._wishes: list[Key] = []
        self._wishers: set[object] = set()

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
        """Compute ``key`` for ``asker``, together with everybody else who asks the same; raises as `Requests.ask`."""
        return self._requests.ask(key, asker)

    def attention(self, image: int, layer: int) -> Matrices:
        """Wait for the attention of a layer; raises as `modes`."""
        return self._wait_for(("attention", image, layer, -1))

    def received(self, image: int) -> np.ndarray:
        """Wait for what each token receives in all heads; raises as `modes`."""
        return self._wait_for(("received", image, -1, -1))

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
                result = self._compute(key)
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
                self._compute(key)
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

    def _compute(self, key: Key) -> Any:
        cached = self.cache.get(key)
        if cached is not None:
            return cached
        if key[0] == "prune":
            return self._prune_image(key)
        kind, image, layer, head = key
        model, ablation = self._model()
        pixels = self._pixels(model, [image])
        if kind == "attention":
            return self._attention(model, pixels, image, layer)
        if kind == "atlas":
            return self._atlas(model, pixels, image)
        if kind == "received":
            return self._received(model, pixels, image)
        result = ablation.modes(pixels, layer, head, unpruned=self._unpruned(image))
        self.cache.put(key, result, size=_size(result))
        return result

    def _pixels(self, model: "ViTModel", images: Sequence[int]) -> Any:
        """Input of the model for some images, from the pictures in the study."""
        from vitpanel.models.images import decode_crop

        crops = [decode_crop(self.study.crop(image)) for image in images]
        for image, crop in zip(images, crops, strict=True):
            if crop.size != model.preprocessing.input_size[:0:-1]:
                message = (
                    f"The picture of image {image} in the study is {crop.width} × {crop.height}, not of the model's "
                    "size."
                )
                raise InferenceError(message, hint="Choose another image, or compute the study again.")
        return model.preprocessing.tensor(crops)

    def _pruned(self, job: SetJob, images: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities of images without pruning ``(n, n_classes)`` and with the k sets ``(n, k, n_classes)``."""
        model, ablation = self._model()
        pixels, mode, spec = self._pixels(model, images), PruningMode(job.mode), self.study.spec
        known = [self._unpruned(image) for image in images]
        rows = [row for row in known if row is not None]
        nobody = mask_of_heads(spec, ())
        unpruned = np.stack(rows) if len(rows) == len(images) else ablation.prune_set(pixels, nobody)
        pruned = [
            ablation.prune_set(pixels, mask_of_heads(spec, heads), mode) if heads else unpruned for heads in job.sets
        ]
        return unpruned, np.stack(pruned, axis=1)

    def _prune_image(self, key: Key) -> np.ndarray:
        """Probabilities of one image without pruning and with a set, ``(2, n_classes)``."""
        unpruned, pruned = self._pruned(key[1], key[1].images)
        result = np.concatenate([unpruned, pruned[0]])
        self.cache.put(key, result, size=result.nbytes)
        return result

    def _of_images(self, job: Job, images: np.ndarray, is_unwanted: Callable[[], bool]) -> Found | None:
        """Answer a job for some of its images; None where it is stopped."""
        try:
            with stoppable(is_unwanted):
                if isinstance(job, AttentionJob):
                    return self._attention_sum(job, images)
                if isinstance(job, ModesJob):
                    return modes_of_images(
                        self.study, images, lambda image: self._compute(("modes", image, job.layer, job.head))
                    )
                return self._prune_images(job, images)
        except Stopped:
            return None

    def _attention_sum(self, job: AttentionJob, images: np.ndarray) -> AttentionSum:
        """Attention of the layers of a job summed over some images, as many at a time as memory has room for."""
        from vitpanel.models.ablation import images_at_once

        model, _ = self._model()
        found, at_once = job.nothing(), images_at_once(model.spec)
        for start in range(0, len(images), at_once):
            pixels = self._pixels(model, images[start : start + at_once].tolist())
            found = found.joined(attention_sum(model, pixels, job.layers))
        return found

    def _prune_images(self, job: Any, images: np.ndarray) -> PrunedImages:
        """What the sets of a `SetJob` do to some images."""
        unpruned, pruned = self._pruned(job, images.tolist())
        labels, singly = self.study.images["label"].to_numpy()[images], changes_one_by_one(self.study, job, images)
        return pruned_images(images, labels, unpruned, pruned=pruned, singly=singly)

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
        atlas = np.zeros((spec.n_layers, spec.n_heads, *found[0].shape[1:]), found[0].dtype)
        for layer, pictures in found.items():
            atlas[layer, : len(pictures)] = pictures
        self.cache.put(("atlas", image, -1, -1), atlas, size=atlas.nbytes)
        return atlas

    def _received(self, model: "ViTModel", pixels: Any, image: int) -> np.ndarray:
        """What each token receives in all heads, NaN for heads that are not there."""
        spec = model.spec
        received = np.full((2, spec.n_layers, spec.n_heads, spec.grid.n_tokens), np.nan, np.float32)

        def put(layer: int, half: HalfAttention) -> None:
            for head in range(spec.heads_of(layer)):
                received[:, layer, head] = received_attention(half[head], spec.grid)

        kept = [self.cache.get(("attention", image, layer, -1)) for layer in range(spec.n_layers)]
        if all(half is not None for half in kept):
            for layer, half in enumerate(kept):
                step()
                put(layer, half)
        else:
            # In half precision as what is kept, so that the numbers are the same whichever it was.
            model.attend(pixels, lambda layer, a: put(layer, HalfAttention(a[0])))
        self.cache.put(("received", image, -1, -1), received, size=received.nbytes)
        return received

    def _model(self) -> "tuple[ViTModel, Ablation]":
        if self._loaded is None:
            self._loaded = _load(self.study, self.checkpoint)
        return self._loaded


def _load(study: Study, checkpoint: Path | None) -> "tuple[ViTModel, Ablation]":
    try:
        from vitpanel.models.ablation import create_ablation
        from vitpanel.models.class_head import LinearHead
        from vitpanel.models.loading import with_head
        from vitpanel.models.restoring import restore_model
    except ImportError as error:
        message = f"The live model needs torch and timm: {error}."
        raise InferenceError(message, hint="Install them with: pip install 'vitpanel[compute]'.") from error
    source = study.manifest.model
    weights = checkpoint or known_weights(source["weight_hash"])
    if weights is None:
        raise _unknown_weights(source)
    try:
        model = restore_model(source, weights)
        if source.get("head"):
            model = with_head(model, LinearHead.from_bytes(study.read_file(study.files.head.name)))
    except VitpanelError as error:
        # What is said here is read in a browser, where the folders of the server are nobody's business.
        message, hint = error.message, error.hint
        for path in (weights, study.path):
            message, hint = (text.replace(str(path), path.name) for text in (message, hint))
        raise InferenceError(message, hint=hint) from error
    if model.source.weight_hash != source["weight_hash"]:
        message = f"The weights in {weights.name} are not those that the study was computed with."
        raise InferenceError(message, hint=f"{NAME_THE_WEIGHTS} Or compute the study again.")
    return model, create_ablation(model, precision=study.manifest.settings.get("precision", "float32"))


def _unknown_weights(source: Mapping[str, Any]) -> InferenceError:
    """What to say where the model's weights are not among those that this person has computed with."""
    stated = source.get("checkpoint")
    named = f", {PurePath(str(stated)).name}," if stated else f", those of {source['name']},"
    message = (
        f"The model's weights{named} are not among those that you have computed studies with on this machine, and a "
        "study is not trusted to say which file to open."
    )
    return InferenceError(message, hint=NAME_THE_WEIGHTS)


def _size(result: PrunedHead) -> int:
    parts = [result.probabilities, *result.layer.values(), *result.known.values()]
    return sum(part.nbytes for part in parts if part is not None)


def _log_failure(future: "Future[Any]") -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None:
        logger.warning("The live model failed while nobody waited: %s", error)
