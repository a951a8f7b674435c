"""One precompute run: model and images in, a study out, resumed where a killed run stopped."""

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from vitpanel.core.patterns import pooled_side
from vitpanel.core.trust import turned_off
from vitpanel.errors import VitpanelError
from vitpanel.models.ablation import Ablation, Precision, create_ablation, images_at_once
from vitpanel.models.autoencoder import autoencoder_bytes, encode_patterns, n_seen_at_most, train_autoencoder
from vitpanel.models.class_head import LinearHead, read_head
from vitpanel.models.images import decode_crop, encode_crop, encode_thumbnail, read_image
from vitpanel.models.loading import checked_on, load_model, with_head
from vitpanel.models.model import ViTModel
from vitpanel.pipeline.heads import summarise_heads
from vitpanel.pipeline.layout import N_ITERATIONS, Quality, lay_out_heads, lay_out_images
from vitpanel.pipeline.linear_probe import fit_probe
from vitpanel.pipeline.means import compute_means, sampled_importance
from vitpanel.pipeline.memory import keep_freed_memory
from vitpanel.pipeline.modes import summarise_modes
from vitpanel.pipeline.progress import Progress
from vitpanel.pipeline.sampling import sampled_heads
from vitpanel.pipeline.source import ImageSource, match_labels, open_images
from vitpanel.study.files import StudyFiles
from vitpanel.study.manifest import Manifest
from vitpanel.study.means import importance_values
from vitpanel.study.reader import Study, open_study
from vitpanel.study.schema import HEADS, IMAGE_LAYOUTS, LATENTS, LAYOUT, MODES, image_layouts
from vitpanel.study.writer import StudyWriter

MAX_TRAINING = 200_000
VERSIONED = ("vitpanel", "torch", "timm", "numpy", "opentsne", "scikit-learn", "pillow")


@dataclass(frozen=True)
class Recipe:
    """What a study is made of.

    Parameters
    ----------
    images
        Folder with a folder a class, or a CSV with the columns ``file`` and ``label``.
    out
        The study to write or to go on with.
    model
        timm's name; None takes the one in the checkpoint's metadata.
    checkpoint
        Safetensors weights; None takes timm's.
    model_args
        Further arguments of ``timm.create_model``.
    class_names
        In the order of the class head.
    head
        Safetensors file with a linear head for the model's pooled features; None keeps the model's own.
    probe
        Fit a logistic head on the pooled features of the loaded images.
    per_class
        At most so many images of each class, drawn by ``seed``.
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    batch_size
        Largest number of pruned images in one forward; changes speed and memory, not results.
    block_size
        Images computed and written together; what a kill loses.
    latent_dim
        Length of the autoencoder's latents.
    layout_sample
        At most so many heads are laid out by t-SNE, the others among them by their nearest neighbours.
    modes
        Compute all pruning modes of every head beforehand; None does so on CUDA.
    fast_means
        Estimate the mean importance of every head ahead of the exact values.
    precision
        Of the products on CUDA.
    """

    images: Path
    out: Path
    model: str | None = None
    checkpoint: Path | None = None
    model_args: Mapping[str, Any] = field(default_factory=dict)
    class_names: Sequence[str] | None = None
    head: Path | None = None
    probe: bool = False
    per_class: int | None = None
    device: str = "auto"
    batch_size: int = 32
    block_size: int = 16
    latent_dim: int = 32
    layout_sample: int = 250_000
    seed: int = 0
    modes: bool | None = None
    fast_means: bool = False
    precision: Precision = "float32"


def precompute(recipe: Recipe, *, progress: Progress | None = None) -> Study:
    """Compute what of a study is not on disk yet, and open it.

    Raises
    ------
    VitpanelError
        One of `vitpanel.errors`: the model or the images cannot be used, the study is of other settings, is being
        written by another run, or the disk is full. What was on disk stays.
    """
    progress = progress or Progress()
    keep_freed_memory()
    _check_head(recipe)
    model = load_model(
        recipe.model,
        checkpoint=recipe.checkpoint,
        args=recipe.model_args,
        class_names=None if recipe.head else recipe.class_names,
        device=recipe.device,
    )
    _check_precision(recipe.precision, model.device.type)
    head = read_head(recipe.head, class_names=recipe.class_names) if recipe.head else None
    source = open_images(recipe.images, per_class=recipe.per_class, seed=recipe.seed, progress=progress)
    if recipe.probe:
        head = _kept_probe(recipe.out) or fit_probe(
            model, source, batch_size=recipe.batch_size, seed=recipe.seed, progress=progress
        )
    if head is not None:
        model = with_head(model, head)
    first = model.preprocessing.crop(read_image(source.root / source.table["file"].iloc[0]))
    model = checked_on(model, model.preprocessing.tensor([first]))
    images, class_names = _labelled(source, model)
    for skipped in source.skipped:
        progress.say(f"skipped: {skipped['reason']}")
    if model.spec.n_classes and max(images["label"]) < 0:
        progress.say(
            "None of the labels is a class of the model; its own top-1 class stands in. Give --class-names to match."
        )
    with StudyWriter.create_or_resume(recipe.out, _manifest(recipe, model, source, class_names), images) as writer:
        if head is not None:
            writer.write_file(writer.files.head.name, head.to_bytes())
        if recipe.fast_means:
            compute_means(writer, _ablation(model, recipe), source.root, images, progress=progress)
        _compute_heads(writer, model, source, images, recipe, progress)
        _compute_latents(writer, model, progress)
        _compute_layouts(writer, progress)
        if recipe.modes or (recipe.modes is None and model.device.type == "cuda"):
            _compute_modes(writer, model, recipe, progress)
    return open_study(recipe.out)


