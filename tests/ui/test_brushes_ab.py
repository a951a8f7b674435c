"""Brushing heads in view B and images in view A, in a browser: each gesture by mouse and by keyboard, and its marks."""

from typing import Any

import numpy as np
import panel as pn
import pytest
from playwright.sync_api import Page, expect

from tests.fakes import FakeInference
from tests.synthetic import write_synthetic_study
from vitpanel.state.brush import Ids, InRange, OfHead, OfLayers
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import open_study
from vitpanel.views.bridge import Bridge
from vitpanel.views.head_importance import HeadImportance
from vitpanel.views.image_overview import ImageOverview

pytestmark = pytest.mark.ui

N_HEADS = 6
_ALPHAS = "id => [...(Bokeh.documents[0].get_model_by_id(id)?.data.alpha ?? [])]"
_ACTIVE_DRAG = "id => Bokeh.documents[0].get_model_by_id(id).toolbar.active_drag?.dimensions ?? ''"
_COLOURS = "id => Bokeh.documents[0].get_model_by_id(id).data.colour"


class Opened:
    """One visitor's session with views A and B, and the page that shows them."""

    page: Page

    def __init__(self, study: Any) -> None:
        self.session = Session(study, selection=Selection(image=3, metric="jsd"), inference=FakeInference(study.spec))
        bridge = Bridge()
        self.a, self.b = ImageOverview(self.session, bridge), HeadImportance(self.session, bridge)

    @property
    def selection(self) -> Selection:
        return self.session.selection

    def layout(self) -> pn.Column:
        look: dict[str, Any] = {"sizing_mode": "stretch_both", "margin": 0}
        a = pn.Column(self.a, styles={"height": "380px", "width": "340px", "flex": "none"}, **look)
        return pn.Column(
            pn.Column(self.b, styles={"height": "340px", "width": "940px", "flex": "none"}, **look), a, **look
        )

    def row(self, flat: int) -> Any:
        return self.page.locator(f"#head-{flat}")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def is_armed(self, dimensions: str) -> bool:
        return self.page.evaluate(_ACTIVE_DRAG, self.b.curve.figure.id) == dimensions


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("ui") / "b.study"
    return open_study(write_synthetic_study(path, n_images=40, n_layers=6, n_heads=N_HEADS, rows=6, cols=6))


@pytest.fixture
def opened(app_page, study):
    """Open both views."""
    made = []

    def make():
        made.append(Opened(study))
        return made[-1].layout()

    page = app_page(make, width=960, height=760)
    made[-1].page = page
    return made[-1]


