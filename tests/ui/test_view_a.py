"""View A in a browser: pointing, searching, brushing, and a study of many images."""

import numpy as np
import panel as pn
import pytest
from playwright.sync_api import expect

from tests.synthetic import write_synthetic_study
from vitpanel.elements import density
from vitpanel.state.brush import InPolygon
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import open_study
from vitpanel.views.bridge import Bridge
from vitpanel.views.image_overview import ImageOverview

pytestmark = pytest.mark.ui

_FILL_ALPHA = "id => Bokeh.documents[0].get_model_by_id(id).fill_alpha.value"
_PICTURES = "id => Bokeh.documents[0].get_model_by_id(id).data.image[0].reduce((sum, pixel) => sum + (pixel > 0), 0)"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("ui") / "a.study", n_images=40))


@pytest.fixture
def opened(app_page, study):
    """Open the view; the page is ``view.page``."""

    def open_view():
        made = []

        def make():
            made.append(ImageOverview(Session(study, selection=Selection(image=3)), Bridge()))
            return pn.Column(made[-1], styles={"height": "380px"}, width=340, margin=0)

        page = app_page(make, width=400, height=500)
        made[-1].page = page
        return made[-1]

    return open_view


def test_pointing_shows_the_card_and_a_group_stands_out(opened, wait_until, place_of):
    view = opened()
    page, layout, images = view.page, view.session.study["layout/images_drop"], view.session.study.images
    assert view.session.selection.image == 3
    image = int((images["label"] == 1).to_numpy().argmax())
    page.mouse.move(*place_of(view.map.figure, *layout[image]))
    card = page.locator("b", has_text=f"image {view.pointer.data['image'][0]}")
    wait_until(lambda: view.pointer.data["image"][0] >= 0)
    shown = int(view.pointer.data["image"][0])
    expect(page.locator("b", has_text=f"image {shown}")).to_be_visible()
    expect(page.get_by_text(f"label: {images['label_name'][shown] or 'no label'}")).to_be_visible()
    button = page.get_by_role("button", name="T-shirt & <top>")
    button.hover()
    expect(card).to_be_hidden()
    wait_until(lambda: page.evaluate(_FILL_ALPHA, view.map.all.glyph.id) < 0.3)
    page.mouse.move(5, 490)
    wait_until(lambda: page.evaluate(_FILL_ALPHA, view.map.all.glyph.id) > 0.8)
    button.focus()
    wait_until(lambda: view.legend.pointed == 1)
    button.press("Enter")
    wait_until(lambda: view.session.brushed is not None)
    assert np.array_equal(view.session.brushed, images["label"] == 1)
    page.get_by_role("button", name="Clear").click()
    wait_until(lambda: view.session.selection.images is None)


def test_search_offers_names_and_takes_the_one_chosen(opened, wait_until):
    view = opened()
    box = view.page.get_by_role("combobox", name="Image: id, file or class")
    expect(box).to_have_value("3")
    box.fill("unlabelled/0013")
    option = view.page.get_by_role("option", name="13 · unlabelled/0013.png")
    option.click()
    wait_until(lambda: view.session.selection.image == 13)
    expect(box).to_have_value("13")
    box.fill("class 2")
    box.press("Enter")
    expect(view.page.get_by_role("alert")).to_contain_text("images match 'class 2'")
    expect(box).to_have_value("class 2")
    expect(box).to_have_attribute("aria-invalid", "true")
    assert view.session.selection.image == 13
    box.fill("21")
    box.press("Enter")
    wait_until(lambda: view.session.selection.image == 21)
    expect(view.page.get_by_text("image 21:")).to_be_visible()
    box.fill("unlabelled")
    expect(view.page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "Enter"):
        box.press(key)
    first = int((view.session.study.images["label_name"] == "").to_numpy().argmax())
    wait_until(lambda: view.session.selection.image == first)


