"""View C in a browser: two measures, hops that are highlighted, brush against rest, any number along an axis."""

import numpy as np
import panel as pn
import pytest
from playwright.sync_api import expect

from tests.synthetic import write_synthetic_study
from vitpanel.state.brush import Ids, InRange, mask_of
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import open_study
from vitpanel.views.attention_strength import AttentionStrength
from vitpanel.views.bridge import Bridge

pytestmark = pytest.mark.ui

_OF_MODEL = "([id, name]) => Bokeh.documents[0].get_model_by_id(id)?.[name]"
_COLUMN = "([id, name]) => Array.from(Bokeh.documents[0].get_model_by_id(id)?.data[name] ?? [])"
_ALPHA = "id => Array.from(Bokeh.documents[0].get_model_by_id(id).data.alpha)"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("ui") / "c.study"
    return open_study(write_synthetic_study(path, n_images=20, n_layers=6, n_heads=6, rows=6, cols=6))


@pytest.fixture
def view(app_page, study):
    """Open the view; the page is ``view.page``."""
    made = []

    def make():
        made.append(AttentionStrength(Session(study, selection=Selection(image=3)), Bridge()))
        return pn.Column(made[-1], styles={"height": "440px"}, width=340, margin=0)

    page = app_page(make, width=400, height=500)
    made[-1].page = page
    return made[-1]


def test_the_hop_pointed_at_is_highlighted_until_the_pointer_leaves(view, wait_until, place_of):
    def highlighted():
        alpha = view.page.evaluate(_ALPHA, view.bars.rings.id)
        return [hop for hop, value in enumerate(alpha) if value == 1]

    for hop in (2, 5):
        view.page.mouse.move(*place_of(view.bars.figure, hop, view.bars.figure.y_range.end * 0.2))
        wait_until(lambda hop=hop: highlighted() == [hop])
    expect(view.page.locator(".bk-Tooltip").get_by_text("mean").first).to_be_visible()
    view.page.mouse.move(*place_of(view.scatter.figure, 0, 0.3))
    wait_until(lambda: highlighted() == [])


def test_inset_is_square_and_in_the_corner(view):
    fig = view.bars.figure
    x, y = fig.extra_x_ranges["inset"], fig.extra_y_ranges["inset"]
    unit = fig.inner_width / (x.end - x.start)
    assert unit == pytest.approx(fig.inner_height / (y.end - y.start), rel=1e-6)
    assert 30 < 11 * unit < 0.5 * fig.inner_height
    top = max(view.bars.hops.data["mean"].max(), view.bars.hops.data["chosen"].max())
    assert top / fig.y_range.end * fig.inner_height + 11 * unit <= fig.inner_height


def test_distance_is_chosen_and_read_in_patches_and_pixels(view, wait_until, settle, point_at):
    view.page.get_by_role("combobox", name="Measure").select_option("Distance")
    wait_until(lambda: view.session.selection.measure == "distance")
    wait_until(lambda: view.page.evaluate(_OF_MODEL, [view.scatter.figure.y_range.id, "end"]) > 1.5)
    settle()
    distance, heads = view.session.study["distance"], view.scatter.heads.data
    point_at(view.scatter.figure, heads["x"][9], heads["value"][9], view.page.get_by_text("layer 1 head 3"))
    expect(
        view.page.get_by_text(f"{distance[3, 1, 3]:.2f} patches ({8 * distance[3, 1, 3]:.1f} pixels)")
    ).to_be_visible()
    expect(view.page.get_by_text(f"{view.session.study['entropy'][3, 1, 3]:.3f}", exact=True)).to_be_visible()
    line = view.area.line
    wait_until(lambda: view.page.evaluate(_OF_MODEL, [line.id, "location"]) == pytest.approx(distance[3, 0, 0]))


def test_brush_stands_against_the_rest_and_pins_are_marked(view, act, wait_until):
    page, legend = view.page, view.area.legend
    assert page.evaluate(_OF_MODEL, [legend.id, "visible"]) is False
    act(lambda: view.session.selection.param.update(images=Ids(tuple(range(8)))))
    wait_until(lambda: page.evaluate(_OF_MODEL, [legend.id, "visible"]))
    labels = "id => Bokeh.documents[0].get_model_by_id(id).items.map(item => item.label.value)"
    assert page.evaluate(labels, legend.id) == ["brush (8)", "the rest (12)"]
    act(lambda: view.session.selection.pin(4, 2))
    pinned = "id => Array.from(Bokeh.documents[0].get_model_by_id(id)?.data.value ?? [])"
    wait_until(lambda: view.scatter.pins.source is not None)
    wait_until(lambda: page.evaluate(pinned, view.scatter.pins.source.id) == [view.session.study["entropy"][3, 4, 2]])
    act(lambda: view.session.selection.param.update(image=None))
    wait_until(lambda: page.evaluate(_OF_MODEL, [view.area.line.id, "visible"]) is False)
    whiskers = view.scatter.heads.data
    assert (whiskers["upper"] > whiskers["lower"]).all()


