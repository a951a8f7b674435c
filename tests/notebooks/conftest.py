"""A JupyterLab with the tour, on a small study that lies where the tour looks for the demo."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.notebooks.lab import LAB, Lab, Notebook, jupyter
from tests.serving import ROOT
from tests.tiny_vit import CLASSES, write_checkpoint, write_images
from vitpanel import __version__
from vitpanel.pipeline.precompute import Recipe, precompute
from vitpanel.pipeline.progress import Progress
from vitpanel.study.reader import Study


@pytest.fixture(scope="session")
def base_url() -> str:
    """Stand in for the fixture of pytest-base-url 2.1, which warns in pytest 9 (November 2026)."""
    return ""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of all that a server has."""
    return tmp_path_factory.mktemp("jupyter")


@pytest.fixture(scope="module")
def study(root: Path) -> Study:
    """Study of a tiny model with weights, where `vitpanel.demo.demo_study` finds it."""
    out = root / "cache" / "vitpanel" / __version__ / "demo.study"
    out.parent.mkdir(parents=True)
    checkpoint = write_checkpoint(root / "tiny.safetensors")
    images = write_images(root / "images", n_per_class=4)
    recipe = Recipe(images=images, out=out, checkpoint=checkpoint, class_names=CLASSES, latent_dim=4)
    return precompute(recipe, progress=Progress(is_shown=False))


@pytest.fixture(scope="module")
def lab(root: Path, study: Study) -> Iterator[Lab]:
    """Serve the tour, and what a test writes beside it."""
    with jupyter(root, LAB) as lab:
        shutil.copy(ROOT / "examples" / "tour.ipynb", lab.folder)
        yield lab


@pytest.fixture(scope="module")
def context(browser: Browser, lab: Lab) -> Iterator[BrowserContext]:
    """Browser of a person who stays from test to test, and who has no internet."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        context.route(re.compile(r"https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
        yield context


@pytest.fixture(scope="module")
def tour(context: BrowserContext, lab: Lab) -> Notebook:
    """Open the tour and run all of its cells."""
    notebook = lab.open(context, "tour.ipynb")
    notebook.run_all()
    return notebook
