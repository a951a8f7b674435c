"""Pruning modes that were computed beforehand, in the place of the live model's."""

from collections.abc import Callable

import numpy as np

from vitpanel.core.head_means import AttentionSum, ModesOfImages
from vitpanel.core.importance import reference_class
from vitpanel.core.metrics import class_metrics, layer_metrics, metrics
from vitpanel.core.pruned_head import PrunedHead
from vitpanel.state.online import NO_MODEL, Inference, Matrices, Online
from vitpanel.state.queries.head_means import AttentionJob, ModesJob, has_modes, stored_modes_of_images
from vitpanel.state.queries.pruned_set import PrunedSoFar, SetJob
from vitpanel.state.queries.so_far import SoFar
from vitpanel.study.own_stages import N_MODES
from vitpanel.study.reader import Study


class StoredModes:
    """Answers for the modes at once from the study; asks the live model for all else.

    Parameters
    ----------
    study
        One that has the stage ``modes``.
    live
        None where there is no model.
    """

    def __init__(self, study: Study, live: Inference | None) -> None:
        self._study = study
        self._live = live

    def modes(
        self,
        image: int,
        layer: int,
        head: int,
        deliver: Callable[[Online[PrunedHead]], None],
        *,
        purpose: str = "chosen",  # noqa: ARG002 - answers at once drop nothing
    ) -> None:
        """Deliver all pruning modes of a head."""
        deliver(Online("done", stored_modes(self._study, image, (layer, head))))

    def attention(self, image: int, layer: int, deliver: Callable[[Online[Matrices]], None]) -> None:
        """Ask for the attention of a layer."""
        if self._live is None:
            deliver(Online("idle", message=NO_MODEL))
        else:
            self._live.attention(image, layer, deliver)

    def atlas(self, image: int, deliver: Callable[[Online[np.ndarray]], None]) -> None:
        """Ask for small pictures of all heads."""
        if self._live is None:
            deliver(Online("idle", message=NO_MODEL))
        else:
            self._live.atlas(image, deliver)

    def received(self, image: int, deliver: Callable[[Online[np.ndarray]], None]) -> None:
        """Ask for what each token receives in all heads."""
        if self._live is None:
            deliver(Online("idle", message=NO_MODEL))
        else:
            self._live.received(image, deliver)

    def prune_image(self, job: SetJob, deliver: Callable[[Online[np.ndarray]], None]) -> None:
        """Ask for a set of heads pruned on one image, which no study has."""
        if self._live is None:
            deliver(Online("idle", message=NO_MODEL))
        else:
            self._live.prune_image(job, deliver)

    def prune_images(
        self, job: SetJob, deliver: Callable[[Online[PrunedSoFar]], None], *, purpose: str = "images"
    ) -> None:
        """Ask for sets of heads pruned on many images, which no study has."""
        if self._live is None:
            deliver(Online("idle", message=NO_MODEL))
        else:
            self._live.prune_images(job, deliver, purpose=purpose)

    def attention_of_images(
        self, job: AttentionJob, deliver: Callable[[Online[SoFar[AttentionJob, AttentionSum]]], None]
    ) -> None:
        """Ask for the attention of heads summed over images, which no study has."""
        if self._live is None:
            deliver(Online("idle", message=NO_MODEL))
        else:
            self._live.attention_of_images(job, deliver)

    def modes_of_images(self, job: ModesJob, deliver: Callable[[Online[SoFar[ModesJob, ModesOfImages]]], None]) -> None:
        """Deliver all pruning modes of a head on each of some images."""
        deliver(Online("done", SoFar(job, stored_modes_of_images(self._study, job))))

    def stop_pruning(self, purpose: str) -> None:
        """Want the job of a purpose no more."""
        if self._live is not None:
            self._live.stop_pruning(purpose)


def with_stored_modes(study: Study, live: Inference | None) -> Inference | None:
    """Return what a session asks: the study where it has the modes of all heads, else the live model."""
    names = [name for name in study.names if name.startswith("modes/")]
    # What a study lacks, of a metric that came later or of a broken file, the live model can say.
    is_enough = any(name in study for name in names) if live is None else has_modes(study)
    return StoredModes(study, live) if is_enough else live


def stored_modes(study: Study, image: int, head: tuple[int, int]) -> PrunedHead:
    """Return the pruning modes of a head of an image, as far as a study keeps them.

    Of the pruned probabilities these are the most probable classes and the one that the image is judged by; the others
    are NaN.
    """
    at = (image, *head)
    stored = {metric.key: study[f"modes/{metric.key}"][at] for metric in metrics() if f"modes/{metric.key}" in study}
    nothing = np.full(N_MODES, np.nan, np.float32)
    layer = {metric.key: stored.get(metric.key, nothing) for metric in layer_metrics()}
    if "modes/top_class" not in study:
        return PrunedHead(None, layer)
    known = {metric.key: stored.get(metric.key, nothing) for metric in class_metrics()}
    unpruned = study["probabilities"][image]
    probabilities = np.full((N_MODES, len(unpruned)), np.nan, np.float32)
    top = study["modes/top_class"][at].astype(np.int64)
    np.put_along_axis(probabilities, top, study["modes/top_probability"][at], axis=1)
    reference = reference_class(unpruned[None], study.images["label"].to_numpy()[image, None])[0]
    for metric in class_metrics():
        if not metric.higher_is_more_important and metric.key in stored:
            probabilities[:, reference] = metric.drawn(known[metric.key], unpruned[reference])
    probabilities[0] = unpruned
    return PrunedHead(probabilities, layer, known)
