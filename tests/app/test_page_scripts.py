"""The script of a page that a server makes: what its models need not bring."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from bokeh.document import Document
from panel.io.state import set_curdoc

from tests.serving import VITPANEL, get, serving
from tests.synthetic import write_synthetic_study
from vitpanel.app.page_scripts import load_scripts
from vitpanel.runtime.scripts import as_component
from vitpanel.views.figures.client import script
from vitpanel.views.popover import Popover


def esm(document: Document) -> tuple[str, list[str]]:
    """Script and own styles that a component brings to a page."""
    model: Any = Popover(text="words").get_root(document)
    return model.esm, [sheet for sheet in model.stylesheets if isinstance(sheet, str) and ".popover" in sheet]


def test_a_component_brings_its_script_where_the_page_has_none():
    text, styles = esm(Document())
    assert "export function render" in text
    assert styles == Popover.own_styles()


def test_a_component_brings_neither_script_nor_style_to_a_page_that_has_them():
    document = Document()
    load_scripts(document)
    assert esm(document) == (as_component(("vitpanel.views", "popover.js")), [])


def test_a_figure_only_names_a_script_that_the_page_has():
    document = Document()
    whole = script("read_link.js")
    load_scripts(document)
    with set_curdoc(document):
        short = script("read_link.js")
    assert len(short) < 200 < len(whole)
    assert short.partition("](")[2] == whole.rpartition("return read_link(")[2]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a small study below a prefix."""
    study = write_synthetic_study(tmp_path_factory.mktemp("served") / "x.study")
    words = [*VITPANEL, "serve", str(study), "--port", "0", "--no-show", "--no-live", "--prefix", "lab"]
    with serving(words, ready=r"open at (\S+)") as server:
        yield server.address


@pytest.mark.slow
def test_the_page_names_the_script_and_browsers_keep_it(address: str):
    page = get(address)
    (source,) = re.findall(r'<script src="(\S+scripts\.js\S+)">', page.text)
    answer = get(f"{address.rpartition('/')[0]}/{source}")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "immutable" in answer.headers["Cache-Control"]
    assert 'vitpanel["vitpanel.views/popover.js"] = ' in answer.text


@pytest.mark.slow
def test_a_script_of_another_version_is_not_kept_and_an_unknown_file_is_not_there(address: str):
    folder = f"{address.rpartition('/')[0]}/components/vitpanel/page"
    assert "immutable" not in get(f"{folder}/scripts.js?v=0").headers["Cache-Control"]
    assert get(f"{folder}/other.js").status == 404
    assert get(f"{folder}/../scripts.js").status == 404
