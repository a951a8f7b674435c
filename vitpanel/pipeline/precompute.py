"""One precompute run: model and images in, a study out, resumed where a killed run stopped."""

from pathlib import Path

import numpy as np

from vitpanel.errors import StudyError
from vitpanel.models.adapters import adapter_named
from vitpanel.models.class_head import LinearHead, read_head
from vitpanel.models.loading import checked_on, device_of, load_model, with_head
from vitpanel.models.model import ViTModel
from vitpanel.pipeline.executor import compute_stages
from vitpanel.pipeline.known_weights import remember_weights
from vitpanel.pipeline.labels import MatchedLabels, check_resumed, refuse_if_none
from vitpanel.pipeline.linear_probe import fit_probe
from vitpanel.pipeline.listing import list_images
from vitpanel.pipeline.memory import keep_freed_memory
from vitpanel.pipeline.progress import Progress
from vitpanel.pipeline.provenance import manifest_of
from vitpanel.pipeline.recipe import Recipe, check_precision, check_recipe
from vitpanel.pipeline.source import ImageSource, open_images
from vitpanel.pipeline.stages import note_wanted, stages_of_run, wanted_stages
from vitpanel.pipeline.work import Work
from vitpanel.study.files import StudyFiles
from vitpanel.study.image_words import image_lines
from vitpanel.study.manifest import Manifest
from vitpanel.study.reader import Study, extra_file, open_study
from vitpanel.study.space import check_space, missing_bytes
from vitpanel.study.stages import unknown_stages, unknown_words
from vitpanel.study.target import check_target
from vitpanel.study.writer import StudyWriter


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
    check_recipe(recipe)
    check_target(recipe.out, recipe.settings)
    check_precision(recipe.precision, device_of(recipe.device).type)
    # A model may take a long download, so that all that can be wrong without it is found first.
    listing = list_images(recipe.images, columns=recipe.columns)
    head = read_head(recipe.head, class_names=recipe.class_names) if recipe.head else None
    model = _loaded(recipe, progress)
    wanted = wanted_stages(recipe, model.device.type)
    stage_names = [stage.name for stage in wanted]
    source = open_images(
        recipe.images,
        progress=progress,
        per_class=recipe.per_class,
        seed=recipe.seed,
        columns=recipe.columns,
        upright=recipe.exif,
        preprocessing=model.preprocessing,
        listing=listing,
        on_listed=lambda n_images: _ask_for_space(recipe, model, n_images, stage_names),
    )
    if recipe.probe:
        head = _probe(recipe, model, source, progress)
    model = _checked(model if head is None else with_head(model, head), source)
    matched = _matched(source, model, recipe)
    images = source.table.assign(label=matched.indices)
    manifest = manifest_of(recipe, model, source, matched)
    for line in image_lines(manifest.images):
        progress.say(line)
    # Asked again, since a head that is put on the model has brought arrays.
    check_space(recipe.out, missing_bytes(recipe.out, manifest, stage_names))
    with StudyWriter.create_or_resume(recipe.out, manifest, images, say=progress.say) as writer:
        check_resumed(open_study(writer.path).images, images, matched.class_names)
        note_wanted(writer, recipe, wanted)
        for name in unknown_stages(writer.manifest.stages):
            progress.say(unknown_words(name, writer.manifest.stages[name]))
        if head is not None:
            writer.write_file(writer.files.head.name, head.to_bytes())
        if model.source.file is not None and not remember_weights(model.source.weight_hash, model.source.file):
            progress.say("Where the weights lie could not be noted: give --checkpoint to vitpanel serve.")
        progress.begin_notes(writer.path)
        try:
            compute_stages(stages_of_run(writer, wanted), Work(writer, model, source, images, recipe, progress))
        finally:
            progress.end_notes()
        writer.seal()
    return open_study(recipe.out)


def _ask_for_space(recipe: Recipe, model: ViTModel, n_images: int, stages: list[str]) -> None:
    """Ask the disk for what a study lacks, before any image is opened.

    Of a new study that is rather too much: what will turn out to be broken, or not to be trusted, counts too.
    """
    manifest = Manifest({"spec": model.spec.to_dict()}, {"n_images": n_images}, recipe.settings)
    if StudyFiles(recipe.out).manifest.exists():
        manifest = Manifest.read(recipe.out)
    check_space(recipe.out, missing_bytes(recipe.out, manifest, stages))


def _loaded(recipe: Recipe, progress: Progress) -> ViTModel:
    """The model, once it is known that the study alone could build it again."""
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
    return model


def _probe(recipe: Recipe, model: ViTModel, source: ImageSource, progress: Progress) -> LinearHead:
    """The probe that the study has, or one that is fitted now."""
    kept = _kept_probe(recipe.out)
    return kept or fit_probe(model, source, batch_size=recipe.batch_size, seed=recipe.seed, progress=progress)


def _checked(model: ViTModel, source: ImageSource) -> ViTModel:
    """The model with its trust checks, made on the first image."""
    first = model.preprocessing.crop(source.read(source.table["file"].iloc[0]))
    return checked_on(model, model.preprocessing.tensor([first]))


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
