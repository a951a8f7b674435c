"""Menus and boxes of the whole page: what they are called, and whether their words can be read."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.ui

# Each menu and box that is seen: its name, the words that it can show, and the pixels that these need and have.
_FIELDS = """() => {
  const pen = document.createElement("canvas").getContext("2d")
  const fields = (root) => [...root.querySelectorAll("*")].flatMap(el =>
    [...(el.matches("select, input:not([type=hidden])") ? [el] : []), ...(el.shadowRoot ? fields(el.shadowRoot) : [])])
  return fields(document).filter(el => el.getClientRects().length).map(el => {
    const style = getComputedStyle(el), words = [...(el.options ?? [])].map(option => option.text)
    pen.font = style.font
    return {
      name: el.getAttribute("aria-label") ?? el.labels?.[0]?.textContent ?? "",
      words: words.map(text => [text, pen.measureText(text).width]),
      room: el.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight),
    }
  })
}"""


def fields(page: Page) -> list[dict[str, Any]]:
    """All that can be seen when the atlas is open too."""
    page.get_by_role("button", name="Atlas of").click()
    expect(page.get_by_role("combobox", name="Order", exact=True)).to_be_visible()
    return page.evaluate(_FIELDS)


def test_menus_and_boxes_have_names_and_no_words_are_cut_off(shown):
    _, page = shown(width=1600, height=1000)
    found = fields(page)
    assert len(found) > 15
    assert [field for field in found if not field["name"].strip()] == []
    cut = [(one["name"], text) for one in found for text, width in one["words"] if width > one["room"]]
    assert cut == []
