"""The notebooks of `examples` run from the first cell to the last, on a small study of the demo's own model."""

import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode, read

from tests.notebooks.lab import environment
from tests.serving import ROOT, VITPANEL
from vitpanel import __version__
from vitpanel.demo import CHECKPOINT, IMAGES

EXAMPLES = sorted((ROOT / "examples").glob("*.ipynb"))
TIMEOUT = 300


# Threads of torch wait for each other, and on a busy machine longer than one takes alone.
ALONE = {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with some images of the demo's study where `vitpanel.demo.demo_study` looks for it."""
    home = tmp_path_factory.mktemp("home")
    out = home / "cache" / "vitpanel" / __version__ / "demo.study"
    with zipfile.ZipFile(IMAGES) as archive:
        archive.extractall(home / "images")
    images, checkpoint = str(home / "images" / "labels.csv"), str(CHECKPOINT)
    options = ["--images", images, "--checkpoint", checkpoint, "--out", str(out), "--per-class", "5"]
    subprocess.run([*VITPANEL, "precompute", *options], check=True, env=environment(home) | ALONE, timeout=600)
    return home


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(path: Path, home: Path):
    notebook: NotebookNode = read(path, as_version=4)
    client = NotebookClient(notebook, timeout=TIMEOUT, resources={"metadata": {"path": str(home)}})
    client.execute(env=environment(home) | ALONE)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert [output for output in outputs if output.get("data", {}).get("text/plain", "").startswith(":Layout")]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_committed_without_what_it_shows(path: Path):
    cells: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert not [cell for cell in code if cell["outputs"] or cell["execution_count"] is not None]