def _check_head(recipe: Recipe) -> None:
    if not recipe.probe:
        return
    for option, value in (("--head", recipe.head), ("--class-names", recipe.class_names)):
        if value is not None:
            message = f"--probe fits a head of the images' labels, so that {option} has no place."
            raise VitpanelError(message, hint=f"Give either --probe or {option}.")


def _check_precision(precision: Precision, device: str) -> None:
    if precision != "float32" and device != "cuda":
        message = f"--precision {precision} needs CUDA: on the {device.upper()} products are float32."
        raise VitpanelError(message, hint="Leave --precision out, or give --device cuda.")


def _kept_probe(out: Path) -> LinearHead | None:
    """The probe of a study that is gone on with: a second fit might differ in its last digits."""
    if not StudyFiles(out).manifest.is_file() or Manifest.read(out).model.get("head", {}).get("kind") != "probe":
        return None
    study = open_study(out)
    name = study.files.head.name
    return LinearHead.from_bytes(study.read_file(name)) if name in study.manifest.files else None


def _labelled(source: ImageSource, model: ViTModel) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Table of images with the model's class of each label, and the names of the classes."""
    n_classes = model.spec.n_classes
    names = source.table["label_name"].tolist()
    labels = match_labels(names, model.class_names, n_classes) if n_classes else np.full(len(names), -1)
    class_names = model.class_names
    if n_classes and not class_names:
        known = dict(zip(labels.tolist(), names, strict=True))
        class_names = tuple(known.get(index, f"class {index}") for index in range(n_classes))
    return source.table.assign(label=labels), class_names


def _manifest(recipe: Recipe, model: ViTModel, source: ImageSource, class_names: tuple[str, ...]) -> Manifest:
    return Manifest(
        model={
            "name": model.source.name,
            "source": "checkpoint" if model.source.checkpoint else "timm",
            "checkpoint": str(recipe.checkpoint.resolve()) if recipe.checkpoint else None,
            "revision": model.source.provenance.get("hf_hub_id"),
            "provenance": dict(model.source.provenance),
            "head": dict(model.source.head),
            "weight_hash": model.source.weight_hash,
            "args": dict(model.source.args),
            "in_chans": model.preprocessing.input_size[0],
            "preprocessing": model.preprocessing.to_dict(),
            "spec": model.spec.to_dict(),
            "class_names": list(class_names),
        },
        images={"root": str(source.root.resolve()), "hash": source.hash, "skipped": source.skipped},
        settings={
            "seed": recipe.seed,
            "block_size": recipe.block_size,
            "latent_dim": recipe.latent_dim,
            "layout_sample": recipe.layout_sample,
        }
        # Named only where it is not the usual, so that studies made before there was a choice can be gone on with.
        | ({} if recipe.precision == "float32" else {"precision": recipe.precision}),
        versions={"python": platform.python_version()} | {name: version(name) for name in VERSIONED},
        checks={check.name: check.to_dict() for check in model.checks},
    )


