from types import SimpleNamespace

import numpy as np
import pytest

from vitpanel.state.brush import Ids
from vitpanel.state.queries.image_set import set_table
from vitpanel.state.selection import Selection
from vitpanel.views.bridge import Bridge
from vitpanel.views.ranked_list import RankedList


@pytest.fixture
def ranked(make_session):
    return RankedList(make_session(), Bridge())


def send(ranked, **message):
    ranked._on_message(SimpleNamespace(data=message))


def test_rows_follow_image_and_metric(ranked):
    session, heads = ranked.session, ranked.heads
    assert heads.names[4] == "L1 H1"
    assert heads.ranks["title"] == "probability lost without the head, this image"
    session.selection.param.update(image=None, metric="cls")
    assert heads.ranks["order"] == session.ranking().order.tolist()
    assert heads.ranks["places"] is None
    assert heads.ranks["title"] == "CLS distance without the head, mean of all images"
    assert heads.profiles["limits"][0] == 0
    assert heads.profiles["limits"][1] == pytest.approx(session.study["importance/cls"].max())
    assert len(heads.profiles["lines"]) == 6


def test_each_click_is_heard_also_on_the_head_that_was_clicked_last(ranked):
    for flat in (4, 4, 0):
        send(ranked, choose=flat)
        assert ranked.session.chosen_head == divmod(flat, 3)
        ranked.session.selection.choose_head(0, 2)
        assert ranked.heads.chosen == 2


def test_an_answer_comes_even_if_it_is_what_was_said_last(ranked):
    told = []
    ranked.heads.param.watch(lambda event: told.append(event.new[0]), "choice")
    for _ in range(2):
        send(ranked, choose=4)
    assert told[-1] == 4
    assert len(told) >= 2


def test_pins_are_toggled_and_a_fifth_is_refused_in_words(ranked, monkeypatch):
    refused = []
    monkeypatch.setattr(ranked.heads, "refuse", refused.append)
    for flat in (5, 0, 1, 2, 4):
        send(ranked, toggle=flat)
    assert ranked.heads.pinned == [5, 0, 1, 2]
    assert refused == ["4 heads are pinned already. Unpin one first."]
    send(ranked, toggle=5)
    assert ranked.session.selection.pinned == [(0, 0), (0, 1), (0, 2)]


def test_message_about_no_head_changes_nothing(ranked):
    for message in ({"toggle": 99}, {"choose": 99}, {"choose": "x"}, {"fly": 1}):
        send(ranked, **message)
    assert ranked.session.selection.pinned == []
    assert ranked.session.chosen_head == (0, 0)


def test_the_effect_is_that_against_a_kept_brush(ranked):
    selection, study = ranked.session.selection, ranked.session.study
    selection.images = Ids((0, 1, 2, 3))
    assert ranked.heads.effects["words"][0].startswith("Brush against the rest: ")
    selection.keep("cats", Ids((5, 6, 7, 3)))
    selection.hold_against("cats")
    assert ranked.heads.effects["words"][0].startswith("Brush against “cats”: ")
    masks = [np.isin(np.arange(study.n_images), images) for images in ((0, 1, 2, 3), (3, 5, 6, 7))]
    table = set_table(study, masks[0], f"importance/{selection.metric}", others=masks[1])
    shown = [middle for _, middle, _ in ranked.heads.effects["values"]]
    assert shown == pytest.approx(table["effect"].tolist(), rel=1e-3, nan_ok=True)


def test_the_effect_of_a_brush_is_shown_and_can_be_the_order(ranked):
    session, heads = ranked.session, ranked.heads
    assert heads.effects["values"] is None
    session.selection.metric = "jsd"
    session.selection.images = Ids((0, 1, 2, 5))
    values, inside = session.study["importance/jsd"].reshape(12, -1), np.isin(np.arange(12), (0, 1, 2, 5))
    one, other = values[inside], values[~inside]
    spread = np.sqrt((one.var(0) * 4 + other.var(0) * 8) / 10)
    expected = (1 - 3 / (4 * 10 - 1)) * (one.mean(0) - other.mean(0)) / spread
    assert np.allclose([middle for _, middle, _ in heads.effects["values"]], expected, rtol=1e-3)
    assert all(low < middle < high for low, middle, high in heads.effects["values"])
    assert "effect" in heads.effects["words"][0]
    by_importance = session.ranking().order.tolist()
    assert heads.ranks["order"] == by_importance
    send(ranked, sort="effect")
    assert heads.ranks["order"] == np.argsort(-np.abs(expected)).tolist()
    assert heads.effects["is_order"]
    session.selection.images = None
    assert heads.ranks["order"] == by_importance
    send(ranked, sort="importance")
    assert not heads.effects["is_order"]


def test_an_effect_that_is_not_defined_says_why_and_comes_last(ranked):
    ranked.session.selection.images = Ids((0,))
    assert ranked.heads.effects["values"][0] == [None, None, None]
    assert "not defined" in ranked.heads.effects["words"][0]
    send(ranked, sort="effect")
    assert sorted(ranked.heads.ranks["order"]) == list(range(6))


def test_metric_that_the_model_lacks_is_said(make_session):
    ranked = RankedList(make_session(prefix=()), Bridge())
    ranked.session.selection.metric = "cls"
    assert ranked.heads.reason == ranked.session.study.reason("importance/cls") != ""
    ranked.session.selection.metric = "patch"
    assert not ranked.heads.reason


def test_image_that_is_not_done_has_no_values(make_session):
    ranked = RankedList(make_session(finished=False, selection=Selection(image=11)), Bridge())
    assert set(ranked.heads.ranks["texts"]) == {"–"}
    assert set(ranked.heads.ranks["heights"]) == {None}
