"""A study with the weights of its model, for hubs to serve."""

import importlib.util

import pytest

from tests.tiny_vit import CLASSES, write_checkpoint, write_images
from vitpanel.pipeline.precompute import Recipe, precompute
from vitpanel.pipeline.progress import Progress

# What they import comes with `make hub`.
collect_ignore_glob = [] if importlib.util.find_spec("jupyterhub") else ["test_*.py"]


@pytest.fixture(scope="session")
def base_url() -> str:
    """Stand in for the fixture of pytest-base-url 2.1, which warns in pytest 9 (November 2026)."""
    return ""


@pytest.fixture(scope="session")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the configurations ask of the hub's environment: a study, and the weights of its model."""
    root = tmp_path_factory.mktemp("hub-study")
    checkpoint = write_checkpoint(root / "tiny.safetensors")
    recipe = Recipe(
        images=write_images(root / "images", n_per_class=4), out=root / "tiny.study", checkpoint=checkpoint,
        class_names=CLASSES, latent_dim=4,
    )  # fmt: skip
    precompute(recipe, progress=Progress(is_shown=False))
    return {"VITPANEL_STUDIES": str(recipe.out), "VITPANEL_CHECKPOINT": str(checkpoint)}
