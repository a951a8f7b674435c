"""View B in a browser: each act by mouse and by keyboard."""

import re
from typing import Any

import panel as pn
import pytest
from playwright.sync_api import expect

from tests.fakes import FakeInference
from tests.synthetic import write_synthetic_study
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import open_study
from vitpanel.views.bridge import Bridge
from vitpanel.views.head_importance import HeadImportance

pytestmark = pytest.mark.ui

N_HEADS = 6
_LOCATION = "id => Bokeh.documents[0].get_model_by_id(id).location"


class Opened:
    """One visitor's session and view, and the page that shows it."""

    page: Any

    def __init__(self, study):
        self.session = Session(study, selection=Selection(image=3), inference=FakeInference(study.spec))
        self.view = HeadImportance(self.session, Bridge())

    def layout(self):
        return pn.Column(self.view, styles={"height": "340px", "width": "940px"}, sizing_mode="stretch_width", margin=0)

    def row(self, flat):
        return self.page.locator(f"#head-{flat}")

    @property
    def order(self):
        return self.session.ranking().order


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("ui") / "b.study"
    return open_study(write_synthetic_study(path, n_images=20, n_layers=6, n_heads=N_HEADS, rows=6, cols=6))


@pytest.fixture
def opened(app_page, study):
    """Open the view; the page is ``opened.page``."""
    made = []

    def make():
        made.append(Opened(study))
        return made[-1].layout()

    page = app_page(make)
    made[-1].page = page
    return made[-1]


def test_line_that_rests_updates_the_rest_before_it_is_let_go(opened, wait_until, place_of):
    fig, mouse = opened.view.curve.figure, opened.page.mouse
    mouse.move(*place_of(fig, 0, 0.1))
    mouse.down()
    mouse.move(*place_of(fig, 9.4, 0.1), steps=5)
    wait_until(lambda: opened.session.chosen_head == (1, 3))
    mouse.move(*place_of(fig, 20.2, 0.1), steps=5)
    mouse.up()
    wait_until(lambda: opened.session.chosen_head == (3, 2))
    wait_until(lambda: opened.view.modes.figure.title.text.startswith("L3 H2"))


def test_arrow_keys_move_the_line_of_the_focused_curve(opened, wait_until):
    curve = opened.page.get_by_role("slider", name="chosen head")
    curve.focus()
    for key, head in (("ArrowRight", (0, 1)), ("ArrowUp", (1, 1)), ("ArrowLeft", (1, 0)), ("ArrowDown", (0, 0))):
        curve.press(key)
        wait_until(lambda head=head: opened.session.chosen_head == head)
    curve.press("ArrowDown")
    curve.press("End")
    wait_until(lambda: opened.session.chosen_head == (5, 5))
    expect(curve).to_have_attribute("aria-valuetext", "layer 5 head 5")
    expect(opened.page.get_by_label("Layer")).to_have_value("5")


def test_list_ranks_chooses_and_follows(opened, wait_until):
    order = opened.order
    rows = opened.page.get_by_role("listbox").get_by_role("option")
    expect(rows).to_have_count(36)
    expect(rows.first).to_have_id(f"head-{order[0]}")
    opened.row(order[2]).click()
    wait_until(lambda: opened.session.chosen_head == divmod(order[2], N_HEADS))
    opened.page.get_by_role("listbox").press("ArrowDown")
    wait_until(lambda: opened.session.chosen_head == divmod(order[3], N_HEADS))
    opened.page.get_by_role("combobox", name="Metric").select_option("JSD")
    expect(opened.page.get_by_text("JSD without the head (bits), this image")).to_be_visible()
    expect(rows.first).to_have_id(f"head-{opened.order[0]}")
    curve = opened.page.get_by_role("slider", name="chosen head")
    curve.press("Home")
    expect(opened.row(0)).to_have_attribute("aria-selected", "true")


def test_every_click_in_the_list_and_on_the_curve_counts(opened, act, wait_until, place_of):
    selection = opened.session.selection
    act(lambda: selection.choose_head(0, 1))
    expect(opened.row(1)).to_have_attribute("aria-selected", "true")
    opened.row(0).click()  # the first head, as the first click
    wait_until(lambda: opened.session.chosen_head == (0, 0))
    for _ in range(2):
        act(lambda: selection.choose_head(3, 2))
        expect(opened.row(20)).to_have_attribute("aria-selected", "true")
        opened.row(0).click()  # the head that was clicked last
        wait_until(lambda: opened.session.chosen_head == (0, 0))
    ranks = opened.page.get_by_role("listbox")
    for key, at in (("End", -1), ("Home", 0), ("End", -1)):
        act(lambda: selection.choose_head(3, 2))
        expect(opened.row(20)).to_have_attribute("aria-selected", "true")
        ranks.press(key)
        wait_until(lambda at=at: opened.session.chosen_head == divmod(int(opened.order[at]), N_HEADS))
    expect(opened.page.get_by_text("is 36 of 36")).to_be_visible()
    for _ in range(2):
        act(lambda: selection.choose_head(3, 2))
        wait_until(lambda: opened.page.evaluate(_LOCATION, opened.view.curve.line.id) == 20)
        opened.page.mouse.click(*place_of(opened.view.curve.figure, 9, 0.2))
        wait_until(lambda: opened.session.chosen_head == (1, 3))


