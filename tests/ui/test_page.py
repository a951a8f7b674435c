"""The whole page on a study of a real model: room, themes, files, views that fill the page."""

import io
import os
import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from bokeh.core.types import ID
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from vitpanel.app.explorer import Explorer
from vitpanel.theme.palette import TEXT, dark_colours
from vitpanel.views.registry import views as known_views
from vitpanel.views.view_tools import VIEW_CLASS

pytestmark = pytest.mark.ui

SIZES = [(1180, 710), (1280, 800), (1600, 1000), (1920, 1080)]
SVG = "{http://www.w3.org/2000/svg}"
_FIGURES = """() => [...Bokeh.index.query(view => view.canvas_view)].map(view => {
  const {left, top, right, bottom} = view.canvas_view.el.getBoundingClientRect()
  const {canvas} = view.export("png")
  const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer)
  return {name: view.model.title.text, box: [left, top, right, bottom], colours: new Set(pixels).size}
}).filter(({box}) => box[2] > box[0])"""
_PARTS = """() => {
  const views = [...Bokeh.index.query(view => view.model.css_classes?.includes("vp-view"))]
  const box = (el) => { const r = el.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom] }
  const is_seen = ([left, top, right, bottom]) => right > left && bottom > top
  const inside = (el) => [...el.querySelectorAll("*")].flatMap(child =>
    [...(child.matches("button, input") ? [child] : []), ...(child.shadowRoot ? inside(child.shadowRoot) : [])])
  return views.map(view => ({box: box(view.el), controls: inside(view.shadow_el).map(box).filter(is_seen)}))
}"""
_COLOURS = """ids => ids.map(id => {
  const {title, below} = Bokeh.index.find_one_by_id(id).model
  return [title.text_color, ...below.map(axis => axis.major_label_text_color?.value ?? axis.major_label_text_color)]
})"""
_ARE_BUILT = "ids => ids.every(id => Bokeh.index.find_one_by_id(id))"
_SIZE = "id => { const box = Bokeh.index.find_one_by_id(id)?.bbox; return [box?.width ?? 0, box?.height ?? 0] }"
_TYPE = "id => Bokeh.index.find_one_by_id(id)?.model.title.text_font_size"
_STOPS = """() => {
  const path = []
  for (let el = document.activeElement; el; el = el.shadowRoot?.activeElement) path.push(el)
  return path.some(el => el.classList.contains("bk-Figure"))
}"""
_GROUND = """() => [...Bokeh.index.query(view => view.model.css_classes?.includes("vp-view"))].map(
  view => getComputedStyle(view.el).getPropertyValue("--vp-surface"))"""

_SHEETS = """() => [...Bokeh.index.query(view => view.canvas_view)].flatMap(
  view => [...view.renderer_views.values()].map(renderer => renderer.position?.el).filter(el => el))"""
_REWRITTEN = f"""async () => {{
  let n = 0
  const observer = new MutationObserver(records => {{ n += records.length }})
  const paint = () => [...Bokeh.index.query(view => view.canvas_view)].forEach(view => {{
    view._invalidate_all = true
    view._actual_paint()
  }})
  paint()  // for the first time, where a figure was hidden
  for (const el of ({_SHEETS})()) observer.observe(el, {{childList: true}})
  paint()
  await Promise.resolve()
  observer.disconnect()
  return n
}}"""
# How often the CSS of the page is asked while all figures are painted, for the look that it might give them.
_ASKED = """() => {
  const {getPropertyValue} = CSSStyleDeclaration.prototype, figures = [...Bokeh.index.query(view => view.canvas_view)]
  let n = 0
  CSSStyleDeclaration.prototype.getPropertyValue = function (name) {
    n += name.startsWith("--bk-")
    return getPropertyValue.call(this, name)
  }
  for (const view of figures) {
    view._invalidate_all = true
    view._actual_paint()
  }
  CSSStyleDeclaration.prototype.getPropertyValue = getPropertyValue
  return n
}"""


def overlap(one: list[float], other: list[float]) -> bool:
    """Whether two boxes share more than a rounded pixel."""
    return min(one[2], other[2]) - max(one[0], other[0]) > 1 and min(one[3], other[3]) - max(one[1], other[1]) > 1


