"""The table of cases in a browser: opened on demand, sorted, walked through, and closed, by mouse and by keys."""

import pytest
from playwright.sync_api import Page, expect

from vitpanel.app.explorer import Explorer
from vitpanel.state.brush import Ids

pytestmark = pytest.mark.ui


def rows(page: Page):
    return page.get_by_role("table", name="Heads on images").locator("tbody tr")


def cells(page: Page, column: int) -> list[str]:
    return rows(page).locator(f"td:nth-child({column})").all_inner_texts()


def chosen(explorer: Explorer) -> list[str]:
    return [str(number) for number in (explorer.selection.image, *explorer.selection.chosen_head)]


def test_a_case_is_found_and_gone_to(shown, wait_until):
    explorer, page = shown(width=1600, height=900)
    opener = page.get_by_role("button", name="Diagnosis", exact=True)
    expect(opener).to_have_attribute("aria-expanded", "false")
    assert "diagnosis" not in explorer.views
    opener.click()
    expect(rows(page)).to_have_count(15)
    page.get_by_role("combobox", name="Which heads on which images").select_option("Unstable heads")
    expect(page.get_by_text("standard deviations away from")).to_be_visible()
    page.get_by_role("combobox", name="Which heads on which images").select_option("All heads on all images")
    heading = page.get_by_role("columnheader", name="image", exact=True)
    for direction in ("ascending", "descending"):
        heading.get_by_role("button").click()
        expect(heading).to_have_attribute("aria-sort", direction)
    first = max(image for image, label in enumerate(explorer.session.study.images["label"]) if label >= 0)
    expect(rows(page).first.locator("td").first).to_have_text(str(first))
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_text("page 2 of")).to_be_visible()
    row = rows(page).nth(4)
    wanted = row.locator("td").all_inner_texts()[:3]
    row.locator("td").last.click()
    wait_until(lambda: chosen(explorer) == wanted)
    expect(row).to_have_attribute("aria-current", "true")
    expect(page.locator("tr[aria-current]")).to_have_count(1)


def test_it_is_used_and_closed_by_keys_alone(shown, wait_until):
    explorer, page = shown()
    opener = page.get_by_role("button", name="Diagnosis", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(15)
    expect(page.get_by_role("dialog", name="Diagnosis", exact=True)).to_be_focused()
    reached = page.get_by_role("button", name="Go to").first
    for _ in range(24):
        page.keyboard.press("Tab")
        if reached.evaluate("button => button.getRootNode().activeElement === button"):
            break
    expect(reached).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    wanted = [column[2] for column in (cells(page, at) for at in (1, 2, 3))]
    page.keyboard.press("Enter")
    wait_until(lambda: chosen(explorer) == wanted)
    page.keyboard.press("Escape")
    expect(rows(page).first).not_to_be_visible()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows(page).nth(2)).to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="Close Diagnosis").click()
    expect(rows(page).first).not_to_be_visible()


def test_one_esc_does_one_thing(shown, wait_until, act):
    explorer, page = shown()
    act(lambda: explorer.selection.param.update(images=Ids((0, 1))))
    page.get_by_role("button", name="Diagnosis", exact=True).click()
    expect(rows(page)).to_have_count(15)
    view = page.get_by_role("dialog", name="Diagnosis", exact=True)
    view.get_by_role("button", name="Maximise").click()
    expect(view.get_by_role("button", name="Return to all views (Esc)")).to_be_visible()
    page.keyboard.press("Escape")
    expect(view.get_by_role("button", name="Maximise")).to_be_visible()
    expect(rows(page).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(rows(page).first).not_to_be_visible()
    wait_until(lambda: not explorer.views["diagnosis"].maximised)
    assert explorer.selection.images is not None
    page.get_by_role("button", name="Diagnosis", exact=True).blur()
    page.keyboard.press("Escape")
    wait_until(lambda: explorer.selection.images is None)


def test_what_is_opened_last_takes_the_place_of_what_lay_over_the_page(shown):
    _, page = shown(width=1600, height=900)
    first, last = (page.get_by_role("button", name=name, exact=True) for name in ("Prune set", "Diagnosis"))
    first.click()
    expect(page.get_by_role("dialog", name="Prune set")).to_be_visible()
    last.click()
    expect(rows(page)).to_have_count(15)
    expect(page.get_by_role("dialog", name="Prune set")).to_be_hidden()
    expect(first).to_have_attribute("aria-expanded", "false")
    expect(last).to_have_attribute("aria-expanded", "true")
