"""What a person chose is undone, done again, listed, kept, compared and linked, in a browser."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from vitpanel.app.explorer import Explorer
from vitpanel.drawing.viewport import bounds_of
from vitpanel.state.brush import Ids, OfClass, mask_of
from vitpanel.state.queries.image_set import set_table

pytestmark = pytest.mark.ui
Shown = Callable[..., tuple[Explorer, Page]]
_AT_REST = "text => window.location.search.includes(text)"


def step_image(page: Page, explorer: Explorer, wait_until: Callable[..., None], key: str = "]") -> int:
    """Choose the next image by its key; return it once the address has it."""
    before = explorer.selection.image
    page.keyboard.press(key)
    wait_until(lambda: explorer.selection.image != before)
    image = explorer.selection.image
    assert image is not None
    page.wait_for_function(_AT_REST, arg=f"image={image}")
    return image


def test_undo_and_redo_by_buttons_keys_and_the_browser_are_one_history(shown: Shown, wait_until):
    explorer, page = shown(query="?image=2")
    selection = explorer.selection
    undo, redo = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Redo")
    expect(undo).to_be_disabled()
    step_image(page, explorer, wait_until)
    step_image(page, explorer, wait_until)
    expect(undo).to_have_attribute("title", "Undo: image 3 → 4 (u or Alt+←)")
    undo.click()
    wait_until(lambda: selection.image == 3)
    page.wait_for_function(_AT_REST, arg="image=3")
    page.keyboard.press("Alt+ArrowLeft")
    wait_until(lambda: selection.image == 2)
    page.wait_for_function(_AT_REST, arg="image=2")
    expect(undo).to_be_disabled()
    page.keyboard.press("Alt+ArrowRight")
    wait_until(lambda: selection.image == 3)
    page.wait_for_function(_AT_REST, arg="image=3")
    redo.click()
    wait_until(lambda: selection.image == 4)
    page.wait_for_function(_AT_REST, arg="image=4")
    page.go_back()
    wait_until(lambda: selection.image == 3)
    expect(redo).to_have_attribute("title", "Redo: image 3 → 4 (r or Alt+→)")
    page.keyboard.press("u")
    wait_until(lambda: selection.image == 2)
    page.wait_for_function(_AT_REST, arg="image=2")
    page.go_forward()
    wait_until(lambda: selection.image == 3)
    assert len(selection.history.choices) == 3, "going back and forth adds no choice"


def test_with_nothing_to_undo_one_stays_on_the_page(shown: Shown, wait_until):
    explorer, page = shown()
    address = page.url
    for key in ("u", "Alt+ArrowLeft", "r", "Alt+ArrowRight"):
        page.keyboard.press(key)
    page.keyboard.press("]")  # what is answered comes after all that was asked before
    wait_until(lambda: len(explorer.selection.history.choices) == 2)
    page.keyboard.press("u")
    wait_until(lambda: not explorer.selection.history.before)
    page.keyboard.press("u")
    page.wait_for_function("address => window.location.href === address", arg=address)
    expect(page.get_by_role("button", name="Redo")).to_be_enabled()


def test_undo_goes_on_over_a_reload_by_the_browsers_back(shown: Shown, wait_until, settle):
    explorer, page = shown(query="?image=2")
    step_image(page, explorer, wait_until)
    page.reload()
    settle()
    expect(page.get_by_text("image 3:").first).to_be_visible()
    page.keyboard.press("]")
    expect(page.get_by_text("image 4:").first).to_be_visible()
    page.wait_for_function(_AT_REST, arg="image=4")
    page.go_back()
    expect(page.get_by_text("image 3:").first).to_be_visible()
    page.go_back()
    expect(page.get_by_text("image 2:").first).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_text("image 3:").first).to_be_visible()
    page.wait_for_function(_AT_REST, arg="image=3")


def test_a_press_on_a_picture_of_the_history_goes_there(shown: Shown, wait_until):
    explorer, page = shown(query="?image=2")
    selection = explorer.selection
    step_image(page, explorer, wait_until)
    step_image(page, explorer, wait_until)
    page.get_by_role("button", name="History").click()
    rows = page.get_by_role("dialog", name="Last choices").get_by_role("button")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("image 3 → 4")
    expect(rows.first).to_have_attribute("aria-current", "step")
    expect(rows.last.get_by_role("img", name="image 2")).to_be_visible()
    rows.last.click()
    wait_until(lambda: selection.image == 2)
    expect(page.get_by_role("dialog", name="Last choices")).to_be_hidden()
    page.get_by_role("button", name="History").click()
    expect(rows.last).to_have_attribute("aria-current", "step")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Last choices")).to_be_hidden()
    assert selection.image == 2


def test_a_brush_is_kept_and_another_one_compared_with_it(shown: Shown, wait_until):
    explorer, page = shown()
    selection, study = explorer.selection, explorer.session.study
    importance: Any = explorer.views["head-importance"]
    ranked = importance.ranked.heads
    groups = page.get_by_role("group", name="Label:").get_by_role("button")
    groups.nth(0).click()
    chip = page.get_by_role("group", name="Brushed images")
    expect(chip).to_contain_text(f"of {study.n_images} images")
    page.get_by_role("button", name="Brushes: invert, keep, compare").click()
    panel = page.get_by_role("dialog", name="Brushes")
    box = panel.get_by_role("textbox", name="Name under which to keep the brush of images")
    panel.get_by_role("button", name="Keep the brush of images").click()
    expect(panel.get_by_role("alert")).to_contain_text("Give it a name")
    box.fill("A & <b>")
    box.press("Enter")
    wait_until(lambda: "A & <b>" in selection.kept)
    panel.get_by_role("combobox", name="Compare with").select_option(label="“A & <b>”")
    wait_until(lambda: selection.against == "A & <b>")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.get_by_role("button", name="Brushes: invert, keep, compare").press("Enter")
    expect(panel).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    first, before = selection.images, ranked.effects
    assert first is not None, "Esc closes what is open and leaves the brush"
    groups.nth(1).click()
    wait_until(lambda: selection.images not in {None, first})
    expect(chip).to_contain_text("against “A & <b>”")
    masks = [mask_of(study, brush) for brush in (selection.images, first)]
    table = set_table(study, masks[0], f"importance/{selection.metric}", others=masks[1])
    wait_until(lambda: ranked.effects != before and "“A & <b>”" in ranked.effects["words"][0])
    effects = np.array([middle for _, middle, _ in ranked.effects["values"]], float)
    assert effects == pytest.approx(table["effect"].to_numpy(), rel=1e-3, nan_ok=True)
    page.wait_for_function(_AT_REST, arg="against=")
    page.reload()
    expect(chip).to_contain_text("against “A & <b>”")


def test_all_kinds_of_brushes_have_room_in_one_line(shown: Shown, act: Callable[..., None], wait_until):
    explorer, page = shown(width=1280, height=720)
    selection = explorer.selection
    for brush in (OfClass("cat"), Ids(((0, 0), (1, 1)), "head"), Ids((1, 2, 3), "token")):
        act(lambda brush=brush: selection.mark(brush))
    act(lambda: selection.keep("kept", Ids((1, 2))))
    names = ("images", "heads", "tokens")
    chips = [page.get_by_role("group", name=f"Brushed {name}") for name in names]
    for chip, words in zip(chips, ("images", "2 heads of 2 layers", "3 patches"), strict=True):
        expect(chip).to_contain_text(words)
    others = [
        page.get_by_role("button", name=name) for name in ("Brushes: invert", "Undo", "History", "Copy link", "Keys")
    ]
    parts = (page.get_by_role("heading", level=1), *chips, *others)
    boxes = [cast("dict[str, float]", part.bounding_box()) for part in parts]
    for left, right in pairwise(boxes):
        assert left["x"] + left["width"] <= right["x"] + 1
        assert right["y"] + right["height"] <= 40
    assert boxes[-1]["x"] + boxes[-1]["width"] <= 1280
    chips[1].get_by_role("button", name="Clear the brush of heads").click()
    wait_until(lambda: selection.heads is None)
    expect(chips[1]).to_be_hidden()


def test_a_link_is_copied_and_opens_what_was_chosen_for_somebody_else(shown: Shown, wait_until, browser: Browser):
    explorer, page = shown()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    image = step_image(page, explorer, wait_until, "[")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert f"study={explorer.session.study.fingerprint}" in link
    other = browser.new_context().new_page()
    other.goto(link)
    expect(other.get_by_text(f"image {image}:").first).to_be_visible()
    expect(other.get_by_role("button", name="Undo")).to_be_disabled()
    other.keyboard.press("]")
    expect(other.get_by_text(f"image {image + 1}:").first).to_be_visible()
    assert explorer.selection.image == image, "each visitor chooses alone"
    other.context.close()


def test_a_link_is_copied_where_the_browser_has_no_clipboard_for_scripts(shown: Shown):
    _, page = shown()
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.evaluate(
        "document.execCommand = (how) => { window.copied = [how, document.activeElement.value]; return true }"
    )
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
    assert page.evaluate("window.copied") == ["copy", page.url]


def test_a_link_of_another_study_says_so(shown: Shown):
    explorer, page = shown(query="?study=0123456789ab&image=3")
    expect(page.get_by_text("The address was made for another study")).to_be_visible()
    assert explorer.selection.image == 3


def test_the_part_of_the_map_in_sight_is_in_the_address_and_comes_back(shown: Shown, wait_until, settle):
    explorer, page = shown()
    selection = explorer.selection
    page.get_by_role("button", name="Zoom in about").click()
    wait_until(lambda: selection.viewport is not None)
    said = "viewport=" + "+".join(map(str, selection.viewport or ()))
    page.wait_for_function(_AT_REST, arg=said)
    page.reload()
    settle()
    choice = page.url
    page.keyboard.press("]")
    page.wait_for_function("before => window.location.href !== before", arg=choice)
    assert said in page.url


def test_a_wheel_turn_is_told_once_it_has_come_to_rest(shown: Shown, wait_until, place_of):
    explorer, page = shown()
    selection, view = explorer.selection, cast("Any", explorer.views["pattern-overview"])
    home = view.plot.figure.x_range.start
    x, y = (sum(ends) / 2 for ends in (view.viewport.seen.x, view.viewport.seen.y))
    page.mouse.move(*place_of(view.plot.figure, x, y))
    for _ in range(3):
        page.mouse.wheel(0, -200)
    wait_until(lambda: selection.viewport is not None and selection.viewport == bounds_of(view.viewport.seen))
    assert len(selection.history.choices) == 2
    page.keyboard.press("u")
    wait_until(lambda: selection.viewport is None)
    wait_until(lambda: view.plot.figure.x_range.start == pytest.approx(home))
