"""Stand-ins for the live model."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from vitpanel.core.head_means import AttentionSum, ModesOfImages
from vitpanel.core.metrics import metric_keys
from vitpanel.core.pruned_head import PrunedHead
from vitpanel.core.pruned_images import pruned_images
from vitpanel.core.received import received_attention
from vitpanel.core.spec import ViTSpec
from vitpanel.drawing.thumbnails import thumbnails
from vitpanel.state.online import MEAN_ATTENTION, MEAN_MODES, Matrices, Online
from vitpanel.state.queries.head_means import AttentionJob, ModesJob
from vitpanel.state.queries.pruned_images import COLUMNS
from vitpanel.state.queries.pruned_set import PrunedSoFar, SetJob
from vitpanel.state.queries.so_far import SoFar


class FakeInference:
    """Answers when it is told to; the answers are random but fixed for each image and head."""

    def __init__(self, spec: ViTSpec) -> None:
        self.spec = spec
        self.waiting: dict[str, tuple[tuple[Any, ...], Callable[[Online[Any]], None]]] = {}
        self.is_prompt = True

    def modes(
        self,
        image: int,
        layer: int,
        head: int,
        deliver: Callable[[Online[PrunedHead]], None],
        *,
        purpose: str = "chosen",
    ) -> None:
        """Keep the request, and answer it if prompt; those of pinned heads wait as ``"pinned"``."""
        self._ask("modes" if purpose == "chosen" else purpose, (image, layer, head), deliver)

    def attention(self, image: int, layer: int, deliver: Callable[[Online[Matrices]], None]) -> None:
        """Keep the request, and answer it if prompt."""
        self._ask("attention", (image, layer), deliver)

    def atlas(self, image: int, deliver: Callable[[Online[np.ndarray]], None]) -> None:
        """Keep the request, and answer it if prompt."""
        self._ask("atlas", (image,), deliver)

    def received(self, image: int, deliver: Callable[[Online[np.ndarray]], None]) -> None:
        """Keep the request, and answer it if prompt."""
        self._ask("received", (image,), deliver)

    def prune_image(self, job: SetJob, deliver: Callable[[Online[np.ndarray]], None]) -> None:
        """Keep the request, and answer it if prompt."""
        self._ask("prune", (job,), deliver)

    def prune_images(
        self, job: SetJob, deliver: Callable[[Online[PrunedSoFar]], None], *, purpose: str = "images"
    ) -> None:
        """Keep the request, and answer it whole if prompt."""
        self._ask(purpose, (job,), deliver)

    def attention_of_images(self, job: AttentionJob, deliver: Callable[[Online[Any]], None]) -> None:
        """Keep the request, and answer it whole if prompt."""
        self._ask(MEAN_ATTENTION, (job,), deliver)

    def modes_of_images(self, job: ModesJob, deliver: Callable[[Online[Any]], None]) -> None:
        """Keep the request, and answer it whole if prompt."""
        self._ask(MEAN_MODES, (job,), deliver)

    def stop_pruning(self, purpose: str) -> None:
        """Forget the request."""
        self.waiting.pop(purpose, None)

    def _ask(self, kind: str, key: tuple[Any, ...], deliver: Callable[[Online[Any]], None]) -> None:
        self.waiting[kind] = (key, deliver)
        deliver(Online("running"))
        if self.is_prompt:
            self.answer(kind)

    def answer(self, kind: str) -> None:
        """Deliver what was asked last."""
        key, deliver = self.waiting.pop(kind)
        answers = {"attention": self.matrices, "atlas": self.thumbnails, "received": self.received_attention}
        answers |= {"prune": self.pruned_image, "images": self.so_far, "curve": self.so_far}
        answers |= {MEAN_ATTENTION: self.attention_so_far, MEAN_MODES: self.modes_so_far}
        deliver(Online("done", answers.get(kind, self.pruned_head)(*key)))

    def fail(self, kind: str, *, message: str, hint: str) -> None:
        """Deliver a failure."""
        _, deliver = self.waiting.pop(kind)
        deliver(Online("failed", message=message, hint=hint))

    def pruned_head(self, image: int, layer: int, head: int) -> PrunedHead:
        """Six modes; without CLS the modes of CLS are NaN in the distances."""
        rng = np.random.default_rng([image, layer, head])
        probabilities = rng.dirichlet(np.ones(self.spec.n_classes), 6) if self.spec.n_classes else None
        distances = rng.random((2, 6)) * [0, 1, 1, 1, 1, 1]
        if self.spec.grid.cls is None:
            distances[0] = np.nan
            distances[1, 2:5] = np.nan
            if probabilities is not None:
                probabilities[2:5] = np.nan
        return PrunedHead(probabilities, {"cls": distances[0], "patch": distances[1]})

    def pruned_image(self, job: SetJob) -> np.ndarray:
        """Probabilities without pruning and with it."""
        rng = np.random.default_rng([*job.images, len(job.sets[0]), job.mode])
        return rng.dirichlet(np.ones(self.spec.n_classes), 2)

    def so_far(self, job: SetJob, n: int | None = None) -> PrunedSoFar:
        """The first images of a job, all by default."""
        rng, images = np.random.default_rng(len(job.sets)), np.array(job.images[:n], int)
        pruned = rng.dirichlet(np.ones(self.spec.n_classes), (len(images), 1 + len(job.sets)))
        singly = np.full((len(images), len(job.sets)), np.nan)
        return PrunedSoFar(
            job, pruned_images(images, images * 0, pruned[:, 0], pruned=pruned[:, 1:], singly=singly), 1.0
        )

    def attention_so_far(self, job: AttentionJob, n: int | None = None) -> SoFar[AttentionJob, AttentionSum]:
        """Sum over the first images of a job, all by default."""
        sums = {layer: np.sum([self.matrices(i, layer) for i in job.images[:n]], axis=0) for layer in job.layers}
        return SoFar(job, AttentionSum(len(job.images[:n]), sums))

    def modes_so_far(self, job: ModesJob, n: int | None = None) -> SoFar[ModesJob, ModesOfImages]:
        """Modes of the first images of a job, all by default, judged by class 0."""
        pruned = [self.pruned_head(image, job.layer, job.head) for image in job.images[:n]]
        drawn = {key: np.array([one.drawn(key, 0) for one in pruned]) for key in metric_keys()}
        return SoFar(job, ModesOfImages(np.array(job.images[:n]), drawn))

    def matrices(self, image: int, layer: int) -> np.ndarray:
        """Row-stochastic attention of a layer."""
        rng = np.random.default_rng([image, layer])
        size = self.spec.grid.n_tokens
        return rng.dirichlet(np.ones(size), (self.spec.n_heads, size)).astype(np.float32)

    def thumbnails(self, image: int) -> np.ndarray:
        """Thumbnails of the same matrices."""
        layers = [thumbnails(self.matrices(image, layer), self.spec.grid) for layer in range(self.spec.n_layers)]
        return np.stack(layers)

    def received_attention(self, image: int) -> np.ndarray:
        """What each token gets in the same matrices."""
        attention = np.stack([self.matrices(image, layer) for layer in range(self.spec.n_layers)])
        return received_attention(attention, self.spec.grid)


class FakeModel:
    """The same answers at once, as `vitpanel.state.live.LiveModel` has them; counts what it was asked."""

    def __init__(self, spec: ViTSpec) -> None:
        self._inference, self.n_asked = FakeInference(spec), 0

    def attention(self, image: int, layer: int) -> np.ndarray:
        """Row-stochastic attention of a layer."""
        self.n_asked += 1
        return self._inference.matrices(image, layer)

    def modes(self, image: int, layer: int, head: int) -> PrunedHead:
        """Six modes."""
        self.n_asked += 1
        return self._inference.pruned_head(image, layer, head)

    def prune(self, _heads: Any, *, mode: int = 1, images: Any = None) -> pd.DataFrame:
        """A table of one image, on which nothing changes."""
        self.n_asked += 1
        return pd.DataFrame(np.zeros((1, len(COLUMNS))), columns=list(COLUMNS))

    def received(self, image: int) -> np.ndarray:
        """What each token gets in the same matrices."""
        self.n_asked += 1
        return self._inference.received_attention(image)
