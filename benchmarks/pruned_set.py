"""How many images a second a set of heads is pruned on, against a plain forward of the same images, and what it takes.

Models have timm's architectures with random weights; speed does not depend on them. Rounds of both are taken in
turn, and medians of their ratios count, so that a machine whose speed drifts does not decide them. Memory is what a
process of its own takes at most beyond what it had with the model loaded.
"""

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import timm
import torch
from safetensors.torch import save_file

from vitpanel.core.regions import PruningMode
from vitpanel.models.ablation import create_ablation
from vitpanel.models.loading import load_model
from vitpanel.models.model import ViTModel

MODELS = ("vit_tiny_patch16_224", "vit_small_patch16_224")
MODES = {"whole heads": PruningMode.HEAD, "patches→patches": PruningMode.PATCHES}
N_IMAGES = 32


@dataclass
class Record:
    """One model and mode; ``ratio`` is the time of pruning over that of a plain forward, memory in MB."""

    model: str
    mode: str
    plain_images_per_s: float
    pruned_images_per_s: float
    ratio: float
    plain_mb: float
    pruned_mb: float


def main() -> None:
    """Time both models with half of the heads of every layer pruned."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="also write one record a model and mode")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    records = []
    for name in arguments.models:
        for words, mode in MODES.items():
            record = measured(name, words, mode, rounds=arguments.rounds, threads=arguments.threads)
            records.append(asdict(record))
            speeds = f"plain {record.plain_images_per_s:.1f}, pruned {record.pruned_images_per_s:.1f} images/s"
            memory = f"{record.plain_mb:.0f} and {record.pruned_mb:.0f} MB"
            print(f"{name}, {words}: {speeds}, {record.ratio:.2f} of the time; {memory}")
    if arguments.json:
        arguments.json.write_text(json.dumps(records, indent=1))


def measured(name: str, words: str, mode: PruningMode, *, rounds: int, threads: int) -> Record:
    """Take times in this process, and the memory of each in one of its own."""
    with TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.safetensors"
        save_file(timm.create_model(name, pretrained=False).state_dict(), weights)
        plain, pruned = runs(load_model(name, checkpoint=weights, device="cpu"), mode)
        times = np.array([(cpu_seconds(plain), cpu_seconds(pruned)) for _ in range(rounds + 1)][1:])
        context = multiprocessing.get_context("spawn")
        with context.Pool(1, maxtasksperchild=1) as pool:
            memory = pool.starmap(peak_mb, [(name, weights, mode, at, threads) for at in (0, 1)], chunksize=1)
    speeds = N_IMAGES / np.median(times, axis=0)
    return Record(name, words, *speeds.tolist(), float(np.median(times[:, 1] / times[:, 0])), *memory)


def runs(model: ViTModel, mode: PruningMode) -> tuple[Callable[[], object], Callable[[], object]]:
    """A plain forward of all images, and one with every second head pruned."""
    ablation, images = create_ablation(model), torch.randn(N_IMAGES, 3, 224, 224)
    heads = np.zeros((model.spec.n_layers, model.spec.n_heads), bool)
    heads[:, ::2] = True
    return lambda: model.probabilities(images), lambda: ablation.prune_set(images, heads, mode)


def cpu_seconds(run: Callable[[], object]) -> float:
    """Time of the processor, which others on the machine do not take from."""
    start = time.process_time()
    run()
    return time.process_time() - start


def peak_mb(name: str, weights: Path, mode: PruningMode, which: int, threads: int) -> float:
    """Memory that a run takes at most beyond what was there before, among it what the engine makes of the weights."""
    torch.set_num_threads(threads)
    model = load_model(name, checkpoint=weights, device="cpu")
    run = runs(model, mode)[which]
    Path("/proc/self/clear_refs").write_text("5")  # the peak is that of what follows
    before = resident("VmRSS")
    run()
    return (resident("VmHWM") - before) / 1024


def resident(key: str) -> int:
    """Memory of this process in kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


if __name__ == "__main__":
    main()
