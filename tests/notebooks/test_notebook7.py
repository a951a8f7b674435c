"""Clicks in Notebook 7, by its own way and by that of VS Code, where figures are ipywidgets of jupyter_bokeh."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from tests.notebooks.lab import BEGIN, CHARTS, MAP, NOTEBOOK, VIEW, Lab, Notebook, jupyter, place
from vitpanel.study.reader import Study

pytestmark = pytest.mark.ui
# By this variable Panel knows the kernels of VS Code; its widgets are those of any notebook with ipywidgets.
VS_CODE = 'import os\n\nos.environ["VSCODE_PID"] = "1"\n'
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def lab(root: Path, study: Study) -> Iterator[Lab]:
    """Serve notebooks by Notebook 7."""
    with jupyter(root, NOTEBOOK) as lab:
        yield lab


@pytest.mark.parametrize("before", ["", VS_CODE], ids=["own", "vscode"])
def test_clicks_are_answered(context: BrowserContext, lab: Lab, study: Study, before: str):
    name = lab.write(f"clicks-{len(before)}.ipynb", before + BEGIN, CHARTS, VIEW)
    notebook = lab.open(context, name)
    notebook.run_all()
    notebook.tap(MAP, *place(study, 6))
    notebook.wait_for("Importance by Probability, image 6")
    notebook.run("selection.choose_head(0, 1)")
    notebook.wait_for("L0 H1")
    notebook.tap("Importance by Probability, image 6", 5, 0.1)
    notebook.wait_for("L1 H2")
    assert notebook.run("print(selection.image, selection.layer, selection.head)") == "6 1 2\n"
    assert are_widgets(notebook) == bool(before)
    assert not notebook.failures()
    assert not notebook.abroad


# Runs until the file is there.
LONG = """import time
from pathlib import Path

while not Path("clicked").exists():
    time.sleep(0.05)
"""


@pytest.mark.parametrize("before", ["", VS_CODE], ids=["own", "vscode"])
def test_a_click_while_a_later_cell_runs_is_answered(context: BrowserContext, lab: Lab, study: Study, before: str):
    (lab.folder / "clicked").unlink(missing_ok=True)
    notebook = lab.open(context, lab.write(f"early-{len(before)}.ipynb", before + BEGIN, CHARTS, LONG))
    notebook.start_all()
    notebook.tap(MAP, *place(study, 6))
    notebook.wait_until_told()
    (lab.folder / "clicked").touch()
    notebook.wait_until_done()
    notebook.wait_for("Importance by Probability, image 6")
    assert notebook.run("print(selection.image)") == "6\n"
    assert not notebook.failures()


def are_widgets(notebook: Notebook) -> bool:
    """Whether what the charts and the view show are ipywidgets."""
    kinds = [{kind for output in cell for kind in output.get("data", {})} for cell in notebook.outputs()[1:3]]
    return all(WIDGET in each for each in kinds)
