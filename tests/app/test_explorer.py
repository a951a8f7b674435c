"""The page: made for good studies, in words for bad ones."""

import io
import shutil
from pathlib import Path
from typing import Any, cast

import panel as pn
import pytest
from bokeh.document import Document
from bokeh.models import Plot
from panel.io.state import set_curdoc

import vitpanel
from tests.synthetic import write_synthetic_study
from vitpanel.app.explorer import create_app, open_once
from vitpanel.app.page import create_frame
from vitpanel.app.study_card import study_title
from vitpanel.state.brush import Near
from vitpanel.study.reader import Study, open_study


@pytest.fixture(autouse=True)
def _fresh_panel():
    yield
    pn.state.reset()


def rendered(viewable: Any) -> Document:
    """Document with all models of a page."""
    document = Document()
    viewable.server_doc(document)
    return document


def test_what_is_wrong_with_a_study_is_said_on_the_page(tmp_path: Path):
    page = create_app(tmp_path / "<b>absent</b>.study")
    words = cast("Any", page.objects[-1]).object
    assert "There is no study at" in words
    assert "<b>absent" not in words


def test_a_study_that_goes_on_is_read_anew_and_keeps_its_model(tmp_path: Path):
    path, whole = (
        write_synthetic_study(tmp_path / name, finished=finished)
        for name, finished in (("x.study", False), ("y", True))
    )
    study, growing = open_once(path)
    assert not study.is_finished
    shutil.copytree(whole, path, dirs_exist_ok=True)
    later, same = open_once(path)
    assert later.is_finished
    assert same is growing
    assert same.service.study is later
    assert open_once(path)[0] is later


def test_the_title_says_how_many_images_are_done(tmp_path: Path):
    whole = open_study(write_synthetic_study(tmp_path / "a.study"))
    part = open_study(write_synthetic_study(tmp_path / "b.study", finished=False))
    assert study_title(whole).endswith("· 12 images")
    assert study_title(part).endswith("· 10 of 12 images, 3 of 3 classes so far")


def test_a_page_has_the_figures_of_all_views(tmp_path: Path):
    path = write_synthetic_study(tmp_path / "x.study")
    assert len(list(rendered(create_app(path)).select({"type": Plot}))) >= 10


def test_charts_that_nobody_asked_for_are_not_made(tmp_path: Path):
    explorer = vitpanel.explore(vitpanel.open_study(write_synthetic_study(tmp_path / "x.study")), live=False)
    document = rendered(pn.panel(explorer))
    views: Any = explorer.views
    pinned, cluster = views["head-importance"].pinned, views["pattern-overview"].card
    assert "figures" not in vars(pinned)
    assert cluster.map.figure.document is None
    views["head-importance"].compare.value = True
    explorer.selection.heads = Near(f"layout/{explorer.selection.pattern}", (1, 0, 0), 5)
    assert pinned.figures.modes.document is cluster.map.figure.document is document


@pytest.mark.parametrize(
    "more",
    [{"finished": False}, {"n_classes": 0}, {"prefix": ()}, {"rows": 2, "cols": 5}, {"n_layers": 1, "n_heads": 1}],
    ids=str,
)
def test_studies_of_every_kind_have_a_page(tmp_path: Path, more):
    path = write_synthetic_study(tmp_path / "x.study", **more)
    explorer = vitpanel.explore(vitpanel.open_study(path), live=False)
    assert rendered(pn.panel(explorer)).roots


@pytest.mark.slow
def test_two_cells_show_one_study_with_choices_of_their_own(live_study: Study):
    first, second = (vitpanel.explore(live_study) for _ in range(2))
    first.session.selection.choose_pattern(2, 1, 1)
    second.session.selection.choose_pattern(5, 0, 0)
    assert (first.session.selection.image, second.session.selection.image) == (2, 5)
    assert first.session.modes.status == second.session.modes.status == "done"


def test_a_title_is_no_html():
    title, written = '"><script>alert()</script>', io.StringIO()
    document = Document()
    with set_curdoc(document):
        page = create_frame(title, [])
    page.save(written, title=title, template=document.template)
    assert title not in written.getvalue()
    assert written.getvalue().count("&gt;&lt;script&gt;alert()") >= 2  # of the tab, and while it opens
