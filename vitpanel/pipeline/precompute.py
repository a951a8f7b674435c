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
from vitpanel.errors import StudyError, VitpanelError
from vitpanel.models.ablation import Ablation, Precision, create_ablation, images_at_once
from vitpanel.models.adapters import adapter_named
from vitpanel.models.autoencoder import (
    Autoencoder,
    autoencoder_bytes,
    autoencoder_from_bytes,
    encode_patterns,
    n_seen_at_most,
    train_autoencoder,
)
from vitpanel.models.class_head import LinearHead, read_head
from vitpanel.models.images import decode_crop, encode_crop, encode_thumbnail
from vitpanel.models.loading import checked_on, load_model, with_head
from vitpanel.models.model import ViTModel
from vitpanel.pipeline.heads import summarise_heads
from vitpanel.pipeline.known_weights import remember_weights
from vitpanel.pipeline.labels import LabelOrder, MatchedLabels, check_resumed, refuse_if_none
from vitpanel.pipeline.layout import N_ITERATIONS, Quality, lay_out_heads, lay_out_images
from vitpanel.pipeline.linear_probe import fit_probe
from vitpanel.pipeline.listing import COLUMNS
from vitpanel.pipeline.means import compute_means, sampled_importance
from vitpanel.pipeline.memory import keep_freed_memory
from vitpanel.pipeline.modes import summarise_modes
from vitpanel.pipeline.progress import Progress
from vitpanel.pipeline.sampling import block_order, sampled_heads
from vitpanel.pipeline.source import ImageSource, open_images
from vitpanel.study.files import StudyFiles
from vitpanel.study.image_words import image_lines
from vitpanel.study.manifest import Manifest
from vitpanel.study.means import drawn_values
from vitpanel.study.metric_arrays import laid_out_by
from vitpanel.study.own_stages import HEADS, LATENTS, LAYOUT, MEANS, MODES, STAGES
from vitpanel.study.reader import Study, extra_file, open_study
from vitpanel.study.records import bytes_digest
from vitpanel.study.schema import image_layouts
from vitpanel.study.space import check_space, missing_bytes
from vitpanel.study.target import check_target
from vitpanel.study.writer import StudyWriter

MAX_TRAINING = 200_000
VERSIONED = ("vitpanel", "torch", "timm", "numpy", "opentsne", "scikit-learn", "pillow")