def drag(page, corners, *keys):
    """Drag from the first of some places over the others, with keys held."""
    for key in keys:
        page.keyboard.down(key)
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=5)
    page.mouse.up()
    for key in keys:
        page.keyboard.up(key)


def heads_in(view, brush):
    return set(map(tuple, np.argwhere(mask_of(view.session.study, brush)).tolist()))


def test_any_number_goes_across_up_and_into_the_colours(view, wait_until, settle, point_at):
    page, study, fig = view.page, view.session.study, view.scatter.figure
    for menu, number in (("Across", "Distance"), ("Up", "JSD"), ("Colour", "Entropy")):
        page.get_by_role("combobox", name=menu).select_option(number)
    wait_until(lambda: page.evaluate(_OF_MODEL, [fig.xaxis[0].id, "axis_label"]) == "distance (patches)")
    wait_until(lambda: page.evaluate(_OF_MODEL, [fig.yaxis[0].id, "axis_label"]) == "JSD (bits)")
    wait_until(lambda: page.evaluate(_COLUMN, [view.scatter.heads.id, "value"])[9] == study["importance/jsd"][3, 1, 3])
    expect(page.locator(".said").get_by_text("entropy")).to_be_visible()
    settle()
    heads = view.scatter.heads.data
    assert np.allclose(heads["x"], study["distance"][3].ravel())
    assert np.isnan(heads["lower"]).all()
    point_at(fig, heads["x"][9], heads["value"][9], page.get_by_text("layer 1 head 3"))
    expect(page.get_by_text(f"{study['importance/jsd'][3, 1, 3]:.3f}", exact=True)).to_be_visible()
    expect(page.get_by_text(f"{study['distance'][3, 1, 3]:.2f} patches")).to_be_visible()
    page.get_by_role("combobox", name="Up").select_option("Probability")
    wait_until(lambda: fig.yaxis[0].axis_label == "probability lost")
    zero = next(part for part in fig.center if getattr(part, "dimension", "") == "width")
    wait_until(lambda: page.evaluate(_OF_MODEL, [zero.id, "visible"]))


def test_a_number_that_is_not_there_says_how_to_get_it(view, act):
    page = view.page
    page.get_by_role("combobox", name="Across").select_option("Brush effect")
    expect(page.get_by_text("No images are brushed.")).to_be_visible()
    act(lambda: view.session.selection.param.update(images=Ids(tuple(range(8)))))
    expect(page.get_by_text("No images are brushed.")).to_be_hidden()
    page.get_by_role("combobox", name="Across").select_option("Cohesion")
    expect(page.get_by_text("Counting cohesion")).to_be_hidden()
    assert np.isfinite(np.asarray(view.scatter.heads.data["x"], float)).all()


def test_a_box_marks_heads_and_shift_adds_others(view, wait_until, settle, place_of):
    page, fig, selection = view.page, view.scatter.figure, view.session.selection
    low, high = fig.y_range.start, fig.y_range.end

    def box(first, last, *keys):
        settle()
        before = selection.heads
        drag(page, [place_of(fig, first - 0.45, low), place_of(fig, last + 0.45, high)], *keys)
        wait_until(lambda: selection.heads != before)
        return heads_in(view, selection.heads)

    assert box(1, 2) == {(layer, head) for layer in (1, 2) for head in range(6)}
    wait_until(lambda: view.scatter.rings.source is not None)
    wait_until(lambda: page.evaluate(_COLUMN, [view.scatter.rings.source.id, "alpha"]) == [1] * 12)
    expect(page.locator(".said").get_by_text("brushed heads")).to_be_visible()
    assert box(4, 4, "Shift") == {(layer, head) for layer in (1, 2, 4) for head in range(6)}
    wait_until(lambda: len(page.evaluate(_COLUMN, [view.scatter.rings.source.id, "x"])) == 18)
    assert box(2, 4, "Alt") == {(layer, head) for layer in (2, 4) for head in range(6)}
    wait_until(lambda: bool(view.bars.legend.visible))
    labels = "id => Bokeh.documents[0].get_model_by_id(id).items.map(item => item.label.value)"
    wait_until(lambda: "12 heads" in page.evaluate(labels, view.bars.legend.id))
    settle()
    drag(page, [place_of(fig, 5.4, low), place_of(fig, 5.58, high)])  # beside all heads
    wait_until(lambda: selection.heads is None)
    wait_until(lambda: page.evaluate(_COLUMN, [view.scatter.rings.source.id, "x"]) == [])


