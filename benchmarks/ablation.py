"""How fast heads are pruned, beside plain hooks and captum: CPU time on the same images in one run.

Needs ``pip install 'vitpanel[compute,bench]'``. Weights are random but for ``dinov2``, which is read from the folder of
VITPANEL_TEST_DATA; speed does not depend on them. What is slow is timed on some heads and scaled up to all; the output
says on how many.
"""

import argparse
import ctypes
import json
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import timm
import torch
from captum.attr import LayerFeatureAblation
from safetensors.torch import save_file

from vitpanel.core.importance import jensen_shannon
from vitpanel.models.ablation import create_ablation
from vitpanel.models.ablation.floor import Shape, captum_flops, floor_flops, naive_flops
from vitpanel.models.ablation.layer_metrics import by_metric, layer_metrics
from vitpanel.models.ablation.linear import PackedLinear
from vitpanel.models.loading import load_model
from vitpanel.models.model import ViTModel

SHARED = "dinov2"
MODELS = ("tiny", "small", "base", SHARED)
DATA = Path(os.environ.get("VITPANEL_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


@dataclass
class Record:
    """One model; times in seconds of one CPU for an image and all heads, medians over rounds.

    Ratios are medians of those of each round, so that a machine whose speed drifts does not decide them.

    ``arithmetic`` is the others' over the least that exact pruning takes, ``ceiling`` is their time over the time of
    that least at the GEMM peak: what an engine would reach whose products are of the ordinary kind.
    """

    model: str
    n_tokens: int
    n_heads: int
    timed_heads: int
    timed_layers_of_captum: int
    hooks_s: float
    captum_s: float
    ours_s: float
    ratio_vs_hooks: float
    ratio_vs_captum: float
    arithmetic_vs_hooks: float
    arithmetic_vs_captum: float
    ceiling_vs_hooks: float
    ceiling_vs_captum: float
    max_difference: dict[str, float]
    peak_mb: dict[str, float]
    gemm_peak_gflops: float
    gflop_floor: float
    share_of_gemm_peak: float
    modes_first_head_vs_six_forwards: float
    modes_next_head_vs_six_forwards: float


def main() -> None:
    """Run the cases that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--heads", type=int, default=12, help="heads on which the naive engines are timed")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of all engines in turn; medians count")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="also write one record a model")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    records = []
    for name in options.models:
        records.append(measure(name, options.heads, options.rounds))
        print(text(records[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(record) for record in records], indent=1))


def measure(name: str, n_timed: int, rounds: int) -> Record:
    """Time the three engines in turn, and the modes of single heads."""
    model = create_model(name)
    spec = model.spec
    images = torch.randn((1, *model.preprocessing.input_size), generator=torch.Generator().manual_seed(0))
    n_heads = spec.n_layers * spec.n_heads
    timed = [divmod(int(flat), spec.n_heads) for flat in np.linspace(0, n_heads - 1, min(n_timed, n_heads))]
    layers = sorted({0, spec.n_layers // 2, spec.n_layers - 1})
    ours = create_ablation(model)
    seconds: dict[str, list[float]] = {"hooks": [], "captum": [], "ours": []}
    memory: dict[str, float] = {}
    results: dict[str, Any] = {}
    peaks: list[float] = []
    runs: dict[str, tuple[Callable[[], Any], float]] = {
        "hooks": (lambda: run_hooks(model, images, timed), n_heads / len(timed)),
        "captum": (lambda: run_captum(model, images, layers), spec.n_layers / len(layers)),
        "ours": (lambda: ours.leave_one_out(images, lambda _layer, _attention: None), 1.0),
    }
    for _ in range(rounds):
        peaks.append(gemm_peak())
        for engine, (run, factor) in runs.items():
            results[engine], cpu, memory[engine] = watched(run)
            seconds[engine].append(cpu * factor)
    typical = {engine: float(np.median(times)) for engine, times in seconds.items()}
    ratios = {engine: float(np.median(np.divide(seconds[engine], seconds["ours"]))) for engine in ("hooks", "captum")}
    # One forward without pruning and five with.
    six = min(watched(lambda: run_hooks(model, images, timed[:5]))[1] for _ in range(3))
    first, later = time_modes(model, images, spec.n_layers)
    block = model.module.blocks[0]
    shape = Shape(spec.grid.n_tokens, block.attn.attn_dim, spec.n_layers, spec.n_heads, block.mlp.fc1.out_features)
    floor = floor_flops(shape) / 1e9
    return Record(
        name, spec.grid.n_tokens, n_heads, len(timed), len(layers),
        typical["hooks"], typical["captum"], typical["ours"], ratios["hooks"], ratios["captum"],
        naive_flops(shape) / floor_flops(shape), captum_flops(shape) / floor_flops(shape),
        typical["hooks"] * max(peaks) / floor, typical["captum"] * max(peaks) / floor,
        differences(results["ours"], results["hooks"], timed), memory,
        max(peaks), floor, floor / typical["ours"] / max(peaks), first / six, later / six,
    )  # fmt: skip


def create_model(name: str) -> ViTModel:
    """Load the shared DINOv2, or a model with weights wide enough that every head matters."""
    if name == SHARED:
        return load_model(None, checkpoint=DATA / "dinov2_vits14_16classes.safetensors", device="cpu")
    torch.manual_seed(0)
    architecture = f"vit_{name}_patch16_224"
    state = timm.create_model(architecture, pretrained=False).state_dict()
    state = {key: value + torch.randn_like(value) * 0.03 for key, value in state.items()}
    with TemporaryDirectory() as folder:
        save_file(state, Path(folder) / "weights.safetensors")
        return load_model(architecture, checkpoint=Path(folder) / "weights.safetensors", device="cpu")


def watched(run: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return the result, CPU seconds, and by how many MB the process grew at most (Linux with glibc)."""
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    start = time.process_time()
    result = run()
    return result, time.process_time() - start, (resident("VmHWM") - before) / 1e3


def resident(field: str) -> float:
    """Return a line of /proc/self/status in kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(field)))


def gemm_peak() -> float:
    """Return GFLOP/s of a large float32 matrix product, by the fastest library that torch has for it."""
    a, rates = torch.randn(2048, 2048), []
    with torch.inference_mode():
        for product in (torch.nn.Linear(2048, 2048), PackedLinear(torch.nn.Linear(2048, 2048))):
            for _ in range(4):
                start = time.process_time()
                product(a)
                rates.append(2 * len(a) ** 3 / (time.process_time() - start) / 1e9)
    return max(rates)


@torch.inference_mode()
def run_hooks(model: ViTModel, images: torch.Tensor, heads: list[tuple[int, int]]) -> dict[str, np.ndarray]:
    """What one would write with plain hooks: a forward for each head, with A of that head at 0; all four metrics."""
    clean_z: dict[int, torch.Tensor] = {}
    with ExitStack() as hooks:
        for layer, attention in enumerate(model.attention):
            handle = attention.register_forward_hook(lambda _m, _a, z, i=layer: clean_z.update({i: z}))
            hooks.callback(handle.remove)
        clean = model.module(images).softmax(-1)
    rows = []
    for layer, head in heads:
        rows.append(run_with_head_at_0(model, images, (layer, head), clean_z[layer]))
    pruned = torch.stack([row[0] for row in rows], 1).numpy()
    label = clean.argmax(-1).item()
    return {
        "probability": clean.numpy()[:, None, label] - pruned[..., label],
        "jsd": jensen_shannon(clean.numpy()[:, None], pruned),
        **by_metric(torch.stack([row[1] for row in rows], 1)),
    }


def run_with_head_at_0(
    model: ViTModel, images: torch.Tensor, head: tuple[int, int], clean_z: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return probabilities, and the metrics of the layer along the last axis."""
    attention, z = model.attention[head[0]], []

    def edit(_module: Any, _arguments: Any, weights: torch.Tensor) -> torch.Tensor:
        weights[:, head[1]] = 0
        return weights

    handles = [
        attention.attn_drop.register_forward_hook(edit),
        attention.register_forward_hook(lambda _m, _a, output: z.append(output)),
    ]
    attention.fused_attn = False
    probabilities = model.module(images).softmax(-1)
    attention.fused_attn = True
    for handle in handles:
        handle.remove()
    return probabilities, layer_metrics(clean_z, z[0], model.spec.grid)


@torch.inference_mode()
def run_captum(model: ViTModel, images: torch.Tensor, layers: list[int]) -> None:
    """Probability metric alone, which is all that captum gives in one go."""
    target = int(model.module(images).argmax())
    for layer in layers:
        proj = model.attention[layer].proj
        ablation = LayerFeatureAblation(lambda x: model.module(x).softmax(-1), proj)
        mask = torch.arange(proj.in_features) // (proj.in_features // model.spec.n_heads)
        ablation.attribute(
            images, target=target, layer_baselines=0, layer_mask=mask[None, None], attribute_to_layer_input=True
        )


def time_modes(model: ViTModel, images: torch.Tensor, n_layers: int) -> tuple[float, float]:
    """Return CPU seconds for the six modes of a head, mean over layers: on a new image, and on the same image.

    As in the app, what the study has is known: the probabilities without pruning.
    """
    unpruned, first, later = model.probabilities(images)[0].cpu().numpy(), [], []
    for layer in range(n_layers):
        times = []
        for _ in range(3):
            ablation = create_ablation(model)
            run = partial(ablation.modes, images, layer, unpruned=unpruned)
            times.append([watched(partial(run, head))[1] for head in (0, 1)])
        fastest = np.min(times, axis=0)
        first.append(fastest[0])
        later.append(fastest[1])
    return float(np.mean(first)), float(np.mean(later))


def differences(ours: Any, hooks: dict[str, np.ndarray], heads: list[tuple[int, int]]) -> dict[str, float]:
    """Return the largest difference of each metric over the heads that both have."""
    layers, indices = np.array(heads).T
    importance = ours.importance(ours.probabilities.argmax(-1))
    return {name: float(np.abs(importance[name][:, layers, indices] - values).max()) for name, values in hooks.items()}


def text(record: Record) -> str:
    """Return a record for people."""
    worst = ", ".join(f"{name} {value:.1e}" for name, value in record.max_difference.items())
    memory = ", ".join(f"{name} {value:.0f} MB" for name, value in record.peak_mb.items())
    return (
        f"{record.model}: {record.n_heads} heads, {record.n_tokens} tokens, CPU seconds an image\n"
        f"  hooks {record.hooks_s:.2f} (timed on {record.timed_heads} heads, scaled), captum {record.captum_s:.2f} "
        f"(one metric, on {record.timed_layers_of_captum} layers, scaled), ours {record.ours_s:.2f}\n"
        f"  {record.ratio_vs_hooks:.2f} × hooks, {record.ratio_vs_captum:.2f} × captum; by arithmetic alone "
        f"{record.arithmetic_vs_hooks:.2f} and {record.arithmetic_vs_captum:.2f}, with all products at the GEMM peak "
        f"and nothing else {record.ceiling_vs_hooks:.2f} and {record.ceiling_vs_captum:.2f}\n"
        f"  largest difference: {worst}\n"
        f"  {record.gflop_floor:.0f} GFLOP at least: {record.share_of_gemm_peak:.0%} of the measured GEMM peak "
        f"({record.gemm_peak_gflops:.0f} GFLOP/s); memory: {memory}\n"
        f"  six modes of a head over six forwards: {record.modes_first_head_vs_six_forwards:.2f} on a new image, "
        f"{record.modes_next_head_vs_six_forwards:.2f} on the same"
    )


if __name__ == "__main__":
    main()
