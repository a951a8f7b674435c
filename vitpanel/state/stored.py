"""Pruning modes that were computed beforehand, in the place of the live model's."""

from collections.abc import Callable

import numpy as np

from vitpanel.core.importance import PrunedHead, reference_class
from vitpanel.state.online import NO_MODEL, Inference, Matrices, Online
from vitpanel.study.reader import Study


class StoredModes:
    """Answers for the modes at once from the study; asks the live model for attention and the atlas alone.

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


def with_stored_modes(study: Study, live: Inference | None) -> Inference | None:
    """Return what a session asks: the study where it has the modes of all heads, else the live model."""
    return StoredModes(study, live) if "modes/patch" in study else live


def stored_modes(study: Study, image: int, head: tuple[int, int]) -> PrunedHead:
    """Return the pruning modes of a head of an image, as far as a study keeps them.

    Of the pruned probabilities these are the most probable classes and the one that the image is judged by; the others
    are NaN.
    """
    at = (image, *head)
    patch = study["modes/patch"][at]
    cls = study["modes/cls"][at] if "modes/cls" in study else np.full_like(patch, np.nan)
    if "modes/probability" not in study:
        return PrunedHead(None, cls, patch)
    unpruned = study["probabilities"][image]
    probabilities = np.full((len(patch), len(unpruned)), np.nan, np.float32)
    top = study["modes/top_class"][at].astype(np.int64)
    np.put_along_axis(probabilities, top, study["modes/top_probability"][at], axis=1)
    reference = reference_class(unpruned[None], study.images["label"].to_numpy()[image, None])[0]
    probabilities[:, reference] = study["modes/probability"][at]
    probabilities[0] = unpruned
    return PrunedHead(probabilities, cls, patch, jsd=study["modes/jsd"][at])
