"""A page whose server is gone says so, and comes back with what was chosen."""

from collections.abc import Callable
from pathlib import Path

import panel as pn
import pytest
from playwright.sync_api import Page, expect

from tests.synthetic import write_synthetic_study
from tests.ui.conftest import ServerThread
from tests.ui.slow_link import SlowLink
from vitpanel.app.explorer import create_page
from vitpanel.study.reader import Study, open_study

pytestmark = pytest.mark.ui
LOST = "The connection to the server is lost."
_SHOWN = """() => window.Bokeh?.documents.length
  && [...Bokeh.index.query(view => view.canvas_view)].length > 10
  && ![...Bokeh.index.query(view => view.model.css_classes?.includes("vp-opening"))].length"""

_SURFACE = """() => getComputedStyle(
  [...Bokeh.index.query(view => view.model.css_classes?.includes("vp-view"))][0].el).getPropertyValue("--vp-surface")"""


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Return a small study."""
    return open_study(write_synthetic_study(tmp_path / "x.study"))


@pytest.fixture
def serve(study: Study):
    """Start servers of the study, which are stopped at the end."""
    started: list[ServerThread] = []

    def make():
        pn.extension()
        return create_page(study)

    def start(port: int = 0, **options) -> ServerThread:
        started.append(ServerThread(make, port=port, **options))
        started[-1].start()
        started[-1].wait()
        return started[-1]

    yield start
    for server in started:
        if server.is_alive():
            server.stop()
    pn.state.reset()


def open_page(page: Page, port: int, query: str = "") -> None:
    page.goto(f"http://localhost:{port}/{query}")
    page.wait_for_function(_SHOWN, timeout=120_000)


def choose_image(page: Page, image: int) -> None:
    box = page.get_by_role("combobox").first
    box.fill(str(image))
    box.press("Enter")
    page.wait_for_url(f"**image={image}*")


def expect_image(page: Page, image: int) -> None:
    page.wait_for_function(_SHOWN, timeout=120_000)
    expect(page.get_by_text(f"image {image}:").first).to_be_visible()


def test_a_server_that_comes_back_is_found_with_what_was_chosen(page: Page, serve: Callable[..., ServerThread]):
    server = serve()
    open_page(page, server.port)
    choose_image(page, 3)
    server.stop()
    expect(page.get_by_text(LOST)).to_be_visible()
    serve(server.port)
    page.wait_for_load_state("load")
    expect(page.get_by_text(LOST)).to_be_hidden(timeout=60000)
    expect_image(page, 3)


def test_a_connection_that_is_cut_is_made_anew(page: Page, serve: Callable[..., ServerThread]):
    server = serve(allow_websocket_origin=["*"])
    link = SlowLink(server.port, round_trip=0)
    link.start()
    open_page(page, link.wait())
    port = link.port
    choose_image(page, 2)
    link.stop()
    expect(page.get_by_text(LOST)).to_be_visible()
    again = SlowLink(server.port, round_trip=0, at=port)
    again.start()
    again.wait()
    expect(page.get_by_text(LOST)).to_be_hidden(timeout=60000)
    expect_image(page, 2)
    again.stop()


def test_nothing_can_be_clicked_while_the_connection_is_lost(page: Page, serve: Callable[..., ServerThread]):
    server = serve()
    open_page(page, server.port)
    server.stop()
    expect(page.get_by_text(LOST)).to_be_visible()
    box = page.get_by_role("combobox").first.bounding_box()
    assert box is not None
    hit = "([x, y]) => document.elementFromPoint(x, y).id"
    assert page.evaluate(hit, [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]) == "vp-lost"


def test_a_reload_and_the_browsers_back_restore_what_was_chosen(page: Page, serve: Callable[..., ServerThread]):
    open_page(page, serve().port, "?metric=jsd&image=1")
    expect_image(page, 1)
    choose_image(page, 3)
    page.reload()
    expect_image(page, 3)
    assert "metric=jsd" in page.url
    choose_image(page, 4)
    expect_image(page, 4)
    page.go_back()
    expect_image(page, 3)
    page.go_forward()
    expect_image(page, 4)


def test_an_address_that_asks_for_what_there_is_not_is_told_so(page: Page, serve: Callable[..., ServerThread]):
    open_page(page, serve().port, "?image=9999&metric=jsd")
    expect(page.get_by_text("The address asks for image 9999, which this study does not have.")).to_be_visible()


def test_the_title_is_no_link(page: Page, serve: Callable[..., ServerThread]):
    open_page(page, serve().port)
    assert page.get_by_role("link").count() == 0


def test_the_theme_stays_after_a_reload(page: Page, serve: Callable[..., ServerThread]):
    open_page(page, serve().port)
    page.get_by_role("button", name="Toggle theme").click()
    page.wait_for_url("**theme=dark*")
    page.reload()
    page.wait_for_function(_SHOWN, timeout=120_000)
    assert page.evaluate(_SURFACE) == "#1e1e1e"