@pytest.fixture
def drag(page: Page, place_of, settle):
    """Drag from one point of a figure to another."""

    def act(fig: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
        settle()
        page.mouse.move(*place_of(fig, *start))
        page.mouse.down()
        page.mouse.move(*place_of(fig, *end), steps=6)
        page.mouse.up()

    return act


def test_a_drag_over_the_curve_brushes_heads_while_its_switch_is_on(opened, wait_until, settle, drag, act):
    curve, selection, page = opened.b.curve, opened.selection, opened.page
    act(lambda: selection.choose_head(0, 5))
    middle = float(np.mean([curve.figure.y_range.start, curve.figure.y_range.end]))
    opened.press("Drag across the curve to brush heads")
    wait_until(lambda: opened.is_armed("width"))
    settle()
    drag(curve.figure, (0.6, middle), (8.4, middle))
    wait_until(lambda: selection.heads == Ids((*((0, head) for head in range(1, 6)), (1, 0), (1, 1), (1, 2)), "head"))
    wait_until(lambda: "heads" in curve.strip._rows)
    source, _ = curve.strip._rows["heads"]
    wait_until(lambda: page.evaluate(_ALPHAS, source.id)[:9] == [0.1, *[1] * 8])
    assert opened.session.chosen_head == (0, 5)
    settle()  # the legend has got a line more
    page.keyboard.down("Shift")
    drag(curve.figure, (17.6, middle), (23.4, middle))
    page.keyboard.up("Shift")
    wait_until(lambda: opened.session.head_shares().values[3].all())  # noqa: PLW0108 - of each turn
    assert opened.session.head_shares().values.sum() == 14
    opened.press("Drag up or down to brush the heads whose mean lies there")
    wait_until(lambda: opened.is_armed("height"))
    mean = opened.session.importance_curve().mean.ravel()
    low, high = np.sort(mean)[[20, 35]] + [-1e-5, 1e-3]
    drag(curve.figure, (10, low), (20, high))
    wait_until(lambda: isinstance(selection.heads, InRange))
    assert opened.session.head_shares().values.sum() == pytest.approx(16, abs=1)  # the pointer is as exact as a pixel
    opened.press("Drag up or down to brush the heads whose mean lies there")
    wait_until(lambda: opened.is_armed(""))
    drag(curve.figure, (5, middle), (12.2, middle))
    wait_until(lambda: opened.session.chosen_head == (2, 0))


def test_tooltips_of_the_curve_say_what_is_brushed(opened, act, settle, point_at):
    curve, selection = opened.b.curve, opened.selection
    act(lambda: selection.mark(InRange("entropy", low=0.5)))
    act(lambda: selection.mark(Ids((2, 3), "token")))
    settle()
    shares = opened.session.head_shares().values.ravel()
    middle = float(np.mean([curve.figure.y_range.start, curve.figure.y_range.end]))
    point_at(curve.figure, 20, middle, opened.page.get_by_text(f"{shares[20]:.1%} of the images").first)
    share = opened.session.token_shares().values.ravel()[20]
    expect(opened.page.get_by_text(f"{share:.1%}", exact=True).first).to_be_visible()


def test_heads_are_brushed_in_the_list_by_mouse_and_by_key(opened, wait_until):
    selection, order = opened.selection, [int(flat) for flat in opened.session.ranking().order]

    def brushed():
        shares = opened.session.head_shares()
        return [] if shares is None else np.flatnonzero(shares.values).tolist()

    opened.row(order[1]).click(modifiers=["Control"])
    wait_until(lambda: brushed() == [order[1]])
    opened.row(order[4]).click(modifiers=["Shift"])
    wait_until(lambda: brushed() == sorted(order[1:5]))
    expect(opened.row(order[2])).to_have_class("head brushed")
    opened.row(order[2]).click(modifiers=["Control"])
    wait_until(lambda: brushed() == sorted([order[1], *order[3:5]]))
    expect(opened.row(order[2])).to_have_class("head")
    assert opened.session.chosen_head == (0, 0)
    opened.row(order[0]).click()
    wait_until(lambda: opened.session.chosen_head == divmod(order[0], N_HEADS))
    rows = opened.page.get_by_role("listbox", name="heads", exact=True)
    rows.press("Space")
    wait_until(lambda: order[0] in brushed())
    rows.press("ArrowDown")
    rows.press("ArrowDown")
    rows.press("Shift+Space")
    wait_until(lambda: brushed() == sorted(order[:5]))
    rows.press("Space")
    wait_until(lambda: brushed() == sorted([*order[:2], *order[3:5]]))
    opened.page.get_by_role("combobox", name="order of the heads").select_option("by share in the brush")
    expected = [*order[:2], *order[3:5], order[2], *order[5:]]
    expect(rows.get_by_role("option").nth(4)).to_have_id(f"head-{order[2]}")
    assert [int(flat) for flat in opened.b.ranked.heads.ranks["order"]] == expected
    expect(opened.row(order[0])).to_have_attribute("title", "brushed: yes")
    assert selection.pinned == []


def test_another_order_begins_with_its_first_head(opened, wait_until, act):
    rows, last = opened.page.get_by_role("listbox", name="heads", exact=True), int(opened.session.ranking().order[-1])
    opened.row(last).click()
    wait_until(lambda: opened.session.chosen_head == divmod(last, N_HEADS))
    wait_until(lambda: rows.evaluate("list => list.scrollTop") > 0)
    act(lambda: opened.selection.param.update(heads=OfLayers(0, 1)))
    opened.page.get_by_role("combobox", name="order of the heads").select_option("by share in the brush")
    wait_until(lambda: rows.evaluate("list => list.scrollTop") == 0)


def test_an_answer_to_an_earlier_choice_does_not_undo_a_later_one(opened, wait_until, act):
    heads, order = opened.b.ranked.heads, [int(flat) for flat in opened.session.ranking().order]
    rows = opened.page.get_by_role("listbox", name="heads", exact=True)
    opened.row(order[0]).click()
    rows.press("ArrowDown")
    rows.press("ArrowDown")
    wait_until(lambda: heads.choice[::2] == [order[2], 3])
    act(lambda: heads.mark(order[0], heard=1))
    act(lambda: heads.refuse("All that was said before has come."))
    expect(opened.page.get_by_text("All that was said before has come.")).to_be_visible()
    expect(opened.row(order[2])).to_have_attribute("aria-selected", "true")
    act(lambda: heads.mark(order[0], heard=3))
    expect(opened.row(order[0])).to_have_attribute("aria-selected", "true")


def test_rows_show_the_shares_of_both_brushes(opened, act):
    act(lambda: opened.selection.mark(InRange("entropy", low=0.5)))
    act(lambda: opened.selection.mark(Ids((2, 3), "token")))
    largest = int(opened.session.token_shares().values.argmax())
    bars = opened.row(largest).locator("i")
    expect(bars.nth(1)).to_have_attribute("style", "--part: max(1px, 100%);")
    expect(bars.nth(0)).to_be_visible()
    act(lambda: opened.selection.param.update(heads=None, tokens=None))
    expect(bars.nth(0)).to_be_hidden()
    expect(bars.nth(1)).to_be_hidden()


def test_a_filter_brushes_heads_by_layer_and_by_number(opened, wait_until):
    page, selection = opened.page, opened.selection
    opened.press("Brush by …")
    first, last = (page.get_by_role("spinbutton", name=name) for name in ("first layer", "last layer"))
    expect(first).to_be_focused()
    first.fill("1")
    last.fill("2")
    opened.press("Brush the heads of these layers")
    wait_until(lambda: selection.heads == OfLayers(1, 2))
    page.get_by_role("combobox", name="number of the heads").select_option("entropy")
    mean = opened.session.study.mean("entropy")
    expect(page.get_by_text(f"mean of a head: {mean.min():.3f} to {mean.max():.3f}")).to_be_visible()
    page.get_by_role("combobox", name="which end").select_option("at most")
    limit = page.get_by_role("spinbutton", name="limit")
    limit.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Type a number.")
    limit.fill("0.5")
    limit.press("Enter")
    wait_until(lambda: selection.heads == InRange("entropy", high=0.5, item="head"))
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="Brush the heads of these layers").click(modifiers=["Alt"])
    wait_until(lambda: opened.session.head_shares().values[[0, 3, 4, 5]].sum() == 0)
    opened.press("Brush by …")
    expect(first).to_be_hidden()