@dataclass(frozen=True)
class Recipe:
    """What a study is made of.

    Parameters
    ----------
    images
        Folder with a folder a class, or a CSV.
    out
        The study to write or to go on with.
    model
        Its name, as `vitpanel.models.loading.load_model` takes it; None takes the one in the checkpoint's metadata.
    checkpoint
        Safetensors weights; None takes those that the name leads to.
    model_args
        Further arguments of the model.
    preparation
        ``mean``, ``std`` or ``crop_pct`` in the place of the model's own.
    class_names
        In the order of the class head.
    head
        Safetensors file with a linear head for the model's pooled features; None keeps the model's own.
    probe
        Fit a logistic head on the pooled features of the loaded images.
    columns
        Of a CSV: that of the image files, and that of the labels.
    label_order
        How the labels are numbered where classes have no names; None asks where it makes a difference.
    labels
        Whether images are judged by their labels; without, by the model's own top-1 class.
    exif
        Whether images are turned upright by their EXIF orientation.
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
    preparation: Mapping[str, Any] = field(default_factory=dict)
    class_names: Sequence[str] | None = None
    head: Path | None = None
    probe: bool = False
    columns: tuple[str, str] = COLUMNS
    label_order: LabelOrder | None = None
    labels: bool = True
    exif: bool = True
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
    _check_numbers(recipe)
    check_target(recipe.out, _settings(recipe))
    model = load_model(
        recipe.model,
        checkpoint=recipe.checkpoint,
        args=recipe.model_args,
        class_names=None if recipe.head else recipe.class_names,
        device=recipe.device,
        preparation=recipe.preparation,
    )
    # What could not be built again from the study alone is not begun.
    adapter_named(model.source.adapter).check_arguments(model.source.args)
    for note in model.source.notes:
        progress.say(note)
    _check_precision(recipe.precision, model.device.type)
    head = read_head(recipe.head, class_names=recipe.class_names) if recipe.head else None
    source = open_images(
        recipe.images,
        progress=progress,
        per_class=recipe.per_class,
        seed=recipe.seed,
        columns=recipe.columns,
        upright=recipe.exif,
        preprocessing=model.preprocessing,
    )
    if recipe.probe:
        head = _kept_probe(recipe.out) or fit_probe(
            model, source, batch_size=recipe.batch_size, seed=recipe.seed, progress=progress
        )
    if head is not None:
        model = with_head(model, head)
    first = model.preprocessing.crop(source.read(source.table["file"].iloc[0]))
    model = checked_on(model, model.preprocessing.tensor([first]))
    matched = _matched(source, model, recipe)
    images = source.table.assign(label=matched.indices)
    manifest = _manifest(recipe, model, source, matched)
    for line in image_lines(manifest.images):
        progress.say(line)
    check_space(recipe.out, missing_bytes(recipe.out, manifest, _stages(recipe, model)))
    with StudyWriter.create_or_resume(recipe.out, manifest, images, say=progress.say) as writer:
        check_resumed(open_study(writer.path).images, images, matched.class_names)
        _note_modes(writer, recipe, model)
        if head is not None:
            writer.write_file(writer.files.head.name, head.to_bytes())
        if model.source.file is not None and not remember_weights(model.source.weight_hash, model.source.file):
            progress.say("Where the weights lie could not be noted: give --checkpoint to vitpanel serve.")
        if recipe.fast_means or MEANS in writer.manifest.stages:
            compute_means(writer, _ablation(model, recipe), source, images, progress=progress)
        _compute_heads(writer, model, source, images, recipe, progress)
        _compute_latents(writer, model, progress)
        _compute_layouts(writer, progress)
        if MODES in writer.manifest.stages:
            _compute_modes(writer, model, recipe, progress)
        writer.seal()
    return open_study(recipe.out)


def _check_head(recipe: Recipe) -> None:
    if not recipe.probe:
        return
    for option, value in (("--head", recipe.head), ("--class-names", recipe.class_names)):
        if value is not None:
            message = f"--probe fits a head of the images' labels, so that {option} has no place."
            raise VitpanelError(message, hint=f"Give either --probe or {option}.")


def _check_numbers(recipe: Recipe) -> None:
    for name, least in (("seed", 0), ("batch_size", 1), ("block_size", 1), ("per_class", 1), ("layout_sample", 1)):
        value = getattr(recipe, name)
        if value is not None and value < least:
            message = f"--{name.replace('_', '-')} is {value}."
            raise VitpanelError(message, hint=f"Give a whole number from {least}.")


def _check_precision(precision: Precision, device: str) -> None:
    if precision != "float32" and device != "cuda":
        message = f"--precision {precision} needs CUDA: on the {device.upper()} products are float32."
        raise VitpanelError(message, hint="Leave --precision out, or give --device cuda.")


def _stages(recipe: Recipe, model: ViTModel) -> list[str]:
    """Stages that a run computes."""
    return [*STAGES, *([MODES] if _wants_modes(recipe, model) else []), *([MEANS] if recipe.fast_means else [])]


def _wants_modes(recipe: Recipe, model: ViTModel) -> bool:
    return model.device.type == "cuda" if recipe.modes is None else recipe.modes


def _note_modes(writer: StudyWriter, recipe: Recipe, model: ViTModel) -> None:
    """Leave a trace of what was asked for from the start, wherever the run ends; --no-modes takes it back."""
    if _wants_modes(recipe, model):
        writer.ask_for(MODES)
    elif recipe.modes is False and not writer.manifest.is_done(MODES):
        writer.reopen(MODES)


def _kept_probe(out: Path) -> LinearHead | None:
    """The probe of a study that is gone on with: a second fit might differ in its last digits."""
    if not StudyFiles(out).manifest.exists():
        return None
    manifest, name = Manifest.read(out), StudyFiles(out).head.name
    if manifest.model.get("head", {}).get("kind") != "probe" or name not in manifest.files:
        return None
    try:
        return LinearHead.from_bytes(extra_file(out, manifest, name))
    except StudyError:
        return None  # broken: what is there is checked later, and said then


def _matched(source: ImageSource, model: ViTModel, recipe: Recipe) -> MatchedLabels:
    """The model's class of each image; refused where there are labels and none is a class of the model."""
    n_classes = model.spec.n_classes
    if not (n_classes and recipe.labels):
        names = model.class_names or tuple(f"class {index}" for index in range(n_classes))
        remarks = ["Every image is judged by the model's own top-1 class, as --no-labels says."] if n_classes else []
        return MatchedLabels(np.full(len(source.table), -1), names, [], remarks)
    matched = source.labels(model.class_names, n_classes, order=recipe.label_order)
    refuse_if_none(matched)
    return matched


