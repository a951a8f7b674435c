"""A JupyterLab or Notebook 7 of the tests, and notebooks that are open in it."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Request

from tests.serving import ROOT, Server, serving
from vitpanel.study.reader import Study

TOKEN = "of-the-tests"  # noqa: S105 - of a server that this machine alone can reach
# A kernel that imports torch on a busy machine is slow, not wrong.
PATIENCE = 300_000
# First cells of a small notebook.
BEGIN = """import holoviews as hv
import vitpanel
from vitpanel import elements
from vitpanel.demo import demo_study

hv.extension("bokeh", inline=True)
study = vitpanel.open_study(demo_study())
selection = vitpanel.Selection(study, image=3)
"""
CHARTS = "elements.image_map(study, selection) + elements.importance_curve(study, selection)"
VIEW = 'vitpanel.explore(study, views="attention-strength", selection=selection, live=False)'
# A column that the data of the map of images alone have.
MAP = "predicted"
_OPTIONS = [
    "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", "--ServerApp.open_browser=False",
    f"--IdentityProvider.token={TOKEN}", "--expose-app-in-browser", "--LabApp.extension_manager=readonly",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]  # fmt: skip
# Figures that are on the page whose title has some words, or whose data have a column of that name.
FIGURES = """const figures = words => [...(window.Bokeh?.index.query(view => view.canvas_view) ?? [])].filter(view =>
  view.el.isConnected && (view.model.title?.text?.includes(words)
    || view.model.renderers.some(renderer => words in (renderer.data_source?.data ?? {}))));"""
# Output that comes in pushes down what follows, so a place counts when it has been the same for a while.
_PLACE = f"""([words, x, y]) => {{
  {FIGURES}
  const view = figures(words).at(-1);
  if (!view) return false;
  view.el.scrollIntoView({{block: "center"}});
  const box = view.canvas_view.el.getBoundingClientRect();
  const place = [box.left + view.frame.x_scale.compute(x), box.top + view.frame.y_scale.compute(y)];
  const seen = JSON.stringify([place, view.frame.bbox]);
  if (seen !== window.vitpanelSeen) Object.assign(window, {{vitpanelSeen: seen, vitpanelSince: Date.now()}});
  return Date.now() - window.vitpanelSince > 400 && place;
}}"""
# The active cell is named in the same breath: that of a figure that was clicked becomes active some time later.
_COMMAND = """([name, cell, code]) => {
  window.vitpanelDone = null;
  const {content} = jupyterapp.shell.currentWidget, {sharedModel} = content.model;
  if (code) sharedModel.insertCell(sharedModel.cells.length, {cell_type: "code", source: code});
  content.activeCellIndex = code ? content.widgets.length - 1 : cell;
  jupyterapp.commands.execute(name).then(() => { window.vitpanelDone = "done"; },
    error => { window.vitpanelDone = String(error); });
}"""
_RESTART = """() => {
  window.vitpanelDone = null;
  jupyterapp.shell.currentWidget.sessionContext.restartKernel().then(() => { window.vitpanelDone = "done"; });
}"""
_LISTEN = """() => {
  window.vitpanelTold = false;
  jupyterapp.shell.currentWidget.sessionContext.session.kernel.anyMessage.connect((_, {direction, msg}) => {
    const is_told = direction === "send" && msg.header.msg_type === "comm_msg";
    if (is_told && JSON.stringify(msg.content).includes('"inner_width"')) window.vitpanelTold = true;
  });
}"""
_IS_READY = """() => ["idle", "busy"].includes(
  window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status)"""
_OUTPUTS = "() => jupyterapp.shell.currentWidget.content.model.toJSON().cells.map(cell => cell.outputs ?? [])"


@dataclass(frozen=True)
class Kind:
    """One of the two interfaces: its module, and where a notebook is."""

    module: str
    path: str


LAB = Kind("jupyterlab", "lab/tree")
NOTEBOOK = Kind("notebook", "notebooks")


@dataclass(frozen=True)
class Lab:
    """A server with its folder of notebooks."""

    server: Server
    folder: Path
    kind: Kind = LAB

    def open(self, context: BrowserContext, name: str) -> "Notebook":
        """Open a notebook in a page of its own, and wait for its kernel."""
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        notebook = Notebook(page)
        page.goto(f"{self.server.address}/{self.kind.path}/{name}?token={TOKEN}&reset")
        page.wait_for_function(_IS_READY)
        return notebook

    def write(self, name: str, *cells: str) -> str:
        """Write a notebook with cells of code, and return its name."""
        return write_notebook(self.folder / name, *cells).name


@dataclass
class Notebook:
    """A notebook that a person has before him; what the browser complains of is kept."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    abroad: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if request.url.startswith("http") and "//127.0.0.1:" not in request.url:
            self.abroad.append(request.url)

    def run_all(self) -> None:
        """Run all cells, one after the other."""
        self._command("notebook:run-all-cells")

    def start_all(self) -> None:
        """Begin to run all cells."""
        self.page.evaluate(_LISTEN)
        self._start("notebook:run-all-cells")

    def wait_until_told(self) -> None:
        """Wait until the browser has sent the size of a figure to the kernel, which is the first that it sends."""
        self.page.wait_for_function("() => window.vitpanelTold")

    def run_again(self, cell: int) -> None:
        """Run a cell that is there."""
        self._command("notebook:run-cell", cell)

    def run(self, code: str) -> str:
        """Run code in a new cell at the end, and return what it prints."""
        self._command("notebook:run-cell", code=code)
        return "".join("".join(each.get("text", "")) for each in self.outputs()[-1])

    def _command(self, name: str, cell: int = 0, code: str = "") -> None:
        """Do what an entry of a menu does, in a cell or a new one with some code, and wait until it is done."""
        self._start(name, cell, code)
        self.wait_until_done()

    def _start(self, name: str, cell: int = 0, code: str = "") -> None:
        self.page.evaluate(_COMMAND, [name, cell, code])

    def restart(self) -> None:
        """Restart the kernel, and wait until it is there again."""
        self.page.evaluate(_RESTART)
        self.wait_until_done()
        self.page.wait_for_function(_IS_READY)

    def wait_until_done(self) -> None:
        self.page.wait_for_function("() => window.vitpanelDone")
        assert self.page.evaluate("() => window.vitpanelDone") == "done"

    def outputs(self) -> list[list[dict[str, Any]]]:
        """Outputs of all cells, as the file of the notebook has them."""
        return self.page.evaluate(_OUTPUTS)

    def failures(self) -> list[str]:
        """Errors and warnings below any cell."""
        all_outputs = [each for outputs in self.outputs() for each in outputs]
        errors = ["\n".join(each["traceback"]) for each in all_outputs if each["output_type"] == "error"]
        return errors + ["".join(each["text"]) for each in all_outputs if each.get("name") == "stderr"]

    # -- figures ---------------------------------------------------------------------------------------------------

    def wait_for(self, *titles: str, patience: float = PATIENCE) -> None:
        """Wait until there is a figure for each of some words, in its title or as a column of its data."""
        is_there = f"words => {{ {FIGURES} return figures(words).length > 0; }}"
        for words in titles:
            self.page.wait_for_function(is_there, arg=words, timeout=patience)

    def wait_for_all(self, words: str, count: int) -> None:
        """Wait until so many figures have some words."""
        are_there = f"([words, count]) => {{ {FIGURES} return figures(words).length === count; }}"
        self.page.wait_for_function(are_there, arg=[words, count])

    def tap(self, words: str, x: float, y: float) -> None:
        """Click at a place, in data coordinates, of the last figure that has some words."""
        handle = self.page.wait_for_function(_PLACE, arg=[words, float(x), float(y)])
        self.page.mouse.click(*handle.json_value())


