"""What the documents name exists, and what exists is named."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from vitpanel.core.grid import Grid
from vitpanel.core.spec import ViTSpec
from vitpanel.study.schema import FORMAT_VERSION, array_specs
from vitpanel.views.popover import metric_list

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("precompute/*.md")])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path):
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text("utf-8")):
        assert target.startswith("https://") or (path.parent / target).exists(), target


def test_the_format_is_documented_as_it_is():
    text = (ROOT / "docs" / "study-format.md").read_text("utf-8")
    spec = ViTSpec(n_layers=2, n_heads=3, grid=Grid(4, 4), image_size=(32, 32), pooling="token", n_classes=5)
    rows = re.findall(r"^\| `([a-z/_]+)` \| ([a-z, ]+) \| (\w+) \|", text, flags=re.MULTILINE)
    specs = array_specs(spec, 7, latent_dim=8).values()
    assert rows == [(array.name, ", ".join(array.dims), array.dtype) for array in specs]
    assert f"Format version {FORMAT_VERSION}." in text


def test_the_guide_reads_the_metrics_as_their_records_do():
    guide = (ROOT / "docs" / "reading-the-views.md").read_text("utf-8")
    written = guide.partition("<!-- metrics -->\n")[2].partition("<!-- -->")[0]
    assert written.replace("\n  ", " ") == metric_list()


@pytest.mark.parametrize("task", re.findall(r"`make (\w+)`", (ROOT / "CONTRIBUTING.md").read_text("utf-8")))
def test_tasks_exist(task: str):
    assert re.search(rf"^{task}:", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)


def test_options_in_the_readme_exist():
    command = [sys.executable, "-c", "from vitpanel.cli import main; main()", "precompute", "--help"]
    described = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = (ROOT / "README.md").read_text("utf-8").split("\n")
    named = " ".join(line for line in lines if line.startswith(("vitpanel precompute", "| `--")))
    options = set(re.findall(r"--[a-z-]+", named))
    assert "--images" in options
    assert {option for option in options if option not in described} == set()