def test_an_empty_box_means_all_images_only_on_enter_or_by_its_cross(opened, wait_until):
    view = opened()
    box = view.page.get_by_role("combobox", name="Image: id, file or class")
    box.fill("")
    box.press("5")
    box.press("Escape")
    box.press("Escape")
    expect(box).to_have_value("3")
    box.fill("")
    box.blur()
    expect(box).to_have_value("3")
    assert view.session.selection.image == 3
    box.fill("")
    box.press("Enter")
    wait_until(lambda: view.session.selection.image is None)
    box.fill("7")
    box.press("Enter")
    wait_until(lambda: view.session.selection.image == 7)
    view.page.get_by_role("button", name="All", exact=True).click()
    wait_until(lambda: view.session.selection.image is None)


def test_what_is_being_typed_is_not_overwritten(opened, act, wait_until):
    view = opened()
    box = view.page.get_by_role("combobox", name="Image: id, file or class")
    box.fill("sneak")
    act(lambda: view.session.selection.param.update(image=9))
    expect(view.page.get_by_text("image 9:")).to_be_visible()
    expect(box).to_have_value("sneak")
    box.blur()
    expect(box).to_have_value("9")
    act(lambda: view.session.selection.param.update(image=12))
    expect(box).to_have_value("12")


def test_double_click_shows_all_and_chooses_nothing(opened, wait_until, place_of):
    view = opened()
    fig, layout = view.map.figure, view.session.study["layout/images_drop"]
    home = fig.x_range.start
    view.page.mouse.move(*place_of(fig, *layout[8]))
    view.page.mouse.wheel(0, -300)
    wait_until(lambda: fig.x_range.start != home)
    view.page.mouse.dblclick(*place_of(fig, *layout[8]))
    wait_until(lambda: fig.x_range.start == home and view.session.selection.image == 3)


def test_box_and_lasso_brush(opened, wait_until, place_of):
    view = opened()
    fig, mouse, layout = view.map.figure, view.page.mouse, view.session.study["layout/images_drop"]
    x0, x1 = np.quantile(layout[:, 0], [0.3, 0.9])
    y0, y1 = np.quantile(layout[:, 1], [0.1, 0.6])
    ranges = fig.x_range.start, fig.y_range.start
    view.page.get_by_role("button", name="Drag a box to brush images").click()
    mouse.move(*place_of(fig, x0, y0))
    mouse.down()
    mouse.move(*place_of(fig, x1, y1), steps=4)
    mouse.up()
    wait_until(lambda: view.session.selection.images is not None)
    inside = (layout > [x0, y0]).all(1) & (layout < [x1, y1]).all(1)
    # A pixel at the edge may belong to either side.
    assert np.abs(view.session.brushed.sum() - inside.sum()) <= 2
    expect(view.page.get_by_text(f"{view.session.brushed.sum()} brushed")).to_be_visible()
    box = view.session.selection.images
    view.page.get_by_role("button", name="Draw around images to brush them").click()
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    card = view.page.locator("b", has_text="image ")
    mouse.move(*place_of(fig, *layout[8]))
    expect(card).to_be_visible()
    mouse.move(*place_of(fig, *corners[0]))
    mouse.down()
    for corner in corners[1:]:
        mouse.move(*place_of(fig, *corner), steps=4)
    mouse.move(*place_of(fig, *layout[8]), steps=4)
    expect(card).to_be_hidden()
    mouse.move(*place_of(fig, *corners[-1]), steps=4)
    mouse.up()
    wait_until(lambda: view.session.selection.images != box)
    assert isinstance(view.session.selection.images, InPolygon)
    assert len(view.session.selection.images.x) > 4
    assert np.abs(view.session.brushed.sum() - inside.sum()) <= 2
    assert (fig.x_range.start, fig.y_range.start) == ranges