def _manifest(recipe: Recipe, model: ViTModel, source: ImageSource, matched: MatchedLabels) -> Manifest:
    return Manifest(
        model={
            "name": model.source.name,
            "adapter": model.source.adapter,
            "source": "checkpoint" if model.source.checkpoint else model.source.adapter,
            "checkpoint": str(recipe.checkpoint.resolve()) if recipe.checkpoint else None,
            "revision": model.source.provenance.get("hf_hub_id"),
            "provenance": dict(model.source.provenance),
            "head": dict(model.source.head),
            "weight_hash": model.source.weight_hash,
            "args": dict(model.source.args),
            "architecture": model.source.architecture,
            "notes": list(model.source.notes),
            "in_chans": model.preprocessing.input_size[0],
            "preprocessing": model.preprocessing.to_dict(),
            "spec": model.spec.to_dict(),
            "class_names": list(matched.class_names),
        },
        images={
            "root": str(source.root.resolve()),
            "hash": source.hash,
            "n_images": len(source.table),
            "skipped": source.skipped,
            "unmatched": matched.unmatched,
            "remarks": [*source.remarks, *matched.remarks],
        },
        settings=_settings(recipe),
        versions=_versions(model),
        checks={check.name: check.to_dict() for check in model.checks},
    )


def _versions(model: ViTModel) -> dict[str, str]:
    packages = (*VERSIONED, *adapter_named(model.source.adapter).packages)
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def _settings(recipe: Recipe) -> dict[str, Any]:
    settings = {
        "seed": recipe.seed,
        "block_size": recipe.block_size,
        "latent_dim": recipe.latent_dim,
        "layout_sample": recipe.layout_sample,
    }
    # Named only where they are not the usual, so that studies made before there was a choice can be gone on with.
    precision = {} if recipe.precision == "float32" else {"precision": recipe.precision}
    return settings | precision | ({} if recipe.exif else {"exif": False})


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
    order = block_order(images["label_name"].tolist(), recipe.block_size, seed=recipe.seed)
    missing, started = frozenset(writer.pending_blocks()), time.monotonic()
    pending = [block for block in order if block in missing]
    files, all_labels = images["file"].tolist(), images["label"].to_numpy()
    done = len(images) - sum(len(writer.block_images(block)) for block in pending)
    at_once = max(1, min(recipe.batch_size // model.spec.n_heads, images_at_once(model.spec)))
    known = sampled_importance(writer)
    with progress.bar("pruning heads", total=len(images), unit="image", done=done) as bar:
        for block in pending:
            rows = writer.block_images(block)
            crops = [model.preprocessing.crop(source.read(files[row])) for row in rows]
            parts, places = [], []
            for chosen, kept in known.groups(rows, at_once):
                some = [crops[row - rows.start] for row in chosen]
                parts.append(summarise_heads(model, ablation, some, all_labels[chosen], known=kept))
                places.extend(chosen)
                bar.update(len(chosen))
            arrays = {
                name: np.concatenate([part[name] for part in parts])[np.argsort(places)]
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
    started, study, detail = time.monotonic(), open_study(writer.path), None
    autoencoder, pending = _kept_autoencoder(writer, model), writer.blocks_without(LATENTS)
    if autoencoder is None:
        autoencoder, detail = _trained_autoencoder(writer, study, model, progress)
        data, name = autoencoder_bytes(autoencoder), writer.files.autoencoder.name
        if not writer.manifest.is_done(LATENTS) or bytes_digest(data) != writer.manifest.files.get(name):
            # All latents are of another autoencoder now, and so is what is laid out by them.
            pending = list(range(writer.n_blocks))
            writer.reopen(LATENTS)
            writer.reopen(LAYOUT)
        writer.write_file(name, data)
    done = study.n_images - sum(len(writer.block_images(block)) for block in pending)
    with progress.bar("latents", total=study.n_images, unit="image", done=done) as bar:
        for block in pending:
            patterns = study.block("patterns/patch_top", block)
            latents = encode_patterns(autoencoder, patterns)
            latents[:, ~model.spec.is_there] = np.nan
            writer.write_rows("latents", block, latents)
            bar.update(len(patterns))
    writer.finish_stage(LATENTS, seconds=time.monotonic() - started, detail=detail)


def _kept_autoencoder(writer: StudyWriter, model: ViTModel) -> Autoencoder | None:
    """The autoencoder of a stage that was complete, so that lost rows alone are encoded anew."""
    manifest, name = writer.manifest, writer.files.autoencoder.name
    if not manifest.is_done(LATENTS) or not writer.files.autoencoder.exists():
        return None
    data, side = extra_file(writer.path, manifest, name), pooled_side(model.spec.grid)
    return autoencoder_from_bytes(data, side, latent_dim=manifest.latent_dim, device=model.device)


def _trained_autoencoder(
    writer: StudyWriter, study: Study, model: ViTModel, progress: Progress
) -> tuple[Autoencoder, dict[str, Any]]:
    settings, side = writer.manifest.settings, pooled_side(model.spec.grid)
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
    return autoencoder, training.to_dict() | {"binarised_on": list(side)}


def _compute_layouts(writer: StudyWriter, progress: Progress) -> None:
    """t-SNE of images by importance, of heads by A_CLS and by the latents of A_patch."""
    if writer.is_done(LAYOUT):
        return
    before = writer.manifest.stages[LAYOUT].get("detail", {}) if writer.manifest.is_done(LAYOUT) else None
    started, study, settings = time.monotonic(), open_study(writer.path), writer.manifest.settings
    of_images = {array: laid_out_by(layout) for layout, array in image_layouts(study.spec).items()}
    sources = {array: f"importance/{metric.key}" for array, (metric, _) in of_images.items()}
    of_heads = {"layout/cls": "patterns/cls", "layout/patch": "latents", "layout/offset": "patterns/offset"}
    seconds: dict[str, float] = {}
    qualities: dict[str, Quality] = {}
    for name, vectors in (sources | of_heads).items():
        if name not in writer.arrays or vectors not in study or (before is not None and not writer.lacks(name)):
            continue
        begun = time.monotonic()
        with progress.bar(f"t-SNE {name.removeprefix('layout/')}", total=N_ITERATIONS, unit="step") as bar:
            options = {"seed": settings["seed"], "on_step": bar.update}
            if name in of_images:
                metric, is_left = of_images[name]
                values = drawn_values(study, metric) if is_left else study[vectors]
                places, qualities[name] = lay_out_images(values, **options)
            else:
                places, qualities[name] = lay_out_heads(study, vectors, sample=settings["layout_sample"], **options)
        writer.write_array(name, places)
        seconds[name] = round(time.monotonic() - begun, 1)
    detail = {
        "seconds": (before or {}).get("seconds", {}) | seconds,
        "neighbours": (before or {}).get("neighbours", {}) | qualities,
    }
    writer.finish_stage(LAYOUT, seconds=time.monotonic() - started, detail=detail)
