"""All heads by two of their numbers, against slow definitions."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.synthetic import synthetic_attention, write_synthetic_study
from vitpanel.core.metrics import metrics
from vitpanel.errors import StudyIncompleteError, VitpanelError
from vitpanel.state.brush import And, Ids, InRange, mask_of
from vitpanel.state.head_numbers import head_number, head_numbers
from vitpanel.state.queries.brush_shares import shares_of_tokens
from vitpanel.state.queries.head_table import (
    brush_of_box,
    brush_of_heads,
    head_table,
    scatter_keys,
    scatter_of,
    shown_number,
    table_columns,
)
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study

HEADS = [(layer, head) for layer in range(2) for head in range(3)]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Study of a model without CLS and without classes."""
    path = tmp_path_factory.mktemp("plain") / "b.study"
    return open_study(write_synthetic_study(path, n_classes=0, prefix=()))


@pytest.fixture
def ragged(study: Study, monkeypatch: pytest.MonkeyPatch) -> Study:
    """The study as if its first layer had no third head."""
    is_there = study.spec.is_there.copy()
    is_there[0, 2] = False
    monkeypatch.setattr(type(study.spec), "is_there", is_there)
    known = study.__class__.__getitem__

    def without(self: Study, name: str) -> np.ndarray:
        values = known(self, name)
        if values.shape[1:3] == is_there.shape and values.dtype.kind == "f":
            values = values.copy()
            values[:, ~is_there] = np.nan
        return values

    monkeypatch.setattr(study.__class__, "__getitem__", without)
    return study


def session_of(study: Study, **values: Any) -> Session:
    return Session(study, selection=Selection(study, **values))


def found(study: Study, key: str, **values: Any) -> np.ndarray:
    return shown_number(session_of(study, **values), key).found.per_head


@pytest.mark.parametrize("key", ["entropy", "distance", "importance_jsd", "importance_probability", "importance_cls"])
def test_numbers_of_an_image_and_their_means(study: Study, key: str):
    values = study[key.replace("_", "/")]
    labels = study.images["label"].to_numpy()
    for layer, head in HEADS:
        assert found(study, key, image=4)[layer, head] == values[4, layer, head]
        # An image without a label says nothing of the probability of its label.
        counted = [
            float(values[image, layer, head])
            for image in range(study.n_images)
            if key != "importance_probability" or labels[image] >= 0
        ]
        shown = shown_number(session_of(study, image=None), key)
        assert shown.found.per_head[layer, head] == pytest.approx(np.mean(counted), abs=1e-6)
        assert shown.found.std is not None
        assert shown.found.std[layer, head] == pytest.approx(np.std(counted), abs=1e-6)


def test_attention_to_cls_is_the_mean_over_patches(study: Study):
    per_image = np.zeros((study.n_images, 2, 3))
    for image in range(study.n_images):
        attention = synthetic_attention(study.spec, image)
        for layer, head in HEADS:
            per_image[image, layer, head] = np.mean([attention[layer, head][patch, 0] for patch in range(1, 17)])
    assert found(study, "to_cls", image=4) == pytest.approx(per_image[4], abs=1e-3)
    session = session_of(study, image=None)
    work = head_number("to_cls", session.selection).work(session)
    if work is not None:
        work()
    assert head_number("to_cls", session.selection).work(session) is None
    assert found(study, "to_cls", image=None) == pytest.approx(per_image.mean(0), abs=1e-3)


def test_cohesion_is_counted_once_in_the_chosen_layout(tmp_path_factory: pytest.TempPathFactory):
    study = open_study(write_synthetic_study(tmp_path_factory.mktemp("cohesion") / "a.study"))
    session = session_of(study, image=4, pattern="patch", scatter_x="cohesion")
    work = head_number("cohesion", session.selection).work(session)
    assert work is not None
    assert head_table(study, Selection(study, image=4, pattern="patch"))["cohesion"].isna().to_numpy().all()
    work()
    assert head_number("cohesion", session.selection).work(session) is None
    places = study["layout/patch"].reshape(-1, 2).astype(float)
    own, n_near = np.zeros(6), 15
    for point, place in enumerate(places):
        order = [other for other in np.argsort(np.hypot(*(places - place).T), kind="stable") if other != point]
        own[point % 6] += sum(other % 6 == point % 6 for other in order[:n_near]) / n_near
    table = head_table(study, session.selection)
    assert table["cohesion"].to_numpy() == pytest.approx(own / study.n_images, abs=1e-3)


