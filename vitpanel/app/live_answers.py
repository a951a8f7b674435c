"""What the live model of a study answers, in the one thread that computes; results are kept in a `ByteCache`."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from vitpanel.app.cache import ByteCache
from vitpanel.app.half_attention import HalfAttention
from vitpanel.app.requests import Key
from vitpanel.core.head_means import AttentionSum, ModesOfImages
from vitpanel.core.metrics import metrics
from vitpanel.core.pruned_head import PrunedHead
from vitpanel.core.pruned_images import PrunedImages, pruned_images
from vitpanel.core.received import received_attention
from vitpanel.core.regions import PruningMode
from vitpanel.drawing.thumbnails import thumbnails
from vitpanel.errors import InferenceError, VitpanelError
from vitpanel.models.stopping import step
from vitpanel.pipeline.known_weights import known_weights
from vitpanel.state.queries.head_means import AttentionJob, ModesJob
from vitpanel.state.queries.modes import drawn_modes, reference_class
from vitpanel.state.queries.pruned_set import SetJob, changes_one_by_one, mask_of_heads
from vitpanel.state.queries.so_far import Found, Job
from vitpanel.study.reader import Study

if TYPE_CHECKING:
    from torch import Tensor

    from vitpanel.models.ablation import Ablation
    from vitpanel.models.model import ViTModel

CACHE_BYTES = 512 * 2**20
NAME_THE_WEIGHTS = (
    "Name the safetensors file: `vitpanel serve STUDY --checkpoint FILE`, `panel serve apps/explorer.py --args STUDY "
    "FILE`, or `vitpanel.explore(study, checkpoint=FILE)` in a notebook."
)


class LiveAnswers:
    """What is asked of one image, by its key, and of many, by a `Job`; the model is loaded when it is first needed.

    The keys are ``("modes", image, layer, head)``, ``("attention", image, layer)``, ``("atlas", image)``,
    ``("received", image)`` and ``("prune", job)``, a `SetJob` of one image.

    Parameters
    ----------
    study
        Its manifest names the model, its crops are the images.
    checkpoint
        As `vitpanel.app.inference.ModelService` takes it.
    """

    def __init__(self, study: Study, checkpoint: Path | None) -> None:
        self.study, self.checkpoint = study, checkpoint
        self.cache = ByteCache(CACHE_BYTES)
        self.loaded: tuple[ViTModel, Ablation] | None = None
        self._of_one = {
            "modes": self._modes,
            "attention": self._attention,
            "atlas": self._atlas,
            "received": self._received,
            "prune": self._pruned_image,
        }
        self._of_many = {
            SetJob: self._pruned_images,
            AttentionJob: self._attention_sum,
            ModesJob: self._modes_of_images,
        }

    def model(self) -> "tuple[ViTModel, Ablation]":
        """Return the model, and what prunes it; raises `InferenceError` where it cannot be loaded."""
        if self.loaded is None:
            self.loaded = _load(self.study, self.checkpoint)
        return self.loaded

    def of_one(self, key: Key) -> Any:
        """Answer a key, from what is kept or anew."""
        kept = self.cache.get(key)
        return self._of_one[key[0]](*key[1:]) if kept is None else kept

    def of_many(self, job: Job, images: np.ndarray) -> Found:
        """Answer a job for some of its images."""
        compute: Any = self._of_many[type(job)]
        return compute(job, images)

    def pixels(self, images: Sequence[int]) -> Any:
        """Input of the model for some images, from the pictures in the study."""
        from vitpanel.models.images import decode_crop

        model, _ = self.model()
        crops = [decode_crop(self.study.crop(image)) for image in images]
        for image, crop in zip(images, crops, strict=True):
            if crop.size != model.preprocessing.input_size[:0:-1]:
                message = (
                    f"The picture of image {image} in the study is {crop.width} × {crop.height}, not of the model's "
                    "size."
                )
                raise InferenceError(message, hint="Choose another image, or compute the study again.")
        return model.preprocessing.tensor(crops)

    def pruned(self, job: SetJob, images: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities of images without pruning ``(n, n_classes)`` and with the k sets ``(n, k, n_classes)``."""
        _, ablation = self.model()
        pixels, mode, spec = self.pixels(images), PruningMode(job.mode), self.study.spec
        known = [self._unpruned(image) for image in images]
        rows = [row for row in known if row is not None]
        nobody = mask_of_heads(spec, ())
        unpruned = np.stack(rows) if len(rows) == len(images) else ablation.prune_set(pixels, nobody)
        pruned = [
            ablation.prune_set(pixels, mask_of_heads(spec, heads), mode) if heads else unpruned for heads in job.sets
        ]
        return unpruned, np.stack(pruned, axis=1)

    # -- of one image ----------------------------------------------------------------------------------------------

    def _modes(self, image: int, layer: int, head: int) -> PrunedHead:
        _, ablation = self.model()
        result = ablation.modes(self.pixels([image]), layer, head, unpruned=self._unpruned(image))
        parts = [result.probabilities, *result.layer.values(), *result.known.values()]
        size = sum(part.nbytes for part in parts if part is not None)
        self.cache.put(("modes", image, layer, head), result, size=size)
        return result

    def _attention(self, image: int, wanted: int) -> HalfAttention:
        """Attention of a layer; the other layers of the same forward are kept too where they fit."""
        model, _ = self.model()
        spec, results = model.spec, dict[int, HalfAttention]()
        fits = 2 * 2 * spec.n_layers * spec.n_heads * spec.grid.n_tokens**2 <= self.cache.limit

        def keep(layer: int, attention: Any) -> None:
            half = HalfAttention(attention[0])
            self.cache.put(("attention", image, layer), half, size=half.nbytes)
            if layer == wanted:
                results[layer] = half

        model.attend(self.pixels([image]), keep, layers=range(spec.n_layers) if fits else [wanted])
        return results[wanted]

    def _atlas(self, image: int) -> np.ndarray:
        """Thumbnails of all layers, from what is kept of an earlier forward or from a new one."""
        model, _ = self.model()
        spec = model.spec
        kept = [self.cache.get(("attention", image, layer)) for layer in range(spec.n_layers)]
        # A picture is the same whatever its head is scaled by.
        found = {layer: thumbnails(half.scaled, spec.grid) for layer, half in enumerate(kept) if half is not None}
        if len(found) < spec.n_layers:
            # In half precision as what is kept, so that the pictures are the same whichever it was.
            model.attend(
                self.pixels([image]),
                lambda layer, a: found.update({layer: thumbnails(HalfAttention(a[0]).scaled, spec.grid)}),
            )
        atlas = np.zeros((spec.n_layers, spec.n_heads, *found[0].shape[1:]), found[0].dtype)
        for layer, pictures in found.items():
            atlas[layer, : len(pictures)] = pictures
        self.cache.put(("atlas", image), atlas, size=atlas.nbytes)
        return atlas

    def _received(self, image: int) -> np.ndarray:
        """What each token receives in all heads, NaN for heads that are not there."""
        model, _ = self.model()
        spec = model.spec
        received = np.full((2, spec.n_layers, spec.n_heads, spec.grid.n_tokens), np.nan, np.float32)

        def put(layer: int, half: HalfAttention) -> None:
            for head in range(spec.heads_of(layer)):
                received[:, layer, head] = received_attention(half[head], spec.grid)

        kept = [self.cache.get(("attention", image, layer)) for layer in range(spec.n_layers)]
        if all(half is not None for half in kept):
            for layer, half in enumerate(kept):
                step()
                put(layer, half)
        else:
            # In half precision as what is kept, so that the numbers are the same whichever it was.
            model.attend(self.pixels([image]), lambda layer, a: put(layer, HalfAttention(a[0])))
        self.cache.put(("received", image), received, size=received.nbytes)
        return received

    def _pruned_image(self, job: SetJob) -> np.ndarray:
        """Probabilities of one image without pruning and with a set, ``(2, n_classes)``."""
        unpruned, pruned = self.pruned(job, job.images)
        result = np.concatenate([unpruned, pruned[0]])
        self.cache.put(("prune", job), result, size=result.nbytes)
        return result

    def _unpruned(self, image: int) -> np.ndarray | None:
        """Probabilities without pruning from the study, where they are of the arithmetic of the live model."""
        is_same = self.study.manifest.settings.get("precision", "float32") == "float32"
        if not is_same or "probabilities" not in self.study:
            return None
        known = self.study["probabilities"][image]
        return None if np.isnan(known).any() else known

    # -- of many images --------------------------------------------------------------------------------------------

    def _pruned_images(self, job: SetJob, images: np.ndarray) -> PrunedImages:
        """What the sets of a job do to some images."""
        unpruned, pruned = self.pruned(job, images.tolist())
        labels, singly = self.study.images["label"].to_numpy()[images], changes_one_by_one(self.study, job, images)
        return pruned_images(images, labels, unpruned, pruned=pruned, singly=singly)

    def _modes_of_images(self, job: ModesJob, images: np.ndarray) -> ModesOfImages:
        """All pruning modes of a head on each of some images."""
        judged = [
            (self.of_one(("modes", image, job.layer, job.head)), reference_class(self.study, image))
            for image in images.tolist()
        ]
        drawn = {
            metric.key: np.stack([drawn_modes(pruned, metric.key, reference) for pruned, reference in judged])
            for metric in metrics()
        }
        return ModesOfImages(images, drawn)

    def _attention_sum(self, job: AttentionJob, images: np.ndarray) -> AttentionSum:
        """Attention of the layers of a job summed over some images, as many at a time as memory has room for."""
        from vitpanel.models.ablation import images_at_once

        model, _ = self.model()
        found, at_once = job.nothing(), images_at_once(model.spec)
        for start in range(0, len(images), at_once):
            sums, pixels = dict[int, np.ndarray](), self.pixels(images[start : start + at_once].tolist())
            model.attend(pixels, partial(_add_up, sums), layers=job.layers)
            found = found.joined(AttentionSum(len(pixels), sums))
        return found


def _add_up(sums: dict[int, np.ndarray], layer: int, attention: "Tensor") -> None:
    sums[layer] = attention.float().sum(0).cpu().numpy()


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
        raise InferenceError(error.message, hint=error.hint) from error
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
