"""The chosen head over many images: which of them are asked for, and what is known of it then."""

from dataclasses import dataclass

import numpy as np

from vitpanel.core.head_means import AttentionSum, ModesOfImages
from vitpanel.core.metrics import metrics
from vitpanel.core.spec import ViTSpec
from vitpanel.state.brush import Brush
from vitpanel.state.queries.pruned_set import ALL, BRUSHED, asked_images, counted
from vitpanel.study.means import judged_images
from vitpanel.study.own_stages import N_MODES
from vitpanel.study.reader import Study

MOST = 64  # images that the model is run on: the others of a set are left out, and that is said
SUM_BYTES = 64 * 2**20  # up to which the attention of all layers is summed at once


@dataclass(frozen=True)
class AttentionJob:
    """Attention to sum over images.

    Parameters
    ----------
    layers
        Of which layers.
    images
        In the order in which they are computed.
    """

    layers: tuple[int, ...]
    images: tuple[int, ...]

    def nothing(self) -> AttentionSum:
        """What is known before the first image."""
        return AttentionSum()


@dataclass(frozen=True)
class ModesJob:
    """A head to prune in all modes on each of some images.

    Parameters
    ----------
    layer, head
        Which head.
    images
        In the order in which they are computed.
    """

    layer: int
    head: int
    images: tuple[int, ...]

    def nothing(self) -> ModesOfImages:
        """What is known before the first image."""
        return ModesOfImages.none()


@dataclass(frozen=True)
class MeanModes:
    """What is drawn of a head under each mode, ``(6,)``, in the mean over images that ``words`` name."""

    values: np.ndarray
    words: str


def has_modes(study: Study) -> bool:
    """Whether a study stores the pruning modes of all heads."""
    names = [name for name in study.names if name.startswith("modes/")]
    return bool(names) and all(name in study for name in names)


def meant_images(study: Study, brush: Brush | None) -> tuple[int, ...]:
    """Images that a mean without a chosen image is of: the brushed ones, else all, in random order."""
    return asked_images(study, ALL if brush is None else BRUSHED, brush)


def layers_together(spec: ViTSpec, layer: int) -> tuple[int, ...]:
    """Layers whose attention is summed along with that of one: all, where the sums are not too large to be kept."""
    n_bytes = 4 * spec.n_layers * spec.n_heads * spec.grid.n_tokens**2
    return tuple(range(spec.n_layers)) if n_bytes <= SUM_BYTES else (layer,)


def mean_words(study: Study, brush: Brush | None, n: int) -> str:
    """What a mean over n images is of, as "64 of 500 images" or "12 brushed images"."""
    n_meant = len(meant_images(study, brush))
    noun = "image" if brush is None else "brushed image"
    return counted(n, noun) if n == n_meant else f"{n:,} of {counted(n_meant, noun)}"


def stored_modes_of_images(study: Study, job: ModesJob) -> ModesOfImages:
    """Return what a study that has the modes of all heads says of one on some images."""
    images = np.array(job.images, np.int64)
    baseline, at = study.images["p_true"].to_numpy()[images, None], (images, job.layer, job.head)
    known = [metric for metric in metrics() if f"modes/{metric.key}" in study]
    return ModesOfImages(
        images, {metric.key: metric.drawn(study[f"modes/{metric.key}"][at], baseline) for metric in known}
    )


def mean_modes(study: Study, metric: str, found: ModesOfImages, *, brush: Brush | None) -> MeanModes:
    """Mean of what is drawn of a metric under each mode; NaN where no image has a value.

    Images without a label do not speak of a metric of the label's class, as `judged_images` says.
    """
    is_judged = np.isin(found.images, judged_images(study, metric))
    values = found.drawn.get(metric, np.full((len(found), N_MODES), np.nan))[is_judged]
    is_known = ~np.isnan(values)
    n_known = is_known.sum(0)
    total = np.where(is_known, values, 0).sum(0, dtype=np.float64)
    mean = np.divide(total, n_known, out=np.full(N_MODES, np.nan), where=n_known > 0)
    return MeanModes(mean, mean_words(study, brush, int(is_judged.sum())))
