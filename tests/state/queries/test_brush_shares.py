"""How much of each head is in a brush, or goes to the tokens in it."""

import numpy as np
import pytest

from tests.synthetic import synthetic_attention
from vitpanel.state.brush import Brush, Ids, InRange
from vitpanel.state.queries.brush_shares import FROM_CLS, FROM_PATCHES, shares_of_heads, shares_of_tokens
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study


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
    assert session.head_shares().values[0, 1] == 1
    assert session.token_shares().values == pytest.approx(
        shares_of_tokens(study, Ids((3,), "token"), image=4, source=FROM_CLS).values
    )
