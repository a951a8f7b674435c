"""Parquet tables with digests."""

from pathlib import Path
from typing import Any

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
    read = read_images(tmp_path, tmp_path / "images.parquet", n_images=3, n_classes=2)
    assert read.index.name == "image_id"
    pd.testing.assert_frame_equal(read, images, check_dtype=False)


def test_crops_round_trip(tmp_path: Path):
    (tmp_path / "c.parquet").write_bytes(crops_bytes(range(5, 7), [b"crop 5", b"crop 6"], [b"", b"\x00"]))
    assert read_crops(tmp_path, tmp_path / "c.parquet", "crop", images=range(5, 7), n_pixels=9) == {
        5: b"crop 5",
        6: b"crop 6",
    }
    assert read_crops(tmp_path, tmp_path / "c.parquet", "thumbnail", images=range(5, 7), n_pixels=9) == {
        5: b"",
        6: b"\x00",
    }


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
        read_table(tmp_path, path, IMAGES, n_rows=3, largest_row=2**16)
    changed = pa.Table.from_pandas(images.reset_index(), preserve_index=False)
    path.write_bytes(table_bytes(changed.set_column(2, "label", changed["label"].cast(pa.int32()))))
    with pytest.raises(StudyError, match=r"label \(int32\)"):
        read_table(tmp_path, path, IMAGES, n_rows=3, largest_row=2**16)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"label": 2}, "label of image 0 is 2, but the model has 2 classes"),
        ({"label": -2}, "label of image 0 is -2"),
        ({"predicted": 10**6}, "predicted of image 0 is 1000000"),
        ({"p_true": 1.5}, "p_true is not a probability"),
        ({"file": None}, "column file lacks values"),
    ],
)
def test_values_out_of_range_are_refused(tmp_path: Path, images: pd.DataFrame, change: dict[str, Any], said: str):
    path = tmp_path / "images.parquet"
    path.write_bytes(images_bytes(images.assign(**change)))
    with pytest.raises(StudyError, match=said):
        read_images(tmp_path, path, n_images=3, n_classes=2)


@pytest.mark.parametrize("index", [[0, 1, 1], [1, 2, 3], [2, 1, 0]])
def test_image_ids_are_those_of_the_rows(tmp_path: Path, images: pd.DataFrame, index: list[int]):
    path = tmp_path / "images.parquet"
    path.write_bytes(images_bytes(images.set_axis(pd.Index(index, name="image_id"))))
    with pytest.raises(StudyError, match="its image ids are not 0 to 2"):
        read_images(tmp_path, path, n_images=3, n_classes=2)


def test_more_rows_and_bombs_are_not_unpacked(tmp_path: Path, images: pd.DataFrame):
    path = tmp_path / "images.parquet"
    path.write_bytes(images_bytes(images))
    with pytest.raises(StudyError, match="it has 3 rows, not 2"):
        read_images(tmp_path, path, n_images=2, n_classes=2)
    path.write_bytes(images_bytes(images.assign(file="a" * 2**20)))
    assert path.stat().st_size < 2**16
    with pytest.raises(StudyError, match="it unpacks to"):
        read_images(tmp_path, path, n_images=3, n_classes=2)


def test_a_missing_table_is_named(tmp_path: Path):
    with pytest.raises(StudyError, match=r"images\.parquet is missing"):
        read_images(tmp_path, tmp_path / "images.parquet", n_images=3, n_classes=2)


def test_values_that_do_not_fit_their_digest_are_refused(tmp_path: Path, images: pd.DataFrame):
    table = pa.Table.from_pandas(images.reset_index(), schema=IMAGES, preserve_index=False)
    other = pa.Table.from_pandas(images.assign(label=1).reset_index(), schema=IMAGES, preserve_index=False)
    path = tmp_path / "images.parquet"
    path.write_bytes(table_bytes(table))
    digests = read_table(tmp_path, path, IMAGES, n_rows=3, largest_row=2**16).schema.metadata
    with path.open("wb") as file:
        pq.write_table(other.replace_schema_metadata(digests), file)
    with pytest.raises(StudyFormatError, match="column label does not fit"):
        read_images(tmp_path, path, n_images=3, n_classes=2)
