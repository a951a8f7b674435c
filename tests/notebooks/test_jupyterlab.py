"""Notebooks in a real JupyterLab: figures are clicked, and what another figure, a view and Python say is compared."""

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.notebooks.lab import BEGIN, CHARTS, MAP, VIEW, Lab, Notebook, place
from vitpanel.study.reader import Study

pytestmark = pytest.mark.ui
MAPS = 3
# A column that the list of heads beside it has not: of the line of importance in the view.
LINE = "band"


def choose(notebook: Notebook, image: int) -> None:
    """Choose an image from code, and wait until the map's neighbour has heard of it."""
    notebook.run(f"selection.image = {image}")
    notebook.wait_for(f"Importance by Probability, image {image}")


def test_all_cells_run_without_a_complaint(tour: Notebook, lab: Lab):
    assert not tour.failures()
    assert (lab.folder / "heads.html").exists()
    tour.wait_for("links from sources to targets", "by pruning mode", "Top classes", "Entropy of all heads")


def test_a_tap_on_an_image_moves_charts_views_and_python(tour: Notebook, study: Study):
    choose(tour, 3)
    tour.tap(MAP, *place(study, 6))
    tour.wait_for("Importance by Probability, image 6", "image 6: where CLS looks", "Entropy of all heads, image 6")
    tour.page.wait_for_function("() => [...Bokeh.index.query(view => view.model.title?.text === 'image 6')].length")
    assert tour.run("print(selection.image)") == "6\n"


def test_a_choice_in_code_moves_what_is_shown(tour: Notebook):
    choose(tour, 6)
    assert not tour.run("selection.image = 3\nselection.choose_head(0, 1)")
    tour.wait_for("Importance by Probability, image 3", "L0 H1, image 3: where CLS looks", "L0 H1 by pruning mode")
    tour.page.wait_for_function("() => [...Bokeh.index.query(view => view.model.title?.text === 'image 3')].length")


def test_a_tap_in_a_view_moves_the_elements(tour: Notebook, study: Study):
    tour.run("selection.choose_head(0, 1)")
    tour.wait_for("L0 H1, image")
    tour.tap(LINE, study.spec.n_heads, 0.1)
    tour.wait_for("L1 H0, image")
    assert tour.run("print(selection.layer, selection.head)") == "1 0\n"


def test_a_cell_can_be_run_twice(tour: Notebook, study: Study):
    choose(tour, 3)
    tour.run_again(MAPS)
    tour.wait_for("Importance by Probability, image 3")
    tour.tap(MAP, *place(study, 7))
    tour.wait_for("Importance by Probability, image 7")
    assert tour.run("print(selection.image)") == "7\n"
    assert not tour.failures()


def test_a_second_notebook_and_a_restart(context: BrowserContext, lab: Lab, study: Study):
    notebook = lab.open(context, lab.write("second.ipynb", BEGIN, CHARTS))
    notebook.run_all()
    # JupyterLab complains of a restart while it gets ready to hear of clicks.
    notebook.tap(MAP, *place(study, 7))
    notebook.wait_for("Importance by Probability, image 7")
    notebook.restart()
    notebook.run_all()
    notebook.tap(MAP, *place(study, 6))
    notebook.wait_for("Importance by Probability, image 6")
    assert notebook.run("print(selection.image)") == "6\n"
    assert not notebook.failures()
    assert not notebook.complaints
    assert not notebook.abroad


# Each time another view of the same selection, all of which stay at hand.
VIEWS = f"""views = [*globals().get("views", []), {VIEW}]
views[-1]"""
CURVE = "curve = elements.importance_curve(study, selection)"
ASLEEP = "print([view.bridge.is_asleep for view in views])"
STRENGTH = "Entropy of all heads, image"


def test_what_a_cell_has_shown_draws_nothing_when_it_is_run_again_until_it_is_shown_again(
    context: BrowserContext, lab: Lab, study: Study
):
    notebook = lab.open(context, lab.write("again.ipynb", BEGIN, VIEWS, f"{CURVE}\ncurve", "first = curve\nfirst"))
    notebook.run_all()
    notebook.wait_for_all(f"{STRENGTH} 3", 1)
    notebook.run_again(1)
    notebook.run_again(2)
    assert notebook.run(ASLEEP) == "[True, False]\n"
    assert not notebook.run("selection.image = 6")
    notebook.wait_for_all(f"{STRENGTH} 6", 1)
    # The other cell still shows the first curve.
    notebook.wait_for_all("Importance by Probability, image 6", 2)
    notebook.run("views[0]")
    notebook.wait_for_all(f"{STRENGTH} 6", 2)
    assert notebook.run(ASLEEP) == "[False, False]\n"
    notebook.tap("Importance by Probability, image 6", 5, 0.1)
    notebook.wait_for_all("L1 H2: strength", 2)
    assert not notebook.failures()


def test_the_colours_of_a_dark_theme_stay_in_the_browser(tour: Notebook):
    tour.page.evaluate("() => jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    tour.page.wait_for_function(
        "() => Bokeh.documents.some(each => [...each.all_models].some(model => model.data?.dark === true))"
    )
    tour.run("selection.image = 3")
    tour.wait_for("Importance by Probability, image 3")
    assert not tour.failures()
    assert not [text for cell in tour.outputs() for text in printed(cell) if "Traceback" in text]


def printed(outputs: list[dict[str, Any]]) -> list[str]:
    """What is below a cell as text."""
    return ["".join(each["text"]) for each in outputs if each["output_type"] == "stream"]


def test_the_browser_has_nothing_to_complain_of(tour: Notebook):
    # When the words of a view change, Panel 1.9 asks for styles anew that the page has already.
    assert not [url for url in tour.abroad if not re.match(r"https://cdn\.holoviz\.org/panel/.*\.css", url)]
    assert not [text for text in tour.complaints if "Failed to load resource" not in text]
    expect(tour.page.locator(".vitpanel-unheard")).to_be_hidden()
