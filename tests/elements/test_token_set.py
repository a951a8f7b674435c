"""What elements make of the brushed tokens."""

from typing import Any

import holoviews as hv
import numpy as np
import pytest
from holoviews.streams import BoundsXY, Stream, Tap

from tests.fakes import FakeInference, FakeModel
from vitpanel import Selection, elements
from vitpanel.core.received import received_attention
from vitpanel.errors import ChoiceError
from vitpanel.state.brush import Ids, PatchBlock, mask_of
from vitpanel.study.reader import Study

BLOCK = PatchBlock((1, 2), (0, 2))


@pytest.fixture
def selection(study: Study) -> Selection:
    return Selection(study, image=3, layer=1, head=2, tokens=BLOCK)


def matrix_of(study: Study, selection: Selection) -> np.ndarray:
    return FakeInference(study.spec).matrices(selection.image or 0, selection.layer)[selection.head].astype(float)


def tokens_of(study: Study) -> list[int]:
    return np.flatnonzero(mask_of(study, BLOCK)).tolist()


def stream(plot: Any, kind: type[Stream]) -> Any:
    """Stream of a kind that an act on a plot reaches."""
    callbacks = [callback for callbacks in plot.traverse(lambda one: one.callbacks) for callback in callbacks]
    return next(one for callback in callbacks for one in callback.streams if isinstance(one, kind))


def drawn(element: Any, kind: type) -> list[Any]:
    return [layer for layer in element[()] if isinstance(layer, kind)]


@pytest.mark.parametrize("side", ["source", "target"])
def test_masks_are_of_the_brushed_tokens_unless_one_is_chosen(
    study: Study, model: FakeModel, selection: Selection, side: str
):
    def mask() -> np.ndarray:
        return elements.attention_masks(study, selection, side=side, live=model, table=True)["value"].to_numpy()

    matrix, tokens = matrix_of(study, selection), tokens_of(study)
    patches = range(1, 17)
    if side == "source":
        expected = [sum(matrix[token, patch] for token in tokens) / len(tokens) for patch in patches]
    else:
        expected = [sum(matrix[patch, token] for token in tokens) for patch in patches]
    assert mask() == pytest.approx(expected, abs=1e-6)
    selection.token = 5
    assert mask() == pytest.approx(matrix[5, 1:] if side == "source" else matrix[1:, 5], abs=1e-6)
    selection.param.update(token=None, tokens=None)
    assert mask() == pytest.approx(matrix[0, 1:] if side == "source" else matrix[1:, 0], abs=1e-6)


def test_brushed_patches_are_outlined_on_the_image(study: Study, model: FakeModel, selection: Selection, plot: Any):
    masks = elements.attention_masks(study, selection, live=model)
    assert "6 brushed tokens" in plot(masks).state.title.text
    for line in drawn(masks, hv.Segments):
        assert set(map(tuple, line.array().tolist())) == {(0, 3, 3, 3), (0, 1, 3, 1), (0, 3, 0, 1), (3, 3, 3, 1)}
    selection.tokens = None
    assert not any(len(line) for line in drawn(masks, hv.Segments))


def test_a_box_on_the_image_brushes_the_patches_that_it_touches(
    study: Study, model: FakeModel, selection: Selection, plot: Any
):
    selection.token = 4
    masks = plot(elements.attention_masks(study, selection, live=model))
    stream(masks, BoundsXY).event(bounds=(0.5, 0.5, 2.5, 1.5))
    assert (selection.tokens, selection.token) == (PatchBlock((2, 3), (0, 2)), None)


def test_lines_and_heatmap_mark_the_brushed_tokens(study: Study, model: FakeModel, selection: Selection):
    lines = elements.token_lines(study, selection, live=model, threshold=1.0)
    touching = 0
    for links in drawn(lines, hv.Segments):
        for source, target, alpha in links.data[["source_token", "target_token", "alpha"]].to_numpy():
            is_own = source in tokens_of(study) or target in tokens_of(study)
            assert alpha == (1 if is_own else pytest.approx(0.15))
            touching += is_own
    assert touching
    marks = drawn(lines, hv.Rectangles)[-1]
    # Two rows of the block are two runs, on both rows of tokens.
    assert len(marks) == 4
    heatmap = elements.attention_heatmap(study, selection, live=model)
    (edges,) = drawn(heatmap, hv.Segments)
    assert len(edges) == 4
    selection.tokens = None
    assert not len(drawn(lines, hv.Rectangles)[-1])
    assert not len(drawn(heatmap, hv.Segments)[0])


@pytest.mark.parametrize(("source", "column"), [("cls", "from_cls"), ("patches", "from_patches")])
def test_shares_of_all_heads(study: Study, model: FakeModel, selection: Selection, source: str, column: str):
    table = elements.token_shares(study, selection, live=model, table=True)
    inference = FakeInference(study.spec)
    for row in table.to_dict("records"):
        received = received_attention(inference.matrices(3, row["layer"])[row["head"]], study.spec.grid)
        expected = [sum(float(received[which, token]) for token in tokens_of(study)) for which in (0, 1)]
        assert (row["from_cls"], row["from_patches"]) == pytest.approx(expected, abs=1e-6)
    chart = elements.token_shares(study, selection, source=source, live=model)
    assert drawn(chart, hv.Rectangles)[0]["share"].tolist() == table[column].tolist()


def test_a_tap_on_shares_chooses_a_head(study: Study, model: FakeModel, selection: Selection, plot: Any):
    shown = plot(elements.token_shares(study, selection, live=model))
    stream(shown, Tap).event(x=0.2, y=1.4)
    assert selection.chosen_head == (0, 1)
    stream(shown, Tap).event(x=7.0, y=1.0)
    assert selection.chosen_head == (0, 1)


def test_without_a_model_shares_of_cls_are_those_of_the_study(study: Study, selection: Selection):
    table = elements.token_shares(study, selection, live=False, table=True)
    assert table["from_cls"].notna().to_numpy().all()
    assert table["from_patches"].isna().to_numpy().all()


def test_without_tokens_there_are_no_shares(study: Study, model: FakeModel, plot: Any):
    with pytest.raises(ChoiceError, match="No tokens are brushed"):
        elements.token_shares(study, live=model)
    selection = Selection(study, image=3)
    chart = elements.token_shares(study, selection, live=model)
    title = plot(chart).state.title
    assert "No tokens are brushed" in title.text
    selection.mark(Ids((2,), "token"))
    assert title.text == "image 3: share of attention from CLS to 1 token"