def place(study: Study, image: int) -> tuple[float, float]:
    """Where an image is on the map."""
    x, y = study["layout/images_drop"][image]
    return float(x), float(y)


def write_notebook(file: Path, *cells: str) -> Path:
    """Write a notebook with cells of code, and return its path."""
    code = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    listed = [{**code, "id": f"cell-{number}", "source": cell} for number, cell in enumerate(cells)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    file.write_text(json.dumps({"cells": listed, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}), "utf-8")
    return file


def environment(root: Path) -> dict[str, str]:
    """Variables with which Jupyter has all that it keeps below a folder, and its kernels find this vitpanel."""
    own = {"HOME": "home", "XDG_CACHE_HOME": "cache", "IPYTHONDIR": "ipython", "JUPYTER_CONFIG_DIR": "config"}
    own |= {"JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime", "JUPYTERLAB_SETTINGS_DIR": "settings"}
    own |= {"JUPYTERLAB_WORKSPACES_DIR": "workspaces"}
    for name in own.values():
        (root / name).mkdir(exist_ok=True)
    return {**os.environ, **{key: str(root / name) for key, name in own.items()}, "PYTHONPATH": str(ROOT)}


@contextmanager
def jupyter(root: Path, kind: Kind) -> Iterator[Lab]:
    """Serve a folder by JupyterLab or Notebook 7, which has all that it keeps below ``root``."""
    folder, news = root / "notebooks", root / "settings" / "@jupyterlab" / "apputils-extension"
    folder.mkdir()
    news.mkdir(parents=True)
    # Else it asks whether it may fetch news, over a part of the page.
    (news / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}', "utf-8")
    words = [sys.executable, "-m", kind.module, *_OPTIONS, f"--ServerApp.root_dir={folder}"]
    with serving(words, ready=r"(http://127\.0\.0\.1:\d+)/(?:lab|tree)", env=environment(root)) as server:
        yield Lab(server, folder, kind)
