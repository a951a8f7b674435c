"""Each kind of brush is seen in every view that says something of it, and is gone everywhere when it is cleared.

The explorer is a real one with all views, without a browser: what is looked at is what the browser is sent. What is
expected is written out in loops.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import panel as pn
import pytest

import vitpanel
from tests.synthetic import write_synthetic_study
from vitpanel.app.brush_bar import BrushBar
from vitpanel.app.explorer import Explorer
from vitpanel.state.brush import HEAD, IMAGE, INSTANCE, TOKEN, Ids
from vitpanel.state.image_groups import BRUSHED_HEADS
from vitpanel.study.reader import Study, open_study
from vitpanel.theme.shares import share_colours
from vitpanel.views.figures.head_strip import LEAST_ALPHA

IMAGES, HEADS = (0, 2, 5, 7), ((0, 1), (1, 2))
INSTANCES, TOKENS = ((0, 0, 1), (3, 0, 1), (3, 1, 0)), (0, 3, 4)
BRUSHES = {
    "images": Ids(IMAGES, IMAGE),
    "heads": Ids(HEADS, HEAD),
    "instances": Ids(INSTANCES, INSTANCE),
    "tokens": Ids(TOKENS, TOKEN),
}
IMAGE_CHOSEN, CHOSEN = 1, (0, 1)
ONE_SHADE = 4  # of 255
Values = Callable[[Study], Any]


class Page:
    """What each place of the page shows, as numbers or words; empty or NaN where it shows nothing of a brush."""

    def __init__(self, explorer: Explorer) -> None:
        views: Any = explorer.views
        self.a, self.b, self.c = (views[f"{x}"] for x in ("image-overview", "head-importance", "attention-strength"))
        self.d1, self.d = views["pattern-overview"], views["attention-detail"]
        self.bar = BrushBar(explorer.session, explorer.bridge)

    def strip(self, name: str, column: str) -> Any:
        marks = self.b.curve.strip.marks.get(name)
        return [] if marks is None else getattr(marks, column)

    def share_column(self, name: str) -> Any:
        table = self.b.curve_chart.table()
        return table[name] if name in table else []

    def ring_places(self) -> Any:
        rings = self.c.scatter.rings
        return [] if rings is None else rings.data["x"]


PLACES: dict[str, Callable[[Page], Any]] = {
    "A: images that stand out": lambda page: page.a.map.highlighted.view.filter.indices,
    "A: colours by the brush": lambda page: [] if page.a.colours.numbers is None else page.a.colours.numbers.per_image,
    "A: clear": lambda page: page.a.unbrush.label,
    "A: table": lambda page: page.a.chart.table().get("brushed", []),
    "B1: mean of the brush": lambda page: page.b.curve.brush.data["mean"],
    "B1: strip of heads": lambda page: page.strip("heads", "alphas"),
    "B1: strip of tokens": lambda page: page.strip("tokens", "colours"),
    "B1: table, brushed": lambda page: page.share_column("brush_share"),
    "B1: table, to tokens": lambda page: page.share_column("token_share"),
    "list: effect": lambda page: [row[1] for row in page.b.ranked.heads.effects["values"] or []],
    "list: bars of heads": lambda page: page.b.ranked.heads.shares["heads"] or [],
    "list: bars of tokens": lambda page: page.b.ranked.heads.shares["tokens"] or [],
    "C1: rings": lambda page: page.ring_places(),
    "C1: colours": lambda page: page.c.scatter.heads.data["colour"],
    "C1: table": lambda page: page.c.scatter_chart.table()["is_brushed"],
    "C2: line of images": lambda page: page.c.bars.hops.data["brush"],
    "C2: line of heads": lambda page: page.c.bars.hops.data["of_heads"],
    "C3: curve": lambda page: page.c.area.legend.items[0].label["value"] if page.c.area.legend.visible else "",
    "D1: lit": lambda page: np.sort(page.d1.plot.marked.data["x"]),
    "D1: card": lambda page: re.sub("<[^>]+>", "", page.d1.card.words.object) if page.d1.card._layout.visible else "",
    "D1: colours": lambda page: page.d1.plot.own.data["colour"],
    "D2 to D5: tokens": lambda page: page.d.pictures.brushed.data["token"],
    "header": lambda page: [f"{brushed['name']}: {brushed['size']}" for brushed in page.bar.brushes],
}


def share_of_head(study: Study, layer: int, head: int) -> float:
    """Share of the images on which a head is among the brushed heads on images."""
    n_brushed = sum((image, layer, head) in INSTANCES for image in range(study.n_images))
    return n_brushed / study.n_images


def shares(study: Study) -> list[float]:
    """That of all heads."""
    return [share_of_head(study, layer, head) for layer in range(2) for head in range(3)]


def is_head(_: Study) -> list[float]:
    """1 for a brushed head, else 0."""
    return [float((layer, head) in HEADS) for layer in range(2) for head in range(3)]


def to_tokens(study: Study) -> list[float]:
    """Attention of CLS to the brushed tokens of the chosen image, which are CLS and patches, in each head."""
    row = study["patterns/cls"][IMAGE_CHOSEN].astype(float)
    return [sum(row[layer, head, token] for token in TOKENS) for layer in range(2) for head in range(3)]


def parts(values: list[float]) -> list[float]:
    """Of the largest."""
    return [value / max(values) for value in values]


def alphas(values: list[float]) -> list[float]:
    """Opacity of the cells of a strip."""
    return [LEAST_ALPHA + (1 - LEAST_ALPHA) * part for part in parts(values)]


def effects(study: Study) -> list[float]:
    """Hedges' g of the brushed images against the others, of each head."""
    found = []
    for layer in range(2):
        for head in range(3):
            values = study["importance/jsd"][:, layer, head].astype(float)
            one = [values[image] for image in range(study.n_images) if image in IMAGES]
            other = [values[image] for image in range(study.n_images) if image not in IMAGES]
            freedom = len(one) + len(other) - 2
            squares = sum((x - np.mean(group)) ** 2 for group in (one, other) for x in group)
            found.append((1 - 3 / (4 * freedom - 1)) * (np.mean(one) - np.mean(other)) / np.sqrt(squares / freedom))
    return found