def test_brushed_heads_are_offered_as_colours_of_images(opened, act, wait_until):
    page, source = opened.page, opened.a.map.points
    menu, offer = (
        page.get_by_role("combobox", name="Colour"),
        page.get_by_role("button", name="Colour by the brushed heads"),
    )
    act(lambda: opened.selection.mark(InRange("entropy", low=0.5)))
    expect(offer).to_be_visible()
    labels = page.evaluate(_COLOURS, source.id)
    offer.click()
    expect(page.get_by_role("group", name="Heads in the brush (of 36)", exact=True)).to_be_visible()
    expect(menu).to_have_value("Heads in the brush")
    expect(offer).to_be_hidden()
    wait_until(lambda: page.evaluate(_COLOURS, source.id) != labels)
    act(lambda: opened.selection.param.update(heads=None))
    expect(page.get_by_text("No heads are brushed any more. Label:")).to_be_visible()
    expect(menu).to_have_value("Label")
    wait_until(lambda: page.evaluate(_COLOURS, source.id) == labels)


def test_a_part_of_the_scale_is_brushed_by_a_drag_and_by_keys(opened, wait_until):
    page, selection = opened.page, opened.selection
    page.get_by_role("combobox", name="Colour").select_option("p(label)")
    bar = page.get_by_role("slider", name="range of numbers to brush")
    box = bar.bounding_box()
    assert box is not None
    x, y = (lambda part: box["x"] + part * box["width"]), box["y"] + box["height"] / 2
    page.mouse.move(x(0.2), y)
    page.mouse.down()
    page.mouse.move(x(0.5), y, steps=4)
    expect(page.get_by_text("0.200 to 0.500")).to_be_visible()
    page.mouse.up()
    wait_until(lambda: selection.images is not None)
    brush = selection.images
    assert isinstance(brush, InRange)
    assert (brush.low, brush.high) == pytest.approx((0.2, 0.5), abs=0.005)
    page.get_by_role("combobox", name="Colour").select_option("Entropy")
    expect(page.get_by_role("group", name="Entropy of L0 H0", exact=True)).to_be_visible()
    bar.focus()
    for key in (*["ArrowRight"] * 10, "Home", *["ArrowRight"] * 40, "Enter"):
        bar.press(key)
    wait_until(lambda: isinstance(selection.images, OfHead))
    numbers = opened.session.image_numbers()
    low = numbers.low + 0.2 * (numbers.high - numbers.low)
    assert selection.images == OfHead("entropy", 0, 0, low=float(f"{low:.4g}"))
    page.mouse.click(x(0.5), y)  # no drag
    assert isinstance(selection.images, OfHead)


def test_all_images_that_match_are_brushed_from_the_search(opened, wait_until):
    page, names = opened.page, opened.session.study.images["label_name"]
    box = page.get_by_role("combobox", name="Image: id, file or class")
    box.fill("class 2")
    n = int((names == "class 2").sum())
    page.get_by_role("option", name=f"Brush all {n} with “class 2” in their names").click()
    wait_until(lambda: opened.session.brushed is not None)
    assert np.array_equal(opened.session.brushed, names == "class 2")
    assert opened.selection.image == 3
    box.fill("unlabelled")
    expect(page.get_by_role("option", name="Brush all")).to_be_visible()
    box.press("ArrowUp")  # the last entry
    box.press("Shift+Enter")
    wait_until(lambda: np.array_equal(opened.session.brushed, (names == "class 2") | (names == "")))
    assert opened.selection.image == 3
