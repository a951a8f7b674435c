"""Parquet tables with digests."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vitpanel.errors import StudyError, StudyFormatError
from vitpanel.study.tables import (
    IMAGES,
    crops_bytes,
    images_bytes,
    read_crops,
    read_images,
    read_table,
    table_bytes,
    unpredicted_images,
    with_predictions,
)


@pytest.fixture
def images() -> pd.DataFrame:
    """Three images, the last without a label."""
    frame = pd.DataFrame({"file": ["a.png", "b.png", "ü.png"], "label": [0, 1, -1], "label_name": ["x", "y", ""]})
    return unpredicted_images(frame)


def test_images_round_trip(tmp_path: Path, images: pd.DataFrame):
    (tmp_path / "images.parquet").write_bytes(images_bytes(images))
    read = read_images(tmp_path / "images.parquet")
    assert read.index.name == "image_id"
    pd.testing.assert_frame_equal(read, images, check_dtype=False)


def test_crops_round_trip(tmp_path: Path):
    (tmp_path / "c.parquet").write_bytes(crops_bytes(range(5, 7), [b"crop 5", b"crop 6"], [b"", b"\x00"]))
    assert read_crops(tmp_path / "c.parquet", "crop") == {5: b"crop 5", 6: b"crop 6"}
    assert read_crops(tmp_path / "c.parquet", "thumbnail") == {5: b"", 6: b"\x00"}


def test_predictions_are_of_the_label_or_else_of_the_largest(images: pd.DataFrame):
    probabilities = np.array([[0.2, 0.8], [0.3, 0.7], [0.9, 0.1]], np.float32)
    filled = with_predictions(images, probabilities, ["x", "y"])
    assert filled["predicted"].tolist() == [1, 1, 0]
    assert filled["predicted_name"].tolist() == ["y", "y", "x"]
    assert filled["p_true"].tolist() == pytest.approx([0.2, 0.7, 0.9])
    assert images["predicted"].tolist() == [-1, -1, -1]


def test_an_image_that_is_not_done_has_no_prediction(images: pd.DataFrame):
    probabilities = np.array([[0.2, 0.8], [np.nan, np.nan], [0.9, 0.1]], np.float32)
    filled = with_predictions(images, probabilities, ["x"])
    assert filled["predicted"].tolist() == [1, -1, 0]
    assert filled["predicted_name"].tolist() == ["1", "", "x"]
    assert np.isnan(filled["p_true"][1])


def test_other_columns_or_types_are_refused(tmp_path: Path, images: pd.DataFrame):
    path = tmp_path / "images.parquet"
    path.write_bytes(table_bytes(pa.table({"image_id": [0], "file": ["a"]})))
    with pytest.raises(StudyError, match=r"images\.parquet is damaged"):
        read_table(path, IMAGES)
    changed = pa.Table.from_pandas(images.reset_index(), preserve_index=False)
    path.write_bytes(table_bytes(changed.set_column(2, "label", changed["label"].cast(pa.int32()))))
    with pytest.raises(StudyError, match=r"label \(int32\)"):
        read_table(path, IMAGES)


def test_a_missing_table_is_named(tmp_path: Path):
    with pytest.raises(StudyError, match=r"images\.parquet is missing"):
        read_images(tmp_path / "images.parquet")


def test_values_that_do_not_fit_their_digest_are_refused(tmp_path: Path, images: pd.DataFrame):
    table = pa.Table.from_pandas(images.reset_index(), schema=IMAGES, preserve_index=False)
    other = pa.Table.from_pandas(images.assign(label=1).reset_index(), schema=IMAGES, preserve_index=False)
    path = tmp_path / "images.parquet"
    path.write_bytes(table_bytes(table))
    digests = read_table(path, IMAGES).schema.metadata
    with path.open("wb") as file:
        pq.write_table(other.replace_schema_metadata(digests), file)
    with pytest.raises(StudyFormatError, match="column label does not fit"):
        read_images(path)
