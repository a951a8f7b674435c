"""What a study is made of, as a person asks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vitpanel.errors import VitpanelError
from vitpanel.models.ablation import Precision
from vitpanel.pipeline.labels import LabelOrder
from vitpanel.pipeline.listing import COLUMNS


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

    @property
    def settings(self) -> dict[str, Any]:
        """What must be equal for a run to be resumed, as it stands in the manifest."""
        settings = {
            "seed": self.seed,
            "block_size": self.block_size,
            "latent_dim": self.latent_dim,
            "layout_sample": self.layout_sample,
        }
        # Named only where they are not the usual, so that studies made before there was a choice can be gone on with.
        precision = {} if self.precision == "float32" else {"precision": self.precision}
        return settings | precision | ({} if self.exif else {"exif": False})

    def wants_modes(self, device: str) -> bool:
        """Whether all pruning modes are to be computed beforehand, on a device of that type."""
        return device == "cuda" if self.modes is None else self.modes


def check_recipe(recipe: Recipe) -> None:
    """Check what can be checked before anything is read.

    Raises
    ------
    VitpanelError
        If options contradict each other or a number is out of range.
    """
    _check_head(recipe)
    _check_numbers(recipe)


def check_precision(precision: Precision, device: str) -> None:
    """Check that a device of that type has products of a precision.

    Raises
    ------
    VitpanelError
        If it has not.
    """
    if precision != "float32" and device != "cuda":
        message = f"--precision {precision} needs CUDA: on the {device.upper()} products are float32."
        raise VitpanelError(message, hint="Leave --precision out, or give --device cuda.")


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
