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
from vitpanel.errors import StudyError
from vitpanel.study.records import damaged

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


def read_table(path: Path, schema: pa.Schema, *, columns: Sequence[str] | None = None) -> pa.Table:
    """Read columns of a table and check them.

    Raises
    ------
    StudyError
        If the file is missing, unreadable, has other columns or types, or was changed since it was written.
    """
    if not path.exists():
        message = f"{path} is missing."
        raise StudyError(message, hint="Run the same precompute command again: it computes what is missing.")
    names = schema.names if columns is None else list(columns)
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            stored = file.schema_arrow
            table = file.read(columns=names)
        digests = {name: _digest(table[name]) for name in names}
    except Exception as error:
        raise damaged(path, f"it cannot be read as Parquet ({error})") from error
    if not stored.equals(schema):
        raise damaged(path, f"its columns are {_columns(stored)}, not {_columns(schema)}")
    for name, digest in digests.items():
        if (stored.metadata or {}).get(_key(name)) != digest:
            raise damaged(path, f"column {name} does not fit its checksum")
    return table


def images_bytes(images: pd.DataFrame) -> bytes:
    """Return the table of images, indexed by ``image_id``, as Parquet."""
    return table_bytes(pa.Table.from_pandas(images.reset_index(), schema=IMAGES, preserve_index=False))


def read_images(path: Path) -> pd.DataFrame:
    """Read the table of images, indexed by ``image_id``; raises as `read_table` does."""
    return read_table(path, IMAGES).to_pandas().set_index("image_id")


def crops_bytes(image_ids: Iterable[int], crops: Sequence[bytes], thumbnails: Sequence[bytes]) -> bytes:
    """Return the pictures of a block as Parquet."""
    return table_bytes(pa.table([list(image_ids), list(crops), list(thumbnails)], schema=CROPS))


def read_crops(path: Path, column: str) -> dict[int, bytes]:
    """Read the column ``crop`` or ``thumbnail`` of a block by image id; raises as `read_table` does."""
    table = read_table(path, CROPS, columns=("image_id", column))
    return dict(zip(table["image_id"].to_pylist(), table[column].to_pylist(), strict=True))


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
