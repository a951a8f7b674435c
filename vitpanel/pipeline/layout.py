"""t-SNE layouts (sections 5.1 and 5.4.1), of a sample where there are very many vectors."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from openTSNE import TSNE

from vitpanel.core.neighbours import N_NEIGHBOURS, neighbours_kept
from vitpanel.pipeline.sampling import head_rows, sampled_heads, sampled_rows
from vitpanel.pipeline.step import WholeStep
from vitpanel.pipeline.work import Work
from vitpanel.study.layout_words import layout_words
from vitpanel.study.means import drawn_values
from vitpanel.study.metric_arrays import laid_out_by
from vitpanel.study.own_stages import LAYOUT
from vitpanel.study.reader import Study
from vitpanel.study.schema import image_layouts
from vitpanel.study.stage import Stage

Quality = dict[str, float | None]

EARLY_ITERATIONS, ITERATIONS = 250, 500
N_ITERATIONS = EARLY_ITERATIONS + ITERATIONS
PERPLEXITY = 30
# Exact neighbours by matrix products beat approximate ones up to about here.
MAX_EXACT = 60_000
N_PLACING, N_QUERIES = 5, 1_000
# Below, threads wait for each other longer than they work.
MIN_THREADED = 2_000
OF_HEADS = {"layout/cls": "patterns/cls", "layout/patch": "latents", "layout/offset": "patterns/offset"}
# Width of the cells of the grid on which openTSNE computes how points repel each other, in units of the layout: not its
# 1. There are as many as the layout is wide, so that steps take ever longer as it spreads. The layouts of the demo
# take 0.42 of the CPU time so, and keep 0.52 instead of 0.54 of the neighbours.
CELL = 2
# Standard deviation of the start along its first axis, as openTSNE asks for; and of what keeps equal vectors apart.
START_SPREAD, JITTER = 1e-4, 1e-6


@dataclass(frozen=True)
class Layout:
    """A t-SNE layout that further vectors can be placed in.

    Parameters
    ----------
    coordinates
        float32 ``(n, 2)``, centred on 0.
    place
        Where further vectors ``(m, d)`` go: the median of the coordinates of the `N_PLACING` vectors nearest to each.
    """

    coordinates: np.ndarray
    place: Callable[[np.ndarray], np.ndarray]


def tsne(vectors: np.ndarray, *, seed: int, on_step: Callable[[int], object]) -> Layout:
    """Lay vectors out in two dimensions, from a PCA start and a seed.

    Parameters
    ----------
    vectors
        ``(n, d)``, finite. Fewer than four, which t-SNE cannot lay out, stand on a line.
    on_step
        Hears the number of iterations done since it was last called; `N_ITERATIONS` in all.
    """
    vectors = np.asarray(vectors, np.float32)
    n = len(vectors)
    if n < 4:  # noqa: PLR2004
        on_step(N_ITERATIONS)
        line = np.stack([np.arange(n) - (n - 1) / 2, np.zeros(n)], 1).astype(np.float32)
        return Layout(line, lambda others: np.tile(np.median(line, 0), (len(others), 1)))
    step = 25
    # openTSNE declares int and str, but takes these as they are.
    perplexity: Any = min(PERPLEXITY, (n - 1) / 3)
    start: Any = pca_start(vectors, seed=seed)
    model = TSNE(
        perplexity=perplexity,
        early_exaggeration_iter=EARLY_ITERATIONS,
        n_iter=ITERATIONS,
        ints_in_interval=CELL,
        neighbors="exact" if n <= MAX_EXACT else "approx",
        n_jobs=1 if n < MIN_THREADED else -1,
        initialization=start,
        random_state=seed,
        callbacks=lambda *_: _answer_nothing(on_step(step)),
        callbacks_every_iters=step,
    )
    embedding = model.fit(vectors)
    coordinates = np.asarray(embedding)
    coordinates = (coordinates - coordinates.mean(0)).astype(np.float32)
    index = embedding.affinities.knn_index

    def place(others: np.ndarray) -> np.ndarray:
        nearest, _ = index.query(np.asarray(others, np.float32), min(N_PLACING, n))
        return np.median(coordinates[nearest], axis=1)

    return Layout(coordinates, place)


def pca_start(vectors: np.ndarray, *, seed: int) -> np.ndarray:
    """Where t-SNE begins: on the two principal axes, shrunk, with a little noise that keeps equal vectors apart.

    Parameters
    ----------
    vectors
        ``(n, d)``, finite.

    Returns
    -------
    float64 ``(n, 2)``; the noise alone where all vectors are equal, so that there are no axes.
    """
    noise = np.random.default_rng(seed).normal(scale=JITTER, size=(len(vectors), 2))
    mean = vectors.mean(0, dtype=np.float64)
    centred = vectors.astype(np.float64) - mean
    axes = np.linalg.eigh(centred.T @ centred)[1][:, :-3:-1]
    # The sign of an eigenvector is arbitrary; a rule for it makes the start the same on every machine.
    axes = axes * np.sign(axes[np.abs(axes).argmax(0), range(axes.shape[1])])
    coordinates = centred @ axes
    spread = coordinates[:, 0].std()
    if spread <= np.finfo(np.float32).eps * np.abs(vectors).max():
        return noise
    noise[:, : coordinates.shape[1]] += coordinates * (START_SPREAD / spread)
    return noise


def _answer_nothing(_: object) -> None:
    """Answer openTSNE with None: anything true ends its optimisation, and so would a progress bar that was drawn."""


def lay_out_images(values: np.ndarray, *, seed: int, on_step: Callable[[int], object]) -> tuple[np.ndarray, Quality]:
    """Layout ``(n_images, 2)`` of all images by the values that each has, ``(n_images, ...)``; NaN in all is none."""
    vectors = values.reshape(len(values), -1)
    vectors = vectors[:, ~np.isnan(vectors).all(0)]
    coordinates = tsne(vectors, seed=seed, on_step=on_step).coordinates
    return coordinates, quality(vectors, coordinates, seed=seed)


def lay_out_heads(
    study: Study, name: str, *, sample: int, seed: int, on_step: Callable[[int], object]
) -> tuple[np.ndarray, Quality]:
    """Layout ``(n_images, n_layers, n_heads, 2)`` of all heads of all images by their vectors; NaN without a head.

    At most ``sample`` heads are laid out by t-SNE, the others among them, block by block; only the sample's vectors are
    in memory.
    """
    shape = study.arrays[name].shape
    vectors = sampled_heads(study, name, n_most=sample, seed=seed)
    layout = tsne(vectors, seed=seed, on_step=on_step)
    measured = quality(vectors, layout.coordinates, seed=seed)
    n, per_image = int(np.prod(shape[:3])), shape[1] * shape[2]
    rows = head_rows(study, n_most=sample, seed=seed)
    is_there = np.tile(study.spec.is_there.ravel(), shape[0])
    coordinates = np.full((n, 2), np.nan, np.float32)
    coordinates[rows] = layout.coordinates
    for block in range(study.manifest.n_blocks if len(rows) < is_there.sum() else 0):
        images = study.manifest.block_images(block)
        others = np.arange(images.start * per_image, images.stop * per_image)
        others = others[np.isnan(coordinates[others, 0]) & is_there[others]]
        if len(others):
            values = study.block(name, block).reshape(-1, shape[3])
            coordinates[others] = layout.place(values[others - images.start * per_image])
    return coordinates.reshape(*shape[:3], 2), measured


def quality(vectors: np.ndarray, coordinates: np.ndarray, *, seed: int) -> Quality:
    """How much of the neighbourhoods of up to `N_QUERIES` vectors a layout keeps, for the manifest.

    Returns
    -------
    ``kept``, the share of the 10 nearest neighbours that are near in the layout too (None where fewer than 20 vectors
    make that say little), ``by_chance``, what a random layout would keep, and ``n``, the number of vectors laid out.
    """
    n = len(vectors)
    if n < 2 * N_NEIGHBOURS:
        return {"kept": None, "by_chance": None, "n": n}
    rows = sampled_rows(n, n_most=N_QUERIES, seed=seed)
    kept = neighbours_kept(vectors, coordinates, rows)
    return {"kept": round(kept, 4), "by_chance": round(N_NEIGHBOURS / (n - 1), 6), "n": n}


class LayoutStep(WholeStep):
    """t-SNE of images by importance, of heads by A_CLS and by the latents of A_patch."""

    def __init__(self, stage: Stage, work: Work) -> None:
        super().__init__(stage, work)
        manifest = work.writer.manifest
        self._is_begun_anew = not manifest.is_done(LAYOUT)
        self._before = {} if self._is_begun_anew else manifest.stages[LAYOUT].get("detail", {})
        self._seconds: dict[str, float] = {}
        self._qualities: dict[str, Quality] = {}

    def arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """Lay out what the study has the vectors of; where the stage was complete, only what is missing."""
        layouts = image_layouts(self.work.study.spec)
        for layout, name in layouts.items():
            if self._is_wanted(name, f"importance/{laid_out_by(layout)[0].key}"):
                yield self._timed(name, lambda on_step, layout=layout: self._of_images(layout, on_step))
        for name, vectors in OF_HEADS.items():
            if self._is_wanted(name, vectors):
                yield self._timed(name, lambda on_step, vectors=vectors: self._of_heads(vectors, on_step))

    def end(self) -> dict[str, Any]:
        """Say how long each layout took, and how much of the neighbourhoods it keeps."""
        return {
            "seconds": self._before.get("seconds", {}) | self._seconds,
            "neighbours": self._before.get("neighbours", {}) | self._qualities,
        }

    def _is_wanted(self, name: str, vectors: str) -> bool:
        if name not in self.writer.arrays or vectors not in self.work.study:
            return False
        return self._is_begun_anew or self.writer.lacks(name)

    def _timed(
        self, name: str, lay_out: Callable[[Callable[[int], object]], tuple[np.ndarray, Quality]]
    ) -> tuple[str, np.ndarray]:
        begun, title = time.monotonic(), f"map of {layout_words(name, self.work.study.spec)}"
        with self.work.progress.bar(title, total=N_ITERATIONS, unit="step") as bar:
            coordinates, self._qualities[name] = lay_out(bar.update)
        self._seconds[name] = round(time.monotonic() - begun, 1)
        return name, coordinates

    def _of_images(self, layout: str, on_step: Callable[[int], object]) -> tuple[np.ndarray, Quality]:
        study, (metric, is_left) = self.work.study, laid_out_by(layout)
        values = drawn_values(study, metric) if is_left else study[f"importance/{metric.key}"]
        return lay_out_images(values, seed=self._seed, on_step=on_step)

    def _of_heads(self, vectors: str, on_step: Callable[[int], object]) -> tuple[np.ndarray, Quality]:
        sample = self.writer.manifest.settings["layout_sample"]
        return lay_out_heads(self.work.study, vectors, sample=sample, seed=self._seed, on_step=on_step)

    @property
    def _seed(self) -> int:
        return self.writer.manifest.settings["seed"]
