"""View C in a browser: two measures, hops that are highlighted, brush against rest."""

import panel as pn
import pytest
from playwright.sync_api import expect

from tests.synthetic import write_synthetic_study
from vitpanel.state.brush import Ids
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import open_study
from vitpanel.views.attention_strength import AttentionStrength
from vitpanel.views.bridge import Bridge

pytestmark = pytest.mark.ui

_OF_MODEL = "([id, name]) => Bokeh.documents[0].get_model_by_id(id)[name]"
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
    pinned = "id => Array.from(Bokeh.documents[0].get_model_by_id(id).data.value)"
    wait_until(lambda: page.evaluate(pinned, view.scatter.pins.id) == [view.session.study["entropy"][3, 4, 2]])
    act(lambda: view.session.selection.param.update(image=None))
    wait_until(lambda: page.evaluate(_OF_MODEL, [view.area.line.id, "visible"]) is False)
    whiskers = view.scatter.heads.data
    assert (whiskers["upper"] > whiskers["lower"]).all()
