"""What a person sees before the views are there, and which theme the page has then."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from vitpanel.app.explorer import Explorer, create_page
from vitpanel.study.reader import Study

pytestmark = pytest.mark.ui

GROUND = "() => getComputedStyle(document.documentElement).backgroundColor"
LIGHT, DARK = "rgb(245, 245, 245)", "rgb(18, 18, 18)"
Opened = tuple[Explorer, Page]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_thing_seen_is_words_on_the_ground_of_the_theme(
    app_page: Callable[..., Page], page: Page, page_study: Study, wait_until: Callable[..., None], scheme: Any
):
    page.emulate_media(color_scheme=scheme)
    app_page(lambda: create_page(page_study))
    held: list[Route] = []

    def hold(route: Route) -> None:  # a method of the list would not do: Playwright writes on what it is given
        held.append(route)

    page.route("**/bokeh.min.js*", hold)
    page.reload(wait_until="commit")
    words = page.get_by_role("status")
    expect(words).to_contain_text("Opening the views …")
    assert page.evaluate(GROUND) == (DARK if scheme == "dark" else LIGHT)
    wait_until(lambda: bool(held))
    for route in held:
        route.continue_()
    expect(page.get_by_role("button", name="Toggle theme")).to_be_visible()
    expect(words.filter(has_text="Opening the views …")).to_be_hidden()


def test_a_theme_that_was_chosen_is_kept_and_an_address_goes_before_it(shown: Callable[..., Opened]):
    _, page = shown()
    assert page.evaluate(GROUND) == LIGHT
    page.get_by_role("button", name="Toggle theme").click()
    page.wait_for_url("**theme=dark*")
    plain = page.url.split("?")[0]
    page.goto(plain)
    assert page.evaluate(GROUND) == DARK
    page.goto(f"{plain}?theme=light")
    assert page.evaluate(GROUND) == LIGHT
    page.goto(f"{plain}?theme=neither")
    assert page.evaluate(GROUND) == DARK


def test_a_theme_of_the_system_is_not_written_into_the_address(
    shown: Callable[..., Opened], page: Page, wait_until: Callable[..., None]
):
    page.emulate_media(color_scheme="dark")
    explorer, _ = shown()
    wait_until(lambda: all(view.dark for view in explorer.views.values()))
    assert "theme" not in page.url
    page.get_by_role("button", name="Toggle theme").click()
    wait_until(lambda: not any(view.dark for view in explorer.views.values()))
    page.goto(page.url)
    assert page.evaluate(GROUND) == LIGHT


def test_the_header_says_why_these_are_shown_first_until_something_is_chosen(shown: Callable[..., Opened]):
    _, page = shown()
    line = page.get_by_role("heading", level=1).locator("+ p")
    expect(line).to_contain_text("the most important head")
    page.get_by_role("button", name="Next image").click()
    expect(line).to_be_hidden()