def test_effect_is_hedges_g_of_the_chosen_metric(study: Study):
    chosen = (0, 2, 3, 8)
    effect = found(study, "effect", image=4, metric="jsd", images=Ids(chosen))
    inside = np.isin(np.arange(study.n_images), chosen)
    for layer, head in HEADS:
        one, other = (study["importance/jsd"][part, layer, head].astype(float) for part in (inside, ~inside))
        m = len(one) + len(other) - 2
        spread = np.sqrt((len(one) * one.var() + len(other) * other.var()) / m)
        expected = (1 - 3 / (4 * m - 1)) * (one.mean() - other.mean()) / spread
        assert effect[layer, head] == pytest.approx(expected, abs=1e-5)


def test_shares_in_the_brush_and_to_the_tokens(study: Study):
    heads, tokens = InRange("entropy", low=0.5, item="instance"), Ids((0, 3, 5), "token")
    table = head_table(study, Selection(study, image=4, heads=heads, tokens=tokens))
    expected = [(study["entropy"][:, layer, head] >= 0.5).mean() for layer, head in HEADS]
    assert table["brush_share"].tolist() == pytest.approx(expected)
    assert table["is_brushed"].tolist() == [share > 0 for share in expected]
    known = shares_of_tokens(study, tokens, image=4, source="cls").values  # noqa: PD011 - no table
    assert table["token_share"].to_numpy() == pytest.approx(known.ravel())


@pytest.mark.parametrize("image", [None, 4])
def test_the_table_has_every_number_of_every_head(study: Study, image: int | None):
    table = head_table(study, Selection(study, image=image, layer=1, head=2, pinned=[(0, 1)]))
    assert tuple(table.columns) == table_columns()
    assert {f"importance_{metric.key}" for metric in metrics()} < set(table.columns)
    assert list(zip(table["layer"], table["head"], strict=True)) == HEADS
    assert table["entropy_std"].isna().to_numpy().all() == (image is not None)
    assert table["is_chosen"].tolist() == [head == (1, 2) for head in HEADS]
    assert table["effect"].isna().to_numpy().all()


def test_to_ask_for_a_table_links_nothing_to_the_selection(study: Study):
    selection = Selection(study, image=4)
    watched = str(selection.param.watchers)
    head_table(study, selection)
    assert str(selection.param.watchers) == watched


@pytest.mark.parametrize("key", ["to_cls", "importance_cls", "importance_jsd"])
def test_what_a_model_cannot_have_is_refused_and_all_else_is_there(plain: Study, key: str):
    with pytest.raises(StudyIncompleteError):
        shown_number(session_of(plain), key)
    table = head_table(plain, Selection(plain, image=3, scatter_x="importance_patch"))
    assert table[key].isna().to_numpy().all()
    assert np.array_equal(table["importance_patch"], plain["importance/patch"][3].ravel())


@pytest.mark.parametrize("key", ["effect", "brush_share", "token_share"])
def test_what_needs_a_brush_says_so_without_one(study: Study, key: str):
    with pytest.raises(VitpanelError, match="brushed") as caught:
        scatter_of(session_of(study, image=4, scatter_y=key))
    assert "choose another number" in caught.value.hint


def test_heads_that_a_model_lacks_are_nowhere_and_are_not_counted(ragged: Study):
    for keys in ({}, {"scatter_x": "distance"}, {"scatter_x": "head", "scatter_y": "layer"}):
        scatter = scatter_of(session_of(ragged, image=4, **keys))
        x, y = scatter.places
        assert np.flatnonzero(np.isnan(x)).tolist() == np.flatnonzero(np.isnan(y)).tolist() == [2]
        assert scatter.n_unknown == 0


def test_heads_without_a_value_have_no_point_and_are_counted(study: Study):
    # A set of one image has no spread of its own, and no effect.
    scatter = scatter_of(session_of(study, image=4, scatter_x="effect", images=Ids((3,))))
    assert np.isnan(scatter.places).all()
    assert scatter.n_unknown == 6


