"""What a session says of the map of all heads."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import FakeInference
from tests.synthetic import synthetic_attention, write_synthetic_study
from vitpanel.errors import StudyIncompleteError
from vitpanel.state.brush import Ids, Near
from vitpanel.state.patterns import Patterns
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import open_study

ALL_ROWS = np.arange(12 * 2 * 3)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory):
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("study") / "a.study"))


@pytest.fixture
def patterns(study: Any):
    return Patterns(study, Selection(image=3))


def test_map_follows_the_chosen_pattern(patterns: Any, study: Any):
    assert patterns.layouts() == {"patch": "Patch", "cls": "CLS", "offset": "Offset"}
    for pattern in ("patch", "cls"):
        patterns.selection.pattern = pattern
        assert np.array_equal(patterns.map().layout, study[f"layout/{pattern}"])
        assert patterns.cohesion() is patterns.map().cohesion


def test_colours_of_places_in_the_model(patterns: Any):
    assert patterns.values(ALL_ROWS, patterns.colours()).tolist() == [0, 0, 0, 1, 1, 1] * 12
    assert patterns.colours().names == ("0", "1")
    patterns.selection.map_colour = "head"
    assert patterns.values(ALL_ROWS, patterns.colours()).tolist() == [0, 1, 2] * 24
    patterns.selection.map_colour = "density"
    assert np.isnan(patterns.values(ALL_ROWS, patterns.colours())).all()


def test_colours_of_classes(patterns: Any, study: Any):
    patterns.selection.map_colour = "class"
    names, values = patterns.colours().names, patterns.values(ALL_ROWS, patterns.colours())
    for row, label in enumerate(np.repeat(study.images["label_name"].to_numpy(), 6)):
        assert np.isnan(values[row]) if not label else names[int(values[row])] == label


@pytest.mark.parametrize("metric", ["probability", "jsd", "cls", "patch"])
def test_colours_of_importance_are_high_where_it_is_important(patterns: Any, study: Any, metric: str):
    patterns.selection.param.update(map_colour="importance", metric=metric)
    expected = study[f"importance/{metric}"]
    assert np.allclose(patterns.values(ALL_ROWS, patterns.colours()), expected.ravel(), atol=1e-6)
    colours = patterns.colours()
    low, high = np.percentile(expected, [1, 99])
    if metric == "probability":  # has a sign: 0 is in the middle
        low, high = -max(-low, high), max(-low, high)
    assert (colours.low, colours.high) == pytest.approx((low, high), abs=1e-6)


def test_colours_that_the_study_lacks_are_refused(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", n_classes=0))
    patterns = Patterns(study, Selection(image=3, map_colour="class"))
    with pytest.raises(StudyIncompleteError, match="label"):
        patterns.colours()
    patterns.selection.map_colour = "importance"
    with pytest.raises(StudyIncompleteError, match="class head"):
        patterns.colours()


def test_own_heads_are_those_of_the_chosen_image(patterns: Any, study: Any):
    own = patterns.own_heads(patterns.colours())
    assert np.array_equal(np.stack([own.x, own.y], 1), study["layout/patch"][3].reshape(-1, 2))
    assert np.array_equal(own.entropy, study["entropy"][3].ravel())
    assert own.importance == pytest.approx(study["importance/probability"][3].ravel())
    assert own.layer.tolist() == own.value.tolist() == [0, 0, 0, 1, 1, 1]
    assert own.head.tolist() == [0, 1, 2] * 2
    patterns.selection.image = None
    assert patterns.own_heads(patterns.colours()) is None


def test_cloud_and_cluster(patterns: Any, study: Any):
    patterns.selection.choose_head(1, 2)
    places = np.stack(patterns.map().coordinates(patterns.cloud()), 1)
    assert np.array_equal(places, study["layout/patch"][:, 1, 2])
    assert len(patterns.marked()) == 0
    assert patterns.cluster() is None
    patterns.selection.heads = Near("layout/cls", (0, 0, 0), 7)
    assert len(patterns.marked()) == patterns.cluster().n_heads == 7
    patterns.selection.images = Ids((1, 4))
    assert len(patterns.marked()) == 7  # heads say more than images
    patterns.selection.heads = None
    assert patterns.marked().tolist() == [*range(6, 12), *range(24, 30)]


def test_colours_of_brushed_tokens_are_known_of_the_chosen_image_alone(patterns: Any, study: Any):
    patterns.selection.map_colour = "tokens"
    assert patterns.colours().reason
    assert np.isnan(patterns.values(ALL_ROWS, patterns.colours())).all()
    patterns.selection.mark(Ids((0, 2, 5), "token"))
    colours = patterns.colours()
    values = patterns.values(ALL_ROWS, colours).reshape(12, 2, 3)
    attention = synthetic_attention(study.spec, 3)
    for layer, head in np.ndindex(2, 3):
        expected = sum(float(attention[layer, head, 0, token]) for token in (0, 2, 5))
        assert values[3, layer, head] == pytest.approx(expected, abs=1e-3)
    assert np.isnan(np.delete(values, 3, axis=0)).all()
    assert (colours.low, colours.high) == (0, pytest.approx(values[3].max()))
    # What colours were made for stays theirs.
    patterns.selection.param.update(image=4, tokens=None)
    assert np.array_equal(patterns.values(ALL_ROWS, colours).reshape(12, 2, 3), values, equal_nan=True)
    assert patterns.colours() == patterns.colours()


def test_a_study_that_is_read_anew_keeps_what_the_live_model_says_of_tokens(study: Any):
    session = Session(study, inference=FakeInference(study.spec))
    session.renew(study)
    # No study stores what patches give.
    session.selection.param.update(image=2, map_colour="tokens", share_source="patches", tokens=Ids((3, 4), "token"))
    colours, shares = session.patterns.colours(), session.token_shares()
    assert shares is not None
    assert not colours.reason
    assert np.allclose(colours.shares, shares.values.ravel())
