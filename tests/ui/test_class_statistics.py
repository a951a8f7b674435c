"""The matrix of classes and heads in a browser."""

import pytest
from playwright.sync_api import expect

from vitpanel.app.explorer import Explorer
from vitpanel.state.brush import OfClass, Or

pytestmark = pytest.mark.ui

_NAMED = "id => Bokeh.index.find_one_by_id(id).tick_coords.major.find(places => places.length > 0).length"


def test_it_is_opened_pointed_at_clicked_and_tested(shown, wait_until, place_of, point_at):
    explorer, page = shown()
    page.get_by_role("button", name="Class Statistics", exact=True).click()
    expect(page.get_by_text("Alike classes are side by side")).to_be_visible()
    view = explorer.views["class-statistics"]
    fig, matrix, selection = view.plot.figure, view.matrix, explorer.selection
    name = matrix.classes[matrix.class_order[2]]
    point_at(fig, 3, 2, page.locator(".bk-Tooltip").filter(has_text=f"{name} (4 images)"))
    page.mouse.click(*place_of(fig, 3, 2))
    wait_until(lambda: selection.images == OfClass(name, "label"))
    assert selection.chosen_head == divmod(int(matrix.head_order[3]), 3)
    page.keyboard.down("Shift")
    page.mouse.click(*place_of(fig, 5, 0))
    page.keyboard.up("Shift")
    wait_until(lambda: isinstance(selection.images, Or))
    page.get_by_role("button", name="Test the heads").click()
    expect(page.get_by_text("differ between the classes by more than chance")).to_be_visible()
    expect(page.get_by_role("button", name="Test the heads")).to_be_visible()
    page.get_by_role("combobox", name="Number").select_option("Entropy")
    wait_until(lambda: view.array == "entropy" and view.plot.bar.title.startswith("entropy"))
    page.get_by_role("combobox", name="Brush a class").select_option(name)
    wait_until(lambda: selection.images == OfClass(name, "label"))


def test_each_head_has_its_name_where_there_is_room(app_page, studies, wait_until):
    study, made = studies(n_layers=6, n_heads=6), []

    def build() -> Explorer:
        made.append(Explorer(study, views="class-statistics", is_whole=True))
        return made[-1]

    page = app_page(build, width=1280, height=600)
    expect(page.get_by_text("Alike classes are side by side")).to_be_visible()
    axis = made[-1].views["class-statistics"].plot.figure.xaxis[0]
    wait_until(lambda: page.evaluate(_NAMED, axis.id) == 36)
