"""The sheet of tasks beside the views."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from vitpanel.app.explorer import Explorer

pytestmark = pytest.mark.ui

Opened = tuple[Explorer, Page]


def test_the_sheet_stays_while_a_person_works_and_keeps_what_is_ticked(
    shown: Callable[..., Opened], wait_until: Callable[..., None]
):
    explorer, page = shown(width=1280, height=720)
    button, sheet = page.get_by_role("button", name="Tasks", exact=True), page.get_by_role("dialog", name="Tasks")
    expect(sheet).to_be_hidden()
    button.click()
    expect(sheet.get_by_role("heading", name="Experiments to try")).to_be_visible()
    boxes = sheet.get_by_role("checkbox")
    expect(boxes).to_have_count(6)
    boxes.nth(1).check()
    expect(sheet).to_contain_text("1 of 6 done")
    image = explorer.selection.image
    page.get_by_role("button", name="Next image").click()
    wait_until(lambda: explorer.selection.image != image)
    page.keyboard.press("Escape")
    expect(sheet).to_be_visible()
    boxes.nth(0).focus()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(button).to_be_focused()
    page.reload()
    button.click()
    expect(sheet).to_contain_text("1 of 6 done")
    expect(boxes.nth(1)).to_be_checked()


def test_the_sheet_leaves_most_of_the_page_and_changes_sides(shown: Callable[..., Opened]):
    _, page = shown(width=1280, height=720)
    page.get_by_role("button", name="Tasks", exact=True).click()
    sheet = page.get_by_role("dialog", name="Tasks")
    expect(sheet.get_by_role("checkbox")).to_have_count(6)
    right = sheet.bounding_box()
    assert right is not None
    assert right["width"] < 0.3 * 1280
    assert right["y"] > 40, "the header stays free"
    sheet.get_by_role("button", name="Move the tasks to the other side").click()
    left = sheet.bounding_box()
    assert left is not None
    assert left["x"] < 10 < right["x"]
    sheet.get_by_role("button", name="Close the tasks").click()
    expect(sheet).to_be_hidden()
