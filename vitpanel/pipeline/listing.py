"""The image files that a folder or a table names, with the label of each, before any is opened."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from vitpanel.errors import ImageSourceError
from vitpanel.pipeline.file_kind import kind_of_file
from vitpanel.pipeline.words import N_SHOWN, counted, is_text, number_of, shown

SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm",
})  # fmt: skip
COLUMNS = ("file", "label")
LAYOUT_HINT = "Give a folder with one folder of images a class, or a CSV file with the columns file,label."
COLUMNS_HINT = (
    "A CSV file has its columns apart by commas and is UTF-8; name them with --image-column and --label-column "
    "where they are not called file,label."
)
JUNK = frozenset({
    "__macosx", "__pycache__", "lost+found", "thumbs.db", "desktop.ini", "$recycle.bin", "#recycle",
    "system volume information",
})  # fmt: skip
_SPLITS = frozenset({
    "train", "training", "val", "valid", "validation", "test", "testing", "dev", "eval", "evaluation", "holdout",
    "fold", "trainset", "testset", "valset", "trainval",
})  # fmt: skip
# Words that stand beside these in the names of folders: train_images, test-set, seg_train, val2017.
_BESIDE_SPLITS = frozenset({"set", "data", "dataset", "image", "images", "imgs", "split", "seg", "flat", ""})


@dataclass(frozen=True)
class Listing:
    """Files that should be images.

    Parameters
    ----------
    root
        Folder that the files are relative to.
    table
        Columns ``file`` (POSIX path relative to the root) and ``label_name``, empty for none.
    skipped
        Files that cannot be named in a study, as ``{"file": …, "reason": …}``.
    remarks
        What else was left out, one sentence each.
    """

    root: Path
    table: pd.DataFrame
    skipped: list[dict[str, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def list_images(path: Path, *, columns: tuple[str, str] = COLUMNS) -> Listing:
    """List the images of a folder or CSV file.

    Parameters
    ----------
    path
        Folder with one folder a class, which may be a link and have folders in it; images at its top have no label.
        Or a CSV file, whose files are relative to its folder.
    columns
        Of the CSV file: that of the image files, and that of the labels.

    Raises
    ------
    ImageSourceError
        If there is nothing at the path, it is neither a folder nor a CSV file with these columns, its folders are the
        splits of a data set and not classes, or it names no images.
    """
    if not is_text(str(path)):
        message = f"The name of {shown(str(path))} is not UTF-8, so that a study could not say where its images are."
        raise ImageSourceError(message, hint="Rename the folder.")
    if not path.exists():
        message = f"There is nothing at {path}."
        raise ImageSourceError(message, hint=LAYOUT_HINT)
    listing = _from_folder(path) if path.is_dir() else _from_csv(path, columns)
    if listing.table.empty:
        found = " ".join([*listing.remarks, *(f"{item['file']}: {item['reason']}" for item in listing.skipped[:1])])
        message = f"{path} names no images. {found}".strip()
        raise ImageSourceError(message, hint=LAYOUT_HINT)
    return listing


class _Walk:
    """All that lies in a folder, links followed, sorted into images and what is left out for a reason."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.images: list[tuple[str, ...]] = []
        self.junk: list[str] = []
        self.other_endings: list[str] = []
        self.lost: list[str] = []
        for entry in self._entries(root):
            self._add(entry)
        self.images.sort()

    def _add(self, top: Path) -> None:
        """Add a file or folder of the root, each folder in it once, so that loops of links end."""
        seen, waiting = {_identity(self.root)}, [top]
        while waiting:
            entry = waiting.pop()
            if not entry.is_dir():
                self._add_file(entry)
            elif (identity := _identity(entry)) not in seen:
                seen.add(identity)
                waiting += self._entries(entry)

    def _entries(self, folder: Path) -> Iterator[Path]:
        """What lies in a folder, without hidden files and those that systems put there."""
        try:
            names = [entry.name for entry in folder.iterdir()]
        except PermissionError:
            self.lost.append(shown(folder.name))
            return
        for name in names:
            if name.startswith((".", "@")) or name.casefold() in JUNK:
                self.junk.append(shown(name))
            else:
                yield folder / name

    def _add_file(self, file: Path) -> None:
        ending = file.suffix.lower()
        if not file.is_file():
            self.lost.append(shown(file.relative_to(self.root).as_posix()))
        elif ending in SUFFIXES:
            self.images.append(file.relative_to(self.root).parts)
        else:
            self.other_endings.append(shown(ending) or "no ending")

    def remarks(self) -> Iterator[str]:
        """What was left out."""
        if self.other_endings:
            number = number_of(len(self.other_endings), "file is no image by its", "files are no images by their")
            yield f"{number} ending: {counted(self.other_endings)}."
        if self.junk:
            number = number_of(len(self.junk), "hidden or system entry is", "hidden or system entries are")
            yield f"{number} left out: {counted(self.junk)}."
        if self.lost:
            number = number_of(len(self.lost), "entry", "entries")
            names = ", ".join(sorted(self.lost)[:N_SHOWN]) + (" …" if len(self.lost) > N_SHOWN else "")
            yield f"{number} cannot be read: links that lead nowhere, no regular files, or forbidden folders: {names}."


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _from_folder(root: Path) -> Listing:
    walk = _Walk(root)
    _refuse_splits(root, walk.images)
    rows = [("/".join(parts), parts[0] if len(parts) > 1 else "") for parts in walk.images]
    nameless = [
        {"file": shown(file), "reason": f"{shown(file)}: the name is not UTF-8."}
        for file, _ in rows
        if not is_text(file)
    ]
    table = pd.DataFrame([row for row in rows if is_text(row[0])], columns=["file", "label_name"])
    return Listing(root, table, nameless, list(walk.remarks()))


def _refuse_splits(root: Path, images: list[tuple[str, ...]]) -> None:
    """Refuse folders named as the parts of a data set that hold the folders of the classes, or are all there is."""
    tops = {parts[0] for parts in images if len(parts) > 1}
    named = {name for name in tops if _is_split(name)}
    nested = {parts[0] for parts in images if len(parts) > 2} & named  # noqa: PLR2004 - split, class, file
    splits = sorted(named if named == tops else nested)
    if splits:
        names = " and ".join(map(shown, splits))
        are = "is a split" if len(splits) == 1 else "are splits"
        message = f"The folders of {root} are not classes: {names} {are} of a data set."
        raise ImageSourceError(message, hint=f"Choose one, for instance --images {root / splits[-1]}.")


def _is_split(name: str) -> bool:
    words = re.split(r"[\W_\d]+", name.casefold())
    return any(word in _SPLITS for word in words) and all(word in _SPLITS | _BESIDE_SPLITS for word in words)


def _from_csv(path: Path, columns: tuple[str, str]) -> Listing:
    kind, way_out = kind_of_file(path)
    if kind:
        message = f"{path} is {kind}, and neither a folder nor a CSV file."
        raise ImageSourceError(message, hint=f"{way_out} {LAYOUT_HINT}".strip())
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read as CSV: {error}."
        raise ImageSourceError(message, hint=f"{LAYOUT_HINT} {COLUMNS_HINT}") from error
    missing = sorted(set(columns) - set(table.columns))
    if missing:
        found = ", ".join(map(str, table.columns))
        message = f"{path} has no column {' and no column '.join(missing)}; it has {found}."
        raise ImageSourceError(message, hint=COLUMNS_HINT)
    image, label = columns
    return Listing(path.parent, pd.DataFrame({"file": table[image], "label_name": table[label]}))
