"""The tour, its offer, and larger type."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from vitpanel.app.explorer import Explorer
from vitpanel.state.brush import Ids

pytestmark = pytest.mark.ui

Opened = tuple[Explorer, Page]
TITLES = (
    "A: Image Overview",
    "B: Head Importance",
    "C: Attention Strength",
    "D: Pattern Overview and Attention Detail",
    "Brush in one view, see it in all",
)
_TYPE = "id => Bokeh.index.find_one_by_id(id)?.model.title.text_font_size"
_SIZE = "el => parseFloat(getComputedStyle(el).fontSize)"


@pytest.mark.parametrize(("width", "height", "theme"), [(1280, 720, "light"), (1067, 667, "dark")])
def test_the_tour_frames_a_part_of_the_page_at_each_step(
    shown: Callable[..., Opened], width: int, height: int, theme: str
):
    _, page = shown(width=width, height=height, query=f"?theme={theme}")
    page.get_by_role("button", name="New here? Tour").click()
    for title in TITLES:
        step = page.get_by_role("dialog", name=title)
        expect(step).to_be_focused()
        words, frame = step.bounding_box(), page.locator(".frame").bounding_box()
        assert words is not None
        assert frame is not None
        assert words["x"] >= 0
        assert words["y"] >= 0
        assert words["x"] + words["width"] <= width
        assert words["y"] + words["height"] <= height
        assert frame["width"] > 200
        assert frame["height"] > 100
        step.get_by_role("button", name="Done" if title == TITLES[-1] else "Next").click()
    expect(page.locator(".frame")).to_have_count(0)
    expect(page.get_by_role("button", name="Menu")).to_be_focused()


def test_a_view_that_fills_the_page_or_lies_over_it_makes_way_for_the_next_step(shown: Callable[..., Opened]):
    _, page = shown()
    page.get_by_role("button", name="Diagnosis").click()
    expect(page.get_by_role("dialog", name="Diagnosis")).to_be_visible()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Take the tour").click()
    expect(page.get_by_role("dialog", name=TITLES[0])).to_be_focused()
    expect(page.get_by_role("dialog", name="Diagnosis")).to_be_hidden()
    frame, larger = page.locator(".page-menu > .frame"), page.get_by_role("button", name="Maximise", exact=True)
    small = frame.bounding_box()
    larger.nth(1).click()  # of the second view, while the first one is framed
    expect(frame).to_be_hidden()
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.get_by_role("button", name="Return to all views")).to_have_count(0)
    expect(frame).to_be_visible()
    framed = frame.bounding_box()
    assert small is not None
    assert framed is not None
    assert framed["x"] > small["x"]
    assert framed["width"] < 1100
    larger.nth(1).click()  # the one that is framed
    expect(frame).to_be_visible()
    filling = frame.bounding_box()
    assert filling is not None
    assert filling["width"] > 1200


def test_the_tour_is_offered_once_and_can_be_asked_for_again(shown: Callable[..., Opened]):
    _, page = shown()
    offer = page.get_by_role("button", name="New here? Tour")
    expect(offer).to_be_visible()
    page.get_by_role("button", name="Do not offer the tour again").click()
    expect(offer).to_be_hidden()
    page.reload()
    menu = page.get_by_role("button", name="Menu")
    menu.click()
    expect(offer).to_be_hidden()
    page.get_by_role("button", name="Take the tour").click()
    expect(page.get_by_role("dialog", name=TITLES[0])).to_be_focused()
    page.get_by_role("button", name="Skip").click()
    expect(page.get_by_role("dialog", name=TITLES[0])).to_be_hidden()


def test_escape_ends_the_tour_and_clears_no_brush_and_back_goes_back(
    shown: Callable[..., Opened], wait_until: Callable[..., None], act: Callable[..., None]
):
    explorer, page = shown()
    act(lambda: explorer.selection.param.update(images=Ids((1, 2))))
    expect(page.get_by_role("button", name="New here? Tour")).to_be_hidden()  # the header has no room for it
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Take the tour").click()
    expect(page.get_by_role("dialog", name=TITLES[0])).to_be_focused()
    expect(page.get_by_role("button", name="Back", exact=True).and_(page.locator(".step button"))).to_be_disabled()
    page.get_by_role("button", name="Next", exact=True).click()
    page.locator(".step").get_by_role("button", name="Back").click()
    expect(page.get_by_role("dialog", name=TITLES[0])).to_be_focused()
    image = explorer.selection.image
    page.get_by_role("button", name="Next image").click()  # the page can be used meanwhile
    wait_until(lambda: explorer.selection.image != image)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name=TITLES[0])).to_be_hidden()
    assert explorer.selection.images is not None
    page.get_by_role("button", name="Menu").focus()
    page.keyboard.press("Escape")
    wait_until(lambda: explorer.selection.images is None)


def switch_larger_type(page: Page) -> None:
    """Press the switch in the menu, and close the menu."""
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("checkbox", name="Larger type").click()
    page.keyboard.press("Escape")


def test_larger_type_is_that_of_charts_and_of_all_words_and_is_kept(
    shown: Callable[..., Opened], wait_until: Callable[..., None]
):
    explorer, page = shown(width=1600, height=1000)
    view: Any = explorer.views["head-importance"]
    fig = view.curve.figure
    words = [
        page.get_by_role("button", name="Pin", exact=True),
        page.get_by_text("Attention Strength", exact=True).first,
    ]
    chart, sizes = page.evaluate(_TYPE, fig.id), [each.evaluate(_SIZE) for each in words]
    switch_larger_type(page)
    page.wait_for_url("**type=large*")
    assert page.evaluate(_TYPE, fig.id) != chart
    assert [each.evaluate(_SIZE) for each in words] == [1.25 * size for size in sizes]
    # A view that fills the page has the same sizes, also when it has returned.
    larger = page.evaluate(_TYPE, fig.id)
    page.get_by_role("button", name="Maximise").nth(1).click()
    wait_until(lambda: view.maximised)
    assert page.evaluate(_TYPE, fig.id) == larger
    page.keyboard.press("Escape")
    wait_until(lambda: not view.maximised)
    assert page.evaluate(_TYPE, fig.id) == larger
    # What comes later has them too.
    page.get_by_role("button", name="Compare").click()
    late = view.pinned_modes.figure
    wait_until(lambda: page.evaluate(_TYPE, late.id) == larger)
    page.goto(page.url.split("?")[0])
    expect(words[0]).to_have_css("font-size", f"{1.25 * sizes[0]:g}px")
    switch_larger_type(page)
    expect(words[0]).to_have_css("font-size", f"{sizes[0]:g}px")
    assert "type=" not in page.url


def test_larger_type_is_less_large_in_a_small_window_and_follows_its_size(
    shown: Callable[..., Opened], wait_until: Callable[..., None]
):
    explorer, page = shown(width=1280, height=720)
    view: Any = explorer.views["head-importance"]
    pin = page.get_by_role("button", name="Pin", exact=True)

    def sizes() -> tuple[float, float]:
        return float(page.evaluate(_TYPE, view.curve.figure.id).removesuffix("px")), pin.evaluate(_SIZE)

    title, word = sizes()
    switch_larger_type(page)
    page.wait_for_url("**type=large*")
    wait_until(lambda: sizes() == pytest.approx((1.1 * title, 1.15 * word), abs=0.06))
    page.set_viewport_size({"width": 1600, "height": 1000})
    wait_until(lambda: sizes() == pytest.approx((1.35 * title, 1.25 * word), abs=0.06))
    page.set_viewport_size({"width": 1280, "height": 720})
    wait_until(lambda: sizes() == pytest.approx((1.1 * title, 1.15 * word), abs=0.06))
    page.get_by_role("button", name="Maximise").nth(1).click()
    wait_until(lambda: sizes()[0] == pytest.approx(1.35 * title, abs=0.06))


def test_larger_type_leaves_all_in_its_place_on_a_projector(shown: Callable[..., Opened]):
    _, page = shown(width=1920, height=1080, query="?type=large")
    for axis in ("Width", "Height"):
        assert not page.evaluate(f"document.documentElement.scroll{axis} > window.inner{axis}")
    cut = page.evaluate("""() => {
      const inside = root => [...root.querySelectorAll("*")].flatMap(
        el => [el, ...(el.shadowRoot ? inside(el.shadowRoot) : [])])
      const header = inside(document).filter(el => el.matches("h1, h1 + p, .more, .offer"))
      return header.map(el => el.getBoundingClientRect()).filter(({top, bottom}) => top < 0 || bottom > 41).length
    }""")
    assert cut == 0


def test_a_caption_of_larger_type_is_shorter_where_it_has_no_room(
    shown: Callable[..., Opened], wait_until: Callable[..., None]
):
    explorer, page = shown(width=1920, height=1080, query="?type=large")
    view: Any = explorer.views["attention-detail"]
    fig = view.pictures.masks.figures["target"]

    def caption() -> str:
        return page.evaluate("id => Bokeh.index.find_one_by_id(id).model.title.text", fig.id)

    wait_until(lambda: caption() == "Attend to CLS")
    switch_larger_type(page)
    wait_until(lambda: caption() == "Patches that attend to CLS")
    switch_larger_type(page)
    wait_until(lambda: caption() == "Attend to CLS")
