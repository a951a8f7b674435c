"""Time the t-SNE layout of all heads of a study as large as one likes.

The vectors are latents: as many clusters as a model of 12 × 12 heads has heads, each spread over the images. Prints the
wall and the CPU time, and how much of the neighbourhoods the layout keeps.

    python benchmarks/layout.py --heads 144000
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from vitpanel.pipeline.layout import N_ITERATIONS, quality, tsne

N_CLUSTERS, LATENT_DIM = 144, 32


def latents(n: int) -> np.ndarray:
    """Vectors ``(n, 32)`` around the centres of `N_CLUSTERS` heads, whose spreads differ by a factor of up to 20."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(N_CLUSTERS, LATENT_DIM))
    spread = np.exp(rng.uniform(np.log(0.1), np.log(2), N_CLUSTERS))
    head = np.arange(n) % N_CLUSTERS
    return (centres[head] + spread[head, None] * rng.normal(size=(n, LATENT_DIM))).astype(np.float32)


def main() -> None:
    """Read the command line, lay out and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--heads", type=int, default=144_000, help="number of heads on all images")
    parser.add_argument("--json", type=Path, help="write the record into this file")
    options = parser.parse_args()
    vectors = latents(options.heads)
    wall, cpu, done = time.perf_counter(), time.process_time(), 0

    def on_step(n: int) -> None:
        nonlocal done
        done += n
        if done % 125 == 0:
            print(f"{done} of {N_ITERATIONS} steps, {time.perf_counter() - wall:.0f} s", flush=True)

    layout = tsne(vectors, seed=0, on_step=on_step)
    record = {
        "heads": options.heads,
        "seconds": round(time.perf_counter() - wall, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        **quality(vectors, layout.coordinates, seed=0),
    }
    print(record)
    if options.json:
        options.json.write_text(json.dumps([record], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