def test_keys_held_while_a_box_is_drawn_combine_brushes(opened, wait_until, place_of):
    view = opened()
    fig, selection, layout = view.map.figure, view.session.selection, view.session.study["layout/images_drop"]
    view.page.get_by_role("button", name="Drag a box to brush images").click()
    middle, (low, high) = np.median(layout[:, 0]), np.quantile(layout[:, 1], [0.05, 0.95])
    left, right = np.quantile(layout[:, 0], [0.05, 0.95])

    def draw(keys: list[str], x0: float, x1: float) -> np.ndarray:
        before = selection.images
        for key in keys:
            view.page.keyboard.down(key)
        view.page.mouse.move(*place_of(fig, x0, low))
        view.page.mouse.down()
        view.page.mouse.move(*place_of(fig, x1, high), steps=4)
        view.page.mouse.up()
        for key in keys:
            view.page.keyboard.up(key)
        wait_until(lambda: selection.images != before)
        return view.session.brushed

    first = draw([], left, middle)
    both = draw(["Shift"], middle, right)
    assert both.sum() > first.sum()
    assert (both >= first).all()
    rest = draw(["Control", "Shift"], left, middle)
    assert not (rest & first).any()
    assert rest.sum() == both.sum() - first.sum()
    assert not draw(["Alt"], left, middle).any()


def test_layout_and_colours_are_switched_by_keyboard(opened, wait_until):
    view = opened()
    for name, option, is_done in (
        ("Layout", "JSD", lambda: view.session.selection.image_layout == "jsd"),
        ("Colour", "Right or wrong", lambda: view.session.selection.colouring == "correct"),
    ):
        view.page.get_by_role("combobox", name=name).select_option(option)
        wait_until(is_done)
    expect(view.page.get_by_role("button", name="wrong")).to_be_visible()
    expect(view.page.get_by_role("group", name="Right or wrong:")).to_be_visible()


def test_images_on_which_a_head_matters_most_are_two_acts_away(opened, wait_until, place_of):
    view = opened()
    page, selection = view.page, view.session.selection
    page.get_by_role("combobox", name="Colour").select_option("Importance")
    most = page.get_by_role("button", name=", at 99 %")
    most.click()
    importance = view.session.study["importance/probability"][:, 0, 0]
    wait_until(lambda: selection.image == int(np.argsort(importance, kind="stable")[round(0.99 * 39)]))
    expect(most).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("group", name="Probability lost without L0 H0", exact=True)).to_contain_text("±0")
    expect(page.get_by_text(f"image {selection.image}: {view.examples.examples[-1]['number']}")).to_be_visible()
    page.get_by_role("combobox", name="Colour").select_option("Label")
    expect(page.locator(".line", has_text=f"image {selection.image}:")).to_be_visible()
    expect(most).to_be_hidden()


def test_a_card_says_the_number_of_the_head_that_is_chosen_now(opened, act, point_at):
    view = opened()
    page, fig, layout = view.page, view.map.figure, view.session.study["layout/images_drop"]
    page.get_by_role("combobox", name="Colour").select_option("Entropy")
    expect(page.get_by_role("group", name="Entropy of L0 H0", exact=True)).to_be_visible()
    point_at(fig, *layout[8], page.get_by_text("Entropy of L0 H0: "))
    act(lambda: view.session.selection.choose_head(1, 2))
    expect(page.get_by_role("group", name="Entropy of L1 H2", exact=True)).to_be_visible()
    expect(page.get_by_text("Entropy of L0 H0: ")).to_be_hidden()
    point_at(fig, *layout[8], page.get_by_text("Entropy of L1 H2: "))


def test_many_images_are_a_picture_that_can_be_picked_from(opened, wait_until, place_of, monkeypatch):
    monkeypatch.setattr(density, "MOST_GLYPHS", 10)
    view = opened()
    page, layout = view.page, view.session.study["layout/images_drop"]
    assert view.map.all is None
    painted = page.evaluate(_PICTURES, view.map.source.id)
    assert 40 * 5 < painted <= 40 * 21
    x, y = place_of(view.map.figure, *layout[8])
    page.mouse.move(x, y)
    wait_until(lambda: view.pointer.data["image"][0] == 8)
    expect(page.locator("b", has_text="image 8")).to_be_visible()
    page.mouse.click(x, y)
    wait_until(lambda: view.session.selection.image == 8)
    page.mouse.wheel(0, -300)
    wait_until(lambda: view.map.source.data["dw"][0] < np.ptp(layout[:, 0]))
    wait_until(lambda: page.evaluate(_PICTURES, view.map.source.id) != painted)
