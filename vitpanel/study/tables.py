"""Parquet tables with a digest of every column, since Parquet's own page checksums leave headers unguarded."""
# pyright: standard
# (pyarrow and pandas come without type stubs)

import hashlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from vitpanel.core.importance import reference_class
from vitpanel.errors import StudyFormatError
from vitpanel.study.places import RECOMPUTE, checked_file, damaged

IMAGES = pa.schema(
    [
        ("image_id", pa.int64()),
        ("file", pa.string()),
        ("label", pa.int64()),
        ("label_name", pa.string()),
        ("predicted", pa.int64()),
        ("predicted_name", pa.string()),
        ("p_true", pa.float64()),
    ]
)
CROPS = pa.schema([("image_id", pa.int64()), ("crop", pa.binary()), ("thumbnail", pa.binary())])
# Paths, names and numbers of an image; a picture in lossless WebP, which is rarely larger than its pixels.
_LARGEST_IMAGE_ROW = 64 * 2**10
_BYTES_A_PIXEL, _LARGEST_THUMBNAIL = 8, 2**16
_LARGEST_TABLE = 4 * 2**30
_ROUNDING = 1e-3
NOT_PREDICTED = {"predicted": -1, "predicted_name": "", "p_true": np.nan}


def table_bytes(table: pa.Table) -> bytes:
    """Return a table as Parquet."""
    digests = {_key(name): _digest(table[name]) for name in table.column_names}
    buffer = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata(digests),
        buffer,
        compression="zstd",
        write_page_checksum=True,
        use_dictionary=False,
    )
    return buffer.getvalue()


def read_table(
    root: Path, path: Path, schema: pa.Schema, *, n_rows: int, largest_row: int, columns: Sequence[str] | None = None
) -> pa.Table:
    """Read columns of a table of the study at ``root`` and check them.

    Parameters
    ----------
    n_rows
        How many there must be.
    largest_row
        Bytes that a row may take on average, unpacked; a table that says it takes more is not unpacked.

    Raises
    ------
    StudyError
        If the file is missing, unreadable, has other columns, types or rows, lacks a value, or was changed since it was
        written.
    """
    if not checked_file(root, path).exists():
        message = f"{path} is missing."
        raise StudyFormatError(message, hint=RECOMPUTE)
    names = schema.names if columns is None else list(columns)
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            stored, found, n_bytes = file.schema_arrow, file.metadata.num_rows, _unpacked_bytes(file.metadata)
            largest = min(n_rows * largest_row, _LARGEST_TABLE)
            fits = stored.equals(schema) and found == n_rows and n_bytes <= largest
            table = file.read(columns=names) if fits else None
        digests = {} if table is None else {name: _digest(table[name]) for name in names}
    except Exception as error:
        raise damaged(path, f"it cannot be read as Parquet ({error})") from error
    if not stored.equals(schema):
        raise damaged(path, f"its columns are {_columns(stored)}, not {_columns(schema)}")
    if found != n_rows:
        raise damaged(path, f"it has {found} rows, not {n_rows}")
    if table is None:
        raise damaged(path, f"it unpacks to {n_bytes} bytes, more than {largest}")
    for name, digest in digests.items():
        if (stored.metadata or {}).get(_key(name)) != digest:
            raise damaged(path, f"column {name} does not fit its checksum")
        if table[name].null_count and not pa.types.is_floating(table[name].type):
            raise damaged(path, f"column {name} lacks values")
    return table


def images_bytes(images: pd.DataFrame) -> bytes:
    """Return the table of images, indexed by ``image_id``, as Parquet."""
    return table_bytes(pa.Table.from_pandas(images.reset_index(), schema=IMAGES, preserve_index=False))


def read_images(root: Path, path: Path, *, n_images: int, n_classes: int) -> pd.DataFrame:
    """Read the table of images, indexed by ``image_id``.

    Raises
    ------
    StudyError
        As `read_table`, and if ids are not 0 to n − 1 or a class is none of the model's.
    """
    images = read_table(root, path, IMAGES, n_rows=n_images, largest_row=_LARGEST_IMAGE_ROW).to_pandas()
    if not np.array_equal(images["image_id"].to_numpy(), np.arange(n_images)):
        raise damaged(path, f"its image ids are not 0 to {n_images - 1}")
    for column in ("label", "predicted"):
        classes = images[column].to_numpy()
        wrong = np.flatnonzero((classes < -1) | (classes >= n_classes))
        if len(wrong):
            value = f"{column} of image {wrong[0]} is {classes[wrong[0]]}"
            raise damaged(path, f"{value}, but the model has {n_classes} classes")
    p_true = images["p_true"].to_numpy()
    if not (np.isnan(p_true) | ((p_true >= 0) & (p_true <= 1 + _ROUNDING))).all():
        raise damaged(path, "p_true is not a probability everywhere")
    return images.set_index("image_id")


