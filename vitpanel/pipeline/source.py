"""Labelled images: found, checked and sampled before anything is computed."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from vitpanel.errors import BadImageError, ImageSourceError
from vitpanel.models.decoding import DARK, SCALED, SEVERAL_FRAMES, TURNED, decode_image
from vitpanel.models.images import Preprocessing, read_image
from vitpanel.pipeline.labels import LabelOrder, MatchedLabels, match_labels, matched_labels
from vitpanel.pipeline.listing import COLUMNS, LAYOUT_HINT, Listing, list_images
from vitpanel.pipeline.progress import Progress
from vitpanel.pipeline.words import number_of, shown

__all__ = ["ImageSource", "match_labels", "open_images"]

_NOTES = {
    SEVERAL_FRAMES: ("file has", "files have", "several frames, of which the first is taken"),
    TURNED: ("image was", "images were", "turned upright by EXIF, which timm does not do; --no-exif leaves them"),
    SCALED: (
        "grey image was",
        "grey images were",
        "scaled to 8 bits: white is the highest value of the type, or 1 of decimal numbers",
    ),
    DARK: (
        "of these uses",
        "of these use",
        "at most a sixteenth of that range, which is nearly black; save such images with 8 bits, scaled as you need",
    ),
}


@dataclass(frozen=True)
class ImageSource:
    """Images that can be decoded.

    Parameters
    ----------
    root
        Folder that the files are relative to.
    table
        Columns ``file`` (POSIX path relative to the root) and ``label_name``, in the order of the study.
    skipped
        Files that cannot be decoded, as ``{"file": …, "reason": …}``.
    hash
        BLAKE2b of the names, labels and contents of the files in the table.
    remarks
        What else a person should know of the images, one sentence each.
    upright
        Whether images are turned by their EXIF orientation.
    """

    root: Path
    table: pd.DataFrame
    skipped: list[dict[str, str]]
    hash: str
    remarks: list[str] = field(default_factory=list)
    upright: bool = True

    def read(self, file: str) -> Image.Image:
        """Decode one of the files; raises as `vitpanel.models.images.read_image` does."""
        return read_image(self.root / file, upright=self.upright)

    def labels(self, class_names: Sequence[str], n_classes: int, *, order: LabelOrder | None = None) -> MatchedLabels:
        """Class of each image; raises as `vitpanel.pipeline.labels.matched_labels` does."""
        return matched_labels(self.table["label_name"].tolist(), class_names, n_classes, order=order)


def open_images(  # noqa: PLR0913 - each is an option of a run
    path: Path,
    *,
    progress: Progress,
    per_class: int | None = None,
    seed: int = 0,
    columns: tuple[str, str] = COLUMNS,
    upright: bool = True,
    preprocessing: Preprocessing | None = None,
    listing: Listing | None = None,
    on_listed: Callable[[int], object] = lambda _: None,
) -> ImageSource:
    """List the images of a folder or CSV, decode each once, and leave out what cannot be decoded.

    Parameters
    ----------
    path, columns
        As in `vitpanel.pipeline.listing.list_images`.
    per_class
        Draw at most so many images of each class, at random by ``seed``; None takes all.
    upright
        Turn images by their EXIF orientation.
    preprocessing
        The model's; images that it cannot bring to the model's size are left out too.
    listing
        What `list_images` has found there already; None lists now.
    on_listed
        Hears how many images there are before any is opened, which may take hours; what it raises ends the call.

    Raises
    ------
    ImageSourceError
        As `list_images` does, or if none of the images can be decoded.
    """
    listing = listing or list_images(path, columns=columns)
    listed = listing.table if per_class is None else _sampled(listing.table, per_class, seed)
    on_listed(len(listed))
    digest = hashlib.blake2b(digest_size=16)
    kept: list[bool] = []
    skipped, notes = list(listing.skipped), dict.fromkeys(_NOTES, 0)
    with progress.bar("checking images", total=len(listed), unit="image") as bar:
        for file, label in zip(listed["file"], listed["label_name"], strict=True):
            try:
                for note in _checked(listing.root / file, upright=upright, preprocessing=preprocessing):
                    notes[note] += 1
            except BadImageError as error:
                kept.append(False)
                skipped.append({"file": file, "reason": error.message})
            else:
                kept.append(True)
                digest.update(f"{file}\0{label}\0".encode())
                digest.update((listing.root / file).read_bytes())
            bar.update()
    table = listed.loc[kept].reset_index(drop=True)
    if table.empty:
        message = f"None of the {len(listed)} images of {path} can be decoded; the first: {skipped[0]['reason']}"
        raise ImageSourceError(message, hint=LAYOUT_HINT)
    remarks = [*listing.remarks, *_noted(notes)]
    return ImageSource(listing.root, table, skipped, digest.hexdigest(), remarks, upright)


def _sampled(listed: pd.DataFrame, per_class: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    shuffled = listed.iloc[generator.permutation(len(listed))]
    return shuffled.groupby("label_name").head(per_class).sort_index().reset_index(drop=True)


def _checked(file: Path, *, upright: bool, preprocessing: Preprocessing | None) -> frozenset[str]:
    """What a person should know of an image that can be decoded and cropped, of `_NOTES`."""
    name = shown(file.name)
    if file.exists() and not file.is_file():  # a pipe would be waited for
        message = f"{name} is no regular file."
        raise BadImageError(message)
    decoded = decode_image(file, name=name, upright=upright)
    if preprocessing is not None:
        try:
            preprocessing.crop(decoded.image)
        except BadImageError as error:
            message = f"{name}: {error.message}"
            raise BadImageError(message) from error
    return decoded.notes


def _noted(notes: Mapping[str, int]) -> list[str]:
    return [f"{number_of(count, *_NOTES[note][:2])} {_NOTES[note][2]}." for note, count in notes.items() if count]
