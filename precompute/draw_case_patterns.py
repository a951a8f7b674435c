"""Draw the pictures of docs/case-patterns.md: maps, heatmaps and lines of DINOv2, image masks of the demo.

The colours, places, thresholds and scales are those of the views, the attention that of the live model.
Photographs and masked photographs are never drawn: masks come from the demo study alone.

    python precompute/draw_case_patterns.py --dino dino.study --demo demo.study
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from vitpanel.app.inference import ModelService  # noqa: E402 - also where it is not installed
from vitpanel.app.session_inference import SessionInference  # noqa: E402 - also where it is not installed
from vitpanel.core.grid import Grid  # noqa: E402
from vitpanel.core.spec import short_head_name  # noqa: E402
from vitpanel.drawing.display import (  # noqa: E402
    KINDS,
    axis_edges,
    colour_limits,
    strongest_links,
    threshold_value,
    token_kinds,
)
from vitpanel.drawing.viewport import home_viewport  # noqa: E402
from vitpanel.elements.pattern_map import paint_map  # noqa: E402
from vitpanel.models.images import decode_crop  # noqa: E402
from vitpanel.state.online import Matrices, Online  # noqa: E402
from vitpanel.state.patterns import Patterns  # noqa: E402
from vitpanel.state.selection import Selection  # noqa: E402
from vitpanel.study.reader import Study, open_study  # noqa: E402
from vitpanel.theme.link_colours import KIND_COLOURS  # noqa: E402
from vitpanel.theme.palette import CHOSEN, TEXT, rgb  # noqa: E402

MARGIN, CAPTION, FINE = 12, 24, 3
SLATE = (64, 74, 88)
DINO_IMAGE, DEMO_IMAGE = 40, 379


@dataclass(frozen=True)
class Scene:
    """A head and what is said of it; ``token`` is highlighted, ``share`` of the largest values is drawn as lines."""

    head: tuple[int, int]
    words: str
    token: int | None = None
    share: float = 0.01


GALLERY = (
    Scene((1, 3), "to itself"),
    Scene((1, 1), "to the right"),
    Scene((2, 3), "to the left"),
    Scene((3, 1), "to the one below"),
    Scene((3, 4), "to the one above"),
    Scene((4, 5), "to the right, again"),
    Scene((5, 4), "to the left, again"),
    Scene((5, 0), "below, again"),
    Scene((4, 0), "above, again"),
    Scene((0, 5), "all to the same few"),
    Scene((9, 4), "all to some regions"),
    Scene((11, 2), "to similar patches"),
)
PAIRS = {
    "cls": Scene((3, 4), "the strongest 1 % of the links, CLS highlighted", token=0),
    "cls-to-patches": Scene((11, 2), "the strongest 10 % of the links, CLS highlighted", token=0, share=0.1),
    "below": Scene((3, 1), "the strongest 0.4 % of the links", share=0.004),
}
HIGHLIGHTED = (Scene((3, 1), "to the one below"), Scene((11, 2), "to similar patches"))
LAYOUTS = ("patch", "cls", "offset")
MASKS = (
    Scene((0, 1), "CLS"),
    Scene((1, 0), "CLS"),
    Scene((4, 1), "CLS"),
    Scene((4, 0), "patch 133, of the sole", token=134),
)


class Heads:
    """Attention of the heads of one image of a study."""

    def __init__(self, study: Study, image: int) -> None:
        self.study, self.image, self.grid = study, image, study.spec.grid
        self._inference = SessionInference(ModelService(study))

    def matrix(self, head: tuple[int, int]) -> np.ndarray:
        """Attention of a head, ``(n_tokens, n_tokens)``."""
        answers: list[Online[Matrices]] = []
        self._inference.attention(self.image, head[0], answers.append)
        weights = answers[-1].value
        if weights is None:
            raise SystemExit(answers[-1].message)
        return weights[head[1]]


def shaded(matrix: np.ndarray, grid: Grid) -> np.ndarray:
    """Colour of each entry, uint8 ``(n_tokens, n_tokens, 3)``."""
    kinds = np.maximum.outer(token_kinds(grid), token_kinds(grid))
    limits = np.array(colour_limits(matrix, grid))
    colours = np.zeros((*matrix.shape, 3), np.uint8)
    for kind, name in enumerate(KINDS):
        ramp = np.array([rgb(colour) for colour in KIND_COLOURS[name]], np.uint8)
        own = kinds == kind
        index = np.minimum(matrix[own] / limits[kind] * len(ramp), len(ramp) - 1)
        colours[own] = ramp[index.astype(int)]
    return colours


def heatmap(matrix: np.ndarray, grid: Grid, *, size: int) -> Image.Image:
    """D4."""
    widths = np.rint(np.diff(axis_edges(grid))).astype(int)
    picture = Image.fromarray(shaded(matrix, grid).repeat(widths, 0).repeat(widths, 1))
    return picture.resize((size, size), Image.Resampling.BOX if picture.width > size else Image.Resampling.NEAREST)


def lines(matrix: np.ndarray, grid: Grid, scene: Scene, *, size: tuple[int, int]) -> Image.Image:
    """D3, drawn larger and made smaller, so that lines are smooth."""
    width, height = size[0] * FINE, size[1] * FINE
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    edges, colours, bar = np.array(axis_edges(grid)), shaded(matrix, grid), 14 * FINE
    x = (edges[:-1] + edges[1:]) / 2 * width / edges[-1]
    drawn = strongest_links(matrix)
    drawn = drawn[matrix.ravel()[drawn] >= threshold_value(matrix, scene.share)]
    ends = [divmod(link, grid.n_tokens) for link in drawn.tolist()]
    highlighted = [(source, target) for source, target in ends if source == scene.token]
    for source, target in [*ends, *highlighted]:
        colour = CHOSEN if (source, target) in highlighted else tuple(colours[source, target].tolist())
        draw.line([(x[source], bar), (x[target], height - bar)], fill=colour, width=FINE)
    shades = {0: KIND_COLOURS["patch"], 1: KIND_COLOURS["extra"], 2: KIND_COLOURS["cls"]}
    for token, kind in enumerate(token_kinds(grid).tolist()):
        shade = shades[kind][190 if kind else (120, 200)[(token - grid.n_prefix) // grid.cols % 2]]
        left, right = edges[token] * width / edges[-1], edges[token + 1] * width / edges[-1]
        for top in (0, height - bar):
            draw.rectangle([left, top, right, top + bar], fill=shade)
    return picture.resize(size, Image.Resampling.LANCZOS)


def masked(study: Study, image: int, values: np.ndarray | None, *, size: int) -> Image.Image:
    """D2: the crop, under the mask of the attention of each patch, clear where it is strong."""
    crop = decode_crop(study.crop(image)).convert("RGB").resize((size, size), Image.Resampling.NEAREST)
    if values is None:
        return crop
    grid = study.spec.grid
    opacity = np.rint(255 * (1 - values / values.max())).astype(np.uint8).reshape(grid.rows, grid.cols)
    mask = Image.fromarray(opacity).resize((size, size), Image.Resampling.NEAREST)
    return Image.composite(Image.new("RGB", crop.size, SLATE), crop, mask)


def highlighted_map(study: Study, head: tuple[int, int], pattern: str, *, size: int) -> Image.Image:
    """D1: all heads of all images as contours, one head on all images highlighted."""
    selection = Selection(layer=head[0], head=head[1], pattern=pattern, cloud=True)
    patterns = Patterns(study, selection)
    viewport = home_viewport(patterns.map().home, width=size, height=size)
    drawing = paint_map(patterns, patterns.map(), viewport, patterns.colours())
    pixels = Image.fromarray(np.ascontiguousarray(drawing.picture.pixels[::-1]).view(np.uint8).reshape(size, size, 4))
    picture = Image.new("RGB", (size, size), "white")
    picture.paste(pixels, mask=pixels)
    draw = ImageDraw.Draw(picture)
    for x, y in zip(*drawing.cloud, strict=True):
        left, top = (x - viewport.x[0]) * viewport.scale[0], size - (y - viewport.y[0]) * viewport.scale[1]
        draw.ellipse([left - 2, top - 2, left + 2, top + 2], fill=CHOSEN)
    return picture


def map_words(study: Study, scene: Scene, pattern: str) -> str:
    """What a map shows, and how far the highlighted head keeps to itself."""
    selection = Selection(layer=scene.head[0], head=scene.head[1], pattern=pattern)
    patterns = Patterns(study, selection)
    share, name = patterns.cohesion().share[scene.head], patterns.layouts()[pattern]
    return f"{name}: {short_head_name(*scene.head)} {scene.words}, {share:.0%} own neighbours"


def arranged(rows: list[list[tuple[str, Image.Image]]]) -> Image.Image:
    """Pictures with words over them, in rows."""
    width = max(sum(picture.width + MARGIN for _, picture in row) for row in rows)
    height = sum(max(picture.height for _, picture in row) + CAPTION + MARGIN for row in rows)
    whole = Image.new("RGB", (width, height), "white")
    draw, top = ImageDraw.Draw(whole), 0
    for row in rows:
        left = 0
        for words, picture in row:
            draw.text((left, top + 3), words, fill=TEXT, font=ImageFont.load_default(14))
            whole.paste(picture, (left, top + CAPTION))
            left += picture.width + MARGIN
        top += max(picture.height for _, picture in row) + CAPTION + MARGIN
    return whole


def dino_pictures(study: Study) -> dict[str, Image.Image]:
    """Heatmaps of many heads, two of them highlighted on the map of all, and heatmap and lines of some."""
    heads = Heads(study, DINO_IMAGE)
    tiles = [
        (f"{short_head_name(*scene.head)}: {scene.words}", heatmap(heads.matrix(scene.head), heads.grid, size=266))
        for scene in GALLERY
    ]
    pictures = {"gallery": arranged([tiles[first : first + 4] for first in range(0, len(tiles), 4)])}
    maps = [
        [
            (map_words(study, scene, pattern), highlighted_map(study, scene.head, pattern, size=360))
            for scene in HIGHLIGHTED
        ]
        for pattern in LAYOUTS
    ]
    pictures["islands"] = arranged(maps)
    for name, scene in PAIRS.items():
        matrix = heads.matrix(scene.head)
        left = lines(matrix, heads.grid, scene, size=(620, 400))
        right = heatmap(matrix, heads.grid, size=400)
        name_of_head = short_head_name(*scene.head)
        words = f"{name_of_head}: {scene.words}; sources above, targets below"
        pictures[name] = arranged([[(words, left), (f"{name_of_head}: row = source, column = target", right)]])
    return pictures


def demo_pictures(study: Study) -> dict[str, Image.Image]:
    """Masks of some heads."""
    heads = Heads(study, DEMO_IMAGE)
    rows = []
    for scene in MASKS:
        matrix, token, name = heads.matrix(scene.head), scene.token or 0, short_head_name(*scene.head)
        parts = {
            f"{name}: image {DEMO_IMAGE}": None,
            f"{scene.words.split(',', maxsplit=1)[0]} attends to": matrix[token, heads.grid.patches],
            f"attend to {scene.words}": matrix[heads.grid.patches, token],
        }
        rows.append([(words, masked(study, DEMO_IMAGE, values, size=224)) for words, values in parts.items()])
    return {"masks": arranged(rows)}


def main() -> None:
    """Draw all pictures."""
    parser = argparse.ArgumentParser(description="Draw the pictures of docs/case-patterns.md")
    parser.add_argument("--dino", type=Path, required=True, help="study of DINOv2")
    parser.add_argument("--demo", type=Path, required=True, help="the demo study")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images")
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    pictures = {f"dino-{name}": picture for name, picture in dino_pictures(open_study(options.dino)).items()}
    pictures |= {f"demo-{name}": picture for name, picture in demo_pictures(open_study(options.demo)).items()}
    for name, picture in pictures.items():
        picture.save(options.to / f"patterns-{name}.png", optimize=True)


if __name__ == "__main__":
    main()