def test_image_that_is_not_done_is_refused(tmp_path_factory: pytest.TempPathFactory):
    study = open_study(write_synthetic_study(tmp_path_factory.mktemp("undone") / "a.study", finished=False))
    for key in ("entropy", "importance_jsd", "to_cls"):
        with pytest.raises(VitpanelError):
            shown_number(session_of(study, image=11), key)
        assert np.isfinite(found(study, key, image=None)).all()


def test_the_measure_goes_up_until_a_number_is_named():
    selection = Selection(measure="distance")
    assert scatter_keys(selection) == ("layer", "distance", "layer")
    selection.param.update(scatter_y="entropy", scatter_x="importance_jsd", scatter_colour="cohesion")
    assert scatter_keys(selection) == ("importance_jsd", "entropy", "cohesion")


def test_brushed_tokens_take_the_place_of_the_colours_of_layers_alone(study: Study):
    tokens = Ids((3, 5), "token")
    assert scatter_of(session_of(study, image=4, tokens=tokens)).colour.key == "token_share"
    assert scatter_of(session_of(study, image=4, tokens=tokens, scatter_colour="head")).colour.key == "head"
    unknown = scatter_of(session_of(study, image=None, tokens=tokens))
    assert unknown.colour.key == "layer"
    assert "one image" in unknown.no_colour


def test_heads_of_a_layer_stand_side_by_side_unless_their_index_tells_them_apart(study: Study):
    x, y = scatter_of(session_of(study, image=4)).places
    assert np.array_equal(np.round(x), [0, 0, 0, 1, 1, 1])
    assert len(set(x)) == 6
    assert np.array_equal(y, study["entropy"][4].ravel())
    x, y = scatter_of(session_of(study, image=4, scatter_y="head")).places
    assert x.tolist() == [0, 0, 0, 1, 1, 1]
    assert y.tolist() == [0, 1, 2, 0, 1, 2]


class TestBox:
    """Heads inside a box, said by a rule where one is exact."""

    def test_of_means_it_is_two_ranges(self, study: Study):
        session = session_of(study, image=None, scatter_x="entropy", scatter_y="importance_jsd")
        entropy, jsd = study.mean("entropy"), study.mean("importance/jsd")
        across, up = (float(np.median(entropy)), 1.0), (0.0, float(np.sort(jsd.ravel())[4]))
        brush = brush_of_box(session, across, up)
        assert isinstance(brush, And)
        expected = (entropy >= across[0]) & (jsd <= up[1])
        assert np.array_equal(mask_of(study, brush), expected)
        assert "entropy" in brush.words
        assert brush.item == "head"

    def test_an_axis_along_which_all_are_inside_is_not_said(self, study: Study):
        limit = float(np.median(study.mean("entropy")))
        brush = brush_of_box(session_of(study, image=None), (-1, 5), (limit, 1))
        assert brush == InRange("entropy", limit, 1, item="head")
        assert np.array_equal(mask_of(study, brush), study.mean("entropy") >= limit)

    def test_elsewhere_it_is_the_heads(self, study: Study):
        limit = float(np.median(study["entropy"][4]))
        brush = brush_of_box(session_of(study, image=4), (-1, 5), (limit, 1))
        assert brush == Ids(tuple(head for head in HEADS if study["entropy"][4][head] >= limit), "head")
        assert brush_of_box(session_of(study, image=None), (0.5, 1.5), (0, 1)) == Ids(tuple(HEADS[3:]), "head")
        assert brush_of_box(session_of(study, image=4), (7, 8), (0, 1)) == Ids((), "head")

    def test_a_mean_over_other_images_than_a_rule_takes_is_no_rule(self, study: Study):
        session = session_of(study, image=None, scatter_y="importance_probability")
        values = np.sort(shown_number(session, "importance_probability").found.per_head.ravel())
        for low in values:
            brush = brush_of_box(session, (-1, 5), (float(low), 1))
            shown = scatter_of(session).y.found.per_head >= low
            assert np.array_equal(mask_of(study, brush), shown)


def test_a_mask_is_told_as_heads(study: Study):
    inside = np.array([True, False, False, False, True, False])
    assert brush_of_heads(session_of(study), inside) == Ids(((0, 0), (1, 1)), "head")


def test_every_number_has_a_name_of_its_own():
    numbers = head_numbers()
    assert len({number.label for number in numbers.values()}) == len(numbers)
    assert pd.Index(table_columns()).is_unique
