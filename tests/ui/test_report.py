"""A report in a browser: as a file without a network, with notes, saved from the page; and a whole study."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.fakes import FakeModel
from tests.synthetic import write_synthetic_study
from tests.ui.conftest import PATIENCE
from vitpanel.app.report.folder import export_study
from vitpanel.app.report.parts import GROUPS
from vitpanel.app.report.report import write_report
from vitpanel.state.brush import OfClass
from vitpanel.state.selection import Selection
from vitpanel.study.reader import open_study

pytestmark = pytest.mark.ui
N_PARTS = sum(map(len, GROUPS.values()))
# Figures whose canvas has more than its ground on it.
_N_DRAWN = """() => [...(window.Bokeh?.index.roots ?? [])].filter(view => {
  if (!(view.bbox.width > 200 && view.bbox.height > 200)) return false
  const {canvas} = view.export("png"), pen = canvas.getContext("2d")
  return new Set(new Uint32Array(pen.getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size > 5
}).length"""
SHARED = ("bokeh.min.js", "draw.js", "style.css")
_FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@pytest.fixture
def opened(page: Page, wait_until, tmp_path: Path):
    """Open a report, or another file, without a network; what goes wrong or asks for anything fails the test."""
    complaints: list[str] = []
    page.set_default_timeout(PATIENCE * 1000)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.context.set_offline(True)

    def open_file(path: Path, *, n_drawn: int = N_PARTS, beside: tuple[str, ...] = ()) -> Page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.set_viewport_size({"width": 1280, "height": 720})
        page.goto(path.as_uri())
        wait_until(lambda: page.evaluate(_N_DRAWN) == n_drawn)
        files = [path.as_uri(), *(path.with_name(name).as_uri() for name in beside)]
        assert sorted(url for url in asked if not url.startswith(("data:", "blob:"))) == sorted(files)
        return page

    yield open_file
    assert not complaints, complaints


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Report of a small study, with all figures."""
    root = tmp_path_factory.mktemp("report")
    study = open_study(write_synthetic_study(root / "a.study"))
    selection = Selection(study, image=3, images=OfClass("class 0", "label"))
    return write_report(study, root / "r.html", selection=selection, live=FakeModel(study.spec))


def test_it_is_whole_without_a_network_and_is_printed(opened, report: Path):
    page = opened(report)
    assert page.evaluate(_FITS)
    expect(page.get_by_role("heading", level=1)).to_contain_text("synthetic_vit")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 1144, "height": 1658})
    assert page.evaluate(_FITS)
    assert page.evaluate("Math.max(...[...document.querySelectorAll('figure')].map(el => el.offsetHeight))") < 1658
    assert page.pdf(prefer_css_page_size=True, print_background=True).startswith(b"%PDF")


def test_figures_answer_the_pointer(opened, report: Path):
    page = opened(report)
    place = page.evaluate("""() => {
      const view = [...Bokeh.index.roots].find(view => view.model.title?.text?.startsWith("Heads by importance"))
      view.el.scrollIntoView({block: "center"})
      const points = view.model.renderers.find(renderer => renderer.glyph.type === "Scatter").data_source.data
      const [x, y] = [points.rank[2], points.importance[2]], box = view.canvas_view.el.getBoundingClientRect()
      return [box.left + view.frame.x_scale.compute(x), box.top + view.frame.y_scale.compute(y)]
    }""")
    page.mouse.move(*place)
    expect(page.locator(".bk-Tooltip").filter(has_text="rank").first).to_be_visible()


def test_notes_are_saved_with_it_and_are_text(opened, report: Path, tmp_path: Path):
    page = opened(report)
    notes = page.get_by_role("textbox", name="Notes")
    notes.click()
    page.keyboard.type("L0 H1 looks <b>left</b>")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save this report").click()
    again = tmp_path / "again.html"
    download.value.save_as(again)
    opened(again)
    expect(notes).to_have_text("L0 H1 looks <b>left</b>")


def test_an_exported_study_is_read_from_its_folder_alone(opened, wait_until, tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study"))
    index = export_study(study, tmp_path / "pages", images=[3, 5], live=FakeModel(study.spec)).index
    page = opened(index, n_drawn=index.read_text("utf-8").count("data-for="), beside=SHARED)
    assert page.evaluate(_FITS)
    n_drawn = (index.parent / "image-3.html").read_text("utf-8").count("data-for=")
    page.get_by_role("link", name="Image 3").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Image 3 ")
    wait_until(lambda: page.evaluate(_N_DRAWN) == n_drawn)
    assert page.evaluate(_FITS)
    page.get_by_role("link", name="Next: image 5").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Image 5 ")
    page.get_by_role("link", name="All images and heads").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("synthetic_vit")


def test_the_page_saves_a_report_of_what_is_looked_at(shown, act, tmp_path: Path):
    explorer, page = shown()
    act(lambda: explorer.selection.param.update(image=2, images=OfClass("cat", "label")))
    with page.expect_download() as download:
        page.get_by_role("button", name="Save a report of what is looked at").click()
        expect(page.get_by_text("The report is being made")).to_be_visible()
    assert download.value.suggested_filename == "tiny-report.html"
    expect(page.get_by_text("The report is being made")).to_be_hidden()
    text = download.value.path().read_text("utf-8")
    assert f"Brushed: {explorer.selection.images.words}" in text
    assert text.count("data-for=") == N_PARTS
    assert ">2 (" in text
