"""Figures of D2 to D5 as they are built."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vitpanel.core.grid import Grid
from vitpanel.drawing.display import (
    KINDS,
    axis_edges,
    display_grid,
    head_display,
    strongest_links,
    threshold_value,
    token_kinds,
)
from vitpanel.state.queries.attention import histogram_table, links_table, mask_table, matrix_table
from vitpanel.views.figures.head_pictures import HEAD_COLUMNS, create_head_pictures, head_columns
from vitpanel.views.figures.heatmap import block_places
from vitpanel.views.figures.image_masks import rgba_pixels

GRIDS = [Grid(14, 14), Grid(3, 5, ()), Grid(4, 4, ("cls", "register", "distillation")), Grid(4, 4, ("register",))]


def test_cls_is_ten_patches_wide_and_extra_tokens_are_thinner():
    assert axis_edges(Grid(14, 14))[:3] == [0, 10, 11]
    assert axis_edges(Grid(14, 14, ("cls", "register")))[:4] == [0, 10, 13, 14]
    assert axis_edges(Grid(2, 2)) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("hidden", [set(), {"register", "distillation"}])
def test_blocks_cover_every_entry_that_is_shown_once(grid: Grid, hidden: set[str]):
    entries = np.zeros((grid.n_tokens, grid.n_tokens), int)
    edges = np.array(axis_edges(grid, with_extra=not hidden))
    area = 0
    for kind, columns in block_places(grid, with_extra=not hidden).items():
        for x, y, dw, dh, top, bottom, left, right in zip(*columns.values(), strict=True):
            entries[top:bottom, left:right] += 1
            assert (x, y) == (edges[left], edges[top])
            area += dw * dh
            kinds = {
                KINDS[max(token_kinds(grid)[i], token_kinds(grid)[j])]
                for i in (top, bottom - 1)
                for j in (left, right - 1)
            }
            assert kinds == {kind}
    shown = np.array([kind not in hidden for kind in grid.prefix] + [True] * grid.size)
    assert np.array_equal(entries, np.outer(shown, shown))
    assert area == pytest.approx(edges[-1] ** 2)


def test_kinds_of_blocks():
    counts = [
        {kind: len(columns["x"]) for kind, columns in block_places(*grid, with_extra=shown).items()}
        for grid, shown in [((Grid(4, 4, ("cls", "register")),), True), ((Grid(4, 4, ("cls", "register")),), False)]
    ]
    assert counts == [{"cls": 5, "extra": 3, "patch": 1}, {"cls": 3, "patch": 1}]


@pytest.mark.parametrize("grid", GRIDS)
def test_pictures_of_any_grid(grid: Grid):
    pictures = create_head_pictures(grid)
    assert set(pictures.lines.links) == set(pictures.heatmap.blocks) == set(pictures.heatmap.bars)
    assert set(pictures.head.data) == set(HEAD_COLUMNS)


def test_only_a_large_matrix_is_sent_pooled_too(rng: np.random.Generator):
    small, large = Grid(4, 4), Grid(26, 26)
    for grid, size in ((small, 0), (large, display_grid(large).n_tokens ** 2)):
        matrix = rng.random((grid.n_tokens, grid.n_tokens), np.float32)
        columns = head_columns(head_display(matrix, grid), 0.5)
        assert tuple(columns) == HEAD_COLUMNS
        assert columns["pooled"][0].size == size


def test_tables_hold_what_is_drawn(rng: np.random.Generator):
    grid = Grid(3, 4, ("cls", "register"))
    matrix = rng.random((14, 14), np.float32)
    display, limit = head_display(matrix, grid), threshold_value(matrix, 0.1)
    links = links_table(display, limit, grid)
    expected = [divmod(link, 14) for link in strongest_links(matrix).tolist()][-20:]
    assert links[["source", "target"]].to_numpy().tolist() == [[grid.name(i), grid.name(j)] for i, j in expected]
    assert links["value"].tolist() == [matrix[i, j] for i, j in expected]
    assert histogram_table(display)["count"].sum() == 14 * 14
    cells = matrix_table(display, grid)
    assert np.array_equal(cells["value"], matrix.ravel())
    assert (cells["source"][14], cells["target"][14]) == ("register 0", "CLS")
    for side, values in (("source", matrix[3, 2:]), ("target", matrix[2:, 3])):
        table = mask_table(display, grid, side=side, tokens=(3,))
        assert np.array_equal(table["value"], values)
        assert table.iloc[5].to_dict() == {"token": "patch 1", "row": 1, "column": 1, "value": values[5]}
    mean = mask_table(display, grid, side="source", tokens=())
    assert np.allclose(mean["value"], matrix[2:, 2:].mean(axis=0))


def test_tables_without_attention_are_empty():
    grid = Grid(3, 4, ())
    for table in (links_table(None, 0, grid), histogram_table(None), matrix_table(None, grid)):
        assert table.empty
    assert mask_table(None, grid, side="target", tokens=()).empty


@pytest.mark.parametrize(("mode", "colour"), [("RGB", (10, 20, 30)), ("L", 200)])
def test_pixels_of_a_crop(mode: str, colour: Any):
    buffer = io.BytesIO()
    Image.new(mode, (6, 4), colour).save(buffer, "WEBP", lossless=True)
    pixels = rgba_pixels(buffer.getvalue())
    red, green, blue = colour if isinstance(colour, tuple) else (colour,) * 3
    assert pixels.shape == (4, 6)
    assert (pixels == (255 << 24 | blue << 16 | green << 8 | red)).all()