def image_differences(before: pd.DataFrame, now: pd.DataFrame) -> str:
    """Say how the files of two tables of images differ, as one sentence."""
    there, here = before["file"].tolist(), now["file"].tolist()
    phrases = [
        f"{_first(files)} {'is' if len(files) == 1 else 'are'} {what}"
        for files, what in ((sorted({*there} - {*here}), "not there any more"), (sorted({*here} - {*there}), "new"))
        if files
    ]
    if phrases:
        return f"Of the images, {' and '.join(phrases)}."
    return "The images have the same names as before, but a file or a label has changed."


def crops_bytes(image_ids: Iterable[int], crops: Sequence[bytes], thumbnails: Sequence[bytes]) -> bytes:
    """Return the pictures of a block as Parquet."""
    return table_bytes(pa.table([list(image_ids), list(crops), list(thumbnails)], schema=CROPS))


def read_crops(root: Path, path: Path, column: str, *, images: range, n_pixels: int) -> dict[int, bytes]:
    """Read the column ``crop`` or ``thumbnail`` of a block by image id.

    Parameters
    ----------
    n_pixels
        Of a crop.

    Raises
    ------
    StudyError
        As `read_table`, and if the images are others than those of the block.
    """
    largest = _BYTES_A_PIXEL * n_pixels + _LARGEST_THUMBNAIL
    table = read_table(root, path, CROPS, n_rows=len(images), largest_row=largest, columns=("image_id", column))
    pictures = dict(zip(table["image_id"].to_pylist(), table[column].to_pylist(), strict=True))
    if list(pictures) != list(images):
        raise damaged(path, f"its images are not {images.start} to {images.stop - 1}")
    return pictures


def unpredicted_images(images: pd.DataFrame) -> pd.DataFrame:
    """Return images with the columns of the format and ids from 0, nothing predicted yet.

    Parameters
    ----------
    images
        With columns ``file``, ``label`` (-1 for none) and ``label_name`` (empty for none). Not modified.
    """
    frame = images[["file", "label", "label_name"]].reset_index(drop=True).assign(**NOT_PREDICTED)
    return frame.rename_axis("image_id")


def with_predictions(images: pd.DataFrame, probabilities: np.ndarray, class_names: Sequence[str]) -> pd.DataFrame:
    """Fill ``predicted``, ``predicted_name`` and ``p_true``.

    Parameters
    ----------
    images
        Table of images. Not modified.
    probabilities
        ``(n_images, n_classes)``; rows of NaN are images without a prediction yet.
    class_names
        Name of each class; a class beyond them is called by its number.
    """
    done = ~np.isnan(probabilities[:, 0])
    filled = np.where(done[:, None], probabilities, 0)
    predicted = np.where(done, filled.argmax(-1), -1)
    reference = reference_class(filled, images["label"].to_numpy())
    p_true = np.where(done, np.take_along_axis(filled, reference[:, None], axis=1)[:, 0], np.nan)
    named = {-1: "", **{i: str(i) for i in range(probabilities.shape[1])}, **dict(enumerate(class_names))}
    names = [named[p] for p in predicted.tolist()]
    return images.assign(predicted=predicted, predicted_name=names, p_true=p_true.astype(np.float64))


def _unpacked_bytes(metadata: pq.FileMetaData) -> int:
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    return sum(group.column(index).total_uncompressed_size for group in groups for index in range(metadata.num_columns))


def _first(files: list[str]) -> str:
    return files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema)


def _key(column: str) -> bytes:
    return f"vitpanel.sha256.{column}".encode()


def _digest(column: pa.ChunkedArray) -> bytes:
    digest = hashlib.sha256(str(column.type).encode())
    for value in column.to_pylist():
        data = value if isinstance(value, bytes) else repr(value).encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest().encode()