def test_a_box_of_means_is_a_rule(view, act, wait_until, settle, place_of):
    page, fig, selection = view.page, view.scatter.figure, view.session.selection
    act(lambda: selection.param.update(image=None, scatter_x="distance"))
    wait_until(lambda: page.evaluate(_OF_MODEL, [fig.xaxis[0].id, "axis_label"]) == "distance (patches)")
    settle()
    middle = float(np.median(view.session.study.mean("entropy")))
    corners = [(fig.x_range.start, middle), (fig.x_range.end, fig.y_range.end)]
    drag(page, [place_of(fig, *corner) for corner in corners])
    wait_until(lambda: selection.heads is not None)
    assert isinstance(selection.heads, InRange)
    assert selection.heads.name == "entropy"
    assert heads_in(view, selection.heads) == {
        head for head in np.ndindex(6, 6) if view.session.study.mean("entropy")[head] >= selection.heads.low
    }


def test_a_lasso_marks_the_heads_that_it_surrounds(view, wait_until, settle, place_of):
    page, fig, heads = view.page, view.scatter.figure, view.scatter.heads.data
    page.get_by_role("button", name="Draw around heads to brush them").click()
    x, y = (float(heads[name][22]) for name in ("x", "value"))

    def draw_around(*keys: str) -> None:
        settle()  # what is brushed may move the points
        left, top = place_of(fig, x, y)
        corners = [(-7, -7), (7, -7), (7, 7), (-7, 7), (-7, -6)]
        drag(page, [(left + right, top + down) for right, down in corners], *keys)

    draw_around()
    wait_until(lambda: view.session.selection.heads is not None)
    marked = heads_in(view, view.session.selection.heads)
    assert (3, 4) in marked
    assert len(marked) < 12
    draw_around("Control", "Shift")
    wait_until(lambda: (3, 4) not in heads_in(view, view.session.selection.heads))


def test_brushes_of_tokens_and_of_heads_on_images_are_seen(view, act, wait_until):
    page, heads, selection = view.page, view.scatter.heads, view.session.selection
    plain = page.evaluate(_COLUMN, [heads.id, "colour"])
    act(lambda: selection.param.update(tokens=Ids((3, 4, 5), "token")))
    wait_until(lambda: page.evaluate(_COLUMN, [heads.id, "colour"]) != plain)
    expect(page.locator(".said").get_by_text("CLS to the tokens")).to_be_visible()
    darkest = int(np.nanargmax(view.session.token_shares().values))
    colours = page.evaluate(_COLUMN, [heads.id, "colour"])
    assert colours.count(colours[darkest]) < 18
    act(lambda: selection.param.update(heads=InRange("entropy", low=0.6, item="instance")))
    shares = view.session.head_shares().values.ravel()
    wait_until(lambda: view.scatter.rings.source is not None)
    wait_until(
        lambda: (
            page.evaluate(_COLUMN, [view.scatter.rings.source.id, "alpha"])
            == pytest.approx((0.25 + 0.75 * shares[shares > 0]).tolist())
        )
    )
    expect(page.locator(".said").get_by_text("share of images")).to_be_visible()
    act(lambda: selection.param.update(tokens=None, heads=None))
    wait_until(lambda: page.evaluate(_COLUMN, [heads.id, "colour"]) == plain)
    expect(page.locator(".said")).to_be_hidden()


def test_axes_are_in_the_address_and_come_back(shown, wait_until):
    explorer, page = shown()
    page.get_by_role("combobox", name="Across").select_option("Entropy")
    page.get_by_role("combobox", name="Up").select_option("Distance")
    page.wait_for_url("**/*scatter_x=entropy*scatter_y=distance*")
    page.reload()
    box = page.get_by_role("combobox", name="Across")
    expect(box).to_have_value("Entropy")
    expect(page.get_by_role("combobox", name="Up")).to_have_value("Distance")
    assert explorer.selection.scatter_x == "entropy"
