"""Small random studies, written by the real writer."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from vitpanel.core.grid import Grid
from vitpanel.core.importance import of_class, reference_class
from vitpanel.core.patterns import cls_vector, patch_matrix, top_indices
from vitpanel.core.spec import ViTSpec
from vitpanel.core.strength import attention_distance, strength_entropy, strength_vectors
from vitpanel.study.manifest import Manifest
from vitpanel.study.own_stages import HEADS, LATENTS, LAYOUT
from vitpanel.study.stage import ArraySpec
from vitpanel.study.writer import StudyWriter

BLOCK_SIZE = 5
LATENT_DIM = 6
PATCH = 8


def synthetic_spec(
    *,
    n_layers: int = 2,
    n_heads: int = 3,
    rows: int = 4,
    cols: int = 4,
    n_classes: int = 3,
    prefix: Sequence[str] = ("cls",),
) -> ViTSpec:
    """Shape of a model that does not exist, with patches of 8 pixels."""
    pooling = "token" if "cls" in prefix else "avg"
    return ViTSpec(n_layers, n_heads, Grid(rows, cols, tuple(prefix)), (rows * PATCH, cols * PATCH), pooling, n_classes)


def synthetic_manifest(spec: ViTSpec, *, seed: int = 0) -> Manifest:
    """Provenance of a synthetic study; one class name and one note need escaping in HTML."""
    names = [f"class {i}" for i in range(spec.n_classes)]
    if spec.n_classes > 1:
        names[1] = "T-shirt & <top>"
    model = {
        "name": "synthetic_vit",
        "source": "tests.synthetic",
        "checkpoint": None,
        "revision": None,
        "weight_hash": f"synthetic-{seed}",
        "args": {},
        "in_chans": 3,
        "preprocessing": {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "crop_pct": 1.0},
        "spec": spec.to_dict(),
        "class_names": names,
    }
    return Manifest(
        model=model,
        images={
            "root": "synthetic",
            "hash": f"images-{seed}",
            "skipped": [{"file": "broken.png", "reason": "truncated"}],
        },
        settings={"seed": seed, "block_size": BLOCK_SIZE, "latent_dim": LATENT_DIM},
        versions={"vitpanel": "0"},
        created="2026-01-01T00:00:00+00:00",
    )


def synthetic_images(spec: ViTSpec, n_images: int, *, seed: int = 0) -> pd.DataFrame:
    """Files with labels; every seventh image, and all of a model without classes, have none."""
    labels = np.random.default_rng([seed, 1]).integers(0, max(spec.n_classes, 1), n_images)
    labels[6::7] = -1
    if spec.n_classes == 0:
        labels[:] = -1
    names = synthetic_manifest(spec).class_names
    label_names = ["" if label < 0 else names[label] for label in labels]
    files = [f"{name or 'unlabelled'}/{i:04d}.png" for i, name in enumerate(label_names)]
    return pd.DataFrame({"file": files, "label": labels, "label_name": label_names})


def synthetic_attention(spec: ViTSpec, image_id: int, *, seed: int = 0) -> np.ndarray:
    """Row-stochastic attention of all heads of an image, float32 ``(n_layers, n_heads, n_tokens, n_tokens)``.

    Heads differ in how local they are, so that strength and entropy have a shape.
    """
    rng = np.random.default_rng([seed, 2, image_id])
    grid = spec.grid
    logits = rng.normal(size=(spec.n_layers, spec.n_heads, grid.n_tokens, grid.n_tokens))
    locality = np.linspace(-1, 2, spec.n_layers * spec.n_heads).reshape(spec.n_layers, spec.n_heads, 1, 1)
    logits[..., grid.patches, grid.patches] -= locality * grid.hops
    weights = np.exp(logits)
    return (weights / weights.sum(-1, keepdims=True)).astype(np.float32)


def synthetic_block(writer: StudyWriter, block: int, *, seed: int = 0) -> dict[str, np.ndarray]:
    """All arrays of the heads stage for a block."""
    spec, images = writer.manifest.spec, writer.block_images(block)
    attention = np.stack([synthetic_attention(spec, image, seed=seed) for image in images])
    strength = strength_vectors(attention, spec.grid)
    arrays = {
        "strength": strength,
        "entropy": strength_entropy(strength),
        "distance": attention_distance(attention, spec.grid),
        "patterns/patch_top": top_indices(patch_matrix(attention, spec.grid)),
    }
    if spec.grid.cls is not None:
        arrays["patterns/cls"] = cls_vector(attention, spec.grid).astype(np.float16)
    rng = np.random.default_rng([seed, 3, block])
    for name, array in writer.arrays.items():
        if array.stage == HEADS and name not in {*arrays, "importance/accuracy"}:
            arrays[name] = _random(array, len(images), rng)
    if "importance/probability" in arrays:
        arrays["importance/probability"] = _drops(writer.manifest, images, arrays, seed=seed)
    if "importance/accuracy" in writer.arrays:
        shape = (len(images), *writer.arrays["importance/accuracy"].shape[1:])
        is_right = np.random.default_rng([seed, 6, block]).random(shape) < 0.7
        was_right = arrays["probabilities"].argmax(-1) == _references(writer.manifest, images, arrays, seed=seed)
        arrays["importance/accuracy"] = (100.0 * (was_right[:, None, None] - is_right.astype(int))).astype(np.float32)
    return arrays


def _references(manifest: Manifest, images: range, arrays: dict[str, np.ndarray], *, seed: int) -> np.ndarray:
    """Class that each image is judged by."""
    labels = synthetic_images(manifest.spec, manifest.n_images, seed=seed)["label"].to_numpy()
    return reference_class(arrays["probabilities"], labels[images.start : images.stop])


def _drops(manifest: Manifest, images: range, arrays: dict[str, np.ndarray], *, seed: int) -> np.ndarray:
    """What random pruning costs the class of each image: what is left of its probability is at most 1."""
    unpruned = of_class(arrays["probabilities"], _references(manifest, images, arrays, seed=seed))
    return unpruned[:, None, None] - arrays["importance/probability"]


def synthetic_crop(spec: ViTSpec, image_id: int, *, seed: int = 0) -> np.ndarray:
    """Pixels of an image: a bright disc on a coloured gradient, uint8 ``(height, width, 3)``."""
    rng = np.random.default_rng([seed, 4, image_id])
    y, x = np.mgrid[0 : 1 : spec.image_size[0] * 1j, 0 : 1 : spec.image_size[1] * 1j]
    disc = (y - rng.uniform(0.3, 0.7)) ** 2 + (x - rng.uniform(0.3, 0.7)) ** 2 < rng.uniform(0.02, 0.08)
    pixels = np.stack([x, y, 1 - x], -1) * rng.uniform(40, 160, 3) + 90 * disc[..., None]
    return pixels.clip(0, 255).astype(np.uint8)


def webp(pixels: np.ndarray, *, longest: int | None = None, **options: Any) -> bytes:
    """Return pixels as WebP, made smaller where a side is longer than ``longest``."""
    buffer, image = io.BytesIO(), Image.fromarray(pixels)
    if longest is not None:
        image.thumbnail((longest, longest))
    image.save(buffer, "WEBP", **options)
    return buffer.getvalue()


def write_synthetic_block(writer: StudyWriter, block: int, *, seed: int = 0) -> None:
    """Write a block with its pictures."""
    crops = [synthetic_crop(writer.manifest.spec, image, seed=seed) for image in writer.block_images(block)]
    writer.write_block(
        block,
        synthetic_block(writer, block, seed=seed),
        crops=[webp(crop, lossless=True) for crop in crops],
        thumbnails=[webp(crop, longest=64, quality=80) for crop in crops],
    )


def write_synthetic_study(
    path: Path,
    *,
    n_images: int = 12,
    n_layers: int = 2,
    n_heads: int = 3,
    rows: int = 4,
    cols: int = 4,
    n_classes: int = 3,
    prefix: Sequence[str] = ("cls",),
    seed: int = 0,
    finished: bool = True,
) -> Path:
    """Write a small random study.

    Parameters
    ----------
    path
        The folder ``NAME.study`` to make.
    n_images, n_layers, n_heads, rows, cols, n_classes, prefix
        Sizes of the study and its model; ``n_classes=0`` and a prefix without ``"cls"`` give less arrays.
    seed
        The same seed gives the same study.
    finished
        Without it, the last block of images and all later stages are missing.

    Returns
    -------
    The path.
    """
    spec = synthetic_spec(n_layers=n_layers, n_heads=n_heads, rows=rows, cols=cols, n_classes=n_classes, prefix=prefix)
    images = synthetic_images(spec, n_images, seed=seed)
    with StudyWriter.create_or_resume(path, synthetic_manifest(spec, seed=seed), images) as writer:
        blocks = range(writer.n_blocks if finished else writer.n_blocks - 1)
        for block in blocks:
            write_synthetic_block(writer, block, seed=seed)
        if finished:
            finish_synthetic_study(writer, seed=seed)
    return path


def finish_synthetic_study(writer: StudyWriter, *, seed: int = 0) -> None:
    """Write all that follows the blocks."""
    rng = np.random.default_rng([seed, 5])
    writer.write_predictions()
    writer.finish_stage(HEADS, seconds=1.5)
    writer.write_file(writer.files.autoencoder.name, rng.bytes(64))
    for block in range(writer.n_blocks):
        writer.write_rows("latents", block, _random(writer.arrays["latents"], len(writer.block_images(block)), rng))
    writer.finish_stage(LATENTS, seconds=0.5, detail={"average_precision": 0.4321})
    for name, array in writer.arrays.items():
        if array.stage == LAYOUT:
            writer.write_array(name, _random(array, writer.manifest.n_images, rng))
    neighbours = {
        "layout/images": {"kept": None, "by_chance": None, "n": writer.manifest.n_images},
        "layout/patch": {"kept": 0.5678, "by_chance": 0.141, "n": 72},
    }
    writer.finish_stage(LAYOUT, seconds=0.25, detail={"neighbours": neighbours})


def _random(array: ArraySpec, n_rows: int, rng: np.random.Generator) -> np.ndarray:
    shape = (n_rows, *array.shape[1:])
    if array.name == "probabilities":
        values = rng.dirichlet(np.ones(shape[-1]), n_rows)
    elif array.stage == HEADS:
        values = rng.beta(1, 6, shape)
    else:
        values = rng.normal(size=shape) + 4 * rng.normal(size=(n_rows, *[1] * (len(shape) - 2), shape[-1]))
    return values.astype(array.dtype)
