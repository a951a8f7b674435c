"""Room for a study."""

from pathlib import Path

import pytest

from tests.synthetic import synthetic_manifest, synthetic_spec, write_synthetic_study
from vitpanel.errors import DiskFullError
from vitpanel.study.manifest import Manifest
from vitpanel.study.own_stages import MODES, STAGES
from vitpanel.study.space import attention_bytes, check_space, missing_bytes, size_text


def manifest(n_images: int = 10) -> Manifest:
    """Return the manifest of a study of a grid of 14 × 14."""
    made = synthetic_manifest(synthetic_spec(rows=14, cols=14))
    made.images["n_images"] = n_images
    return made


def test_the_estimate_is_above_what_arrays_and_pictures_take(tmp_path: Path):
    path = write_synthetic_study(tmp_path / "a.study", n_images=10, rows=14, cols=14)
    data = [*path.glob("crops/*"), *path.glob("arrays.zarr/**/c/**/*")]
    taken = sum(file.stat().st_size for file in data if file.is_file())
    assert taken < missing_bytes(tmp_path / "none.study", manifest(), STAGES) < 3 * taken


def test_what_is_there_needs_no_more_room(tmp_path: Path):
    path = write_synthetic_study(tmp_path / "a.study", n_images=10, rows=14, cols=14)
    whole = missing_bytes(tmp_path / "none.study", manifest(), STAGES)
    assert missing_bytes(path, manifest(), STAGES) == 0
    assert missing_bytes(path, manifest(), [*STAGES, MODES]) > 0
    for file in path.glob("crops/*"):
        file.unlink()
    assert 0 < missing_bytes(path, manifest(), STAGES) < whole


def test_room_is_asked_of_the_nearest_folder_that_exists(tmp_path: Path):
    path = tmp_path / "new" / "deeper" / "a.study"
    check_space(path, 1)
    with pytest.raises(DiskFullError, match=r"needs about 1000\.0 TB") as caught:
        check_space(path, 10**15)
    assert f"{tmp_path} has" in caught.value.message
    assert not path.parent.exists()


def test_attention_is_counted_in_float32():
    assert attention_bytes(synthetic_spec(n_layers=2, n_heads=3, rows=4, cols=4), 10) == 10 * 2 * 3 * 17 * 17 * 4


@pytest.mark.parametrize(
    ("n_bytes", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (3.24e6, "3.2 MB"), (5e9, "5.0 GB")]
)
def test_sizes_read_well(n_bytes: float, text: str):
    assert size_text(n_bytes) == text
