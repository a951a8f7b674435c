"""The log-in page in a browser: whom it asks, how it looks, and where it leads to."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.serving import VITPANEL, Server, serving
from tests.synthetic import write_synthetic_study

pytestmark = pytest.mark.ui
GROUNDS = {"light": "rgb(245, 245, 245)", "dark": "rgb(18, 18, 18)"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve a study to a user of a file."""
    folder = tmp_path_factory.mktemp("served")
    users = folder / "users.json"
    users.write_text('{"anna": "sesame"}', "utf-8")
    study = write_synthetic_study(folder / "x.study")
    words = [*VITPANEL, "serve", str(study), "--port", "0", "--no-show", "--no-live", "--basic-auth", str(users)]
    with serving(words, ready=r"open at (http://\S+)") as started:
        yield started


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_log_in_page_follows_the_theme_and_asks_nobody_else(server: Server, page: Page, theme):
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    page.emulate_media(color_scheme=theme)
    page.goto(f"{server.address}?image=1")
    expect(page).to_have_title("Log in - vitpanel")
    expect(page.get_by_role("heading", name="vitpanel")).to_be_visible()
    expect(page.locator("body")).to_have_css("background-color", GROUNDS[theme])
    expect(page.get_by_label("User name")).to_be_focused()
    assert asked == {urlsplit(server.address).netloc}


def test_the_log_in_page_says_what_is_wrong_and_leads_to_what_was_asked_for(server: Server, page: Page):
    page.goto(f"{server.address}?image=1")
    _log_in(page, "open")
    expect(page.get_by_role("alert")).to_have_text("The user name or the password is wrong.")
    _log_in(page, "sesame")
    expect(page).to_have_title("x · synthetic_vit · 2 layers × 3 heads · 12 images")
    assert "image=1" in page.url
    page.goto("about:blank")


def _log_in(page: Page, word: str) -> None:
    page.get_by_label("User name").fill("anna")
    page.get_by_label("Password").fill(word)
    page.get_by_role("button", name="Log in").click()
