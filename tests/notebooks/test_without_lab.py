"""A notebook that nbclient runs, with no browser: what it shows is in its file, to be looked at."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.notebooks.lab import BEGIN, CHARTS, FIGURES, environment, write_notebook
from vitpanel.runtime.comms import UNHEARD
from vitpanel.study.reader import Study

pytestmark = pytest.mark.ui
VIEW = 'vitpanel.explore(study, views="head-importance", selection=selection, live=False)'
# A kernel of VS Code, and what stands for a package that is not there.
BARE = 'import os, sys\n\nos.environ["VSCODE_PID"] = "1"\nsys.modules["jupyter_bokeh"] = None\n'
# nbconvert would fetch what only formulas and other packages need.
OFFLINE = [f"--HTMLExporter.{name}_url=data:," for name in ("require_js", "mathjax")]
Outputs = list[list[dict[str, Any]]]
RUN = "from nbclient.cli import main; main()"


@pytest.fixture(scope="module")
def alone(root: Path, study: Study) -> Path:
    """Return a notebook with charts and a view that has been run."""
    return run(root, "alone", BEGIN, CHARTS, VIEW)


@pytest.fixture(scope="module")
def outputs(alone: Path) -> Outputs:
    """Outputs of all cells of a notebook with charts and a view."""
    return outputs_of(alone)


def run(root: Path, name: str, *cells: str) -> Path:
    """Run a notebook with cells of code, and return it with what it has shown."""
    file = write_notebook(root / f"{name}.ipynb", *cells)
    words = [sys.executable, "-c", RUN, "--inplace", "--timeout=300", str(file)]
    subprocess.run(words, check=True, env=environment(root), timeout=600)
    return file


def outputs_of(file: Path) -> Outputs:
    return [cell["outputs"] for cell in json.loads(file.read_text("utf-8"))["cells"]]


def warnings_of(outputs: Outputs) -> str:
    return "".join("".join(each["text"]) for cell in outputs for each in cell if each.get("name") == "stderr")


def as_html(output: dict[str, Any]) -> str:
    """What a page has of an output: its HTML, or its script."""
    data = {kind: "".join(text) for kind, text in output.get("data", {}).items()}
    return data.get("text/html") or f"<script>{data.get('application/javascript', '')}</script>"


def test_what_is_shown_is_in_the_file_and_each_script_once(outputs: Outputs):
    assert not [output for cell in outputs for output in cell if output["output_type"] in {"stream", "error"}]
    charts, view = (as_html(cell[-1]) for cell in outputs[1:])
    assert "Importance by Probability, image 3" in charts
    assert "://cdn." not in charts
    assert len(charts) < 200_000
    # One of Panel's components alone has 1.4 million letters.
    assert len(view) < 4_000_000


def test_a_page_of_it_is_drawn_and_says_why_clicks_do_nothing(outputs: Outputs, page: Page, tmp_path: Path):
    body = "".join(as_html(output) for cell in outputs for output in cell)
    (tmp_path / "page.html").write_text(f'<!doctype html><meta charset="utf-8"><body>{body}', "utf-8")
    page.goto((tmp_path / "page.html").as_uri())
    for words in ("Images by", "Importance by Probability, image 3", "band"):
        page.wait_for_function(f"words => {{ {FIGURES} return figures(words).length; }}", arg=words, timeout=120_000)
    expect(page.get_by_text(UNHEARD)).to_be_visible(timeout=60_000)
    # Charts say so when somebody clicks in them.
    page.locator(".bk-Figure").first.click()
    expect(page.get_by_text(UNHEARD)).to_have_count(2)


def test_a_kernel_of_vs_code_without_its_package_says_which(root: Path, study: Study):
    outputs = outputs_of(run(root, "bare", BARE, BEGIN, CHARTS))
    assert UNHEARD in warnings_of(outputs)
    assert "Importance by Probability, image 3" in as_html(outputs[-1][-1])


def test_a_page_of_it_by_nbconvert_is_whole(alone: Path, page: Page):
    words = [sys.executable, "-m", "nbconvert", "--to=html", *OFFLINE, str(alone)]
    subprocess.run(words, check=True, env=environment(alone.parent), timeout=300)
    complaints, abroad = [], []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: abroad.append(request.url) if request.url.startswith("http") else None)
    page.goto(alone.with_suffix(".html").as_uri())
    for words in ("Images by", "Importance by Probability, image 3", "band"):
        page.wait_for_function(f"words => {{ {FIGURES} return figures(words).length; }}", arg=words, timeout=120_000)
    expect(page.locator(".vitpanel-unheard")).to_be_visible(timeout=60_000)
    assert not complaints
    assert not abroad
