"""What a session asks of the live model, and how answers come."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from vitpanel.core.head_means import AttentionSum, ModesOfImages
from vitpanel.core.pruned_head import PrunedHead
from vitpanel.state.queries.head_means import AttentionJob, ModesJob
from vitpanel.state.queries.pruned_set import PrunedSoFar, SetJob
from vitpanel.state.queries.so_far import SoFar

NO_MODEL = (
    "The live model is off, so pruning modes and attention matrices cannot be computed; without --no-live, or with "
    "live=True in a notebook, they can."
)
NO_IMAGES = "None of the brushed images is computed yet."
NO_IMAGE = "Shown for one image. Choose one in the Image Overview."

MEAN_ATTENTION, MEAN_MODES = "mean attention", "mean modes"

Value = TypeVar("Value")


@dataclass(frozen=True)
class Online(Generic[Value]):
    """A result of the live model: ``idle``, ``running``, ``done`` with a value, or ``failed`` with the reason."""

    status: str
    value: Value | None = None
    message: str = ""
    hint: str = ""


IDLE: Online[Any] = Online("idle", message=NO_IMAGE)


class Matrices(Protocol):
    """Attention of a layer: of one head float32 ``(n_tokens, n_tokens)``."""

    def __getitem__(self, head: int, /) -> np.ndarray: ...


class Inference(Protocol):
    """The live model as a session sees it.

    ``deliver`` is called where it is safe to change the page: at once when the result is known, else later, first
    with a running and then with a final `Online`. A newer request of the same kind drops the older one, and so does
    one for the modes with the same ``purpose``.
    """

    def modes(
        self,
        image: int,
        layer: int,
        head: int,
        deliver: Callable[[Online[PrunedHead]], None],
        *,
        purpose: str = "chosen",
    ) -> None:
        """Ask for all pruning modes of a head."""
        ...

    def attention(self, image: int, layer: int, deliver: Callable[[Online[Matrices]], None]) -> None:
        """Ask for the attention of a layer, right but for a unit of the third digit."""
        ...

    def atlas(self, image: int, deliver: Callable[[Online[np.ndarray]], None]) -> None:
        """Ask for `vitpanel.drawing.thumbnails` of all heads, ``(n_layers, n_heads, n_rows, n_rows)``."""
        ...

    def received(self, image: int, deliver: Callable[[Online[np.ndarray]], None]) -> None:
        """Ask for what each token receives in all heads, ``(2, n_layers, n_heads, n_tokens)``.

        It is `vitpanel.core.received.received_attention`, right but for a unit of the third digit; NaN for a head that
        is not there.
        """
        ...

    def prune_image(self, job: SetJob, deliver: Callable[[Online[np.ndarray]], None]) -> None:
        """Ask for probabilities of the one image of a job without pruning and with its one set, ``(2, n_classes)``."""
        ...

    def prune_images(
        self, job: SetJob, deliver: Callable[[Online[PrunedSoFar]], None], *, purpose: str = "images"
    ) -> None:
        """Ask for a job on many images; ``deliver`` hears from time to time how far it is.

        A newer job of the same purpose drops the older one.
        """
        ...

    def attention_of_images(
        self, job: AttentionJob, deliver: Callable[[Online[SoFar[AttentionJob, AttentionSum]]], None]
    ) -> None:
        """Ask for the attention of heads summed over images; told, dropped and stopped as `prune_images`.

        The purpose is `MEAN_ATTENTION`.
        """
        ...

    def modes_of_images(self, job: ModesJob, deliver: Callable[[Online[SoFar[ModesJob, ModesOfImages]]], None]) -> None:
        """Ask for all pruning modes of a head on each of some images; as `attention_of_images`, for `MEAN_MODES`."""
        ...

    def stop_pruning(self, purpose: str) -> None:
        """Want the job of a purpose no more."""
        ...
