"""D2 to D5 in a browser: what follows the pointer there, and what the server hears of it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.ui.detail import ROUND_TRIP, STEP, Detail
from tests.ui.slow_link import SlowLink
from vitpanel.drawing.display import KINDS, axis_edges, colour_limits, strongest_links, threshold_value
from vitpanel.theme.mask_ramps import ramp_strips

pytestmark = pytest.mark.ui

N_STRONGEST = 3  # links of a token that has none above the threshold, in each direction
DOUBLE_CLICK = 400
_WATCH = """id => {
  window.moved = window.changed = 0;
  document.addEventListener("pointermove", () => { window.moved = performance.now() }, {capture: true});
  const {change} = Bokeh.documents[0].get_model_by_id(id).properties.data;
  change.connect(() => { window.changed = performance.now() });
}"""
_FETCH = "async () => { const start = performance.now(); await fetch(location.href); return performance.now() - start }"


def drag_bar(view: Detail, wait_until: Callable[..., None], place_of: Callable[..., tuple[float, float]]) -> None:
    """Drag the threshold from the top 5 % to half of all values; the server hears of it only at the end."""
    histogram, before = view.pictures.histogram, view.drawn()
    at, to = (place_of(histogram.figure, threshold_value(view.matrix, share), 3) for share in (0.05, 0.5))
    view.page.mouse.move(*at)
    view.page.mouse.down()
    view.page.mouse.move(*to, steps=8)
    wait_until(lambda: len(view.drawn()) > 2 * len(before))
    assert view.session.selection.threshold == 0.05
    lowest = view.text(histogram.line, name="location")
    for kind, mapper in view.pictures.heatmap.strong_colours.items():
        limit = colour_limits(view.matrix, view.grid)[KINDS.index(kind)]
        assert view.text(mapper, name="low") == pytest.approx(lowest / limit)
    view.page.mouse.up()
    wait_until(lambda: view.session.selection.threshold > 0.05)


def test_lines_and_heatmap_follow_the_bar_at_once_and_the_server_hears_on_release(
    open_detail: Callable[..., Detail], wait_until: Callable[..., None], place_of: Callable[..., tuple[float, float]]
):
    view = open_detail()
    drag_bar(view, wait_until, place_of)
    wait_until(view.is_shown)
    assert view.session.selection.threshold == pytest.approx(0.5, abs=0.05)
    label = view.pictures.histogram.label
    assert view.text(label).startswith("top ")
    view.act(lambda: view.view._unit.param.update(value="value"))
    wait_until(lambda: view.text(label).startswith("≥ "))
    assert float(view.text(label)[2:]) == pytest.approx(
        threshold_value(view.matrix, view.session.selection.threshold), rel=0.01
    )

    view.point(view.pictures.histogram.figure, threshold_value(view.matrix, view.session.selection.threshold), 3)
    view.page.mouse.down()
    left, top = place_of(view.pictures.histogram.figure, float(view.matrix.max()), 3)
    view.page.mouse.move(left + 200, top, steps=8)
    view.page.mouse.up()
    wait_until(lambda: len(view.drawn()) == 1)
    wait_until(lambda: view.session.selection.threshold == 1 / view.matrix.size)


def test_pointing_at_a_token_highlights_its_links_and_masks_without_the_server(
    open_detail: Callable[..., Detail], wait_until: Callable[..., None]
):
    view = open_detail()
    lines, token = view.pictures.lines, int(strongest_links(view.matrix)[-1]) // len(view.matrix)
    view.point(lines.figure, view.place_of_token(token), 1.02)
    wait_until(lambda: bool(view.data(lines.highlighted)["source"]))
    found = view.data(lines.highlighted)
    own = {link for link in view.expected() if link[0] == token}
    assert set(zip(found["source"], found["target"], strict=True)) == own
    row, col = view.matrix[token, view.grid.patches], view.matrix[view.grid.patches, token]
    kind = "cls" if token == 0 else "patch"
    assert np.abs(view.light("source", kind=kind) - row / row.max()).max() <= STEP
    assert np.abs(view.light("target", kind=kind) - col / col.max()).max() <= STEP
    assert view.grid.label(token) in view.text(view.pictures.words)
    assert view.session.selection.token is None

    view.point(lines.figure, view.place_of_token(token), -0.02)
    links = {link for link in view.expected() if link[1] == token}
    wait_until(lambda: len(view.data(lines.highlighted)["source"]) == (len(links) or N_STRONGEST))
    view.point(view.pictures.histogram.figure, float(view.matrix.max()), 3)
    wait_until(lambda: not view.data(lines.mark)["x"])


def test_a_token_without_a_link_above_the_threshold_shows_its_strongest(
    open_detail: Callable[..., Detail], wait_until: Callable[..., None]
):
    view = open_detail()
    lines, sources = view.pictures.lines, {source for source, _ in view.expected()}
    token = next(one for one in range(view.grid.n_prefix, view.grid.n_tokens) if one not in sources)
    view.point(lines.figure, view.place_of_token(token), 1.02)
    wait_until(lambda: "its strongest are drawn" in view.text(view.pictures.words))
    found = view.data(lines.highlighted)
    assert set(found["source"]) == {token}
    assert found["target"] == np.argsort(-view.matrix[token], kind="stable")[:N_STRONGEST].tolist()
    # The links of others stand back meanwhile.
    alpha = "id => Bokeh.documents[0].get_model_by_id(id).line_alpha.value ?? null"

    def alphas() -> set[float | None]:
        return {view.page.evaluate(alpha, stroke.id) for stroke in lines.strokes}

    assert alphas() == {0.12}
    view.point(lines.figure, view.place_of_token(next(iter(sources))), 1.02)
    wait_until(lambda: alphas() == {None})  # by their shades again


def test_without_a_token_the_masks_are_those_of_cls(open_detail: Callable[..., Detail]):
    view = open_detail()
    row, col = view.matrix[0, 1:], view.matrix[1:, 0]
    assert np.abs(view.light("source") - row / row.max()).max() <= STEP
    assert np.abs(view.light("target") - col / col.max()).max() <= STEP
    assert view.caption("source") == "CLS attends to"
    assert view.caption("target") in {"Patches that attend to CLS", "Attend to CLS"}


def test_the_scale_below_a_mask_has_its_values(open_detail: Callable[..., Detail], wait_until: Callable[..., None]):
    view = open_detail()
    masks, most = view.pictures.masks, view.matrix[0, 1:].max()
    assert view.data(masks.ticks["source"])["text"] == ["0", f"{most / 2:.2g}", f"{most:.2g}"]
    assert view.data(masks.scales["source"])["image"][0] == ramp_strips()["cls"]
    view.act(lambda: view.session.selection.param.update(scale="log"))
    wait_until(lambda: view.data(masks.ticks["source"])["text"][0] == f"≤ {most / 1000:.2g}")


def test_the_image_is_darkened_below_light_and_clear_in_the_cut_out(
    open_detail: Callable[..., Detail], wait_until: Callable[..., None]
):
    view = open_detail()
    masks, crop = view.pictures.masks, view.pictures.masks.crop.data["image"][0]
    colour = np.stack([crop >> shift & 255 for shift in (0, 8, 16)], -1)
    grey = np.array(view.data(masks.grey)["image"][0], np.int64).reshape(crop.shape)
    assert np.abs((grey & 255) - (24 + 0.42 * colour @ [0.299, 0.587, 0.114])).max() <= 0.51
    assert [view.text(one, name="visible") for one in (masks.dimmed[0], masks.clear[0])] == [True, False]
    view.page.get_by_role("checkbox", name="Cut-out").click()
    wait_until(lambda: view.session.selection.mask == "cut-out")
    wait_until(lambda: view.text(masks.clear[0], name="visible") and not view.text(masks.dimmed[0], name="visible"))
    row = view.matrix[0, 1:]
    pixels = np.array(view.data(masks.masks["source"])["mask"][0], np.int64)
    assert np.abs((pixels >> 24) / 255 - (1 - row / row.max())).max() <= 1.1 / 255


def test_without_cls_stands_the_mean_of_all_patches(
    open_detail: Callable[..., Detail], wait_until: Callable[..., None]
):
    view = open_detail(prefix=())
    mean = view.matrix.mean(axis=0)
    assert (view.caption("source"), view.caption("target")) == ("mean of all patches", "no CLS: choose a patch")
    assert np.abs(view.light("source", kind="patch") - mean / mean.max()).max() <= STEP
    assert set(view.data(view.pictures.masks.masks["target"])["mask"][0]) == {0}
    view.point_at_patch("source", 9)
    wait_until(lambda: f"{mean[9]:#.3g}" in view.text(view.pictures.words))
    view.point_at_patch("image", 6)
    wait_until(lambda: view.caption("source") == "patch 6 attends to")


def test_pointing_at_the_masks_reads_their_values(open_detail: Callable[..., Detail], wait_until: Callable[..., None]):
    view = open_detail()
    assert not any(view.text(grid, name="visible") for grid in view.pictures.masks.grids)
    for picture, source, target in (("source", 0, 7), ("target", 7, 0)):
        view.point_at_patch(picture, 7)
        value = f"{view.matrix[source, target]:#.3g}"
        wait_until(partial(lambda value: value in view.text(view.pictures.words), value))
        expect(view.page.locator(".bk-tooltip-row-value").get_by_text(value, exact=True)).to_be_visible()
        assert view.caption("source") == "CLS attends to"
        highlighted = view.data(view.pictures.lines.highlighted)
        assert (highlighted["source"], highlighted["target"]) == ([source], [target])
    assert all(view.text(grid, name="visible") for grid in view.pictures.masks.grids)
    view.page.mouse.move(0, 0)
    wait_until(lambda: not any(view.text(grid, name="visible") for grid in view.pictures.masks.grids))


def test_a_clicked_patch_stays_until_it_is_clicked_again(
    open_detail: Callable[..., Detail], wait_until: Callable[..., None]
):
    view = open_detail()
    place = view.view.pictures.masks.figures["image"], 2.5, 1.5
    view.click(*place)
    wait_until(lambda: view.session.selection.token == 7)
    view.page.mouse.move(0, 0)
    wait_until(lambda: view.caption("source") == "patch 6 attends to")
    wait_until(lambda: view.page.get_by_role("textbox").nth(0).input_value() == "patch 6")
    view.page.wait_for_timeout(DOUBLE_CLICK)
    view.click(*place)
    wait_until(lambda: view.session.selection.token is None)


@pytest.mark.parametrize("sizes", [{}, {"prefix": ("cls", "register")}, {"rows": 5, "cols": 25, "prefix": ()}])
def test_heatmap_holds_the_matrix_and_highlights_what_is_under_the_pointer(
    open_detail: Callable[..., Detail], wait_until: Callable[..., None], sizes: dict[str, Any]
):
    view = open_detail(**sizes)
    view.act(lambda: view.session.selection.choose_head(1, 2))
    wait_until(view.is_shown)
    assert np.allclose(view.shades(), view.parts(), rtol=1e-6)
    source, target = 0, view.grid.n_tokens - 2
    view.point(view.pictures.heatmap.figure, view.place_of_token(target), view.place_of_token(source))
    value = f"{view.matrix[source, target]:#.3g}"
    for text in (view.grid.label(source), view.grid.label(target), value):
        expect(view.page.locator(".bk-tooltip-row-value").get_by_text(text, exact=True)).to_be_visible()
    assert value in view.text(view.pictures.words)
    mark = view.data(view.pictures.lines.mark)
    assert mark == {"x": [view.place_of_token(source), view.place_of_token(target)], "row": [1, 0]}
    patches = [view.grid.position(token) for token in (source, target)]
    places = [(place[1] + 0.5, place[0] + 0.5) for place in patches if place is not None]
    outlined = view.data(view.pictures.masks.mark)
    assert list(zip(outlined["x"], outlined["y"], strict=True)) == places
    assert view.caption("source") == f"{view.grid.name(source)} attends to"
    assert view.caption("target").lower().endswith(f"attend to {view.grid.name(target)}".lower())


def test_large_grids_are_pooled_in_the_heatmap_alone(
    open_detail: Callable[..., Detail], wait_until: Callable[..., None]
):
    view = open_detail(rows=25, cols=25, n_images=5, n_layers=1, n_heads=1)
    assert "largest of 2 × 2 patches" in view.text(view.pictures.heatmap.figure.title)
    block = view.data(view.pictures.heatmap.blocks["patch"])["image"][0]
    assert len(block) == 13**4
    view.act(lambda: view.session.selection.param.update(threshold=0.2))
    wait_until(lambda: "the 40,000 strongest of 78,376" in view.text(view.pictures.lines.figure.title))
    edges, cell = axis_edges(view.grid), [1 + 25 * row + col for row in (2, 3) for col in (4, 5)]
    part = view.matrix[np.ix_(cell, cell)]
    source, target = (cell[int(i)] for i in np.unravel_index(part.argmax(), part.shape))
    middle = edges[1] + 1 * 13 + 2 + 0.5
    view.point(view.pictures.heatmap.figure, middle, middle)
    words = f"{view.grid.label(source)} → {view.grid.label(target)}: <b>{part.max():#.3g}</b>"
    wait_until(lambda: view.text(view.pictures.words) == words)


def test_scales_and_extra_tokens(open_detail: Callable[..., Detail], wait_until: Callable[..., None]):
    view = open_detail(prefix=("cls", "register"))
    page, selection = view.page, view.session.selection
    page.get_by_role("combobox").nth(1).select_option("square root")
    wait_until(lambda: selection.scale == "square root")
    wait_until(lambda: bool(np.allclose(view.shades(), np.sqrt(view.parts()), rtol=1e-6)))
    row = view.matrix[0, 2:]
    assert np.abs(view.light("source") - np.sqrt(row / row.max())).max() <= STEP
    view.act(lambda: selection.param.update(scale="log"))
    wait_until(lambda: bool(np.allclose(view.shades(), 1 + np.log10(view.parts()) / 3, atol=1e-5)))

    page.get_by_role("checkbox", name="extra tokens").click()
    wait_until(lambda: not selection.extra)
    wait_until(lambda: bool(np.isnan(view.shades()[1]).all() and np.isnan(view.shades()[:, 1]).all()))
    assert np.isnan(view.shades()).sum() == 2 * 18 - 1
    assert view.drawn() == {link for link in view.expected() if 1 not in link}
    page.get_by_role("checkbox", name="extra tokens").click()
    wait_until(view.is_shown)


def test_threshold_and_token_can_be_typed(open_detail: Callable[..., Detail], wait_until: Callable[..., None]):
    view = open_detail()
    token, threshold = (view.page.get_by_role("textbox").nth(i) for i in range(2))
    for text, expected in (("4", 5), ("CLS", 0), ("1, 2", 7)):
        token.fill(text)
        token.press("Enter")
        wait_until(partial(lambda expected: view.session.selection.token == expected, expected))
        expect(token).to_have_value(view.view.grid.name(expected))  # what is typed next is not mixed with it
    threshold.fill("2")
    threshold.press("Enter")
    wait_until(lambda: view.session.selection.threshold == 0.02 and view.is_shown())
    view.page.get_by_role("combobox").nth(0).select_option("value")
    wait_until(lambda: threshold.input_value() == f"{threshold_value(view.matrix, 0.02):.3g}")
    threshold.fill("0.1")
    threshold.press("Enter")
    above = int((view.matrix >= 0.1).sum())
    wait_until(lambda: view.session.selection.threshold == above / view.matrix.size)
    wait_until(lambda: len(view.drawn()) == above)


def test_what_cannot_be_taken_is_said(open_detail: Callable[..., Detail], wait_until: Callable[..., None]):
    view = open_detail()
    token, threshold = (view.page.get_by_role("textbox").nth(i) for i in range(2))
    alert = view.page.get_by_role("alert")
    for _ in range(2):
        token.fill("patch <i>99")
        token.press("Enter")
        expect(alert).to_have_text(
            "There is no token 'patch <i>99': type CLS, the number of a patch from 0 to 15, its row, column, "
            "or several as 2-5; 9 or r0-1 c2-3."
        )
        token.fill("4")
        token.press("Enter")
        expect(alert).to_have_count(0)
        token.fill("")
        token.press("Enter")
        wait_until(lambda: view.session.selection.token is None)
    for text in ("200", "much"):
        threshold.fill(text)
        threshold.press("Enter")
        expect(alert).to_have_text(f"'{text}' is not a threshold. Type a percentage above 0, up to 100.")
    for box, right, shown in ((threshold, "5", "5"), (threshold, "5.0", "5"), (token, "", "")):
        box.fill("much")
        box.press("Enter")
        expect(alert).to_have_count(1)
        box.fill(right)
        box.press("Enter")
        expect(alert).to_have_count(0)
        expect(box).to_have_value(shown)
        expect(view.page.locator(".wrong")).to_have_count(0)
    view.page.get_by_role("combobox").nth(0).select_option("value")
    wait_until(lambda: threshold.input_value() == f"{threshold_value(view.matrix, 0.05):.3g}")
    threshold.fill("much")
    threshold.press("Enter")
    expect(alert).to_have_text(
        f"'much' is not a threshold. Type a value from 0 to {view.matrix.max():.3g}, the largest here."
    )
    assert view.session.selection.threshold == 0.05


def test_masks_follow_the_pointer_on_a_slow_link(
    open_detail: Callable[..., Detail], wait_until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BOKEH_ALLOW_WS_ORIGIN", "*")
    slow: list[SlowLink] = []
    view = open_detail(slow=slow)
    try:
        assert view.page.evaluate(_FETCH) > 1000 * ROUND_TRIP
        view.page.evaluate(_WATCH, view.pictures.masks.masks["source"].id)
        for picture, patch in (("image", 5), ("image", 9), ("image", 14)):
            view.point_at_patch(picture, patch)
            wait_until(partial(lambda name: view.caption("source") == f"{name} attends to", view.grid.name(patch)))
            moved, changed = view.page.evaluate("[window.moved, window.changed]")
            # What takes less than the way to the server and back has not asked it.
            assert 0 <= changed - moved < 1000 * ROUND_TRIP
    finally:
        view.page.goto("about:blank")
        slow[0].stop()


def test_heads_are_chosen_from_the_atlas_by_click_and_by_key(
    open_detail: Callable[..., Detail], wait_until: Callable[..., None]
):
    view = open_detail()
    page, session = view.page, view.session
    page.get_by_role("button", name="Atlas of 6 heads").click()
    heads = page.get_by_role("listbox", name="All heads of the image").get_by_role("option")
    wait_until(lambda: heads.count() == 6)
    expect(heads.nth(0)).to_have_attribute("aria-selected", "true")
    pictures = page.evaluate(
        """async sheet => {
      const picture = new Image()
      picture.src = sheet
      await picture.decode()
      return [picture.naturalWidth, picture.naturalHeight]
    }""",
        view.view.atlas.strip.sheet,
    )
    assert pictures == [3 * 18, 2 * 18]
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Atlas of heads · PNG").click()
    assert download.value.suggested_filename == "attention-atlas_image3.png"
    saved = np.asarray(Image.open(download.value.path()).convert("RGB"))
    assert saved.shape[1] == 8 + 6 * (4 * 18 + 8)
    assert len(np.unique(saved.reshape(-1, 3), axis=0)) > 20
    assert "data:image/png" in heads.nth(5).locator("i").evaluate("one => getComputedStyle(one).backgroundImage")
    heads.nth(5).click()
    wait_until(lambda: session.chosen_head == (1, 2))
    wait_until(view.is_shown)
    for key in ("ArrowLeft", "Enter"):
        page.keyboard.press(key)
    wait_until(lambda: session.chosen_head == (1, 1))
    expect(heads.nth(4)).to_have_attribute("aria-selected", "true")
    wait_until(lambda: view.view._name.object == "L1 H1" and view.is_shown())
    view.act(lambda: session.selection.choose_head(0, 2))
    expect(heads.nth(2)).to_have_attribute("aria-selected", "true")
    heads.nth(4).click()  # the head that was chosen here last
    wait_until(lambda: session.chosen_head == (1, 1))
    page.get_by_role("combobox").last.select_option("by entropy")
    names = [f"L{layer} H{head}" for layer, head in session.heads_by("entropy")]
    expect(page.get_by_role("listbox", name="All heads of the image").locator("span")).to_have_text(names)
    page.get_by_role("button", name="Atlas of 6 heads").click()
    expect(page.get_by_role("listbox", name="All heads of the image")).to_be_hidden()
    assert not session.wants_atlas


def test_the_atlas_scrolls_to_the_chosen_head(open_detail: Callable[..., Detail], wait_until: Callable[..., None]):
    view = open_detail(n_layers=12, n_heads=12)
    heads, selection = view.page.get_by_role("listbox").locator("[role=option]"), view.session.selection
    view.act(lambda: selection.choose_head(11, 11))
    view.page.get_by_role("button", name="Atlas of 144 heads").click()
    for layer, head in ((11, 11), (0, 3), (6, 6)):
        view.act(partial(selection.choose_head, layer, head))
        expect(heads.nth(12 * layer + head)).to_have_attribute("aria-selected", "true")
        expect(heads.nth(12 * layer + head)).to_be_in_viewport(ratio=0.95)
    expect(heads.nth(0)).not_to_be_in_viewport()


def test_without_an_image_the_browser_draws_the_mean_on_plain_grey(
    open_detail: Callable[..., Detail], wait_until: Callable[..., None]
):
    view = open_detail()
    of_one, token = view.matrix, int(strongest_links(view.matrix)[-1]) // len(view.matrix)
    view.act(lambda: view.session.selection.param.update(image=None))
    title = view.pictures.heatmap.figure.title
    wait_until(lambda: view.text(title) == f"Mean of {view.session.study.n_images} images: row = source")
    assert not np.array_equal(view.matrix, of_one)
    wait_until(view.is_shown)
    assert view.data(view.pictures.masks.crop)["image"][0] == [0xFF808080]
    view.point(view.pictures.lines.figure, view.place_of_token(token), 1.02)
    wait_until(lambda: view.grid.label(token) in view.text(view.pictures.words))
    row = view.matrix[token, view.grid.patches]
    kind = "cls" if token == 0 else "patch"
    wait_until(lambda: np.abs(view.light("source", kind=kind) - row / row.max()).max() <= STEP)