def means(study: Study, name: str, head: tuple[int, int]) -> Any:
    """Mean of an array of one head over the brushed images."""
    return sum(study[name][(image, *head)].astype(float) for image in IMAGES) / len(IMAGES)


def places(study: Study, is_in: Callable[[int, int, int], bool]) -> np.ndarray:
    """Where heads on images are on the map of heads, across."""
    found = [
        study["layout/patch"][image, layer, head, 0]
        for image in range(study.n_images) for layer in range(2) for head in range(3) if is_in(image, layer, head)
    ]  # fmt: skip
    return np.sort(found)


def importance_of_brush(study: Study) -> list[float]:
    """Mean importance of the brushed heads on each image."""
    values = study["importance/jsd"]
    return [sum(float(values[(image, *head)]) for head in HEADS) / len(HEADS) for image in range(study.n_images)]


def heads_of_images(study: Study) -> list[int]:
    """How many heads of each image are brushed."""
    return [sum(image == other for other, _, _ in INSTANCES) for image in range(study.n_images)]


def made_of(study: Study) -> str:
    """How many of the images are brushed."""
    return f"images: {len(IMAGES)} of {study.n_images} images"


EXPECTED: dict[str, dict[str, Values]] = {
    "images": {
        "A: images that stand out": lambda _: list(IMAGES),
        "A: clear": lambda _: "Clear 4 brushed",
        "A: table": lambda study: [image in IMAGES for image in range(study.n_images)],
        "B1: mean of the brush": lambda study: [
            means(study, "importance/jsd", (layer, head)) for layer in range(2) for head in range(3)
        ],
        "list: effect": effects,
        "C2: line of images": lambda study: means(study, "strength", CHOSEN),
        "C3: curve": lambda _: "brush (4)",
        "D1: lit": lambda study: places(study, lambda image, layer, head: image in IMAGES),
        "header": made_of,
    },
    "heads": {
        "A: colours by the brush": importance_of_brush,
        "B1: strip of heads": lambda study: alphas(is_head(study)),
        "B1: table, brushed": is_head,
        "list: bars of heads": is_head,
        "C1: rings": lambda _: HEADS,
        "C1: table": is_head,
        "C2: line of heads": lambda study: sum(study["strength"][(IMAGE_CHOSEN, *head)] for head in HEADS) / len(HEADS),
        "D1: lit": lambda study: places(study, lambda _, layer, head: (layer, head) in HEADS),
        "D1: card": lambda study: f"{2 * study.n_images} heads on {study.n_images} of {study.n_images} images",
        "header": lambda _: "heads: 2 heads of 2 layers",
    },
    "instances": {
        "A: colours by the brush": heads_of_images,
        "B1: strip of heads": lambda study: alphas(shares(study)),
        "B1: table, brushed": shares,
        "list: bars of heads": lambda study: parts(shares(study)),
        "C1: rings": lambda _: ((0, 1), (1, 0)),
        "C1: table": lambda study: [share > 0 for share in shares(study)],
        "D1: lit": lambda study: places(study, lambda *place: place in INSTANCES),
        "D1: card": lambda study: f"3 heads on 2 of {study.n_images} images",
        "header": lambda _: "heads: 3 heads on images (2 images)",
    },
    "tokens": {
        "B1: strip of tokens": lambda study: share_colours(np.array(to_tokens(study))).colours,
        "B1: table, to tokens": to_tokens,
        "list: bars of tokens": lambda study: parts(to_tokens(study)),
        "C1: colours": lambda study: share_colours(np.array(to_tokens(study))).colours,
        "D1: colours": lambda study: share_colours(np.array(to_tokens(study))).colours,
        "D2 to D5: tokens": lambda _: list(TOKENS),
        "header": lambda _: "tokens: 2 patches and 1 other token",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("matrix") / "x.study"))


