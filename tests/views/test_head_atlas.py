"""The strip of all heads without a browser."""

import base64
import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vitpanel.drawing.thumbnails import SHADES
from vitpanel.state.online import NO_IMAGE, NO_MODEL
from vitpanel.state.session import Session
from vitpanel.theme.link_colours import KIND_COLOURS
from vitpanel.theme.palette import dark_ramps, rgb
from vitpanel.views.figures.atlas import atlas_sheet
from vitpanel.views.head_atlas import HeadAtlas


def pixels_of(sheet: str):
    kind, data = sheet.split(",")
    assert kind == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        return np.array(picture.convert("RGB"))


@pytest.fixture
def atlas(make_session: Callable[..., Session]):
    return HeadAtlas(make_session())


def test_each_pixel_has_the_colour_of_its_code():
    codes = np.arange(2 * 3 * 4 * 4, dtype=np.uint8).reshape(2, 3, 4, 4)
    codes[0, 0, 0] = [0, SHADES - 1, SHADES, 3 * SHADES - 1]
    pixels = pixels_of(atlas_sheet(codes, dark=False))
    assert pixels.shape == (8, 12, 3)
    patch, extra, cls = KIND_COLOURS["patch"], KIND_COLOURS["extra"], KIND_COLOURS["cls"]
    assert pixels[0, :4].tolist() == [rgb(colour).tolist() for colour in (patch[0], patch[-1], extra[0], cls[-1])]
    dark = dict(dark_ramps())
    assert pixels_of(atlas_sheet(codes, dark=True))[0, 1].tolist() == rgb(dark[patch][-1]).tolist()
    colours: dict[int, tuple[int, ...]] = {}
    for (layer, head, row, col), code in np.ndenumerate(codes):
        colour = tuple(pixels[4 * layer + row, 4 * head + col].tolist())
        assert colours.setdefault(int(code), colour) == colour


def test_nothing_is_asked_until_the_strip_is_open(atlas: Any):
    session = atlas.session
    assert session.atlas.value is None
    atlas.switch.value = True
    assert np.array_equal(session.atlas.value, session.inference.thumbnails(3))
    assert atlas.strip.sheet == atlas_sheet(session.inference.thumbnails(3), dark=False)
    session.selection.image = 4
    assert atlas.strip.sheet == atlas_sheet(session.inference.thumbnails(4), dark=False)
    atlas.dark = True
    assert atlas.strip.sheet == atlas_sheet(session.inference.thumbnails(4), dark=True)
    atlas.switch.value = False
    session.selection.image = 5
    assert atlas.strip.sheet == atlas_sheet(session.inference.thumbnails(4), dark=True)
    assert not atlas.__panel__().visible


def test_order_and_words_follow_the_session(atlas: Any):
    atlas.switch.value = True
    assert atlas.strip.order == list(range(6))
    for order in ("entropy", "importance"):
        atlas.order.value = order
        assert atlas.strip.order == [3 * layer + head for layer, head in atlas.session.heads_by(order)]
    entropy = atlas.session.study["entropy"][3, 1, 2]
    rank = atlas.session.heads_by("importance").index((1, 2)) + 1
    words = f"layer 1 head 2 · entropy {entropy:.2f} · probability lost: rank {rank} of 6"
    assert atlas.strip.labels[5] == ["L1 H2", words]


def test_by_likeness_the_chosen_head_comes_first_and_the_order_follows_it(atlas: Any):
    atlas.switch.value = True
    atlas.order.value = "likeness"
    session = atlas.session
    for head, pattern in (((1, 0), "cls"), ((0, 2), "patch"), ((0, 2), "offset")):
        session.selection.param.update(pattern=pattern)
        session.selection.choose_head(*head)
        array = {"cls": "patterns/cls", "patch": "latents", "offset": "patterns/offset"}[pattern]
        vectors = session.study[array][3].astype(float)
        away = {place: float(np.linalg.norm(vectors[place] - vectors[head])) for place in np.ndindex(2, 3)}
        expected = sorted(away, key=lambda place: away[place])
        assert expected[0] == head
        assert atlas.strip.order == [3 * layer + index for layer, index in expected]
        last = expected[-1]
        words = atlas.strip.labels[3 * last[0] + last[1]][1]
        assert words.endswith(f"pattern {away[last]:.3g} away from L{head[0]} H{head[1]}")
        assert atlas.table()["pattern_distance"].tolist() == pytest.approx([away[place] for place in expected])
    atlas.order.value = "layer"
    assert "away from" not in atlas.strip.labels[1][1]


def test_choices_go_both_ways(atlas: Any):
    atlas.switch.value = True
    atlas.session.selection.choose_head(1, 0)
    assert atlas.strip.chosen == 3
    for place in (5, 3, 3):
        atlas._on_message(SimpleNamespace(data={"choose": place}))
        assert atlas.session.chosen_head == divmod(place, 3)
        atlas.session.selection.choose_head(0, 1)
    atlas._on_message(SimpleNamespace(data={"choose": 99}))
    assert atlas.session.chosen_head == (0, 1)


def test_where_layers_lack_heads_the_last_ones_are_chosen_and_absent_ones_are_not(
    atlas: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(atlas.strip, "order", [0, 1, 3, 4, 5])  # layer 0 has two heads
    for place, chosen in ((5, (1, 2)), (2, (1, 2)), (0, (0, 0)), (-1, (0, 0)), (None, (0, 0))):
        atlas._on_message(SimpleNamespace(data={"choose": place}))
        assert atlas.session.chosen_head == chosen


def test_what_is_missing_is_said(make_session: Callable[..., Session]):
    atlas = HeadAtlas(make_session(has_inference=False))
    atlas.switch.value = True
    assert NO_MODEL in atlas.words.object
    atlas.session.selection.image = None
    assert NO_IMAGE in atlas.words.object
    unfinished = HeadAtlas(make_session(finished=False))
    unfinished.session.selection.image = 11
    unfinished.switch.value = True
    unfinished.order.value = "entropy"
    assert "no entropy for image 11" in unfinished.words.object
    assert unfinished.strip.order == list(range(6))


def test_what_is_saved_is_the_order_shown_with_what_is_known(atlas: Any, monkeypatch: pytest.MonkeyPatch):
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(atlas.strip, "send", sent.append)
    assert atlas.record()["reason"] == "Open the atlas of heads first."
    atlas.switch.value = True
    assert not atlas.record()["reason"]
    atlas.order.value = "entropy"
    atlas.save_picture(["a caption"])
    assert sent == [{"file": "attention-atlas_image3.png", "caption": ["a caption"]}]
    assert atlas.file_name("csv") == "attention-atlas_image3.csv"
    table = atlas.table()
    study = atlas.session.study
    assert list(zip(table["layer"], table["head"], strict=True)) == atlas.session.heads_by("entropy")
    assert table["entropy"].is_monotonic_increasing
    for row in table.itertuples():
        assert row.entropy == pytest.approx(study["entropy"][3, row.layer, row.head], rel=1e-5)
        lost = study["importance/probability"][3, row.layer, row.head]
        assert row.importance_probability == pytest.approx(lost, abs=1e-5)
