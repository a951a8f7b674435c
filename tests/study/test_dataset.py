"""A study as an xarray Dataset."""

from pathlib import Path

import holoviews as hv
import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.study import reader
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_synthetic_study(tmp_path_factory.mktemp("dataset") / "a.study")


@pytest.fixture
def study(path: Path) -> Study:
    return open_study(path)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files of arrays that are read."""
    files: list[str] = []
    read_rows = reader.read_rows

    def noted(chunk: Path, *rest):
        files.append(chunk.relative_to(chunk.parents[chunk.parts[::-1].index("arrays.zarr")]).as_posix())
        return read_rows(chunk, *rest)

    monkeypatch.setattr(reader, "read_rows", noted)
    return files


def test_opening_reads_no_array(study: Study, read: list[str]):
    dataset = study.to_xarray()
    assert dict(dataset["entropy"].sizes) == {"image": 12, "layer": 2, "head": 3}
    assert "importance_probability" in repr(dataset)
    assert read == []


def test_all_arrays_are_there_as_the_study_has_them(study: Study):
    dataset = study.to_xarray()
    assert {variable.attrs["array"] for variable in dataset.data_vars.values()} == {
        name for name in study.arrays if name in study
    }
    for variable in dataset.data_vars.values():
        expected = study[variable.attrs["array"]]
        assert variable.dims == study.arrays[variable.attrs["array"]].dims
        assert variable.dtype == expected.dtype
        assert np.array_equal(variable.values, expected, equal_nan=expected.dtype.kind == "f")


@pytest.mark.parametrize(
    "where",
    [
        {"image": 7},
        {"image": slice(3, 8)},
        {"image": [11, 2, 2], "head": [2, 0]},
        {"image": slice(None, None, -5), "layer": 1},
        {"image": [], "head": 1},
        {"layer": [0], "head": slice(1, None), "hop": 2},
    ],
)
def test_parts_are_the_parts_of_the_whole(study: Study, where):
    strength = study.to_xarray()["strength"]
    whole = strength.copy(data=study["strength"])
    assert np.array_equal(strength.isel(where).values, whole.isel(where).values)


def test_of_some_images_only_their_blocks_are_read(study: Study, read: list[str]):
    rows = study.to_xarray()["importance_jsd"].sel(image=[6, 8])
    assert read == []
    assert rows.values.shape == (2, 2, 3)
    assert len(read) == 1
    assert "/c/1/" in read[0]


def test_places_have_their_names(study: Study):
    dataset = study.to_xarray()
    assert dataset["class"].values.tolist() == list(study.class_names)
    assert dataset["axis"].values.tolist() == ["x", "y"]
    assert dataset["label_name"].values.tolist() == study.images["label_name"].tolist()
    of_class = dataset["entropy"].where(dataset["label_name"] == "class 0", drop=True)
    assert of_class.sizes["image"] == (study.images["label_name"] == "class 0").sum()


def test_what_is_absent_is_said_with_its_reason_and_missing_rows_are_nan(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "b.study", finished=False))
    dataset = study.to_xarray()
    assert "layout_images" not in dataset
    assert any(line.startswith("layout/images: The study is not finished") for line in dataset.attrs["absent"])
    assert np.isnan(dataset["entropy"].sel(image=[9, 10, 11])[1:]).all()
    assert not np.isnan(dataset["entropy"].sel(image=9)).any()


def test_holoviews_takes_it(study: Study):
    of_image = study.to_xarray()[["entropy"]].sel(image=3)
    heatmap = hv.Dataset(of_image, ["layer", "head"], "entropy").to(hv.HeatMap, ["layer", "head"], "entropy")
    assert np.allclose(heatmap.dimension_values("entropy", flat=False), study["entropy"][3].T)
