"""Attention Detail on a page of its own, and ways to look at what the browser has."""

from collections.abc import Callable
from typing import Any

import numpy as np
from playwright.sync_api import Page

from vitpanel.drawing.display import axis_edges, colour_limits, strongest_links, threshold_value, token_kinds
from vitpanel.state.session import Session
from vitpanel.theme.mask_ramps import mask_ramps

# Neighbouring shades of a mask may be the same pixel.
STEP = 1.6 / 255
# Seconds of a slow link.
ROUND_TRIP = 0.2
_DATA = """id => {
  const {data} = Bokeh.documents[0].get_model_by_id(id);
  const plain = (cell) => typeof cell === "object" ? Array.from(cell) : cell;
  return Object.fromEntries(Object.entries(data).map(([name, column]) => [name, Array.from(column, plain)]));
}"""


class Detail:
    """The view on a page of its own, and ways to look at what the browser has."""

    def __init__(
        self,
        page: Page,
        place_of: Callable[..., tuple[float, float]],
        act: Callable[[Callable[[], object]], None],
        view: Any,
    ) -> None:
        self.page, self._place_of, self.act, self.view = page, place_of, act, view
        self.session: Session = view.session
        self.pictures: Any = view.pictures
        self.grid = self.session.study.spec.grid

    @property
    def matrix(self) -> np.ndarray:
        """Attention of the chosen head."""
        value = self.session.attention.value
        assert value is not None
        return value

    def data(self, source: Any) -> dict[str, Any]:
        """Columns of a source as the browser has them."""
        return self.page.evaluate(_DATA, source.id)

    def text(self, model: Any, *, name: str = "text") -> Any:
        """Text (or another property) of a title, a label or the line of words as the browser has it."""
        return self.page.evaluate("([id, name]) => Bokeh.documents[0].get_model_by_id(id)[name]", [model.id, name])

    def caption(self, name: str) -> str:
        """Title of one of the three images."""
        return self.text(self.pictures.masks.figures[name].title)

    def drawn(self) -> set[tuple[int, int]]:
        """Links that the browser draws, as source and target."""
        found = [self.data(source) for source in self.pictures.lines.links.values()]
        return {link for data in found for link in zip(data["source"], data["target"], strict=True)}

    def expected(self) -> set[tuple[int, int]]:
        """Links that are to be drawn for the selection."""
        matrix, limit = self.matrix, threshold_value(self.matrix, self.session.selection.threshold)
        return {divmod(link, len(matrix)) for link in strongest_links(matrix).tolist() if matrix.flat[link] >= limit}

    def is_shown(self) -> bool:
        """Whether the attention of the chosen head has come, and is drawn."""
        return self.session.attention.value is not None and self.drawn() == self.expected()

    def place_of_token(self, token: int) -> float:
        """Middle of a token along the axes of D3, and of D4 where it is not pooled."""
        edges = axis_edges(self.grid, with_extra=self.session.selection.extra)
        return (edges[token] + edges[token + 1]) / 2

    def point(self, fig: Any, x: float, y: float) -> None:
        """Move the pointer to a place in a figure."""
        self.page.mouse.move(*self._place_of(fig, x, y))

    def click(self, fig: Any, x: float, y: float) -> None:
        """Click at a place in a figure."""
        self.page.mouse.click(*self._place_of(fig, x, y))

    def point_at_patch(self, picture: str, token: int) -> None:
        """Move the pointer to a patch on one of the three images."""
        row, col = divmod(token - self.grid.n_prefix, self.grid.cols)
        self.point(self.pictures.masks.figures[picture], col + 0.5, row + 0.5)

    def light(self, name: str, *, kind: str = "cls") -> np.ndarray:
        """How far up the scale of its colours a mask is, 0 to 1, one value for each patch."""
        ramp = np.array(mask_ramps()[kind], np.int64)
        pixels = np.array(self.data(self.pictures.masks.masks[name])["mask"][0], np.int64)
        assert np.isin(pixels, ramp).all()
        return np.array([np.flatnonzero(ramp == pixel).mean() for pixel in pixels]) / (len(ramp) - 1)

    def shades(self) -> np.ndarray:
        """What the heatmap draws, NaN for what it does not."""
        found = np.full(self.matrix.shape, np.nan)
        for source in self.pictures.heatmap.blocks.values():
            data = self.data(source)
            for i, image in enumerate(data["image"]):
                rows, cols = slice(data["top"][i], data["bottom"][i]), slice(data["left"][i], data["right"][i])
                found[rows, cols] = np.reshape(image, found[rows, cols].shape)
        return found

    def parts(self) -> np.ndarray:
        """Attention as a part of the value that has the darkest colour."""
        kinds = token_kinds(self.grid)
        limits = np.array(colour_limits(self.matrix, self.grid))
        return self.matrix / limits[np.maximum.outer(kinds, kinds)]
