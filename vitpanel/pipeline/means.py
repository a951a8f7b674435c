"""The means stage: an estimate of the mean importance of every head, long before all images are pruned."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from vitpanel.core.importance import reference_class
from vitpanel.core.metrics import class_metrics, layer_metrics, metrics
from vitpanel.models.ablation import Ablation, RestartAblation, images_at_once
from vitpanel.pipeline.progress import Progress
from vitpanel.pipeline.sampling import sampled_rows
from vitpanel.pipeline.source import ImageSource
from vitpanel.study.metric_arrays import mean_array
from vitpanel.study.own_stages import HEADS, MEANS
from vitpanel.study.reader import open_study
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


def compute_means(
    writer: StudyWriter, ablation: Ablation[Any], source: ImageSource, images: pd.DataFrame, *, progress: Progress
) -> None:
    """First-order estimates of all images, and exact importance of a sample drawn by the study's seed, block by block.

    Says so and does nothing where the exact values come as soon, or the model's blocks are not of a known structure.

    Parameters
    ----------
    source
        Reads the files of ``images``.
    """
    # Once the heads are done, means that were there are mended and none are begun.
    if writer.is_done(MEANS) or (writer.is_done(HEADS) and not writer.manifest.is_done(MEANS)):
        return
    reason = _why_not(ablation, len(images))
    if reason or not isinstance(ablation, RestartAblation):
        progress.say(f"--fast-means has no effect: {reason}")
        return
    n_sample, started = sample_size(len(images)), time.monotonic()
    sample = frozenset(sampled_rows(len(images), n_most=n_sample, seed=writer.manifest.settings["seed"]).tolist())
    pending = writer.blocks_without(MEANS)
    done = len(images) - sum(len(writer.block_images(block)) for block in pending)
    with progress.bar("fast means", total=len(images), unit="image", done=done) as bar:
        for block in pending:
            rows = writer.block_images(block)
            arrays = _block_arrays(ablation, source, images.iloc[rows.start : rows.stop], sample)
            for name in arrays.keys() & writer.arrays.keys():
                writer.write_rows(name, block, arrays[name])
            bar.update(len(rows))
    writer.finish_stage(MEANS, seconds=time.monotonic() - started, detail={"resumed_at": done, "n_sample": n_sample})


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


def _block_arrays(
    ablation: RestartAblation, source: ImageSource, images: pd.DataFrame, sample: frozenset[int]
) -> dict[str, np.ndarray]:
    """All arrays of the stage for a block of images."""
    model = ablation.model
    at_once = max(1, min(ablation.batch_size // model.spec.n_heads, images_at_once(model.spec)))
    labels, parts = images["label"].to_numpy(), []
    crops = [model.preprocessing.crop(source.read(file)) for file in images["file"]]
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
    places = [place for place, row in enumerate(images.index) if row in sample]
    for start in range(0, len(places), at_once):
        some = places[start : start + at_once]
        pixels = model.preprocessing.tensor([crops[place] for place in some])
        result = ablation.leave_one_out(pixels, lambda _layer, _attention: None)
        importance = result.importance(reference_class(np.asarray(result.probabilities), labels[some]))
        for metric in class_metrics():
            exact[mean_array(metric)][some] = importance[metric.key]
    return arrays | exact
