"""What sets of heads, each pruned together, do to many images."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from vitpanel.core.importance import jensen_shannon, of_class, reference_class
from vitpanel.core.stats import student_95

FEWEST = 6  # images from which an interval is given


@dataclass(frozen=True)
class PrunedImages:
    """Some images under k sets of heads; arrays have a row an image.

    Parameters
    ----------
    images
        Numbers of the images, ``(n,)``.
    labels
        True class, -1 for none, ``(n,)``.
    reference
        Class whose probability is told: the label, else the top class without pruning, ``(n,)``.
    before, after
        Its probability without pruning ``(n,)`` and with each set ``(n, k)``.
    predicted_before, predicted
        Top class without pruning ``(n,)`` and with each set ``(n, k)``.
    jsd
        Jensen-Shannon divergence of all probabilities, in bits, ``(n, k)``.
    singly
        Sum of the changes of the probability by each head of the set alone, ``(n, k)``; NaN where it is not known.
    """

    images: np.ndarray
    labels: np.ndarray
    reference: np.ndarray
    before: np.ndarray
    predicted_before: np.ndarray
    after: np.ndarray
    predicted: np.ndarray
    jsd: np.ndarray
    singly: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(getattr(self, field.name).nbytes for field in fields(self))

    def rows(self, places: np.ndarray) -> Self:
        """Some of these images, by their rows."""
        return type(self)(*(getattr(self, field.name)[places] for field in fields(self)))

    def joined(self, more: Self) -> Self:
        """These images and more."""
        pairs = ((getattr(self, field.name), getattr(more, field.name)) for field in fields(self))
        return type(self)(*(np.concatenate(pair) for pair in pairs))

    @classmethod
    def none(cls, n_sets: int) -> Self:
        """No image yet."""
        nobody, nothing = np.zeros(0, np.int64), np.zeros((0, n_sets))
        of_sets = nothing, nothing.astype(np.int64), nothing, nothing
        return cls(nobody, nobody, nobody, np.zeros(0), nobody, *of_sets)


def pruned_images(
    images: np.ndarray, labels: np.ndarray, unpruned: np.ndarray, *, pruned: np.ndarray, singly: np.ndarray
) -> PrunedImages:
    """Tell what pruning does to images.

    Parameters
    ----------
    images, labels
        Numbers and true classes (-1 for none), ``(n,)``.
    unpruned, pruned
        Probabilities, ``(n, n_classes)`` and ``(n, k, n_classes)``.
    singly
        As in `PrunedImages`.
    """
    reference = reference_class(unpruned, labels)
    return PrunedImages(
        images=np.asarray(images, np.int64),
        labels=np.asarray(labels, np.int64),
        reference=reference,
        before=of_class(unpruned, reference).astype(np.float64),
        predicted_before=unpruned.argmax(-1),
        after=of_class(pruned, np.broadcast_to(reference[:, None], pruned.shape[:2])).astype(np.float64),
        predicted=pruned.argmax(-1),
        jsd=jensen_shannon(unpruned[:, None], pruned),
        singly=singly,
    )


@dataclass(frozen=True)
class SetEffect:
    """What pruning a set does over some images.

    Parameters
    ----------
    n_images
        How many.
    n_judged
        On how many the probability is told: those with a label, or all where none has one.
    has_labels
        Whether any image has a label; else the probability is that of the model's own top class without pruning.
    accuracy_before, accuracy_after
        Share of the labelled images that are predicted right; NaN without labels.
    before, after
        Mean probability; NaN without images.
    change, low, high
        Mean of the paired differences after − before, and its 95 % interval by Student's t; the ends are NaN for
        fewer than `FEWEST` images.
    singly
        Mean of the sums of the changes by each head alone; NaN where one is not known.
    n_changed
        Images with another top class.
    n_mended, n_broken
        Labelled images that are wrong before and right after, and the other way round.
    """

    n_images: int
    n_judged: int
    has_labels: bool
    accuracy_before: float
    accuracy_after: float
    before: float
    after: float
    change: float
    low: float
    high: float
    singly: float
    n_changed: int
    n_mended: int
    n_broken: int


def set_effect(found: PrunedImages, at: int = 0) -> SetEffect:
    """Sum up what the set ``at`` does over all images."""
    is_labelled = found.labels >= 0
    has_labels = bool(is_labelled.any())
    judged = is_labelled if has_labels else np.ones(len(found), bool)
    was_right = is_labelled & (found.predicted_before == found.labels)
    is_right = is_labelled & (found.predicted[:, at] == found.labels)
    before, after = found.before[judged], found.after[judged, at]
    low, high = paired_interval(after - before)
    return SetEffect(
        n_images=len(found),
        n_judged=int(judged.sum()),
        has_labels=has_labels,
        accuracy_before=_mean(was_right[is_labelled]),
        accuracy_after=_mean(is_right[is_labelled]),
        before=_mean(before),
        after=_mean(after),
        change=_mean(after - before),
        low=low,
        high=high,
        singly=_mean(found.singly[judged, at]),
        n_changed=int((found.predicted[:, at] != found.predicted_before).sum()),
        n_mended=int((is_right & ~was_right).sum()),
        n_broken=int((was_right & ~is_right).sum()),
    )


def paired_interval(differences: np.ndarray) -> tuple[float, float]:
    """Ends of the 95 % interval of a mean of differences ``(n,)`` by Student's t; NaN for fewer than `FEWEST`."""
    n = len(differences)
    if n < FEWEST:
        return np.nan, np.nan
    half = student_95(n - 1) * differences.std(ddof=1) / np.sqrt(n)
    return float(differences.mean() - half), float(differences.mean() + half)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else np.nan
