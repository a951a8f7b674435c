from types import SimpleNamespace

import numpy as np
import pytest

from vitpanel.state.selection import Selection
from vitpanel.views.bridge import Bridge
from vitpanel.views.figures.ranked_heads import change_text, distance_text
from vitpanel.views.ranked_list import RankedList


@pytest.fixture
def ranked(make_session):
    return RankedList(make_session(), Bridge())


def test_rows_follow_image_and_metric(ranked):
    session, heads = ranked.session, ranked.heads
    assert heads.names[4] == "L1 H1"
    assert heads.ranks["title"] == "loss of probability, this image"
    session.selection.param.update(image=None, metric="cls")
    assert heads.ranks["order"] == session.ranking().order.tolist()
    assert heads.ranks["places"] is None
    assert heads.ranks["title"] == "CLS distance, all images"
    assert heads.limits[0] == 0
    assert heads.limits[1] == pytest.approx(session.study["importance/cls"].max())
    assert len(heads.profiles) == 6


def test_pick_chooses_the_head_and_the_list_follows(ranked):
    ranked.heads.picked = 4
    assert ranked.session.chosen_head == (1, 1)
    ranked.session.selection.choose_head(0, 2)
    assert ranked.heads.chosen == 2
    ranked.heads.picked = 4
    assert ranked.session.chosen_head == (1, 1)


def test_pins_are_toggled_and_a_fifth_is_refused_in_words(ranked):
    for flat in (5, 0, 1, 2, 4):
        ranked._on_message(SimpleNamespace(data={"toggle": flat}))
    assert ranked.heads.pinned == [5, 0, 1, 2]
    assert "at most 4" in ranked.heads.message
    ranked._on_message(SimpleNamespace(data={"toggle": 5}))
    assert ranked.session.selection.pinned == [(0, 0), (0, 1), (0, 2)]
    assert not ranked.heads.message


def test_message_about_no_head_changes_nothing(ranked):
    ranked._on_message(SimpleNamespace(data={"toggle": 99}))
    assert ranked.session.selection.pinned == []


def test_metric_that_the_model_lacks_is_said(make_session):
    ranked = RankedList(make_session(prefix=()), Bridge())
    ranked.session.selection.metric = "cls"
    assert ranked.heads.message == ranked.session.study.reason("importance/cls") != ""
    ranked.session.selection.metric = "patch"
    assert not ranked.heads.message


def test_image_that_is_not_done_has_no_values(make_session):
    ranked = RankedList(make_session(finished=False, selection=Selection(image=11)), Bridge())
    assert set(ranked.heads.ranks["texts"]) == {"–"}
    assert set(ranked.heads.ranks["heights"]) == {None}


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "+0.123"), (-0.25, "−0.250"), (-0.0001, "0.000"), (np.nan, "–"), (0.0, "0.000")]
)
def test_change_text(value, text):
    assert change_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "0.123"), (0.0005, "0.001"), (0.00042, "4e-4"), (0.0, "0.000"), (np.nan, "–")]
)
def test_distance_text(value: float, text: str):
    assert distance_text(value) == text
