from types import SimpleNamespace

import numpy as np
import pytest

from vitpanel.core.metrics import metric_keys
from vitpanel.state.brush import Ids, InRange, OfLayers
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


def test_an_answer_says_which_choice_it_answers(ranked):
    send(ranked, choose=4, asked=7)
    assert ranked.heads.choice[::2] == [4, 7]
    send(ranked, toggle=1, asked="8")
    ranked.session.selection.choose_head(0, 2)
    assert ranked.heads.choice[::2] == [2, 7]


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
    assert heads.orders["chosen"] == "effect"
    session.selection.images = None
    assert heads.ranks["order"] == by_importance
    send(ranked, sort="importance")
    assert heads.orders["chosen"] == "importance"


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


def test_heads_are_brushed_one_by_one_and_several_at_once(ranked):
    selection = ranked.session.selection
    send(ranked, brush=4)
    send(ranked, brush=0)
    assert selection.heads == Ids(((0, 0), (1, 1)), "head")
    send(ranked, add=[2, 1, 0, 99, "x"])
    assert selection.heads == Ids(((0, 0), (0, 1), (0, 2), (1, 1)), "head")
    send(ranked, brush=4)
    assert selection.heads == OfLayers(0, 0)
    for flat in (0, 1, 2):
        send(ranked, brush=flat)
    assert selection.heads is None
    assert ranked.session.chosen_head == (0, 0)


def test_a_head_joins_and_leaves_a_brush_of_heads_on_images_on_all_of_them(ranked):
    selection, study = ranked.session.selection, ranked.session.study
    selection.mark(InRange("entropy", low=0.6))
    expected = study["entropy"] >= 0.6
    send(ranked, brush=4)
    expected[:, 1, 1] = True
    assert np.array_equal(selection.heads.to_mask(study), expected)
    send(ranked, brush=4)
    expected[:, 1, 1] = False
    assert np.array_equal(selection.heads.to_mask(study), expected)
    send(ranked, add=[0, 1])
    expected[:, 0, :2] = True
    assert np.array_equal(selection.heads.to_mask(study), expected)


def test_rows_have_bars_of_what_is_brushed_and_can_be_ordered_by_them(ranked):
    session, heads = ranked.session, ranked.heads
    assert heads.shares == {"heads": None, "tokens": None, "words": []}
    assert [key for key, _ in heads.orders["options"]] == ["importance"]
    session.selection.mark(InRange("entropy", low=0.6))
    session.selection.mark(Ids((2, 3), "token"))
    share = (session.study["entropy"] >= 0.6).mean(0).ravel()
    to_tokens = session.token_shares().values.ravel()
    assert heads.shares["heads"] == pytest.approx(share / share.max(), rel=1e-3)
    assert heads.shares["tokens"] == pytest.approx(to_tokens / to_tokens.max(), rel=1e-3)
    first = f"brushed on: {share[0]:.1%} of the images\nto the brushed tokens: {to_tokens[0]:.1%}"
    assert heads.shares["words"][0] == first
    for key, values in (("share", share), ("tokens", to_tokens)):
        assert key in [option for option, _ in heads.orders["options"]]
        send(ranked, sort=key)
        assert heads.orders["chosen"] == key
        assert [values[flat] for flat in heads.ranks["order"]] == sorted(values, reverse=True)
    session.selection.tokens = None
    assert heads.ranks["order"] == session.ranking().order.tolist()
    assert heads.orders["chosen"] == "importance"
    assert heads.shares["tokens"] is None
    send(ranked, sort="nonsense")
    assert heads.orders["chosen"] == "importance"


def test_the_order_by_a_brush_follows_it(ranked):
    send(ranked, brush=4)
    send(ranked, sort="share")
    assert ranked.heads.ranks["order"][0] == 4
    assert "brushed: yes" in ranked.heads.shares["words"][4]
    send(ranked, brush=4)
    send(ranked, brush=2)
    assert ranked.heads.ranks["order"][0] == 2


def test_a_filter_brushes_layers_and_numbers_as_the_way_says(ranked):
    session = ranked.session
    selection, mean = session.selection, session.study.mean("entropy")
    limit = float(np.median(mean))
    send(ranked, measure="entropy", end="low", value=limit)
    assert selection.heads == InRange("entropy", low=limit, item="head")
    send(ranked, layers=[0, 0], alt=True)
    assert session.head_shares().values.tolist() == ((mean >= np.float32(limit)) & [[True], [False]]).tolist()
    selection.way = "add"
    send(ranked, layers=[1, 1])
    assert session.head_shares().values[1].tolist() == [1, 1, 1]
    send(ranked, measure="entropy", end="high", value=limit, shift=True, ctrl=True)
    assert not (session.head_shares().values.astype(bool) & (mean <= limit)).any()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"layers": [1, 0]}, "Give two from 0 to 1, the lower one first."),
        ({"layers": [0, 2]}, "Give two from 0 to 1"),
        ({"layers": [None, 1]}, "no layers"),
        ({"measure": "entropy", "end": "low", "value": None}, "Type a number."),
        ({"measure": "entropy", "end": "low", "value": float("nan")}, "Type a number."),
        ({"measure": "entropy", "end": "middle", "value": 1}, "Type a number."),
        ({"measure": "beauty", "end": "low", "value": 1}, "no array 'beauty'"),
    ],
)
def test_a_filter_that_means_nothing_is_refused_in_words(ranked, monkeypatch, message, words):
    refused = []
    monkeypatch.setattr(ranked.heads, "refuse", refused.append)
    send(ranked, **message)
    assert len(refused) == 1
    assert words in refused[0]
    assert ranked.session.selection.heads is None


def test_what_heads_can_be_brushed_by_is_told_when_the_filter_is_opened(ranked):
    assert ranked.heads.measures == []
    send(ranked, filter=True)
    measures = {key: (words, span) for key, words, span in ranked.heads.measures}
    assert list(measures) == [*(f"importance/{key}" for key in metric_keys()), "entropy", "distance"]
    mean = ranked.session.study.mean("entropy")
    assert measures["entropy"] == ("entropy", f"mean of a head: {mean.min():.3f} to {mean.max():.3f}")


def test_without_cls_no_number_of_it_is_offered(make_session):
    ranked = RankedList(make_session(prefix=()), Bridge())
    send(ranked, filter=True)
    assert "importance/cls" not in [key for key, *_ in ranked.heads.measures]
