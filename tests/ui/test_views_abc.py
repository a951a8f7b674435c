"""Views A, B and C together in a browser, in the sizes that the app gives them."""

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
from vitpanel.views.attention_strength import AttentionStrength
from vitpanel.views.bridge import Bridge
from vitpanel.views.head_importance import HeadImportance
from vitpanel.views.image_overview import ImageOverview

pytestmark = pytest.mark.ui

LAYOUT = "layout/images_drop"
N_LAYERS, N_HEADS = 6, 6


class Opened:
    """One visitor's session and views, and the page that shows them."""

    def __init__(self, study):
        self.session = Session(study, selection=Selection(image=3), inference=FakeInference(study.spec))
        bridge = self.bridge = Bridge()
        self.a = ImageOverview(self.session, bridge)
        self.b = HeadImportance(self.session, bridge)
        self.c = AttentionStrength(self.session, bridge)

    @property
    def grip(self):
        """Where the middle of the grip is."""
        grip: Any = self.b.curve.grip
        return round((grip.left + grip.right) / 2, 6)

    def layout(self):
        fill = {"sizing_mode": "stretch_both", "margin": 0}

        def part(view, share):
            return pn.Column(view, styles={"flex": f"0 0 {share}", "min-width": "0", "min-height": "0"}, **fill)

        left = pn.Column(part(self.a, "45%"), part(self.c, "55%"), styles={"flex": "0 0 26%", "min-width": "0"}, **fill)
        right = pn.Column(part(self.b, "45%"), styles={"flex": "0 0 74%", "min-width": "0"}, **fill)
        return pn.Row(left, right, styles={"height": "calc(100vh - 60px)", "width": "100%"}, **fill)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("ui") / "ui.study"
    return open_study(write_synthetic_study(path, n_images=20, n_layers=N_LAYERS, n_heads=N_HEADS, rows=6, cols=6))


@pytest.fixture
def opened(app_page, study):
    """Open the views; the page is ``opened.page``."""

    def open_views(*, width=1280, height=800):
        made = []

        def make():
            made.append(Opened(study))
            return made[-1].layout()

        page = app_page(make, width=width, height=height)
        made[-1].page = page
        return made[-1]

    return open_views


def test_click_on_a_point_chooses_the_image_everywhere(opened, wait_until, place_of):
    app = opened()
    app.page.mouse.click(*place_of(app.a.map.figure, *app.session.study[LAYOUT][11]))
    wait_until(lambda: app.session.selection.image == 11)
    expect(app.page.get_by_text("image 11:")).to_be_visible()
    wait_until(lambda: app.b.curve.heads.data["chosen"][0] == app.session.importance_curve().chosen[0, 0])


def test_empty_click_keeps_the_choice_and_the_page_goes_on(opened, wait_until, place_of):
    app = opened()
    corner = app.a.map.figure
    app.page.mouse.click(*place_of(corner, corner.x_range.start, corner.y_range.start))
    app.page.get_by_role("button", name="Next image").click()
    wait_until(lambda: app.session.selection.image == 4)


def test_image_is_chosen_and_refused_by_its_id(opened, wait_until):
    app = opened()
    box = app.page.get_by_placeholder("id, file or class")
    expect(box).to_have_value("3")
    box.fill("17")
    box.press("Enter")
    wait_until(lambda: app.session.selection.image == 17)
    box.fill("<b>cat")
    box.press("Enter")
    expect(app.page.get_by_role("alert")).to_contain_text("No image matches '<b>cat'")
    app.page.get_by_role("button", name="All", exact=True).click()
    wait_until(lambda: app.session.selection.image is None)
    expect(app.page.get_by_text("All 20 images")).to_be_visible()


def test_hover_shows_names_as_text(opened, point_at):
    app = opened()
    image = int((app.session.study.images["label"] == 1).to_numpy().argmax())
    place = app.session.study[LAYOUT][image]
    point_at(app.a.map.figure, *place, app.page.get_by_text("label: T-shirt & <top>"))


def test_line_is_dragged_to_a_head_and_snaps(opened, wait_until, place_of):
    app = opened()
    fig = app.b.curve.figure
    mouse = app.page.mouse
    x, y = place_of(fig, 0, 0.02)
    mouse.move(x + 3, y)
    mouse.down()
    mouse.move(*place_of(fig, 6, 0.2), steps=4)
    mouse.move(*place_of(fig, 15.3, 0.2), steps=6)
    mouse.up()
    wait_until(lambda: app.session.chosen_head == (2, 3))
    wait_until(lambda: app.grip == 15)
    assert app.b.curve.line.location == 15
    wait_until(lambda: app.b.layer.value == 2)
    wait_until(lambda: app.c.bars.figure.title.text.startswith("L2 H3"))