def _compute_heads(
    writer: StudyWriter,
    model: ViTModel,
    source: ImageSource,
    images: pd.DataFrame,
    recipe: Recipe,
    progress: Progress,
) -> None:
    """Attention and pruning of all images, block by block."""
    if writer.is_done(HEADS):
        return
    ablation = _ablation(model, recipe)
    pending, started = writer.pending_blocks(), time.monotonic()
    files, all_labels = images["file"].tolist(), images["label"].to_numpy()
    done = len(images) - sum(len(writer.block_images(block)) for block in pending)
    at_once = max(1, min(recipe.batch_size // model.spec.n_heads, images_at_once(model.spec)))
    known = sampled_importance(writer)
    with progress.bar("pruning heads", total=len(images), unit="image", done=done) as bar:
        for block in pending:
            rows = writer.block_images(block)
            crops = [model.preprocessing.crop(read_image(source.root / files[row])) for row in rows]
            parts, order = [], []
            for chosen, kept in known.groups(rows, at_once):
                some = [crops[row - rows.start] for row in chosen]
                parts.append(summarise_heads(model, ablation, some, all_labels[chosen], known=kept))
                order.extend(chosen)
                bar.update(len(chosen))
            arrays = {
                name: np.concatenate([part[name] for part in parts])[np.argsort(order)]
                for name in parts[0]
                if name in writer.arrays
            }
            crop_bytes, thumbnails = _pictures(crops)
            writer.write_block(block, arrays, crops=crop_bytes, thumbnails=thumbnails)
    writer.write_predictions()
    writer.finish_stage(
        HEADS, seconds=time.monotonic() - started, detail={"resumed_at": done, "engine": type(ablation).__name__}
    )


def _ablation(model: ViTModel, recipe: Recipe) -> Ablation[Any]:
    return create_ablation(model, batch_size=recipe.batch_size, precision=recipe.precision)


def _compute_modes(writer: StudyWriter, model: ViTModel, recipe: Recipe, progress: Progress) -> None:
    """All pruning modes of every head, from the crops of the study, block by block."""
    if writer.is_done(MODES):
        return
    study, started = open_study(writer.path), time.monotonic()
    labels, ablation = study.images["label"].to_numpy(), _ablation(model, recipe)
    pending = writer.blocks_without(MODES)
    done = study.n_images - sum(len(writer.block_images(block)) for block in pending)
    with progress.bar("pruning modes", total=study.n_images, unit="image", done=done) as bar:
        for block in pending:
            parts = []
            for image in writer.block_images(block):
                crop = decode_crop(study.crop(image))
                parts.append(summarise_modes(model, ablation, [crop], labels[image, None]))
                bar.update()
            for name in parts[0].keys() & writer.arrays.keys():
                writer.write_rows(name, block, np.concatenate([part[name] for part in parts]))
    writer.finish_stage(
        MODES, seconds=time.monotonic() - started, detail={"resumed_at": done, "engine": type(ablation).__name__}
    )


def _pictures(crops: list[Image.Image]) -> tuple[list[bytes], list[bytes]]:
    return [encode_crop(crop) for crop in crops], [encode_thumbnail(crop) for crop in crops]


def _compute_latents(writer: StudyWriter, model: ViTModel, progress: Progress) -> None:
    """Train the autoencoder on a sample of the binarised matrices, then encode all."""
    if writer.is_done(LATENTS):
        return
    if "latents" not in writer.arrays:
        writer.finish_stage(LATENTS, seconds=0, detail={"absent": turned_off(writer.manifest.checks)["latents"]})
        return
    started, settings, study = time.monotonic(), writer.manifest.settings, open_study(writer.path)
    side = pooled_side(model.spec.grid)
    sample = sampled_heads(study, "patterns/patch_top", n_most=MAX_TRAINING, seed=settings["seed"])
    with progress.bar("autoencoder", total=n_seen_at_most(len(sample)), unit="matrix") as bar:
        autoencoder, training = train_autoencoder(
            sample,
            side,
            latent_dim=settings["latent_dim"],
            seed=settings["seed"],
            device=model.device,
            on_batch=bar.update,
        )
        bar.total = bar.n
    writer.write_file("autoencoder.safetensors", autoencoder_bytes(autoencoder))
    with progress.bar("latents", total=study.n_images, unit="image") as bar:
        for block in range(writer.n_blocks):
            patterns = study.block("patterns/patch_top", block)
            writer.write_rows("latents", block, encode_patterns(autoencoder, patterns))
            bar.update(len(patterns))
    detail = training.to_dict() | {"binarised_on": list(side)}
    writer.finish_stage(LATENTS, seconds=time.monotonic() - started, detail=detail)


def _compute_layouts(writer: StudyWriter, progress: Progress) -> None:
    """t-SNE of images by importance, of heads by A_CLS and by the latents of A_patch."""
    if writer.is_done(LAYOUT):
        return
    started, study, settings = time.monotonic(), open_study(writer.path), writer.manifest.settings
    of_images = {
        layout: f"importance/{'probability' if vectors == 'drop' else vectors}"
        for vectors, layout in image_layouts(study.spec).items()
    }
    of_heads = {"layout/cls": "patterns/cls", "layout/patch": "latents", "layout/offset": "patterns/offset"}
    seconds: dict[str, float] = {}
    qualities: dict[str, Quality] = {}
    for name, vectors in (of_images | of_heads).items():
        if name not in writer.arrays or vectors not in study:
            continue
        begun = time.monotonic()
        with progress.bar(f"t-SNE {name.removeprefix('layout/')}", total=N_ITERATIONS, unit="step") as bar:
            options = {"seed": settings["seed"], "on_step": bar.update}
            if name in of_images:
                metric = vectors.removeprefix("importance/")
                values = importance_values(study, metric) if name == IMAGE_LAYOUTS["drop"] else study[vectors]
                places, qualities[name] = lay_out_images(values, **options)
            else:
                places, qualities[name] = lay_out_heads(study, vectors, sample=settings["layout_sample"], **options)
        writer.write_array(name, places)
        seconds[name] = round(time.monotonic() - begun, 1)
    detail = {"seconds": seconds, "neighbours": qualities}
    writer.finish_stage(LAYOUT, seconds=time.monotonic() - started, detail=detail)
