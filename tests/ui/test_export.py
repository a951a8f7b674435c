"""The buttons of a view in a browser: the menu of files, and the one that fills the page."""

import base64
import io
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import panel as pn
import pytest
from PIL import Image
from playwright.sync_api import expect
from pyarrow import parquet

from tests.fakes import FakeInference
from tests.synthetic import write_synthetic_study
from vitpanel.state.brush import Ids, Matches
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import open_study
from vitpanel.theme.palette import BRUSH, rgb
from vitpanel.views.attention_strength import AttentionStrength
from vitpanel.views.bridge import Bridge
from vitpanel.views.image_overview import ImageOverview
from vitpanel.views.pattern_overview import PatternOverview

pytestmark = pytest.mark.ui
LINK = "{http://www.w3.org/1999/xlink}"
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
    drawn = ET.fromstring(svg)  # noqa: S314 - made by the page a moment ago
    below = [view.legend.caption, *view.colours.groups.names, *view.caption()]
    assert [text.text for text in drawn.iter(f"{SVG}text")][-len(below) :] == below
    assert drawn.get("viewBox") == f"0 0 {drawn.get('width')} {drawn.get('height')}"


def test_the_scale_of_a_number_is_saved_with_the_map(opened, act, wait_until):
    view = opened(ImageOverview)
    act(lambda: view.session.selection.param.update(colouring="entropy"))
    wait_until(lambda: view.legend.scale)
    _, svg = save(view, "Map of images · SVG")
    drawn = ET.fromstring(svg)  # noqa: S314 - made by the page a moment ago
    words, below = [text.text for text in drawn.iter(f"{SVG}text")], view.caption()
    assert words[-len(below) - 4 :] == ["Entropy of L0 H0", *view.legend.scale["words"], *below]
    fills = [rect.get("fill") for rect in drawn.iter(f"{SVG}rect")]
    assert fills[-len(view.legend.scale["colours"]) :] == view.legend.scale["colours"]
    _, png = save(view, "Map of images · PNG")
    assert Image.open(io.BytesIO(png)).height > view.page.evaluate(_SIZE, view.chart.figure.id)[1] + 30


def test_a_caption_says_what_is_seen_and_is_within_the_picture(opened, act, wait_until):
    view = opened(ImageOverview)
    brush = Ids(tuple(range(12))) & Matches("<b>T-shirt</b> & " + "very" * 40)
    act(lambda: view.session.selection.param.update(images=brush))
    wait_until(lambda: view.unbrush.visible)
    _, svg = save(view, "Map of images · SVG")
    drawn = ET.fromstring(svg)  # noqa: S314 - made by the page a moment ago
    words = [text.text or "" for text in drawn.iter(f"{SVG}text")]
    first, second = view.caption()
    assert first in words
    below = words[words.index(first) + 1 :]
    assert len(below) > 2
    assert "".join(below).replace(" ", "") == second.replace(" ", "")
    overhang = """text => {
      const box = document.createElement("div")
      box.innerHTML = text
      document.body.append(box)
      const edge = box.firstChild.getBoundingClientRect()
      const texts = [...box.querySelectorAll("text")].map(el => el.getBoundingClientRect())
      box.remove()
      return Math.max(...texts.map(({right, bottom}) => Math.max(right - edge.right, bottom - edge.bottom)))
    }"""
    assert view.page.evaluate(overhang, svg.decode()) <= 0


def test_the_points_of_a_map_are_in_its_svg(opened, wait_until):
    view = opened(PatternOverview)

    def n_colours():
        _, svg = save(view, "Map of heads · SVG")
        drawn = ET.fromstring(svg)  # noqa: S314 - made by the page a moment ago
        links = [image.get(f"{LINK}href") or image.get("href") or "" for image in drawn.iter(f"{SVG}image")]
        painted = [Image.open(io.BytesIO(base64.b64decode(link.partition("base64,")[2]))) for link in links]
        largest = max(painted, key=lambda picture: picture.height)  # the colour bar is another one
        return len(np.unique(np.asarray(largest.convert("RGBA")).reshape(-1, 4), axis=0))

    wait_until(lambda: n_colours() > 5)  # the server paints for the size that the browser has told


def test_signs_of_a_legend_are_as_large_as_its_words(opened, act, wait_until):
    view = opened(AttentionStrength)
    act(lambda: view.session.selection.param.update(images=Ids(tuple(range(8)))))

    def width(scale):
        _, png = save(view, "Distribution · PNG", scale=scale)
        pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
        is_purple = np.all(np.abs(pixels - rgb(BRUSH)) < 40, axis=-1)
        sign = is_purple[: pixels.shape[0] // 4, : pixels.shape[1] // 3]
        return len(np.flatnonzero(sign.any(0))) / scale

    wait_until(lambda: width(2) > 8)
    assert width(4) == pytest.approx(width(2), abs=2)


def test_lines_of_python_are_copied(opened):
    view = opened(ImageOverview)
    view.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for has_clipboard in (True, False):
        if not has_clipboard:  # as on a page that came without TLS
            view.page.evaluate("""() => {
              navigator.clipboard.writeText("")
              Object.defineProperty(navigator.clipboard, "writeText", {value: undefined})
            }""")
        view.page.get_by_role("button", name="Export", exact=True).click()
        view.page.get_by_role("button", name="Map of images · Copy as Python").click()
        expect(view.page.get_by_text("Copied: lines of Python")).to_be_visible()
        assert view.page.evaluate("navigator.clipboard.readText()") == view.records()[0]["python"]


def test_a_table_is_saved_as_parquet_with_what_it_is_of(opened):
    view = opened(ImageOverview)
    file, content = save(view, "Map of images · Parquet")
    assert file == "image-overview_L0H0_image3_by-drop.parquet"
    table = pd.read_parquet(io.BytesIO(content))
    pd.testing.assert_frame_equal(table, view.chart.table(), check_dtype=False)
    kept = parquet.read_schema(io.BytesIO(content)).metadata
    assert kept[b"vitpanel.head"] == b"L0 H0"


def test_the_table_of_all_heads_is_saved_and_what_is_not_shown_says_why(opened):
    view = opened(PatternOverview)
    file, csv = save(view, "Map of heads · CSV")
    assert file == "pattern-overview_L0H0_image3_patch-by-layer.csv"
    assert csv.decode() == view.table().to_csv(index=False)
    view.page.get_by_role("button", name="Export", exact=True).click()
    menu = view.page.locator(".menu")
    expect(menu.get_by_role("button", name="Pattern of the cluster · PNG")).to_be_disabled()
    expect(menu.get_by_text("Mark a cluster first.")).to_be_visible()
    expect(menu.get_by_role("button", name="Pattern of the cluster · Copy as Python")).to_have_count(0)
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
