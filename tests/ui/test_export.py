"""The buttons of a view in a browser: the menu of files, and the one that fills the page."""

import io
from xml.etree import ElementTree as ET

import numpy as np
import panel as pn
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.fakes import FakeInference
from tests.synthetic import write_synthetic_study
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import open_study
from vitpanel.views.bridge import Bridge
from vitpanel.views.image_overview import ImageOverview
from vitpanel.views.pattern_overview import PatternOverview

pytestmark = pytest.mark.ui
SVG = "{http://www.w3.org/2000/svg}"
_SIZE = "id => { const {width, height} = Bokeh.index.find_one_by_id(id).bbox; return [width, height] }"


@pytest.fixture
def opened(app_page, tmp_path):
    """Open a view on a synthetic study; the page is ``view.page``."""

    def open_view(kind):
        study, made = open_study(write_synthetic_study(tmp_path / "a.study", n_images=20)), []

        def make():
            session = Session(study, selection=Selection(image=3), inference=FakeInference(study.spec))
            made.append(kind(session, Bridge()))
            return pn.Column(made[-1], styles={"height": "480px"}, width=400, margin=0)

        page = app_page(make, width=500, height=600)
        made[-1].page = page
        return made[-1]

    return open_view


def save(view, item, *, scale=1):
    """Name and content of what an item of the menu saves."""
    menu = view.page.locator(".menu")
    view.page.get_by_role("button", name="Export", exact=True).click()
    menu.get_by_label(f"{scale}×").check()
    with view.page.expect_download() as download:
        menu.get_by_role("button", name=item, exact=True).click()
    expect(menu).to_be_hidden()
    return download.value.suggested_filename, download.value.path().read_bytes()


def test_pictures_have_the_size_asked_for_and_the_legend(opened):
    view = opened(ImageOverview)
    width, height = view.page.evaluate(_SIZE, view.chart.figure.id)
    sizes, reach = {}, {}
    for scale in (1, 4):
        file, png = save(view, "Map of images · PNG", scale=scale)
        assert file == "image-overview_L0H0_image3_by-drop.png"
        picture = Image.open(io.BytesIO(png))
        sizes[scale] = picture.size
        pixels = np.asarray(picture.convert("RGB"))
        is_drawn = (pixels[: round(scale * height)] != pixels[0, 0]).any(-1)
        reach[scale] = [np.flatnonzero(is_drawn.any(axis)).max() / scale for axis in (0, 1)]
        legend = pixels[round(scale * height) + scale :]
        assert len(np.unique(legend.reshape(-1, 3), axis=0)) > 5
    assert sizes[1][0] == round(width)
    assert sizes[1][1] > height + 10
    assert sizes[4] == pytest.approx((4 * sizes[1][0], 4 * sizes[1][1]), abs=4)
    assert reach[4] == pytest.approx(reach[1], abs=3), "points lie in the same places"
    assert view.page.evaluate("window.devicePixelRatio") == 1
    _, svg = save(view, "Map of images · SVG")
    words = [text.text for text in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - made by the page a moment ago
    assert words[-1 - len(view.colours.groups.names) :] == [view.legend.caption, *view.colours.groups.names]


def test_the_scale_of_a_number_is_saved_with_the_map(opened, act, wait_until):
    view = opened(ImageOverview)
    act(lambda: view.session.selection.param.update(colouring="entropy"))
    wait_until(lambda: view.legend.scale)
    _, svg = save(view, "Map of images · SVG")
    drawn = ET.fromstring(svg)  # noqa: S314 - made by the page a moment ago
    words = [text.text for text in drawn.iter(f"{SVG}text")]
    assert words[-4:] == ["Entropy of L0 H0", *view.legend.scale["words"]]
    fills = [rect.get("fill") for rect in drawn.iter(f"{SVG}rect")]
    assert fills[-len(view.legend.scale["colours"]) :] == view.legend.scale["colours"]
    _, png = save(view, "Map of images · PNG")
    assert Image.open(io.BytesIO(png)).height > view.page.evaluate(_SIZE, view.chart.figure.id)[1] + 30


def test_the_table_of_all_heads_is_saved_and_what_is_not_shown_says_why(opened):
    view = opened(PatternOverview)
    file, csv = save(view, "Map of heads · CSV")
    assert file == "pattern-overview_L0H0_image3_patch-by-layer.csv"
    assert csv.decode() == view.table().to_csv(index=False)
    view.page.get_by_role("button", name="Export", exact=True).click()
    menu = view.page.locator(".menu")
    expect(menu.get_by_role("button", name="Pattern of the cluster · PNG")).to_be_disabled()
    expect(menu.get_by_text("Mark a cluster first.")).to_be_visible()
    view.page.keyboard.press("Escape")
    expect(menu).to_be_hidden()


def test_escape_closes_the_menu_before_it_makes_the_view_small(opened, wait_until):
    view = opened(ImageOverview)
    view.page.get_by_role("button", name="Maximise").click()
    wait_until(lambda: view.maximised)
    view.page.get_by_role("button", name="Export", exact=True).click()
    view.page.keyboard.press("Escape")
    expect(view.page.locator(".menu")).to_be_hidden()
    assert view.maximised
    view.page.keyboard.press("Escape")
    wait_until(lambda: not view.maximised)
    expect(view.page.get_by_role("button", name="Maximise")).to_be_visible()
