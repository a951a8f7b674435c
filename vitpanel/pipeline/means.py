"""The means stage: an estimate of the mean importance of every head, long before all images are pruned."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vitpanel.core.importance import reference_class
from vitpanel.core.metrics import class_metrics, layer_metrics, metrics
from vitpanel.models.ablation import Ablation, RestartAblation, images_at_once
from vitpanel.pipeline.sampling import sampled_rows
from vitpanel.pipeline.step import BlockStep
from vitpanel.pipeline.work import Block, Work
from vitpanel.study.metric_arrays import mean_array
from vitpanel.study.own_stages import HEADS, MEANS
from vitpanel.study.reader import open_study
from vitpanel.study.stage import Stage
from vitpanel.study.writer import StudyWriter

# One image in so many is pruned exactly, but at least so many images: less do not tell their variance.
SHARE, SMALLEST_SAMPLE = 7, 30


@dataclass(frozen=True)
class KnownImportance:
    """Exact importance of some images of a study, so that they need not be pruned again.

    Parameters
    ----------
    rows
        The images.
    arrays
        By name, ``(n_images, n_layers, n_heads)``.
    """

    rows: frozenset[int] = frozenset()
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def groups(self, rows: range, at_once: int) -> Iterator[tuple[list[int], dict[str, np.ndarray] | None]]:
        """Images of a block, at most ``at_once`` together; their arrays where they are known, else None."""
        for is_known in (False, True):
            found = [row for row in rows if (row in self.rows) == is_known]
            for start in range(0, len(found), at_once):
                some = found[start : start + at_once]
                yield some, {name: values[some] for name, values in self.arrays.items()} if is_known else None


def sampled_importance(writer: StudyWriter) -> KnownImportance:
    """What the means stage has pruned exactly; nothing where it has not run."""
    if not writer.is_done(MEANS):
        return KnownImportance()
    study = open_study(writer.path)
    sources = {f"importance/{metric.key}": mean_array(metric) for metric in metrics()}
    arrays = {name: study[source] for name, source in sources.items() if source in study.arrays}
    sampled = study[next(mean_array(metric) for metric in class_metrics())][:, 0, 0]
    return KnownImportance(frozenset(np.flatnonzero(~np.isnan(sampled)).tolist()), arrays)


class MeansStep(BlockStep):
    """First-order estimates of all images, and exact importance of a sample drawn by the study's seed.

    It says so and does nothing where the exact values come as soon, or the model's blocks are not of a known structure.
    """

    def __init__(self, stage: Stage, work: Work) -> None:
        super().__init__(stage, work)
        # A RestartAblation where `why_not` has nothing to say.
        self.ablation: Any = work.ablation()
        self.n_sample = sample_size(len(work.images))
        self.sample: frozenset[int] = frozenset()

    def why_not(self) -> str:
        """Why there is nothing to estimate."""
        reason = _why_not(self.ablation, len(self.work.images))
        return f"--fast-means has no effect: {reason}" if reason else ""

    def begin(self) -> list[int]:
        """Draw the sample."""
        seed = self.writer.manifest.settings["seed"]
        self.sample = frozenset(sampled_rows(len(self.work.images), n_most=self.n_sample, seed=seed).tolist())
        return super().begin()

    def compute(self, block: Block) -> Mapping[str, np.ndarray]:
        """All arrays of the stage."""
        arrays = _block_arrays(self.ablation, block, self.sample)
        block.advance(len(block))
        return arrays

    def end(self, n_before: int) -> dict[str, Any]:
        """Say of how many images the sample is."""
        return {"resumed_at": n_before, "n_sample": self.n_sample}


def means_are_late(writer: StudyWriter) -> bool:
    """Whether the heads are done, so that means that were there are mended and none are begun."""
    return writer.is_done(HEADS) and not writer.manifest.is_done(MEANS)


def sample_size(n_images: int) -> int:
    """How many images are pruned exactly for the estimate of a mean over n."""
    return max(-(-n_images // SHARE), SMALLEST_SAMPLE)


def _why_not(ablation: Ablation[Any], n_images: int) -> str:
    if ablation.model.spec.n_classes < 2:  # noqa: PLR2004 - the odds of a class are those against others
        return "without classes all metrics take one forward."
    if not isinstance(ablation, RestartAblation):
        return "the blocks of this model are not of a known structure, so that no gradient is taken through them."
    if sample_size(n_images) > n_images / 2:
        return f"of {n_images} images it would prune {min(n_images, sample_size(n_images))}."
    return ""


def _block_arrays(ablation: RestartAblation, block: Block, sample: frozenset[int]) -> dict[str, np.ndarray]:
    """All arrays of the stage for a block of images."""
    model, images, crops = ablation.model, block.images, block.source_crops
    at_once = max(1, min(ablation.batch_size // model.spec.n_heads, images_at_once(model.spec)))
    labels, parts = images["label"].to_numpy(), []
    for start in range(0, len(crops), at_once):
        some = slice(start, start + at_once)
        pixels = model.preprocessing.tensor(crops[some])
        parts.append(ablation.first_order(pixels, lambda p, some=some: reference_class(p, labels[some])))
    unpruned = np.concatenate([part.unpruned for part in parts])
    left = np.concatenate([part.left for part in parts])
    arrays = {"means/unpruned": unpruned, "means/estimate": unpruned[:, None, None] - left}
    arrays |= {
        mean_array(metric): np.concatenate([part.layer[metric.key] for part in parts]) for metric in layer_metrics()
    }
    exact = {mean_array(metric): np.full_like(left, np.nan) for metric in class_metrics()}
    sampled = [index for index, row in enumerate(images.index) if row in sample]
    for start in range(0, len(sampled), at_once):
        some = sampled[start : start + at_once]
        pixels = model.preprocessing.tensor([crops[index] for index in some])
        result = ablation.leave_one_out(pixels, lambda _layer, _attention: None)
        importance = result.importance(reference_class(np.asarray(result.probabilities), labels[some]))
        for metric in class_metrics():
            exact[mean_array(metric)][some] = importance[metric.key]
    return arrays | exact
