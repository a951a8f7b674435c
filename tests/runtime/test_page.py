"""What a visitor sees when something fails while the page is used."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.runtime.light_app import SECRET
from tests.serving import Server

pytestmark = pytest.mark.ui


@pytest.fixture(scope="session")
def base_url() -> str:
    """Stand in for the fixture of pytest-base-url 2.1, which warns in pytest 9 (November 2026)."""
    return ""


def test_a_callback_that_fails_says_so_on_the_page(guarded: Server, page: Page):
    page.goto(guarded.address)
    page.get_by_role("button", name="Fail").click()
    message = page.get_by_text("Something went wrong on the server")
    expect(message).to_be_visible(timeout=30_000)
    incident = re.findall(r"under ([0-9a-f]{8})", message.inner_text())[0]
    assert guarded.says(f"Incident {incident}")
    assert guarded.says(SECRET)
    assert SECRET not in page.content()
