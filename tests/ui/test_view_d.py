"""View D in a browser: what follows the pointer there, and what the server hears of it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import panel as pn
import pytest
from playwright.sync_api import Page, expect

from tests.fakes import FakeInference
from tests.synthetic import write_synthetic_study
from vitpanel.core.display import strongest_links, threshold_value
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study
from vitpanel.views.attention_detail import AttentionDetail
from vitpanel.views.base import FILLED
from vitpanel.views.bridge import Bridge
from vitpanel.views.figures.heatmap import axis_edges
from vitpanel.views.pattern_overview import PatternOverview

pytestmark = pytest.mark.ui
DOUBLE_CLICK = 400
_DATA = """id => {
  const {data} = Bokeh.documents[0].get_model_by_id(id);
  const plain = (cell) => typeof cell === "object" ? Array.from(cell) : cell;
  return Object.fromEntries(Object.entries(data).map(([name, column]) => [name, Array.from(column, plain)]));
}"""
_TITLE = "id => Bokeh.documents[0].get_model_by_id(id).title.text"


class ViewD:
    """Both parts of view D on one page, and ways to look at what the browser has."""

    def __init__(self, page: Page, place_of: Callable[..., tuple[float, float]], views: list[Any]) -> None:
        self.page, self._place_of = page, place_of
        self.overview, self.detail = views
        self.session: Session = self.detail.session
        self.pictures: Any = self.detail.pictures

    @property
    def matrix(self) -> np.ndarray:
        """Attention of the chosen head."""
        value = self.session.attention.value
        assert value is not None
        return value

    @property
    def grid(self) -> Any:
        """Patch grid of the model."""
        return self.session.study.spec.grid

    def data(self, source: Any) -> dict[str, Any]:
        """Columns of a source as the browser has them."""
        return self.page.evaluate(_DATA, source.id)

    def title(self, fig: Any) -> str:
        """Title of a figure as the browser has it."""
        return self.page.evaluate(_TITLE, fig.id)

    def drawn(self) -> set[tuple[int, int]]:
        """Links that the browser draws, as source and target."""
        found = [self.data(source) for source in self.pictures.lines.links.values()]
        return {link for data in found for link in zip(data["source"], data["target"], strict=True)}

    def expected(self) -> set[tuple[int, int]]:
        """Links that are to be drawn for the selection."""
        matrix = self.session.attention.value
        if matrix is None:
            return set()
        limit = threshold_value(matrix, self.session.selection.threshold)
        links = strongest_links(matrix)
        above = links.value >= limit
        return set(zip(links.source[above].tolist(), links.target[above].tolist(), strict=True))

    def point(self, fig: Any, x: float, y: float) -> None:
        """Move the pointer to a place in a figure."""
        self.page.mouse.move(*self._place_of(fig, x, y))

    def click(self, fig: Any, x: float, y: float) -> None:
        """Click at a place in a figure."""
        self.page.mouse.click(*self._place_of(fig, x, y))

    def alpha(self, name: str) -> np.ndarray:
        """How black a mask is, 0 to 255, one value for each patch."""
        pixels = np.array(self.data(self.pictures.masks.masks[name])["mask"][0], np.uint32)
        return pixels >> 24


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Study]:
    """Make small studies."""

    def make(**sizes: Any) -> Study:
        folder: Path = tmp_path_factory.mktemp("studies")
        return open_study(write_synthetic_study(folder / "small.study", **sizes))

    return make


@pytest.fixture
def open_view(
    app_page: Callable[..., Page],
    place_of: Callable[..., tuple[float, float]],
    wait_until: Callable[..., None],
    studies: Callable[..., Study],
) -> Callable[..., ViewD]:
    """Open view D on a synthetic study."""

    def open_it(**sizes: Any) -> ViewD:
        study, views = studies(**sizes), []

        def build() -> pn.Row:
            selection = Selection(image=3, threshold=0.05)
            session, bridge = Session(study, selection=selection, inference=FakeInference(study.spec)), Bridge()
            views[:] = [PatternOverview(session, bridge), AttentionDetail(session, bridge)]
            boxes = [
                pn.Column(part, **FILLED, styles={"flex": f"{share} 1 0", "min-width": "0"})
                for part, share in zip(views, (3, 7), strict=True)
            ]
            return pn.Row(*boxes, height=440, width=940)

        view = ViewD(app_page(build), place_of, views)
        wait_until(lambda: view.drawn() == view.expected())
        return view

    return open_it


def test_lines_follow_the_bar_at_once_and_the_server_hears_on_release(
    open_view: Callable[..., ViewD], wait_until: Callable[..., None], place_of: Callable[..., tuple[float, float]]
):
    view = open_view()
    histogram, before = view.pictures.histogram.figure, view.drawn()
    start, end = (threshold_value(view.matrix, share) for share in (0.05, 0.5))
    at, to = (place_of(histogram, value, 3) for value in (start, end))
    view.page.mouse.move(*at)
    view.page.mouse.down()
    view.page.mouse.move(*to, steps=8)
    wait_until(lambda: len(view.drawn()) > 2 * len(before))
    assert view.session.selection.threshold == 0.05
    view.page.mouse.up()
    wait_until(lambda: view.session.selection.threshold > 0.05)
    wait_until(lambda: view.drawn() == view.expected())
    assert view.session.selection.threshold == pytest.approx(0.5, abs=0.05)
    assert view.title(histogram).startswith("Top ")


def test_the_bar_stays_inside_the_values(
    open_view: Callable[..., ViewD], wait_until: Callable[..., None], place_of: Callable[..., tuple[float, float]]
):
    view = open_view()
    histogram = view.pictures.histogram.figure
    view.point(histogram, threshold_value(view.matrix, 0.05), 3)
    view.page.mouse.down()
    left, top = place_of(histogram, float(view.matrix.max()), 3)
    view.page.mouse.move(left + 200, top, steps=8)
    view.page.mouse.up()
    wait_until(lambda: len(view.drawn()) == 1)
    assert view.session.selection.threshold == 1 / view.matrix.size


def test_pointing_at_a_token_lights_its_links_and_masks_without_the_server(
    open_view: Callable[..., ViewD], wait_until: Callable[..., None]
):
    view = open_view()
    lines, token = view.pictures.lines, int(strongest_links(view.matrix).source[-1])
    view.point(lines.figure, token, 1.02)
    wait_until(lambda: bool(view.data(lines.lit)["source"]))
    lit = view.data(lines.lit)
    assert set(zip(lit["source"], lit["target"], strict=True)) == {link for link in view.expected() if link[0] == token}
    row, col = view.matrix[token, view.grid.patches], view.matrix[view.grid.patches, token]
    assert np.abs(view.alpha("source") - 255 * (1 - row / row.max())).max() <= 0.51
    assert np.abs(view.alpha("target") - 255 * (1 - col / col.max())).max() <= 0.51
    assert view.title(lines.figure).startswith(view.grid.label(token))
    assert view.session.selection.token is None

    view.point(lines.figure, token, -0.02)
    links = {link for link in view.expected() if link[1] == token}
    wait_until(lambda: len(view.data(lines.lit)["source"]) == len(links))
    view.point(view.pictures.histogram.figure, float(view.matrix.max()), 3)
    wait_until(lambda: not view.data(lines.mark)["token"])


def test_without_a_token_the_masks_are_those_of_cls(open_view: Callable[..., ViewD]):
    view = open_view()
    row = view.matrix[0, 1:]
    assert np.abs(view.alpha("source") - 255 * (1 - row / row.max())).max() <= 0.51
    assert view.title(view.pictures.masks.figures["source"]) == "CLS attends to"
    assert view.title(view.pictures.masks.figures["target"]) == "attend to CLS"


def test_a_model_without_cls_asks_for_a_patch(open_view: Callable[..., ViewD], wait_until: Callable[..., None]):
    view = open_view(prefix=())
    masks = view.pictures.masks.figures
    assert view.title(masks["source"]) == "there is no CLS:"
    view.point(masks["image"], 2.5, 1.5)
    wait_until(lambda: view.title(masks["source"]) == "patch 6 attends to")


def test_a_clicked_patch_stays_until_it_is_clicked_again(
    open_view: Callable[..., ViewD], wait_until: Callable[..., None]
):
    view = open_view()
    image = view.pictures.masks.figures["image"]
    view.click(image, 2.5, 1.5)
    wait_until(lambda: view.session.selection.token == 7)
    view.page.mouse.move(0, 0)
    assert view.data(view.pictures.lines.mark)["token"] == [7]
    view.page.wait_for_timeout(DOUBLE_CLICK)
    view.click(image, 2.5, 1.5)
    wait_until(lambda: view.session.selection.token is None)


@pytest.mark.parametrize("sizes", [{}, {"prefix": ("cls", "register")}, {"rows": 5, "cols": 25, "prefix": ()}])
def test_heatmap_holds_the_matrix_and_names_what_is_under_the_pointer(
    open_view: Callable[..., ViewD], wait_until: Callable[..., None], sizes: dict[str, Any]
):
    view = open_view(**sizes)
    view.session.selection.choose_head(1, 2)
    wait_until(lambda: view.drawn() == view.expected())
    matrix = np.full(view.matrix.shape, np.nan, np.float32)
    for source in view.pictures.heatmap.blocks.values():
        data = view.data(source)
        for i, image in enumerate(data["image"]):
            rows, cols = slice(data["top"][i], data["bottom"][i]), slice(data["left"][i], data["right"][i])
            matrix[rows, cols] = np.reshape(image, matrix[rows, cols].shape)
    assert np.array_equal(matrix, view.matrix)
    edges = axis_edges(view.grid)
    source, target = 0, view.grid.n_tokens - 2
    middle = [(edges[token] + edges[token + 1]) / 2 for token in (target, source)]
    view.point(view.pictures.heatmap.figure, middle[0], middle[1])
    words = [view.grid.label(source), view.grid.label(target), f"{view.matrix[source, target]:.5f}"]
    for text in words:
        expect(view.page.locator(".bk-tooltip-row-value").get_by_text(text, exact=True)).to_be_visible()


def test_large_grids_are_pooled_in_the_heatmap_alone(open_view: Callable[..., ViewD]):
    view = open_view(rows=25, cols=25, n_images=5, n_layers=1, n_heads=1)
    assert "largest of 2 × 2 patches" in view.title(view.pictures.heatmap.figure)
    assert "the 4,000 strongest of 19,594" in view.title(view.pictures.lines.figure)
    block = view.data(view.pictures.heatmap.blocks["patch"])["image"][0]
    assert len(block) == 13**4
    assert max(block) == view.matrix[1:, 1:].max()


def test_threshold_and_token_can_be_typed(open_view: Callable[..., ViewD], wait_until: Callable[..., None]):
    view = open_view()
    token, share = (view.page.get_by_role("textbox").nth(i) for i in range(2))
    token.fill("4")
    token.press("Enter")
    wait_until(partial(lambda selection: selection.token == 4, view.session.selection))
    share.fill("2")
    share.press("Enter")
    wait_until(lambda: view.session.selection.threshold == 0.02 and view.drawn() == view.expected())
