"""How much of each head is in a brush, or goes to the tokens in it."""

from pathlib import Path

import numpy as np
import pytest

from tests.fakes import FakeInference
from tests.synthetic import synthetic_attention, write_synthetic_study
from vitpanel.state.brush import Brush, Ids, InRange
from vitpanel.state.online import Online
from vitpanel.state.queries.brush_shares import FROM_CLS, FROM_PATCHES, BrushShares, shares_of_heads, shares_of_tokens
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study


def tokens_of(session: Session) -> BrushShares:
    """What the session says of its brush of tokens."""
    shares = session.token_shares()
    assert shares is not None
    return shares


@pytest.mark.parametrize("brush", [Ids(((0, 1), (1, 0)), "head"), InRange("entropy", low=0.4, item="instance")])
def test_share_of_the_images_on_which_a_head_is_brushed(study: Study, brush: Brush):
    shares = shares_of_heads(study, brush).values
    for layer, head in np.ndindex(shares.shape):
        if brush.item == "head":
            expected = float((layer, head) in {(0, 1), (1, 0)})
        else:
            expected = np.mean([value >= 0.4 for value in study["entropy"][:, layer, head]])
        assert shares[layer, head] == pytest.approx(expected)


def test_share_of_the_attention_to_tokens(study: Study):
    tokens, image = (0, 3, 5), 4
    shares = shares_of_tokens(study, Ids(tokens, "token"), image=image, source=FROM_CLS)
    assert "3 brushed tokens" in shares.title
    assert not shares.reason
    attention = synthetic_attention(study.spec, image)
    for layer, head in np.ndindex(shares.values.shape):
        expected = sum(float(attention[layer, head][0, token]) for token in tokens)
        assert shares.values[layer, head] == pytest.approx(expected, abs=1e-3)


def test_what_is_not_known_says_why(study: Study):
    brush = Ids((3,), "token")
    for image, source in ((None, FROM_CLS), (4, FROM_PATCHES)):
        shares = shares_of_tokens(study, brush, image=image, source=source)
        assert np.isnan(shares.values).all()
        assert shares.reason
        assert "the brushed token" in shares.title


def test_a_session_speaks_of_its_own_brushes(study: Study):
    session = Session(study, selection=Selection(study, image=4))
    assert session.head_shares() is None
    assert session.token_shares() is None
    session.selection.mark(Ids(((0, 1),), "head"))
    session.selection.mark(Ids((3,), "token"))
    shares = session.head_shares()
    assert shares is not None
    assert shares.values[0, 1] == 1
    assert tokens_of(session).values == pytest.approx(
        shares_of_tokens(study, Ids((3,), "token"), image=4, source=FROM_CLS).values
    )


def slow_sum(matrix: np.ndarray, tokens: tuple[int, ...], sources: range) -> float:
    return sum(float(matrix[source, token]) for source in sources for token in tokens) / len(sources)


@pytest.mark.parametrize("prefix", [("cls",), (), ("cls", "register", "register")])
@pytest.mark.parametrize("source", [FROM_CLS, FROM_PATCHES])
def test_the_live_model_tells_what_goes_to_any_tokens(tmp_path: Path, prefix: tuple[str, ...], source: str):
    study = open_study(write_synthetic_study(tmp_path / "a.study", rows=3, cols=5, prefix=prefix))
    grid, tokens, inference = study.spec.grid, (1, 2, 7), FakeInference(study.spec)
    selection = Selection(study, image=4, share_source=source)
    session = Session(study, selection=selection, inference=inference)
    assert not inference.waiting
    assert session.received.status == "idle"
    selection.mark(Ids(tokens, "token"))
    shares = tokens_of(session)
    assert not shares.reason
    patches = range(grid.n_prefix, grid.n_tokens)
    sources = range(1) if source == FROM_CLS and prefix else patches
    for layer, head in np.ndindex(shares.values.shape):
        expected = slow_sum(inference.matrices(4, layer)[head], tokens, sources)
        assert shares.values[layer, head] == pytest.approx(expected, abs=1e-6)


def test_the_model_is_asked_once_for_an_image_whatever_is_brushed(study: Study):
    inference = FakeInference(study.spec)
    session = Session(study, selection=Selection(study, image=4, share_source=FROM_PATCHES), inference=inference)
    inference.is_prompt = False
    session.selection.mark(Ids((3,), "token"))
    shares = tokens_of(session)
    assert (shares.reason, shares.is_coming) == ("computing …", True)
    # What CLS attends to is stored.
    session.selection.share_source = FROM_CLS
    assert not tokens_of(session).reason
    inference.answer("received")
    known = session.received
    session.selection.mark(Ids((4, 5), "token"))
    assert session.received is known
    assert not inference.waiting.keys() & {"received"}
    session.selection.image = 5
    assert session.received.status == "running"
    inference.fail("received", message="No memory.", hint="Close something.")
    session.selection.share_source = FROM_PATCHES
    shares = tokens_of(session)
    assert (shares.reason, shares.is_coming) == ("No memory. Close something.", False)
    session.ask_again()
    inference.answer("received")
    assert not tokens_of(session).reason
    session.selection.tokens = None
    assert session.received.value is None


def test_an_answer_that_comes_late_is_of_no_other_image(study: Study):
    inference = FakeInference(study.spec)
    session = Session(study, selection=Selection(study, image=4), inference=inference)
    inference.is_prompt = False
    session.selection.mark(Ids((3,), "token"))
    _, deliver = inference.waiting["received"]
    session.selection.image = 5
    deliver(Online("done", inference.received_attention(4)))
    assert session.received.value is None
