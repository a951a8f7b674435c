"""Options of the command line that several commands have, and those of ``vitpanel precompute``."""

from ast import literal_eval
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from vitpanel.errors import VitpanelError

if TYPE_CHECKING:
    from vitpanel.app.inference import ModelService
    from vitpanel.pipeline.recipe import Recipe
    from vitpanel.study.reader import Study


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """What is asked of the live model, as it is written on the command line.

    Parameters
    ----------
    checkpoint
        The model's weights, a safetensors file. Not needed where you have computed the study on this machine and the
        file is where it was; what a study itself says of files is not followed.
    live
        Ask the model for pruning modes and attention matrices; --no-live shows what the study has, takes a quarter of
        the memory and needs no torch.
    """

    checkpoint: Path | None = None
    live: bool = True

    def of(self, study: "Study") -> "ModelService | None":
        """The live model of a study; None where it is not to be asked."""
        # torch takes seconds to import; the other commands do not need it.
        from vitpanel.app.live_model import live_model

        return live_model(study, checkpoint=self.checkpoint) if self.live else None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class RecipeOptions:
    """What a study is made of, as it is written on the command line.

    Parameters
    ----------
    images
        Folder with one folder of images a class, or a CSV file of image files and labels. A label is the name of a
        class of the model, one of its synonyms, its WordNet synset (n01440764) or its number, counted from 0.
    out
        The study to write, a folder by custom named NAME.study.
    model
        timm's name of the model, for instance vit_base_patch16_224; or hf:FOLDER or hf:OWNER/NAME for a ViT, DeiT or
        DINOv2 of transformers, from a folder or from the hub. May be left out when the checkpoint names it.
    checkpoint
        Your own weights for timm's model, a safetensors file; without it the model's pretrained weights are taken.
    model_arg
        Argument of timm.create_model as KEY=VALUE, for instance img_size=224; may be given several times.
    mean
        What is taken off each channel of an image, of pixels from 0 to 1: one number or one a channel, with commas
        between. Without it the checkpoint's metadata counts, and else what timm has for the model.
    std
        What each channel is divided by, as mean.
    crop_pct
        Share of the shorter side of an image that the model sees, above 0 and at most 1.5.
    class_names
        Text file with one class name a line, in the order of the class head.
    head
        A linear head for the model's pooled features: a safetensors file with weight (classes, width) and, if there is
        one, bias (classes). It stands in the place of a class head of the model's own.
    probe
        Fit a logistic head on the pooled features of the loaded images; a quarter of each class is held out, and the
        accuracy on it reported.
    image_column
        Column of the CSV file with the image files; those that are not absolute are relative to its folder.
    label_column
        Column of the CSV file with the labels.
    label_order
        How labels are numbered where the model's classes have no names: natural (2 before 10, as timm does) or string
        (10 before 2, as torchvision does). It is asked for only where it makes a difference.
    labels
        Judge images by their labels; --no-labels judges every image by the model's own top-1 class.
    exif
        Turn images upright by their EXIF orientation; --no-exif leaves them as timm and torchvision do.
    per_class
        Draw at most so many images of each class.
    device
        Where to compute; auto takes CUDA where there is one.
    batch_size
        Largest number of pruned images in one forward; changes speed and memory, not results.
    layout_sample
        Lay at most so many heads out by t-SNE and place the others by their nearest neighbours among them.
    seed
        Of the draw of images, the autoencoder and the layouts.
    modes
        Compute all pruning modes of every head beforehand, so that they are shown at once and without the model. It
        takes about five times as long as the importance of all heads. By default it is done on CUDA alone; a study
        that is finished without it gets it when the same command is run again with --modes added.
    fast_means
        Estimate the mean importance of every head first, from a gradient on all images and exact values of a seventh
        (at least of 30); it is shown with its 95 % interval until the exact values of all images have taken its place.
    precision
        Of the matrix products on CUDA: the factors of tf32 and fp16 have 10 bits, which is several times faster and
        errs by a few thousandths of the importance; sums are float32 in any case. A model with values above 65,504
        has no fp16.
    """

    images: Path
    out: Path
    model: str | None = None
    checkpoint: Path | None = None
    model_arg: Annotated[list[str] | None, Parameter(negative=())] = None
    mean: str | None = None
    std: str | None = None
    crop_pct: float | None = None
    class_names: Path | None = None
    head: Path | None = None
    probe: Annotated[bool, Parameter(negative=())] = False
    image_column: str = "file"
    label_column: str = "label"
    label_order: Literal["natural", "string"] | None = None
    labels: bool = True
    exif: bool = True
    per_class: int | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    batch_size: int = 32
    layout_sample: int = 250_000
    seed: int = 0
    modes: bool | None = None
    fast_means: Annotated[bool, Parameter(negative=())] = False
    precision: Literal["float32", "tf32", "fp16"] = "float32"

    def recipe(self) -> "Recipe":
        """What they ask for.

        Raises
        ------
        VitpanelError
            If one of them cannot be read.
        """
        # torch takes seconds to import; the other commands do not need it.
        from vitpanel.pipeline.recipe import Recipe

        return Recipe(
            images=self.images,
            out=self.out,
            model=self.model,
            checkpoint=self.checkpoint,
            model_args=dict(_model_arg(text) for text in self.model_arg or []),
            preparation=self._preparation(),
            class_names=None if self.class_names is None else _lines(self.class_names),
            head=self.head,
            probe=self.probe,
            columns=(self.image_column, self.label_column),
            label_order=self.label_order,
            labels=self.labels,
            exif=self.exif,
            per_class=self.per_class,
            device=self.device,
            batch_size=self.batch_size,
            layout_sample=self.layout_sample,
            seed=self.seed,
            modes=self.modes,
            fast_means=self.fast_means,
            precision=self.precision,
        )

    def _preparation(self) -> dict[str, object]:
        given: dict[str, object] = {} if self.crop_pct is None else {"crop_pct": self.crop_pct}
        for name, text in (("mean", self.mean), ("std", self.std)):
            try:
                given |= {} if text is None else {name: tuple(map(float, text.split(",")))}
            except ValueError as error:
                message = f"--{name} {text!r} is not numbers with commas between."
                raise VitpanelError(message, hint=f"For instance --{name} 0.485,0.456,0.406.") from error
        return given


def _model_arg(text: str) -> tuple[str, object]:
    key, equals, value = text.partition("=")
    if not equals or not key.isidentifier():
        message = f"--model-arg {text!r} is not of the form KEY=VALUE."
        raise VitpanelError(message, hint="For instance --model-arg img_size=224.")
    try:
        return key, literal_eval(value)
    except (ValueError, SyntaxError):
        return key, value


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"The class names in {path} cannot be read: {error}."
        raise VitpanelError(message, hint="Give a text file with one class name a line.") from error