def test_lines_of_the_list_are_drawn_on_the_scale_of_their_own_metric(opened, wait_until):
    def base() -> float:
        return float(opened.row(0).locator(".zero").get_attribute("y1"))

    def lowest() -> float:
        paths = [
            row.locator(".area").get_attribute("d")
            for row in opened.page.get_by_role("listbox").get_by_role("option").all()
        ]
        return max(float(y) for path in paths for y in re.findall(r",(-?[\d.]+)", path))

    at_first = base()
    assert at_first < 13  # a probability is lost or won
    for name, is_at_the_bottom in (("JSD", True), ("Probability", False)):
        opened.page.get_by_role("combobox", name="Metric").select_option(name)
        wait_until(lambda expected=13 if is_at_the_bottom else at_first: base() == pytest.approx(expected))
        assert lowest() < 13.01


def test_a_stepper_takes_one_number_after_the_other(opened, wait_until):
    box = opened.page.get_by_label("Layer", exact=True)
    box.click(position={"x": 12, "y": 15})
    for typed, taken in (("3", 3), ("5", 5), ("99", 5), ("1", 1)):
        opened.page.keyboard.press("Control+a")
        opened.page.keyboard.type(typed)
        opened.page.keyboard.press("Enter")
        wait_until(lambda taken=taken: opened.session.selection.layer == taken)
        expect(box).to_have_value(str(taken))
    opened.page.keyboard.press("ArrowUp")
    wait_until(lambda: opened.session.selection.layer == 2)


def test_the_question_mark_is_reached_by_tab_and_its_text_stays(opened):
    page = opened.page
    mark = page.get_by_role("button", name="How to read Head Importance")
    text = page.get_by_role("dialog", name="How to read Head Importance")
    mark.hover()
    expect(text).to_be_visible()
    text.hover()
    page.mouse.wheel(0, 2000)
    expect(text.get_by_text("Predictions.")).to_be_in_viewport()
    expect(text).to_be_visible()
    page.mouse.move(5, 330)
    expect(text).to_be_hidden()
    for _ in range(30):
        page.keyboard.press("Tab")
        if mark.evaluate("one => one.getRootNode().activeElement === one"):
            break
    page.keyboard.press("Enter")
    expect(text).to_be_visible()
    page.mouse.move(900, 330)
    expect(text).to_be_visible()
    page.keyboard.press("Escape")
    expect(text).to_be_hidden()


def test_heads_are_pinned_by_mouse_and_key_up_to_four(opened, wait_until):
    selection, order = opened.session.selection, [int(flat) for flat in opened.order]
    for flat in order[:3]:
        opened.row(flat).locator(".pin").click()
    wait_until(lambda: selection.pinned == [divmod(flat, N_HEADS) for flat in order[:3]])
    opened.row(order[3]).click()
    opened.page.get_by_role("listbox").press("p")
    wait_until(lambda: len(selection.pinned) == 4)
    opened.row(order[4]).locator(".pin").click()
    expect(opened.page.get_by_role("alert")).to_have_text("4 heads are pinned already. Unpin one first.")
    opened.row(order[0]).click()  # whatever comes next, the refusal is over
    expect(opened.page.get_by_role("alert")).to_have_count(0)
    opened.row(order[4]).locator(".pin").click()
    expect(opened.page.get_by_role("alert")).to_have_count(1)
    opened.row(order[3]).click()
    opened.page.get_by_role("button", name="Unpin", exact=True).click()
    wait_until(lambda: divmod(order[3], N_HEADS) not in selection.pinned)
    expect(opened.page.get_by_role("alert")).to_have_count(0)
    wait_until(lambda: len(opened.view.curve.pins.data["flat"]) == 3)


def test_pinned_heads_are_compared_on_one_scale(opened, wait_until, place_of, settle):
    session, figures = opened.session, opened.view.pinned.figures
    opened.page.get_by_role("button", name="Compare", exact=True).click()
    expect(opened.page.get_by_text("No head is pinned.")).to_be_visible()
    for flat in (1, 26, 35):
        opened.row(flat).locator(".pin").click()
    wait_until(lambda: session.selection.pinned == [(0, 1), (4, 2), (5, 5)])
    wait_until(lambda: list(figures.mode_bars.data["head"][::6]) == ["L0 H1", "L4 H2", "L5 H5"])
    label = session.reference_class
    expected = [
        session.inference.pruned_head(3, *head).probabilities[mode, label]
        for head in session.selection.pinned
        for mode in range(6)
    ]
    assert figures.mode_bars.data["number"] == pytest.approx(expected, abs=1e-6)
    settle()
    opened.page.mouse.click(*place_of(figures.strength, 1.5, 0.001))
    wait_until(lambda: session.chosen_head == (4, 2))
    assert figures.modes.inner_width > 300
    opened.page.get_by_role("button", name="Compare 3", exact=True).click()
    wait_until(lambda: not session.pinned.is_shown)
