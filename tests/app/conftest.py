"""A study of a real model, small enough to be computed for the tests."""

from pathlib import Path

import pytest

from tests.synthetic import write_synthetic_study
from tests.tiny_vit import CLASSES, write_checkpoint, write_images
from vitpanel.pipeline.precompute import Recipe, precompute
from vitpanel.pipeline.progress import Progress
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="package")
def live_study_path(tmp_path_factory) -> Path:
    """Path of a finished study whose weights lie beside it; nobody changes it."""
    root = tmp_path_factory.mktemp("live")
    checkpoint = write_checkpoint(root / "tiny.safetensors")
    images = write_images(root / "photos", n_per_class=2)
    recipe = Recipe(images=images, out=root / "tiny.study", checkpoint=checkpoint, class_names=CLASSES, latent_dim=4)
    return precompute(recipe, progress=Progress(is_shown=False)).path


@pytest.fixture
def live_study(live_study_path: Path) -> Study:
    """Return the study, opened anew."""
    return open_study(live_study_path)


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of two studies."""
    folder = tmp_path_factory.mktemp("several")
    for name in ("first", "second"):
        write_synthetic_study(folder / f"{name}.study")
    return folder
