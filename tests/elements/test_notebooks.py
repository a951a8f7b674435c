"""The code of the notebook and of its document runs, on a small study."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import holoviews as hv
import pytest
from bokeh.models import Plot

import vitpanel
from tests.fakes import FakeModel
from tests.synthetic import write_synthetic_study
from vitpanel import elements
from vitpanel.study.reader import Study, open_study

ROOT = Path(__file__).parents[2]
MOST_CELLS = 12


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Return a study where the code expects it, with a fake model."""
    study = open_study(write_synthetic_study(tmp_path / "X.study", n_images=40))
    monkeypatch.setattr(vitpanel, "live_model", lambda _: FakeModel(study.spec), raising=False)
    monkeypatch.setattr("vitpanel.demo.demo_study", lambda: tmp_path / "X.study")
    monkeypatch.chdir(tmp_path)
    return study


@pytest.fixture
def run(study: Study, plot: Callable[[Any], Any]) -> Callable[[list[str]], dict[str, Any]]:
    """Run pieces of code one after the other, and draw what the last line of each is."""

    def execute(pieces: list[str]) -> dict[str, Any]:
        names: dict[str, Any] = {}
        for piece in pieces:
            *lines, last = re.split(r"\n(?=\S)(?!\))", piece.strip())
            exec("\n".join(lines), names)  # noqa: S102 - our own code
            try:
                shown = eval(last, names)  # noqa: S307
            except SyntaxError:
                exec(last, names)  # noqa: S102
                continue
            if isinstance(shown, hv.core.Dimensioned):
                plot(shown)
        return names

    return execute


def test_the_tour_runs(run: Callable[[list[str]], dict[str, Any]], tmp_path: Path):
    notebook = json.loads((ROOT / "examples" / "tour.ipynb").read_text("utf-8"))
    assert len(notebook["cells"]) <= MOST_CELLS
    assert not any(cell.get("outputs") for cell in notebook["cells"])
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    explorer = "vitpanel.explore(study, "
    assert sum(explorer in cell for cell in code) == 1
    run([cell.replace(explorer, explorer + "live=False, ") for cell in code])
    assert (tmp_path / "heads.html").exists()


def test_the_document_runs(run: Callable[[list[str]], dict[str, Any]], tmp_path: Path):
    text = (ROOT / "docs" / "notebooks.md").read_text("utf-8")
    names = run(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL))
    assert names["selection"].chosen_head == (1, 2)
    assert (tmp_path / "curve.html").exists()


def test_the_document_names_every_element():
    text = (ROOT / "docs" / "notebooks.md").read_text("utf-8")
    assert {f"`{name}`" for name in elements.__all__ if name != "save"} <= set(re.findall(r"`\w+`", text))


def test_maps_and_charts_are_composed_on_one_selection(study: Study, plot: Callable[[Any], Any]):
    pytest.importorskip("vitpanel.elements.image_map")
    selection = vitpanel.Selection(study, image=12)
    images = elements.image_map(study, selection)
    heads = elements.pattern_map(study, selection, layout="offset", colour="layer")
    curve = elements.importance_curve(study, selection, metric="jsd") * hv.HLine(0.05)
    figures = list(plot((images + heads + curve).cols(3)).state.select({"type": Plot}))
    # Each shows all that it has, whatever the others have.
    assert len({fig.x_range.id for fig in figures}) == len({fig.y_range.id for fig in figures}) == 3
    selection.image = 13
    table = elements.importance_curve(study, selection, metric="jsd", table=True)
    assert table["chosen_image"].tolist() == study["importance/jsd"][13].ravel().tolist()
