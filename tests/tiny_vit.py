"""A vision transformer small enough to run in a test, its weights in a file, and images for it."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

ARCHITECTURE = "vit_tiny_patch16_224"
SIZES: dict[str, Any] = {
    "img_size": 32,
    "patch_size": 8,
    "in_chans": 3,
    "embed_dim": 24,
    "depth": 2,
    "num_heads": 3,
    "num_classes": 4,
}
CLASSES = ("bird", "cat", "dog", "frog")
N_PER_CLASS = 6


def write_checkpoint(path: Path, *, seed: int = 0, sizes: dict[str, Any] | None = None, **more: Any) -> Path:
    """Write random weights whose attention is far from uniform, with the architecture in the metadata.

    Parameters
    ----------
    sizes
        What differs from `SIZES`.
    more
        Arguments of ``timm.create_model`` that a checkpoint's metadata cannot hold.
    """
    sizes = SIZES | (sizes or {})
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = timm.create_model(ARCHITECTURE, pretrained=False, **sizes, **more)
        state = {key: torch.randn_like(value) * 0.3 for key, value in module.state_dict().items()}
    for key in state:
        if "norm" in key and key.endswith("weight"):
            state[key] += 1
    metadata = {"architecture": ARCHITECTURE, "mean": "(0.5, 0.5, 0.5)", "std": "(0.5, 0.5, 0.5)", "crop_pct": "1.0"}
    metadata |= {key: repr(value) for key, value in sizes.items()}
    save_file(state, path, metadata)
    return path


def image_bytes(seed: Sequence[int], size: tuple[int, int] = (32, 32)) -> bytes:
    """Return a PNG of soft random colours."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


def write_images(root: Path, *, n_per_class: int = N_PER_CLASS, classes: Sequence[str] = CLASSES) -> Path:
    """Write a folder of images for each class."""
    for label, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for number in range(n_per_class):
            (root / name / f"{number}.png").write_bytes(image_bytes([label, number]))
    return root
