"""Figures of D2 to D5 as they are built."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vitpanel.core.display import display_grid, head_display
from vitpanel.core.grid import Grid
from vitpanel.views.figures.head_pictures import HEAD_COLUMNS, create_head_pictures, head_columns
from vitpanel.views.figures.heatmap import axis_edges, block_sources
from vitpanel.views.figures.image_masks import rgba_pixels

GRIDS = [Grid(14, 14), Grid(3, 5, ()), Grid(4, 4, ("cls", "register", "distillation")), Grid(4, 4, ("register",))]


def test_cls_is_ten_patches_wide_and_extra_tokens_are_thinner():
    assert axis_edges(Grid(14, 14))[:3] == [0, 10, 11]
    assert axis_edges(Grid(14, 14, ("cls", "register")))[:4] == [0, 10, 13, 14]
    assert axis_edges(Grid(2, 2)) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("grid", GRIDS)
def test_blocks_cover_every_entry_once(grid: Grid):
    entries = np.zeros((grid.n_tokens, grid.n_tokens), int)
    edges = np.array(axis_edges(grid))
    area = 0
    for source in block_sources(grid).values():
        data: Any = source.data
        for i, image in enumerate(data["image"]):
            rows, cols = slice(data["top"][i], data["bottom"][i]), slice(data["left"][i], data["right"][i])
            entries[rows, cols] += 1
            assert image.shape == entries[rows, cols].shape
            assert (data["x"][i], data["y"][i]) == (edges[cols.start], edges[rows.start])
            area += data["dw"][i] * data["dh"][i]
    assert (entries == 1).all()
    assert area == pytest.approx(edges[-1] ** 2)


def test_kinds_of_blocks():
    blocks = block_sources(Grid(4, 4, ("cls", "register")))
    assert {kind: len(source.data["x"]) for kind, source in blocks.items()} == {"cls": 5, "extra": 3, "patch": 1}
    assert {kind: len(source.data["x"]) for kind, source in block_sources(Grid(4, 4)).items()} == {"cls": 3, "patch": 1}


@pytest.mark.parametrize("grid", GRIDS)
def test_pictures_of_any_grid(grid: Grid):
    pictures = create_head_pictures(grid)
    assert set(pictures.lines.links) == set(pictures.heatmap.blocks)
    assert set(pictures.head.data) == set(HEAD_COLUMNS)


def test_only_a_large_matrix_is_sent_pooled_too(rng: np.random.Generator):
    small, large = Grid(4, 4), Grid(26, 26)
    for grid, size in ((small, 0), (large, display_grid(large).n_tokens ** 2)):
        matrix = rng.random((grid.n_tokens, grid.n_tokens), np.float32)
        columns = head_columns(head_display(matrix, grid, 0.01))
        assert tuple(columns) == HEAD_COLUMNS
        assert columns["pooled"][0].size == size


@pytest.mark.parametrize(("mode", "colour"), [("RGB", (10, 20, 30)), ("L", 200)])
def test_pixels_of_a_crop(mode: str, colour: Any):
    buffer = io.BytesIO()
    Image.new(mode, (6, 4), colour).save(buffer, "WEBP", lossless=True)
    pixels = rgba_pixels(buffer.getvalue())
    red, green, blue = colour if isinstance(colour, tuple) else (colour,) * 3
    assert pixels.shape == (4, 6)
    assert (pixels == (255 << 24 | blue << 16 | green << 8 | red)).all()
