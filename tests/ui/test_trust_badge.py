"""The badge in a browser."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.app.test_trust_badge import BAD, GOOD, PROBE, checked_study
from vitpanel.app.explorer import create_page

pytestmark = pytest.mark.ui


def test_the_badge_opens_its_figures_and_the_views_say_what_is_off(tmp_path: Path, app_page):
    study = checked_study(tmp_path / "a.study", [GOOD, BAD], head=PROBE)
    page = app_page(lambda: create_page(study))
    badge = page.get_by_role("button", name="1 of 2 checks passed")
    expect(badge).to_be_visible()
    figures = page.get_by_text("Each layer gives 3 matrices.")
    expect(figures).to_be_hidden()
    expect(page.get_by_text("Sums <differ>.").nth(2)).to_be_visible()  # strength, distribution and patterns
    badge.press("Enter")
    expect(figures).to_be_visible()
    expect(page.get_by_text("Off: C & D")).to_be_visible()