def test_line_cannot_be_dragged_out(opened, wait_until, place_of):
    app = opened()
    fig = app.b.curve.figure
    mouse = app.page.mouse
    mouse.move(*place_of(fig, 0, 0.5))
    mouse.down()
    mouse.move(*place_of(fig, 20, 0.2), steps=4)
    mouse.move(*place_of(fig, 60, 0.2), steps=4)
    mouse.up()
    wait_until(lambda: app.session.chosen_head == (5, 5))
    wait_until(lambda: app.grip == 35)


def test_line_can_be_dragged_after_it_was_moved_from_elsewhere(opened, wait_until, place_of):
    app = opened()
    fig = app.b.curve.figure
    app.page.mouse.click(*place_of(fig, 20.2, 0.1))
    wait_until(lambda: app.session.chosen_head == (3, 2))
    wait_until(lambda: app.grip == 20)
    # The server hears of the grip before it is painted, and it can be taken where it was painted last.
    app.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    app.page.mouse.move(*place_of(fig, 20, 0.1))
    app.page.mouse.down()
    app.page.mouse.move(*place_of(fig, 9, 0.1), steps=6)
    app.page.mouse.up()
    wait_until(lambda: app.session.chosen_head == (1, 3))


def test_head_is_chosen_by_keyboard(opened, wait_until):
    app = opened()
    layer = app.page.get_by_label("Layer")
    layer.focus()
    layer.press("ArrowUp")
    wait_until(lambda: app.session.chosen_head == (1, 0))
    wait_until(lambda: app.b.curve.line.location == N_HEADS)


def test_bar_chooses_the_mode(opened, wait_until, place_of):
    app = opened()
    span = app.b.modes.figure.y_range
    app.page.mouse.click(*place_of(app.b.modes.figure, 5, (span.start + span.end) / 2))
    wait_until(lambda: app.session.selection.mode == 5)
    expect(app.page.get_by_role("combobox", name="Pruning mode")).to_have_value("5: patches→patches")


def test_metric_is_chosen_by_its_name(opened, wait_until):
    app = opened()
    app.page.get_by_role("combobox", name="Metric").select_option("CLS distance")
    wait_until(lambda: app.session.selection.metric == "cls")
    wait_until(lambda: app.b.curve.figure.yaxis.axis_label == "cosine distance, CLS token")


def test_failure_is_said_and_can_be_tried_again(opened, wait_until, place_of):
    app = opened()
    inference = app.session.inference
    inference.is_prompt = False
    app.page.mouse.click(*place_of(app.b.curve.figure, 8, 0.1))
    wait_until(lambda: app.session.modes.status == "running")
    expect(app.page.get_by_text("computing …").first).to_be_visible()
    note = app.page.locator(".note", has_text="The model is gone.").first
    again = app.page.get_by_role("button", name="Try again")
    for _ in range(2):
        inference.fail("modes", message="The model is gone.", hint="Bring it back.")
        expect(note).to_be_visible()
        # Over the whole chart, so that the words can be read.
        wait_until(lambda: (note.bounding_box() or {"width": 0})["width"] > app.b.modes.figure.inner_width)
        again.click()
        wait_until(lambda: app.session.modes.status == "running")
        expect(note).to_be_hidden()
    inference.is_prompt = True
    inference.fail("modes", message="The model is gone.", hint="Bring it back.")
    again.click()
    wait_until(lambda: app.session.modes.status == "done")
    expect(app.page.get_by_text("The model is gone.").first).to_be_hidden()


def test_click_in_the_scatter_chooses_the_head(opened, wait_until, place_of):
    app = opened()
    heads = app.c.scatter.heads.data
    app.page.mouse.click(*place_of(app.c.scatter.figure, float(heads["x"][23]), float(heads["value"][23])))
    wait_until(lambda: app.session.chosen_head == (3, 5))


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1600, 1000)])
def test_everything_has_room(opened, width, height):
    app = opened(width=width, height=height)
    figures = (
        app.a.map, app.b.curve, app.b.modes, app.b.predictions, app.c.scatter, app.c.bars, app.c.area,
    )  # fmt: skip
    for chart in figures:
        assert chart.figure.inner_width >= 110, chart
        assert chart.figure.inner_height > 90, chart
    for control in app.page.get_by_role("combobox").all():
        box = control.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width
    assert not app.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert re.match(r"\d", app.page.get_by_placeholder("id, file or class").input_value())