def ask_for_all(explorer: Explorer, page: Page) -> list[ID]:
    """Ask for the charts that are built when they are wanted: of pinned heads, and of a cluster; ids of all charts."""
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("button", name="heads most like the chosen one").click()
    ids = [chart.figure.id for view in explorer.views.values() for chart in view.charts.values()]
    page.wait_for_function(_ARE_BUILT, arg=ids)
    return ids


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_figure_is_painted_and_nothing_is_cut_off(shown, tmp_path, width, height, theme):
    _, page = shown(width=width, height=height, query=f"?theme={theme}")
    folder = Path(os.environ.get("VITPANEL_SCREENSHOTS") or tmp_path)
    page.screenshot(path=folder / f"page_{width}x{height}_{theme}.png")
    figures = page.evaluate(_FIGURES)
    assert len(figures) >= 13
    for fig in figures:
        assert fig["colours"] > 3, fig
        assert fig["box"][0] >= 0, fig
        assert fig["box"][2] <= width, fig
        assert fig["box"][3] <= height, fig
    assert not [pair for pair in combinations(figures, 2) if overlap(pair[0]["box"], pair[1]["box"])]
    parts = page.evaluate(_PARTS)
    assert len(parts) == len(known_views())
    for part in parts:
        left, top, right, bottom = part["box"]
        for box in part["controls"]:
            assert left - 1 <= box[0] <= box[2] <= right + 1, (part["box"], box)
            assert top - 1 <= box[1] <= box[3] <= bottom + 1, (part["box"], box)
        pairs = combinations(part["controls"], 2)
        assert not [pair for pair in pairs if overlap(*pair) and not nested(*pair)]
    for axis in ("Width", "Height"):
        assert not page.evaluate(f"document.documentElement.scroll{axis} > window.inner{axis}")


def test_a_brush_of_images_is_told_in_all_views_and_in_the_header(shown, wait_until):
    explorer, page = shown(width=1600, height=900)
    selection, ranked = explorer.selection, explorer.views["head-importance"].ranked.heads
    bar = page.get_by_role("group", name="Brushed images")
    expect(bar).to_be_hidden()
    page.get_by_role("group", name="Label:").get_by_role("button").first.click()
    wait_until(lambda: selection.images is not None)
    expect(bar).to_contain_text(f"{explorer.session.brushed.sum()} of {explorer.session.study.n_images} images")
    wait_until(lambda: explorer.views["head-importance"].curve.brush_item.visible)
    page.get_by_role("combobox", name="order of the heads").select_option("by effect of image brush")
    wait_until(lambda: ranked.orders["chosen"] == "effect")
    rows = page.get_by_role("listbox", name="heads", exact=True).get_by_role("option")
    expect(rows.first).to_have_id(f"head-{ranked.ranks['order'][0]}")
    before = explorer.session.brushed
    page.wait_for_url("**images=*")
    page.get_by_role("button", name="Brushes: invert, keep, compare").click()
    page.get_by_role("button", name="Invert the brush of images").click()
    wait_until(lambda: not (explorer.session.brushed == before).any())
    bar.get_by_role("button", name="Clear").click()
    wait_until(lambda: selection.images is None)
    expect(bar).to_be_hidden()
    wait_until(lambda: ranked.orders["chosen"] == "importance")


def test_keys_work_where_nothing_else_takes_them(shown, wait_until):
    explorer, page = shown(width=1600, height=900)
    session, start = explorer.session, explorer.session.chosen_head
    others = [head for head in session.heads_by("layer") if head != start]
    step = "ArrowRight" if start != session.heads_by("layer")[-1] else "ArrowLeft"
    page.keyboard.press(step)
    wait_until(lambda: session.chosen_head in others)
    page.wait_for_url(re.compile("(head|layer)="))  # what is undone is a step of the address
    page.keyboard.press("u")
    wait_until(lambda: session.chosen_head == start)
    page.keyboard.press("r")
    wait_until(lambda: session.chosen_head in others)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    image = session.selection.image
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Image: id, file or class")
    expect(box).to_be_focused()
    page.keyboard.type("[]u")  # texts of the box, not keys
    expect(box).to_have_value("[]u")
    assert session.selection.image == image


def test_the_whole_page_is_printed_on_one_sheet(shown):
    _, page = shown(width=1600, height=900)
    page.evaluate("window.print = () => { window.is_printed = true }")
    page.get_by_role("button", name="Print or save as PDF").click()
    assert page.evaluate("window.is_printed")
    sheet = page.pdf(prefer_css_page_size=True, print_background=True)
    (box,) = re.findall(rb"/MediaBox \[0 0 (\S+) (\S+)\]", sheet)
    assert [float(side) * 96 / 72 for side in box] == pytest.approx([1600, 900], abs=2)


