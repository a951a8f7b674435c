"""A notebook that nbclient runs, with no browser: what it shows is in its file, to be looked at."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.notebooks.lab import BEGIN, CHARTS, FIGURES, environment, write_notebook
from vitpanel.app.notebook import UNHEARD
from vitpanel.study.reader import Study

pytestmark = pytest.mark.ui
VIEW = 'vitpanel.explore(study, views="head-importance", selection=selection, live=False)'
RUN = "from nbclient.cli import main; main()"


@pytest.fixture(scope="module")
def outputs(root: Path, study: Study) -> list[list[dict[str, Any]]]:
    """Outputs of all cells of a notebook with charts and a view."""
    file = write_notebook(root / "alone.ipynb", BEGIN, CHARTS, VIEW)
    words = [sys.executable, "-c", RUN, "--inplace", "--timeout=300", str(file)]
    subprocess.run(words, check=True, env=environment(root), timeout=600)
    return [cell["outputs"] for cell in json.loads(file.read_text("utf-8"))["cells"]]


def as_html(output: dict[str, Any]) -> str:
    """What a page has of an output: its HTML, or its script."""
    data = {kind: "".join(text) for kind, text in output.get("data", {}).items()}
    return data.get("text/html") or f"<script>{data.get('application/javascript', '')}</script>"


def test_what_is_shown_is_in_the_file_and_each_script_once(outputs: list[list[dict[str, Any]]]):
    assert not [output for cell in outputs for output in cell if output["output_type"] in {"stream", "error"}]
    charts, view = (as_html(cell[-1]) for cell in outputs[1:])
    assert "Importance of all heads, image 3" in charts
    assert "://cdn." not in charts
    assert len(charts) < 200_000
    # One of Panel's components alone has 1.4 million letters.
    assert len(view) < 4_000_000


def test_a_page_of_it_is_drawn_and_says_why_clicks_do_nothing(
    outputs: list[list[dict[str, Any]]], page: Page, tmp_path: Path
):
    body = "".join(as_html(output) for cell in outputs for output in cell)
    (tmp_path / "page.html").write_text(f'<!doctype html><meta charset="utf-8"><body>{body}', "utf-8")
    page.goto((tmp_path / "page.html").as_uri())
    for words in ("Images by", "Importance of all heads, image 3", "band"):
        page.wait_for_function(f"words => {{ {FIGURES} return figures(words).length; }}", arg=words, timeout=120_000)
    expect(page.get_by_text(UNHEARD)).to_be_visible(timeout=60_000)
