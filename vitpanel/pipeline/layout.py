"""t-SNE layouts (sections 5.1 and 5.4.1)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from openTSNE import TSNE

EARLY_ITERATIONS, ITERATIONS = 250, 500
N_ITERATIONS = EARLY_ITERATIONS + ITERATIONS
PERPLEXITY = 30
# Exact neighbours by matrix products beat approximate ones up to about here.
MAX_EXACT = 60_000
# Below, threads wait for each other longer than they work.
MIN_THREADED = 2_000
# Standard deviation of the start along its first axis, as openTSNE asks for; and of what keeps equal vectors apart.
START_SPREAD, JITTER = 1e-4, 1e-6


def tsne(vectors: np.ndarray, *, seed: int, on_step: Callable[[int], object]) -> np.ndarray:
    """Lay vectors out in two dimensions, from a PCA start and a seed.

    Parameters
    ----------
    vectors
        ``(n, d)``, finite.
    on_step
        Hears the number of iterations done since it was last called; `N_ITERATIONS` in all.

    Returns
    -------
    float32 ``(n, 2)``, centred on 0. Fewer than four vectors, which t-SNE cannot lay out, stand on a line.
    """
    vectors = np.asarray(vectors, np.float32)
    n = len(vectors)
    if n < 4:  # noqa: PLR2004
        on_step(N_ITERATIONS)
        return np.stack([np.arange(n) - (n - 1) / 2, np.zeros(n)], 1).astype(np.float32)
    step = 25
    # openTSNE declares int and str, but takes these as they are.
    perplexity: Any = min(PERPLEXITY, (n - 1) / 3)
    start: Any = pca_start(vectors, seed=seed)
    model = TSNE(
        perplexity=perplexity,
        early_exaggeration_iter=EARLY_ITERATIONS,
        n_iter=ITERATIONS,
        neighbors="exact" if n <= MAX_EXACT else "approx",
        n_jobs=1 if n < MIN_THREADED else -1,
        initialization=start,
        random_state=seed,
        callbacks=lambda *_: _answer_nothing(on_step(step)),
        callbacks_every_iters=step,
    )
    places = np.asarray(model.fit(vectors))
    return (places - places.mean(0)).astype(np.float32)


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
    places = centred @ axes
    spread = places[:, 0].std()
    if spread <= np.finfo(np.float32).eps * np.abs(vectors).max():
        return noise
    noise[:, : places.shape[1]] += places * (START_SPREAD / spread)
    return noise


def _answer_nothing(_: object) -> None:
    """Answer openTSNE with None: anything true ends its optimisation, and so would a progress bar that was drawn."""
