"""D1 in a browser: every act on the map, by pointer and by button."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import panel as pn
import pytest
from playwright.sync_api import Page, expect

from tests.fakes import FakeInference
from tests.synthetic import write_synthetic_study
from vitpanel.drawing.points import is_inside
from vitpanel.state.brush import InPolygon, Near
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import open_study
from vitpanel.views.bridge import Bridge
from vitpanel.views.pattern_overview import PatternOverview

pytestmark = pytest.mark.ui
DOUBLE_CLICK = 400
_RANGES = """id => {
  const {x_range, y_range} = Bokeh.documents[0].get_model_by_id(id);
  return [x_range.start, x_range.end, y_range.start, y_range.end];
}"""
_UNITS = """id => {
  const {x_range, y_range, inner_width, inner_height} = Bokeh.documents[0].get_model_by_id(id);
  return [(x_range.end - x_range.start) / inner_width, (y_range.end - y_range.start) / inner_height];
}"""
_PICTURE = """id => {
  const {x, y, dw, dh, image} = Bokeh.documents[0].get_model_by_id(id).data;
  return image.length ? [x[0], x[0] + dw[0], y[0], y[0] + dh[0]] : [];
}"""


class Map:
    """The view on a page, and ways to act on it."""

    def __init__(self, page: Page, place_of: Callable[..., tuple[float, float]], view: Any) -> None:
        self.page, self._place_of, self.view = page, place_of, view
        self.session: Session = view.session
        self.figure = view.plot.figure

    @property
    def layout(self) -> np.ndarray:
        """Places of all heads."""
        return self.session.study[f"layout/{self.session.selection.pattern}"]

    @property
    def chosen(self) -> tuple[Any, int, int]:
        """Image, layer and head."""
        return (self.session.selection.image, *self.session.chosen_head)

    def is_drawn(self) -> bool:
        """Whether the picture in the browser is that of what is in sight there."""
        ranges = self.page.evaluate(_RANGES, self.figure.id)
        picture = self.page.evaluate(_PICTURE, self.view.plot.source.id)
        return len(picture) == 4 and np.allclose(ranges, picture)

    def is_even(self) -> bool:
        """Whether units of x and y are equally long, and the picture is that of what is in sight."""
        across, up = self.page.evaluate(_UNITS, self.figure.id)
        return across == pytest.approx(up) and self.is_drawn()

    def place(self, at: Any) -> tuple[float, float]:
        """Where a point of the map is on the page."""
        return self._place_of(self.figure, float(at[0]), float(at[1]))

    def drag(self, *places: Any) -> None:
        """Drag from the first place over the others."""
        first, *others = [self.place(at) for at in places]
        self.page.mouse.move(*first)
        self.page.mouse.down()
        for at in others:
            self.page.mouse.move(*at, steps=4)
        self.page.mouse.up()

    def button(self, name: str) -> Any:
        """One of the buttons on the map."""
        return self.page.get_by_role("button", name=name)

    def switch(self, name: str) -> Any:
        """One of the buttons on the map that stay pressed."""
        return self.page.get_by_label(name)


@pytest.fixture
def open_map(
    app_page: Callable[..., Page],
    place_of: Callable[..., Any],
    wait_until: Callable[..., None],
    settle: Callable[[], None],
    tmp_path: Path,
) -> Callable[..., Map]:
    """Open the view on a synthetic study, and wait until its picture is drawn and the map is at rest."""

    def open_it(**options: Any) -> Map:
        study, views = open_study(write_synthetic_study(tmp_path / "a.study", n_images=20)), []

        def build() -> pn.Column:
            session = Session(study, selection=Selection(image=3, **options), inference=FakeInference(study.spec))
            views[:] = [PatternOverview(session, Bridge())]
            return pn.Column(views[0], height=620, width=420)

        page = app_page(build)
        opened = Map(page, place_of, views[0])
        wait_until(opened.is_even)
        settle()
        return opened

    return open_it


def test_clicks_choose_a_head_and_back_returns(open_map: Callable[..., Map], wait_until: Callable[..., None]):
    shown = open_map()
    own = shown.layout[3].reshape(-1, 2)
    apart = np.linalg.norm(own[:, None] - own, axis=-1) + 99 * np.eye(len(own))
    layer, head = divmod(int(apart.min(0).argmax()), 3)
    shown.page.mouse.move(*shown.place(shown.layout[3, layer, head]))
    words = shown.view.plot.own.data["words"][3 * layer + head]
    expect(shown.page.get_by_text(words)).to_be_visible()
    shown.page.mouse.click(*shown.place(shown.layout[3, layer, head]))
    wait_until(lambda: shown.chosen == (3, layer, head))
    shown.page.wait_for_timeout(DOUBLE_CLICK)
    far = np.linalg.norm(shown.layout[..., None, :] - own, axis=-1).min(-1)
    target = tuple(int(i) for i in np.unravel_index(far.argmax(), far.shape))
    shown.page.mouse.move(*shown.place(shown.layout[target]))
    expect(shown.page.get_by_role("status").filter(has_text="within 8 pixels")).to_be_visible()
    nearest = shown.view.plot.answer.data["html"][0]
    assert f"L{target[1]} H{target[2]} on image {target[0]}" in nearest
    shown.page.mouse.click(*shown.place(shown.layout[target]))
    wait_until(lambda: shown.chosen[0] != 3)
    assert np.allclose(shown.layout[shown.chosen], shown.layout[target], atol=0.2)
    shown.button("Back").click()
    wait_until(lambda: shown.chosen == (3, layer, head))
    expect(shown.button("Back")).to_be_disabled()


def test_wheel_drag_and_buttons_draw_what_is_in_sight(open_map: Callable[..., Map], wait_until: Callable[..., None]):
    shown, picture = open_map(), "dw"
    home, middle = shown.view.plot.source.data[picture][0], shown.layout[3, 0, 0]

    def width() -> float:
        return shown.view.plot.source.data[picture][0]

    shown.page.mouse.move(*shown.place(middle))
    shown.page.mouse.wheel(0, -300)
    wait_until(lambda: width() < home and shown.is_drawn())
    left = shown.view.plot.source.data["x"][0]
    shown.drag(middle, middle + 1)
    wait_until(lambda: shown.view.plot.source.data["x"][0] < left and shown.is_drawn())
    before = width()
    shown.button("Zoom in").click()
    wait_until(lambda: width() == pytest.approx(before / 2) and shown.is_drawn())
    shown.button("Zoom out").press("Enter")  # the tooltip of its neighbour may lie over it
    wait_until(lambda: width() == pytest.approx(before) and shown.is_drawn())
    shown.button("Show all").press("Enter")
    wait_until(lambda: width() == pytest.approx(home) and shown.is_drawn())


def test_switches_change_what_is_drawn(open_map: Callable[..., Map], wait_until: Callable[..., None]):
    shown = open_map()
    shown.page.get_by_role("button", name="Points").click()
    wait_until(lambda: not shown.session.selection.density)
    shown.page.get_by_role("combobox", name="Layout").select_option("CLS")
    wait_until(lambda: shown.session.selection.pattern == "cls")
    shown.page.get_by_role("combobox", name="Colour").select_option("Class")
    expect(shown.page.get_by_text("T-shirt & <top>")).to_be_visible()
    assert shown.session.selection.map_colour == "class"
    shown.switch("Highlight the chosen head").click()
    wait_until(lambda: len(shown.view.plot.cloud.data["x"]) > 10)
    wait_until(shown.is_drawn)
    expect(shown.page.get_by_text("of its 15 nearest neighbours are")).to_be_visible()


def test_lasso_and_box_mark_a_cluster(
    open_map: Callable[..., Map], wait_until: Callable[..., None], settle: Callable[[], None]
):
    shown = open_map()
    selection, middle = shown.session.selection, np.median(shown.layout.reshape(-1, 2), axis=0)
    # The next drag is a lasso at once: the server is not asked.
    shown.switch("Select a cluster with a lasso").click()
    shown.drag(*(middle + np.array(corner) for corner in [(-3, -3), (3, -3), (3, 3), (-3, 3)]))
    wait_until(lambda: isinstance(selection.heads, InPolygon))
    drawn = selection.heads
    assert isinstance(drawn, InPolygon)
    lasso = np.array(drawn.x), np.array(drawn.y)
    expected = is_inside(shown.layout[..., 0].ravel(), shown.layout[..., 1].ravel(), lasso).sum()
    assert expected > 5
    expect(shown.page.get_by_text(f"{expected} heads")).to_be_visible()
    wait_until(lambda: len(shown.view.plot.marked.data["x"]) > 0)
    expect(shown.page.locator(".examples img")).to_have_count(6)
    wait_until(shown.is_even)
    settle()

    shown.switch("Select a cluster with a box").click()
    shown.drag(middle - 2, middle + 2)
    wait_until(lambda: isinstance(selection.heads, InPolygon) and len(selection.heads.x) == 4)
    inside = np.abs(shown.layout - middle).max(-1) < 2
    expect(shown.page.get_by_text("heads on")).to_contain_text(str(inside.sum()))
    shown.button("Clear the cluster").click()
    wait_until(lambda: selection.heads is None)
    expect(shown.page.get_by_text("heads on")).to_be_hidden()
    wait_until(shown.is_even)
    shown.switch("Select a cluster with a box").click()
    settle()
    left = shown.view.plot.source.data["x"][0]
    shown.drag(middle, middle + 1)
    wait_until(lambda: shown.view.plot.source.data["x"][0] < left and shown.is_drawn())
    assert selection.heads is None


def test_neighbours_of_the_chosen_head_and_their_examples(
    open_map: Callable[..., Map], wait_until: Callable[..., None]
):
    shown = open_map()
    shown.button("heads most like the chosen one").click()
    wait_until(lambda: isinstance(shown.session.selection.heads, Near))
    expect(shown.page.get_by_text("100 heads", exact=True)).to_be_visible()
    count = shown.page.get_by_role("spinbutton", name="Number of heads")
    count.fill("7")
    count.press("Enter")
    expect(shown.page.get_by_text("7 heads", exact=True)).to_be_visible()
    wait_until(lambda: shown.view.card.summary is not None and shown.view.card.summary.n_heads == 7)
    # A button means the head that its name says, also when another card is on its way.
    image, layer, head = shown.view.card.summary.examples[2]
    shown.button(f"Go to layer {layer} head {head} on image {image}").click()
    wait_until(lambda: shown.chosen == (image, layer, head))