@pytest.fixture(scope="module")
def explorer(study: Study) -> Iterator[Explorer]:
    """Views of a study, which nothing is brushed in."""
    explorer = vitpanel.explore(study, live=False)
    values = {"image": IMAGE_CHOSEN, "metric": "jsd", "pattern": "patch", "map_colour": "tokens"}
    explorer.selection.param.update(colouring=BRUSHED_HEADS, layer=CHOSEN[0], head=CHOSEN[1], **values)
    yield explorer
    pn.state.reset()


@pytest.fixture(scope="module")
def seen(explorer: Explorer) -> Page:
    return Page(explorer)


@pytest.fixture(scope="module")
def bare(seen: Page) -> dict[str, Any]:
    """What the places show without a brush."""
    return {place: read(seen) for place, read in PLACES.items()}


def channels(colours: np.ndarray) -> np.ndarray:
    """Red, green and blue of hex colours, ``(n, 3)``."""
    return np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in colours])


def is_same(one: Any, other: Any) -> bool:
    """Whether two contents of a place are the same, numbers but for rounding and colours but for a shade."""
    one, other = np.asarray(one), np.asarray(other)
    if one.shape == other.shape and one.size and str(one.flat[0])[0:1] == str(other.flat[0])[0:1] == "#":
        return bool((np.abs(channels(one) - channels(other)) <= ONE_SHADE).all())
    if one.shape != other.shape or "U" in (one.dtype.kind, other.dtype.kind):
        return np.array_equal(one, other)
    return np.allclose(one.astype(float), other.astype(float), rtol=2e-3, atol=1e-6, equal_nan=True)


@pytest.mark.parametrize("kind", BRUSHES)
@pytest.mark.parametrize("place", PLACES)
def test_a_brush_is_seen_where_it_says_something_and_gone_when_it_is_cleared(
    explorer: Explorer, seen: Page, bare: dict[str, Any], kind: str, place: str
):
    study, selection, read = explorer.session.study, explorer.selection, PLACES[place]
    selection.mark(BRUSHES[kind])
    shown = read(seen)
    selection.param.update(images=None, heads=None, tokens=None)
    assert is_same(read(seen), bare[place]), "after it was cleared"
    expected = EXPECTED[kind].get(place)
    if expected is None:
        assert is_same(shown, bare[place])
    elif place == "C1: rings":
        flat = [3 * layer + head for layer, head in expected(study)]
        assert is_same(shown, np.asarray(seen.c.scatter.heads.data["x"])[flat])
    elif place == "header":
        (words,) = shown
        assert words.startswith(expected(study))
    else:
        assert is_same(shown, expected(study)), (shown, expected(study))


def test_all_kinds_together_are_seen_and_gone(explorer: Explorer, seen: Page, bare: dict[str, Any]):
    selection = explorer.selection
    for kind in ("images", "instances", "tokens"):
        selection.mark(BRUSHES[kind])
    assert [words.split(":")[0] for words in PLACES["header"](seen)] == ["images", "heads", "tokens"]
    assert sum(not is_same(read(seen), bare[place]) for place, read in PLACES.items()) > len(PLACES) / 2
    selection.param.update(images=None, heads=None, tokens=None)
    assert [place for place, read in PLACES.items() if not is_same(read(seen), bare[place])] == []
