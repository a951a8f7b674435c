"""The brush of tokens in a browser: drags, keys and what is typed, and what masks and links show of the set."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.ui.detail import STEP, Detail
from vitpanel.app.explorer import Explorer
from vitpanel.drawing.token_sets import patch_outline
from vitpanel.state.brush import Ids, PatchBlock, mask_of

pytestmark = pytest.mark.ui
Wait = Callable[[Callable[[], bool]], None]
PlaceOf = Callable[[Any, float, float], tuple[float, float]]
_ARE_LINKS_DRAWN = "id => Bokeh.documents[0].get_model_by_id(id).title.text.startsWith('Links: ')"
KINDS_OF_MODEL = [{}, {"prefix": ()}, {"prefix": ("cls", "register"), "rows": 3, "cols": 7}]


@pytest.fixture
def drag(place_of: PlaceOf, settle: Callable[[], None]) -> Callable[..., None]:
    """Drag from one place of a figure to another, with keys held from before the press."""

    def do(
        page: Page,
        fig: Any,
        start: tuple[float, float],
        end: tuple[float, float],
        keys: tuple[str, ...] = (),
        held: float = 0,
    ) -> None:
        settle()
        for key in keys:
            page.keyboard.down(key)
        page.mouse.move(*place_of(fig, *start))
        page.mouse.down()
        page.wait_for_timeout(held)
        page.mouse.move(*place_of(fig, *end), steps=6)
        page.mouse.up()
        for key in keys:
            page.keyboard.up(key)
        page.mouse.move(0, 0)

    return do


def brushed(view: Detail) -> set[int]:
    brush = view.session.selection.tokens
    return set() if brush is None else set(np.flatnonzero(mask_of(view.session.study, brush)).tolist())


def block(view: Detail, rows: range, cols: range) -> set[int]:
    return {view.grid.n_prefix + row * view.grid.cols + col for row, col in product(rows, cols)}


def check_set(view: Detail, wait_until: Wait, tokens: set[int]) -> None:
    """The browser reads these tokens: masks, their links, and the lines around their patches."""
    wait_until(lambda: brushed(view) == tokens)
    wait_until(lambda: set(view.data(view.pictures.brushed)["token"]) == tokens)
    own, matrix, patches = sorted(tokens), view.matrix, range(view.grid.n_prefix, view.grid.n_tokens)
    given = [sum(float(matrix[token, patch]) for token in own) / len(own) for patch in patches]
    got = [sum(float(matrix[patch, token]) for token in own) for patch in patches]
    for name, values in (("source", np.array(given)), ("target", np.array(got))):
        wait_until(
            partial(lambda n, v: bool(np.abs(view.light(n, kind="patch") - v / v.max()).max() <= STEP), name, values)
        )
    links = {link for link in view.expected() if set(link) & tokens}
    found = view.data(view.pictures.brushed_links)
    assert set(zip(found["source"], found["target"], strict=True)) == links
    assert not view.data(view.pictures.lines.highlighted)["source"]
    mask = np.isin(np.arange(view.grid.n_tokens), own)
    shown = view.data(view.view.brush.marks.sources["patches"])
    assert {name: list(column) for name, column in patch_outline(view.grid, mask).items()} == shown


@pytest.mark.parametrize("sizes", KINDS_OF_MODEL)
def test_a_drag_over_the_image_brushes_exactly_those_patches(
    open_detail: Callable[..., Detail], wait_until: Wait, drag: Callable[..., None], sizes: dict[str, Any]
):
    view = open_detail(**sizes)
    image = view.pictures.masks.figures["image"]
    drag(view.page, image, (1.4, 0.5), (2.6, 1.5))
    first = block(view, range(2), range(1, 3))
    check_set(view, wait_until, first)
    assert view.session.selection.tokens == PatchBlock((0, 1), (1, 2))
    assert view.caption("source") in {"4 brushed tokens attend to", "4 brushed attend to"}
    assert "attend to 4 brushed" in view.caption("target").lower()
    drag(view.page, image, (2.5, 2.5), (0.5, 1.5), keys=("Shift",))
    both = first | block(view, range(1, 3), range(3))
    check_set(view, wait_until, both)
    drag(view.page, image, (0.5, 0.5), (1.5, 2.5), keys=("Control", "Shift"))
    check_set(view, wait_until, both - block(view, range(3), range(2)))
    drag(view.page, view.pictures.masks.figures["target"], (2.5, 1.5), (2.6, 2.5), keys=("Alt",))
    check_set(view, wait_until, block(view, range(1, 3), range(2, 3)))
    # What is beyond the image ends at its edge.
    drag(view.page, image, (view.grid.cols - 0.5, 1.5), (view.grid.cols + 0.4, view.grid.rows - 0.3))
    check_set(view, wait_until, block(view, range(1, view.grid.rows), range(view.grid.cols - 1, view.grid.cols)))


def test_a_drag_along_the_tokens_or_over_the_heatmap_brushes_them(
    open_detail: Callable[..., Detail], wait_until: Wait, drag: Callable[..., None]
):
    view = open_detail()
    at, lines, heatmap = view.place_of_token, view.pictures.lines.figure, view.pictures.heatmap.figure
    drag(view.page, lines, (at(2), 1.02), (at(6), 0.9))
    check_set(view, wait_until, {2, 3, 4, 5, 6})
    drag(view.page, heatmap, (at(9), at(3)), (at(12), at(4)))
    check_set(view, wait_until, {9, 10, 11, 12})
    drag(view.page, heatmap, (at(9), at(14)), (at(10), at(16)), keys=("Shift",))
    check_set(view, wait_until, {9, 10, 11, 12, 14, 15, 16})
    marks = view.view.brush.marks.sources
    assert view.data(marks["tokens"])["left"] == [at(9) - 0.5, at(14) - 0.5] * 2
    assert view.data(marks["cells"])["y0"] == [at(9) - 0.5, at(14) - 0.5, 0, 0]


def test_while_it_is_dragged_the_part_is_outlined(
    open_detail: Callable[..., Detail], wait_until: Wait, place_of: PlaceOf
):
    view = open_detail()
    image, mark = view.pictures.masks.figures["image"], view.pictures.masks.mark
    view.page.mouse.move(*place_of(image, 0.5, 1.5))
    view.page.mouse.down()
    view.page.mouse.move(*place_of(image, 2.5, 3.5), steps=6)
    expected = {"x": [1.5], "y": [2.5], "width": [3], "height": [3], "dash": ["solid"]}
    wait_until(lambda: view.data(mark) == expected)
    assert view.session.selection.tokens is None
    view.page.mouse.up()
    wait_until(lambda: brushed(view) == block(view, range(1, 4), range(3)))
    view.page.mouse.move(0, 0)
    wait_until(lambda: not view.data(mark)["x"])


def test_a_click_keeps_one_token_which_goes_before_the_set(
    open_detail: Callable[..., Detail], wait_until: Wait, drag: Callable[..., None]
):
    view = open_detail()
    image, selection = view.pictures.masks.figures["image"], view.session.selection
    drag(view.page, image, (0.5, 0.5), (1.5, 0.5))
    check_set(view, wait_until, {1, 2})
    view.click(image, 2.5, 2.5)
    wait_until(lambda: selection.token == 11)
    assert brushed(view) == {1, 2}
    view.page.mouse.move(0, 0)
    wait_until(lambda: view.caption("source") == "patch 10 attends to")
    assert not view.data(view.pictures.brushed_links)["source"]
    # A new set is shown, and the token let go.
    drag(view.page, image, (0.5, 3.5), (1.5, 3.5))
    check_set(view, wait_until, {13, 14})
    assert selection.token is None
    view.point_at_patch("image", 7)
    wait_until(lambda: view.caption("source") == "patch 6 attends to")


def test_pointing_at_the_masks_of_a_set_reads_mean_and_sum(
    open_detail: Callable[..., Detail], wait_until: Wait, drag: Callable[..., None]
):
    view = open_detail()
    drag(view.page, view.pictures.masks.figures["image"], (0.5, 0.5), (1.5, 1.5))
    own = [1, 2, 5, 6]
    check_set(view, wait_until, set(own))
    for picture, value, words in (
        ("source", view.matrix[own, 9].mean(dtype=float), "4 brushed tokens → patch 8"),
        ("target", view.matrix[9, own].sum(dtype=float), "patch 8 (row 2, column 0) → 4 brushed tokens"),
    ):
        view.point_at_patch(picture, 9)
        wait_until(partial(lambda words: words in view.text(view.pictures.words), words))
        number = f"{value:#.3g}"
        assert f"<b>{number}</b>" in view.text(view.pictures.words)
        expect(view.page.locator(".bk-tooltip-row-value").get_by_text(number, exact=True)).to_be_visible()
        expect(view.page.locator(".bk-tooltip-row-value").get_by_text("4 brushed tokens", exact=True)).to_be_visible()
        links = view.data(view.pictures.brushed_links)
        expected = {(t, 9) for t in own} if picture == "source" else {(9, t) for t in own}
        assert set(zip(links["source"], links["target"], strict=True)) == expected & view.expected()


def test_sets_can_be_typed(open_detail: Callable[..., Detail], wait_until: Wait):
    view = open_detail()
    box, selection = view.page.get_by_role("textbox").nth(0), view.session.selection
    for text, tokens, said in (
        ("r1-2 c0-1", {5, 6, 9, 10}, "r1-2 c0-1"),
        ("12-14, 3", {4, 13, 14, 15}, "3; 12-14"),
        ("patch 3, patch 4", {4, 5}, "3-4"),
    ):
        box.fill(text)
        box.press("Enter")
        check_set(view, wait_until, tokens)
        expect(box).to_have_value(said)
    box.fill("CLS; 2")
    box.press("Enter")
    wait_until(lambda: selection.tokens == Ids((0, 3), "token"))
    expect(box).to_have_value("CLS; 2")
    box.fill("12-16")
    box.press("Enter")
    expect(view.page.get_by_role("alert")).to_contain_text("There is no token '12-16'")
    assert selection.tokens == Ids((0, 3), "token")
    box.fill("7")
    box.press("Enter")
    wait_until(lambda: selection.token == 8)
    expect(box).to_have_value("patch 7")
    for left, said in (({0, 3}, "CLS; 2"), (set(), "")):
        box.fill("")
        box.press("Enter")
        wait_until(partial(lambda left: selection.token is None and brushed(view) == left, left))
        expect(box).to_have_value(said)
    wait_until(lambda: view.caption("source") == "CLS attends to")


def test_whose_attention_counts_is_asked_while_tokens_are_brushed(
    open_detail: Callable[..., Detail], wait_until: Wait, drag: Callable[..., None]
):
    view = open_detail()
    page, selection = view.page, view.session.selection
    choice = page.get_by_role("button", name="from all patches")
    expect(choice).to_have_count(0)
    drag(page, view.pictures.masks.figures["image"], (0.5, 0.5), (1.5, 1.5))
    choice.click()
    wait_until(lambda: selection.share_source == "patches")
    page.get_by_role("button", name="Unbrush the tokens").click()
    wait_until(lambda: selection.tokens is None)
    expect(choice).to_have_count(0)
    wait_until(lambda: not view.data(view.view.brush.marks.sources["patches"])["x0"])


def test_without_cls_there_is_nothing_to_choose(
    open_detail: Callable[..., Detail], wait_until: Wait, drag: Callable[..., None]
):
    view = open_detail(prefix=())
    drag(view.page, view.pictures.masks.figures["image"], (0.5, 0.5), (1.5, 1.5))
    expect(view.page.get_by_role("button", name="Unbrush the tokens")).to_be_visible()
    expect(view.page.get_by_role("button", name="from all patches")).to_have_count(0)


def test_a_drag_may_begin_long_after_the_press(
    open_detail: Callable[..., Detail], wait_until: Wait, drag: Callable[..., None]
):
    view = open_detail()
    drag(view.page, view.pictures.masks.figures["image"], (1.4, 0.5), (2.6, 1.5), held=600)
    wait_until(lambda: brushed(view) == block(view, range(2), range(1, 3)))


def test_the_live_model_says_which_heads_look_at_the_part(
    shown: Callable[..., tuple[Explorer, Page]], wait_until: Wait, drag: Callable[..., None]
):
    explorer, page = shown()
    session: Any = explorer.session
    detail: Any = explorer.views["attention-detail"]
    assert session.received.status == "idle"
    # What is dragged over before the attention is there marks nothing.
    page.wait_for_function(_ARE_LINKS_DRAWN, arg=detail.pictures.lines.figure.id)
    drag(page, detail.pictures.masks.figures["image"], (0.5, 1.5), (1.5, 2.5))
    wait_until(lambda: session.received.status == "done")
    grid, service = session.study.spec.grid, session.inference._service
    own = sorted({grid.n_prefix + row * grid.cols + col for row, col in product((1, 2), (0, 1))})
    for source in ("cls", "patches"):
        if source == "patches":
            page.get_by_role("button", name="from all patches").click()
            wait_until(lambda: session.selection.share_source == "patches")
        shares = session.token_shares()
        for layer, head in np.ndindex(shares.values.shape):
            matrix = service.attention(session.selection.image, layer)[head]
            sources = [grid.cls] if source == "cls" else range(grid.n_prefix, grid.n_tokens)
            expected = sum(float(matrix[one, token]) for one in sources for token in own) / len(sources)
            assert shares.values[layer, head] == pytest.approx(expected, rel=2e-3)
    wait_until(lambda: "tokens=" in page.url)
