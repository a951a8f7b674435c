"""A damaged array costs what is drawn from it, and nothing else."""

import shutil
from pathlib import Path
from typing import Any, cast

import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.app.explorer import Explorer, create_app
from vitpanel.errors import StudyFormatError
from vitpanel.study.files import StudyFiles
from vitpanel.study.reader import Study, open_study
from vitpanel.views.registry import on_demand
from vitpanel.views.registry import views as known_views

pytestmark = pytest.mark.reliability
ARRAYS = [
    "probabilities", "importance/probability", "importance/jsd", "importance/cls", "importance/patch", "entropy",
    "distance", "strength", "patterns/cls", "patterns/patch_top", "patterns/offset", "latents", "layout/cls",
    "layout/patch", "layout/offset", "layout/images", "layout/images_drop", "layout/images_jsd", "layout/images_cls",
    "layout/images_patch",
]  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of a study that nobody changes."""
    return write_synthetic_study(tmp_path_factory.mktemp("whole") / "x.study")


def flip_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)


def damaged(whole: Path, folder: Path, name: str) -> Study:
    """The study with one bit of an array flipped."""
    path = Path(shutil.copytree(whole, folder / "x.study"))
    spec = open_study(path).arrays[name]
    flip_a_bit(StudyFiles(path).chunk(name, 0, len(spec.shape)))
    return open_study(path)


def look_at_everything(explorer: Explorer) -> None:
    """Choose what a person can choose, one after the other, and let all views answer."""
    selection = explorer.selection
    for name in ("metric", "image_layout", "colouring", "measure", "map_colour", "scatter_x"):
        for value in list(selection.param[name].objects):
            selection.param.update(**{name: value})
            explorer.bridge.flush()
    for pattern in ("cls", "patch", "offset"):
        selection.pattern = pattern
        explorer.bridge.flush()
    for image in (0, None, 3):
        selection.param.update(image=image, layer=1, head=0)
        explorer.bridge.flush()


@pytest.mark.parametrize("name", ARRAYS)
def test_all_views_stand_without_an_array_that_is_damaged(whole: Path, tmp_path: Path, name: str):
    study = damaged(whole, tmp_path, name)
    with pytest.raises(StudyFormatError, match=name.replace("/", ".")):
        study[name]
    assert name not in study
    explorer = Explorer(open_study(study.path))
    for slug in on_demand():
        explorer.opened(slug)
    look_at_everything(explorer)
    assert list(explorer.views) == [*known_views(), *on_demand()]


def test_the_view_says_which_file_and_the_way_out(whole: Path, tmp_path: Path):
    explorer = Explorer(damaged(whole, tmp_path, "entropy"))
    explorer.bridge.flush()
    strength, importance = explorer.views["attention-strength"], explorer.views["head-importance"]
    words = strength.charts["all-heads"].words
    assert "x.study/arrays.zarr/entropy/c/0/0/0" in words
    assert "Run the same precompute command again" in words
    assert str(tmp_path) not in words, "no folder of the server"
    assert not any(chart.message for chart in importance.charts.values() if "entropy" in chart.message)


def test_an_image_whose_file_is_damaged_takes_its_picture_alone(whole: Path, tmp_path: Path):
    path = Path(shutil.copytree(whole, tmp_path / "x.study"))
    flip_a_bit(StudyFiles(path).crops(0))
    explorer = Explorer(open_study(path))
    look_at_everything(explorer)
    assert list(explorer.views) == list(known_views())


def test_a_damaged_manifest_is_said_on_the_page(whole: Path, tmp_path: Path):
    path = Path(shutil.copytree(whole, tmp_path / "x.study"))
    flip_a_bit(path / "manifest.json")
    page = create_app(path)
    words = cast("Any", page.objects[-1]).object
    assert "manifest.json is damaged" in words
    assert str(tmp_path) not in words
