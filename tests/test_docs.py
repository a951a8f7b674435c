"""What the documents name exists, and what exists is named."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from vitpanel.cli import app
from vitpanel.core.grid import Grid
from vitpanel.core.spec import ViTSpec
from vitpanel.study.schema import FORMAT_VERSION, array_specs
from vitpanel.views.popover import metric_list

ROOT = Path(__file__).parent.parent
FOLDERS = ("", "apps/jupyterhub", "docs", "docs/reference", "precompute")
DOCUMENTS = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.md"))
COMMANDS = sorted(
    {
        (path.name, line)
        for path in DOCUMENTS
        for block in re.findall(
            r"^```(?:sh|console)?\n(.*?)^```", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL
        )
        for line in block.replace("\\\n", " ").splitlines()
        if line.startswith("vitpanel ")
    }
)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path):
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text("utf-8")):
        assert target.startswith("https://") or (path.parent / target).exists(), target


@pytest.mark.parametrize(("document", "command"), COMMANDS)
def test_commands_are_such_as_vitpanel_takes(document: str, command: str):
    app.parse_args(shlex.split(command)[1:], exit_on_error=False, print_error=False)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = {path.parent.name: path.read_text("utf-8") for path in tmp_path.rglob("index.html")}
    assert {f"{path.stem}" for path in ROOT.glob("docs/*.md")} - {"index"} <= set(pages)
    assert "--layout-sample" in pages["cli"]
    assert "share_source" in pages["address"]
    assert "choose_head" in pages["api"]
    assert "head_scatter" in pages["elements"]
    # Nothing is fetched from elsewhere by who reads it.
    assert not re.search(r"(?:src|stylesheet\" href)=\"https?://", "".join(pages.values()))


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
