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
    n = len(vectors)
    if n < 4:  # noqa: PLR2004
        on_step(N_ITERATIONS)
        return np.stack([np.arange(n) - (n - 1) / 2, np.zeros(n)], 1).astype(np.float32)
    step = 25
    perplexity: Any = min(PERPLEXITY, (n - 1) / 3)  # declared int, but taken as it is
    model = TSNE(
        perplexity=perplexity,
        early_exaggeration_iter=EARLY_ITERATIONS,
        n_iter=ITERATIONS,
        neighbors="exact" if n <= MAX_EXACT else "approx",
        n_jobs=-1,
        random_state=seed,
        callbacks=lambda *_: on_step(step),
        callbacks_every_iters=step,
    )
    places = np.asarray(model.fit(np.asarray(vectors, np.float32)))
    return (places - places.mean(0)).astype(np.float32)
