"""What ``--fast-means`` is worth on photographs: how soon the mean curve is there, and how true its interval is.

Runs the shared DINOv2 of VITPANEL_TEST_DATA. All images are pruned exactly once (``--keep FILE`` keeps that, so that a
run that is stopped goes on and a second one takes no time); then thousands of samples are drawn from them, and each
gives an estimate that is held against the exact mean. Times are CPU seconds of one thread, measured on a few images.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ablation import DATA, SHARED, create_model

from vitpanel.core.control_variate import mean_with_control
from vitpanel.core.importance import of_class, reference_class
from vitpanel.core.metrics import metric_of
from vitpanel.models.ablation import RestartAblation
from vitpanel.models.images import read_image
from vitpanel.pipeline.means import sample_size
from vitpanel.pipeline.progress import Progress
from vitpanel.pipeline.source import match_labels, open_images

# Of the first, what is left: that is what the control variate is for.
METRICS = ("probability", "jsd")
N_TIMED = 4


class Photographs:
    """The shared photographs in an order drawn by a seed, and what the model gives for each."""

    def __init__(self) -> None:
        self.model = create_model(SHARED)
        self.ablation = RestartAblation(self.model, 32)
        source = open_images(DATA / "photographs", progress=Progress(is_shown=False))
        order = np.random.default_rng(0).permutation(len(source.table))
        table = source.table.iloc[order]
        self.files = [source.root / file for file in table["file"]]
        self.labels = match_labels(table["label_name"].tolist(), self.model.class_names, self.model.spec.n_classes)

    def pixels(self, row: int) -> torch.Tensor:
        """Return an image as the model takes it."""
        return self.model.preprocessing.tensor([self.model.preprocessing.crop(read_image(self.files[row]))])

    def exact(self, row: int) -> dict[str, np.ndarray]:
        """Return the metrics of all heads, ``(n_layers, n_heads)``."""
        result = self.ablation.leave_one_out(self.pixels(row), lambda *_: None)
        probabilities = np.asarray(result.probabilities)
        reference = reference_class(probabilities, self.labels[row, None])
        importance, unpruned = result.importance(reference), of_class(probabilities, reference)
        return {metric: metric_of(metric).drawn(importance[metric][0], unpruned) for metric in METRICS}

    def estimate(self, row: int) -> dict[str, np.ndarray]:
        """Return the first-order estimate of all heads, and the probability without pruning."""
        found = self.ablation.first_order(self.pixels(row), lambda p: reference_class(p, self.labels[row, None]))
        return {
            "estimate": found.left[0],
            "unpruned": np.broadcast_to(found.unpruned, found.left[0].shape),
        }


def main() -> None:
    """Print how soon, how narrow and how true."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--keep", type=Path, help="file of exact values, read and added to")
    options = parser.parse_args()
    torch.set_num_threads(1)
    photographs = Photographs()
    rows = range(min(options.images, len(photographs.files)))
    exact = exact_values(photographs, len(rows), options.keep)
    cheap = stacked([photographs.estimate(row) for row in rows])
    estimate_s, exact_s = (seconds(run) for run in (photographs.estimate, photographs.exact))
    n, n_all = sample_size(len(rows)), len(rows)
    share = (n_all * estimate_s + n * exact_s) / (n_all * exact_s)
    print(
        f"{n_all} photographs, {exact['jsd'][0].size} heads; CPU seconds an image: estimate {estimate_s:.2f}, exact "
        f"{exact_s:.2f}\n{n} images pruned and {n_all} estimated take {share:.1%} of pruning all: the curve is there "
        f"{1 / share:.1f} times sooner"
    )
    same_cost = min(n_all, round(share * n_all))
    for name, metric, control, size in (
        ("control variate", "probability", "estimate", n),
        ("probability without pruning as control", "probability", "unpruned", n),
        ("sample alone", "probability", None, n),
        ("sample alone, as long", "probability", None, same_cost),
        ("sample alone", "jsd", None, n),
    ):
        variate = None if control is None else cheap[control]
        figures = many_draws(exact[metric], variate, n=size, n_draws=options.draws)
        print(f"{metric:<12} {name:<38} n = {size:<4} {figures}")


def exact_values(photographs: Photographs, n_images: int, file: Path | None) -> dict[str, np.ndarray]:
    """Exact metrics of the first images, ``(n_images, n_layers, n_heads)`` each."""
    kept: dict[str, np.ndarray] = {}
    if file is not None and file.exists():
        with np.load(file) as found:
            kept = {metric: found[metric] for metric in METRICS}
    n_kept = len(kept["jsd"]) if kept else 0
    for row in range(n_kept, n_images):
        new = stacked([photographs.exact(row)])
        kept = {metric: np.concatenate([kept[metric], new[metric]]) if kept else new[metric] for metric in METRICS}
        if file is not None:
            part = file.with_suffix(".part.npz")
            np.savez(part, **kept)
            part.replace(file)
    return {metric: values[:n_images] for metric, values in kept.items()}


def stacked(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the parts' values along a new first axis."""
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]}


def seconds(run: Any) -> float:
    """CPU seconds of a run for an image, the mean of a few."""
    run(0)
    start = time.process_time()
    for row in range(N_TIMED):
        run(row)
    return (time.process_time() - start) / N_TIMED


def many_draws(exact: np.ndarray, control: np.ndarray | None, *, n: int, n_draws: int) -> str:
    """How far the estimates of many samples are off, how wide their intervals are, and how often these hold."""
    truth, errors, widths = exact.mean(0, dtype=np.float64), [], []
    variate, beta = (np.zeros_like(exact), 0) if control is None else (control, None)
    for seed in range(n_draws):
        chosen = np.random.default_rng(seed).choice(len(exact), n, replace=False)
        found = mean_with_control(exact[chosen], variate, chosen=chosen, beta=beta)
        errors.append(found.mean - truth)
        widths.append(found.half_width)
    error, width = np.stack(errors), np.stack(widths)
    holds = np.abs(error) <= width
    return (
        f"error {np.sqrt((error**2).mean()):.5f}   ± {width.mean():.5f}   holds in {holds.mean():.1%} "
        f"(worst head {holds.mean(0).min():.1%})   bias {np.abs(error.mean(0)).max():.5f}"
    )


if __name__ == "__main__":
    main()