def nested(one: list[float], other: list[float]) -> bool:
    """Whether one of two boxes lies in the other, as a button in its input."""
    inner, outer = sorted((one, other), key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
    return all((outer[0] <= inner[0], outer[1] <= inner[1], outer[2] >= inner[2], outer[3] >= inner[3]))


def test_theme_is_switched_and_switched_back_without_touching_the_server(shown, wait_until):
    explorer, page = shown()
    charts = [chart for view in explorer.views.values() for chart in view.charts.values()]
    ids = ask_for_all(explorer, page)
    before = page.evaluate(_COLOURS, ids)
    page.get_by_role("button", name="Toggle theme").click()
    wait_until(lambda: all(view.dark for view in explorer.views.values()))
    exchanged = dark_colours(explorer.session.study.spec.n_layers)
    assert page.evaluate(_COLOURS, ids) == [[exchanged[colour] for colour in colours] for colours in before]
    assert page.evaluate(_GROUND) == ["#1e1e1e"] * len(known_views())
    assert {chart.figure.title.text_color for chart in charts} == {TEXT}
    page.get_by_role("button", name="Toggle theme").click()
    wait_until(lambda: not any(view.dark for view in explorer.views.values()))
    assert page.evaluate(_COLOURS, ids) == before
    assert page.evaluate(_GROUND) == ["white"] * len(known_views())


def test_charts_that_are_built_late_have_the_theme(shown, wait_until):
    explorer, page = shown(query="?theme=dark")
    dark = set(dark_colours(explorer.session.study.spec.n_layers).values())
    ids = ask_for_all(explorer, page)
    wait_until(lambda: all(colour in dark for colours in page.evaluate(_COLOURS, ids) for colour in colours))


def test_tooltips_follow_the_theme(shown, point_at):
    explorer, page = shown(query="?theme=dark")
    curve = explorer.views["head-importance"].curve.figure
    middle = (curve.y_range.start + curve.y_range.end) / 2
    point_at(curve, 1, middle, page.get_by_text("layer 0 head 1"))
    ground = page.locator("body > .bk-Tooltip").first.evaluate("el => getComputedStyle(el).backgroundColor")
    assert ground == "rgb(30, 30, 30)"


def test_words_on_buttons_follow_the_theme(shown):
    _, page = shown(query="?theme=dark")
    for name in ("Pin", "Density"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_css("color", "rgb(227, 230, 234)")


def test_painting_again_writes_no_stylesheet_anew(shown):
    _, page = shown()
    assert page.evaluate(f"() => ({_SHEETS})().length") > 50
    assert page.evaluate(_REWRITTEN) == 0


def test_painting_asks_the_page_for_no_css(shown):
    _, page = shown()
    assert page.evaluate(_ASKED) == 0


def test_colours_that_python_writes_later_follow_the_theme(shown, wait_until):
    explorer, page = shown(query="?theme=dark")
    rings = explorer.views["attention-strength"].scatter.ring
    explorer.bridge.put("ring", lambda: rings.update(data={**rings.data, "colour": [TEXT]}))
    colour = "id => Bokeh.documents[0].get_model_by_id(id).data.colour[0]"
    wait_until(lambda: page.evaluate(colour, rings.id) == dark_colours(2)[TEXT])
    assert rings.data["colour"] == [TEXT]


def test_every_view_fills_the_page_and_returns(shown, wait_until):
    explorer, page = shown()
    for name, view in explorer.views.items():
        fig = next(iter(view.charts.values())).figure
        before, type_size = page.evaluate(_SIZE, fig.id), page.evaluate(_TYPE, fig.id)
        buttons = page.get_by_role("button", name="Maximise")
        # The button of the view before has another name until the browser has heard of its return.
        expect(buttons).to_have_count(len(known_views()))
        buttons.nth(list(known_views()).index(name)).click()
        wait_until(lambda view=view: view.maximised)
        wait_until(lambda fig=fig, before=before: sum(page.evaluate(_SIZE, fig.id)) > sum(before) * 1.2)
        box = page.evaluate(_PARTS)[list(known_views()).index(name)]["box"]
        assert box == [0, 0, 1280, 800]
        assert page.evaluate(_TYPE, fig.id) != type_size
        if name == "head-importance":
            page.get_by_role("button", name="Return to all views").click()
        else:
            page.keyboard.press("Escape")
        wait_until(lambda view=view: not view.maximised)
        wait_until(lambda fig=fig, before=before: page.evaluate(_SIZE, fig.id) == before)
        assert page.evaluate(_TYPE, fig.id) == type_size


def test_tab_stops_at_the_one_figure_that_has_keys(shown):
    _, page = shown()
    n_stops = n_figures = 0
    page.get_by_role("button", name="Previous image").focus()
    while not page.get_by_role("button", name="Atlas").evaluate("button => button.matches(':focus')"):
        page.keyboard.press("Tab")
        n_stops += 1
        n_figures += page.evaluate(_STOPS)
        assert n_stops < 80
    assert n_figures == 1
    named = page.get_by_role("img", name="All heads").first
    expect(named).to_be_visible()


def test_a_figure_hears_of_its_size_from_any_layout_around_it(shown, wait_until):
    explorer, page = shown()
    fig = explorer.views["attention-detail"].lines_chart.figure
    painted = "id => Bokeh.index.find_one_by_id(id).canvas_view.bbox.width"
    before = page.evaluate(painted, fig.id)
    # The layout above asks for sizes before the figure does, and has the same as before.
    page.evaluate(
        """id => {
      let view = Bokeh.index.find_one_by_id(id)
      while (!view.model.css_classes.includes("vp-view")) view = view.parent
      Object.assign(view.el.style, {position: "fixed", inset: "0", width: "auto", height: "auto"})
      view.parent.after_resize()
    }""",
        fig.id,
    )
    wait_until(lambda: page.evaluate(painted, fig.id) > 1.5 * before)


def open_menu(page: Page, view: str) -> Locator:
    """Open a view's menu of files by keyboard."""
    place = page.locator(f".{VIEW_CLASS}").nth(list(known_views()).index(view))
    button = place.get_by_role("button", name="Export")
    button.focus()
    page.keyboard.press("Enter")
    menu = place.locator(".menu")
    expect(menu).to_be_visible()
    return menu


def saved(page: Page, view: str, item: str, *, scale: int = 1) -> tuple[str, bytes]:
    """Name and content of what an item of a view's menu saves, taken by keyboard."""
    menu = open_menu(page, view)
    menu.get_by_label(f"{scale}×").check()
    entry = menu.get_by_role("button", name=item, exact=True)
    entry.focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    expect(menu).to_be_hidden()
    return download.value.suggested_filename, download.value.path().read_bytes()


def refused(page: Page, view: str, item: str) -> str:
    """What the menu says of a chart that is not shown."""
    menu = open_menu(page, view)
    entry = menu.get_by_role("button", name=item, exact=True)
    expect(entry).to_be_disabled()
    row = menu.locator(".row").filter(has=page.get_by_role("button", name=item, exact=True))
    words = row.locator("small").text_content()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    return words or ""


def test_every_chart_is_saved_as_picture_as_graphics_and_as_table(shown):
    explorer, page = shown(width=1600, height=1000)
    layer, head = explorer.session.chosen_head
    for name, view in explorer.views.items():
        for stem, chart in view.charts.items():
            if sum(page.evaluate(_SIZE, chart.figure.id)) == 0:  # waits for something to show
                assert refused(page, name, f"{chart.title} · PNG") == chart.absent
                continue
            place = "_".join(filter(None, (f"L{layer}H{head}_image{explorer.selection.image}", chart.detail())))
            file, png = saved(page, name, f"{chart.title} · PNG")
            assert file == f"{stem}_{place}.png"
            width, height = page.evaluate(_SIZE, chart.figure.id)
            picture = Image.open(io.BytesIO(png))
            assert picture.width == max(round(width), 240)
            assert picture.height > height + (10 if chart.legend() is None else 30)
            assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 3
            assert (np.asarray(picture.convert("RGBA"))[..., 3] == 255).all(), "transparent"
            file, svg = saved(page, name, f"{chart.title} · SVG")
            assert file == f"{stem}_{place}.svg"
            root = ET.fromstring(svg)  # noqa: S314 - made by the page a moment ago
            assert root.tag == f"{SVG}svg"
            assert root.findall(f".//{SVG}path"), stem
            assert set(" ".join(view.caption()).split()) <= set(" ".join(root.itertext()).split())
            if chart.table is not None:
                file, csv = saved(page, name, f"{chart.title} · CSV")
                assert file == f"{stem}_{place}.csv"
                table = chart.table()
                assert len(table)
                pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(csv)), table, check_dtype=False, atol=1e-7)


_LAST_IN_SIGHT = """() => {
  const {el} = [...Bokeh.index.query(view => view.model.css_classes?.includes("vp-view"))].at(-1)
  el.scrollIntoView({block: "end", inline: "end"})
  const {right, bottom} = el.getBoundingClientRect()
  return right <= window.innerWidth + 1 && bottom <= window.innerHeight + 1
}"""


def test_a_small_window_scrolls_to_all_of_the_views(shown):
    explorer, page = shown(width=1067, height=667)
    assert page.evaluate(_SIZE, explorer.views["image-overview"].chart.figure.id)[1] > 80
    assert page.evaluate(_LAST_IN_SIGHT)
