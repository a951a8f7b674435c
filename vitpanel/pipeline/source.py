"""Labelled images: found, checked and sampled before anything is computed."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from vitpanel.errors import BadImageError, ImageSourceError
from vitpanel.models.images import read_image
from vitpanel.pipeline.progress import Progress

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
LAYOUT_HINT = "Give a folder with one folder of images a class, or a CSV file with the columns file,label."


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
    """

    root: Path
    table: pd.DataFrame
    skipped: list[dict[str, str]]
    hash: str


def open_images(path: Path, *, per_class: int | None = None, seed: int = 0, progress: Progress) -> ImageSource:
    """List the images of a folder or CSV, decode each once, and leave out what cannot be decoded.

    Parameters
    ----------
    path
        Folder with one folder a class (images at its top have no label), or CSV with the columns ``file`` and
        ``label``; its files are relative to the folder of the CSV.
    per_class
        Draw at most so many images of each class, at random by ``seed``; None takes all.

    Raises
    ------
    ImageSourceError
        If there is nothing at the path, it names no images, or none of them can be decoded.
    """
    listed = _listed(path)
    if per_class is not None:
        listed = _sampled(listed, per_class, seed)
    root = path if path.is_dir() else path.parent
    digest = hashlib.blake2b(digest_size=16)
    kept: list[bool] = []
    skipped: list[dict[str, str]] = []
    with progress.bar("checking images", total=len(listed), unit="image") as bar:
        for file, label in zip(listed["file"], listed["label_name"], strict=True):
            reason = _why_unreadable(root / file)
            kept.append(reason is None)
            if reason is None:
                digest.update(f"{file}\0{label}\0".encode())
                digest.update((root / file).read_bytes())
            else:
                skipped.append({"file": file, "reason": reason})
            bar.update()
    table = listed.loc[kept].reset_index(drop=True)
    if table.empty:
        message = f"None of the {len(listed)} images of {path} can be decoded; the first: {skipped[0]['reason']}"
        raise ImageSourceError(message, hint=LAYOUT_HINT)
    return ImageSource(root, table, skipped, digest.hexdigest())


def match_labels(label_names: Sequence[str], class_names: Sequence[str], n_classes: int) -> np.ndarray:
    """Class of each label name, -1 where the model has no such class.

    Names are compared without regard to case, underscores and spaces; a class name may list synonyms after commas,
    as ImageNet's do. A model without class names that has as many classes as there are labels gets them in
    alphabetical order, which is how torchvision and timm number the folders of a training set.
    """
    if not class_names and len(set(label_names) - {""}) == n_classes:
        class_names = sorted(set(label_names) - {""})
    index: dict[str, int] = {}
    for number, name in enumerate(class_names):
        for synonym in (name, *name.split(",")):
            index.setdefault(_normalised(synonym), number)
    return np.array([index.get(_normalised(name), -1) for name in label_names])


def _normalised(name: str) -> str:
    return name.replace("_", " ").strip().casefold()


def _listed(path: Path) -> pd.DataFrame:
    if not path.exists():
        message = f"There is nothing at {path}."
        raise ImageSourceError(message, hint=LAYOUT_HINT)
    listed = _from_folder(path) if path.is_dir() else _from_csv(path)
    if listed.empty:
        message = f"{path} names no images."
        raise ImageSourceError(message, hint=LAYOUT_HINT)
    return listed


def _from_folder(root: Path) -> pd.DataFrame:
    def files() -> Iterator[tuple[str, str]]:
        for file in sorted(root.rglob("*")):
            if file.suffix.lower() in SUFFIXES and file.is_file():
                relative = file.relative_to(root)
                yield relative.as_posix(), relative.parts[0] if len(relative.parts) > 1 else ""

    return pd.DataFrame(list(files()), columns=["file", "label_name"])


def _from_csv(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read as CSV: {error}."
        raise ImageSourceError(message, hint=LAYOUT_HINT) from error
    missing = {"file", "label"} - set(table.columns)
    if missing:
        message = f"{path} has no column {' and no column '.join(sorted(missing))}; it has {', '.join(table.columns)}."
        raise ImageSourceError(message, hint=LAYOUT_HINT)
    return pd.DataFrame({"file": table["file"], "label_name": table["label"]})


def _sampled(listed: pd.DataFrame, per_class: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    shuffled = listed.iloc[generator.permutation(len(listed))]
    return shuffled.groupby("label_name").head(per_class).sort_index().reset_index(drop=True)


def _why_unreadable(file: Path) -> str | None:
    try:
        read_image(file, name=file.name)
    except BadImageError as error:
        return error.message
    return None
