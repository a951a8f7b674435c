"""The matrix of classes and heads: what is drawn, what a click does, and the test."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from vitpanel.core.spec import short_head_name
from vitpanel.state.brush import Ids, OfClass, Or
from vitpanel.state.queries.class_differences import class_test_table
from vitpanel.state.queries.class_statistics import class_matrix, class_table
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.views import class_statistics
from vitpanel.views.bridge import Bridge
from vitpanel.views.class_statistics import LEVEL, NO_LABELS, STOP, TEST, ClassStatistics
from vitpanel.views.figures.class_matrix import TOP


@pytest.fixture
def view(make_session) -> ClassStatistics:
    return ClassStatistics(make_session(n_images=40), Bridge())


def tap(view: ClassStatistics, column: float, row: float, **held: bool) -> None:
    event = SimpleNamespace(x=column, y=row, modifiers={"shift": False, "ctrl": False, "alt": False} | held)
    view._on_tap(event)


def outlined(source) -> list[tuple[float, ...]]:
    return list(zip(*(source.data[side] for side in ("left", "right", "top", "bottom")), strict=True))


@pytest.mark.parametrize("number", ["importance", "entropy", "distance"])
def test_cells_are_means_of_classes_in_the_order_of_the_names(view, number):
    view.number.value = number
    study, cells = view.session.study, view.plot.cells.data
    array = {"importance": "importance/probability"}.get(number, number)
    heads, classes = view.plot.heads.data["name"], view.plot.classes.data["name"]
    assert sorted(heads) == [short_head_name(layer, head) for layer in range(2) for head in range(3)]
    for row, column in np.ndindex(cells["image"][0].shape):
        layer, head = (int(part[1:]) for part in heads[column].split())
        name = classes[row].rpartition(" (")[0]
        values = study[array][(study.images["label_name"] == name).to_numpy(), layer, head]
        assert cells["image"][0][row, column] == pytest.approx(values.mean(), rel=1e-5)
        assert cells["n"][0][row, column] == len(values)
        assert classes[row] == f"{name} ({len(values)} images)"


def test_colours_of_what_has_a_sign_have_nothing_in_the_middle(view):
    mapper = view.plot.mapper
    assert mapper.low == -mapper.high
    view.number.value = "entropy"
    cells = view.plot.cells.data["image"][0]
    assert (mapper.low, mapper.high) == pytest.approx((cells.min(), cells.max()))
    assert view.plot.bar.title.startswith("entropy")


def test_it_follows_the_metric(view):
    before = view.plot.cells.data["image"][0]
    view.session.selection.metric = "jsd"
    after = view.plot.cells.data["image"][0]
    matrix = class_matrix(view.session.study, "importance/jsd")
    assert after == pytest.approx(matrix.mean[np.ix_(matrix.class_order, matrix.head_order)], rel=1e-5)
    assert not np.array_equal(before, after)


def test_a_click_chooses_the_head_and_brushes_the_class(view):
    selection, matrix = view.session.selection, view.matrix
    tap(view, 4.3, 1.2)
    assert selection.chosen_head == divmod(int(matrix.head_order[4]), 3)
    first = OfClass(matrix.classes[matrix.class_order[1]], "label")
    assert selection.images == first
    assert outlined(view.plot.chosen) == [(3.5, 4.5, -0.5, 2.5)]
    assert outlined(view.plot.brushed) == [(-0.5, 5.5, 0.5, 1.5)]
    tap(view, 0, 0, shift=True)
    assert selection.images == Or((first, OfClass(matrix.classes[matrix.class_order[0]], "label")))
    assert len(outlined(view.plot.brushed)) == 2
    tap(view, 0, -1.2)
    tap(view, 99, 0)
    assert selection.chosen_head == divmod(int(matrix.head_order[0]), 3)


def test_a_class_is_outlined_when_all_of_its_images_are_brushed(view):
    study, selection = view.session.study, view.session.selection
    selection.images = Ids(tuple(range(5)))
    assert outlined(view.plot.brushed) == []
    name = view.matrix.classes[0]
    selection.images = Ids(tuple(np.flatnonzero(study.images["label_name"] == name).tolist()))
    assert len(outlined(view.plot.brushed)) == 1


def test_a_class_is_brushed_by_the_menu(view):
    view.brush.value = "T-shirt & <top>"
    assert view.session.selection.images == OfClass("T-shirt & <top>", "label")


def test_the_test_marks_heads_and_is_in_the_table(view):
    view.number.value = "entropy"
    assert view.plot.figure.y_range.end == -0.5
    view._on_test(None)
    expected = class_test_table(view.session.study, "entropy")
    found = {view.plot.heads.data["name"][place] for place in view.plot.found.data["x"]}
    marked = expected[expected["p_corrected"] <= LEVEL]
    assert found == {short_head_name(row.layer, row.head) for row in marked.itertuples()}
    assert f"{len(marked)} of 6 heads" in view.words.object
    pd.testing.assert_frame_equal(
        view.chart.table(), class_table(view.session.study, "entropy").merge(expected, on=["layer", "head"], how="left")
    )
    assert view.plot.figure.y_range.end == (TOP if found else -0.5)
    view.number.value = "distance"
    assert not len(view.plot.found.data["x"])
    assert view.plot.figure.y_range.end == -0.5
    assert "p" not in view.chart.table()
    assert view.test.label == TEST


def test_a_test_can_be_stopped(view, monkeypatch):
    monkeypatch.setattr(class_statistics, "class_test_table", stopping(view))
    view._on_test(None)
    assert "The test was stopped." in view.words.object
    assert view.test.label == TEST
    assert view.tested is None


def stopping(view: ClassStatistics):
    """Do the test with somebody who presses the button at the thirtieth permutation."""

    def run(study, array, *, on_step):
        def step(n_done: int) -> None:
            if n_done == 30:
                view.bridge.flush()
                assert "20 of 499" in view.words.object
                assert view.test.label == STOP
                view._on_test(None)
            on_step(n_done)

        return class_test_table(study, array, on_step=step)

    return run


def test_without_labels_or_numbers_it_says_why(make_session):
    without = ClassStatistics(make_session(n_classes=0), Bridge())
    without.number.value = "entropy"
    assert without.chart.message == NO_LABELS
    tap(without, 0, 0)
    without._on_test(None)
    assert without.test.label == TEST
    no_cls = ClassStatistics(make_session(prefix=(), selection=Selection(metric="cls")), Bridge())
    assert no_cls.chart.message
    no_cls.session.selection.metric = "jsd"
    assert not no_cls.chart.message
    assert ClassStatistics(make_session(finished=False), Bridge()).matrix is not None


def test_a_test_ends_on_the_study_that_it_began_with(small_study, monkeypatch):
    begun, whole = (small_study(n_images=40, finished=finished) for finished in (False, True))
    view: Any = ClassStatistics(Session(begun, selection=Selection(image=3)), Bridge())

    def run(study, array, *, on_step):
        for n_done in range(21):
            on_step(n_done)
        view.bridge.flush()
        view.session.renew(whole)
        assert "Testing: 20 of 499" in view.words.object
        assert view.test.label == STOP
        for n_done in range(21, 499):
            on_step(n_done)
        return class_test_table(study, array)

    monkeypatch.setattr(class_statistics, "class_test_table", run)
    view._on_test(None)
    expected = class_test_table(begun, "importance/probability")
    told = class_table(whole, "importance/probability").merge(expected, on=["layer", "head"], how="left")
    pd.testing.assert_frame_equal(view.chart.table(), told.assign(images_tested=begun.n_done))
    assert view.test.label == TEST
    assert f"{begun.n_done} images there were at its start" in view.words.object
    view.number.value = "entropy"
    assert "permutations" not in view.words.object
    assert "p" not in view.chart.table()


def test_what_was_found_is_kept_for_the_same_array_and_said_to_be_of_fewer_images(small_study, monkeypatch):
    begun, whole = (small_study(n_images=40, finished=finished) for finished in (False, True))
    view: Any = ClassStatistics(Session(begun, selection=Selection(image=3)), Bridge())
    view.number.value = "entropy"
    p = class_test_table(begun, "entropy")["p_corrected"]
    monkeypatch.setattr(class_statistics, "LEVEL", p.sort_values().iloc[2])
    view._on_test(None)
    assert "at its start" not in view.words.object

    def starred() -> set[str]:
        return {view.plot.heads.data["name"][place] for place in view.plot.found.data["x"]}

    before = starred()
    assert 3 <= len(before) < 6
    heads = list(view.plot.heads.data["name"])
    view.session.renew(whole)
    assert list(view.plot.heads.data["name"]) != heads
    assert starred() == before
    assert f"{begun.n_done} images there were at its start" in view.words.object
    view._on_test(None)
    assert "at its start" not in view.words.object
    assert "images_tested" not in view.chart.table()
    after = starred()
    view.session.selection.metric = "jsd"
    assert starred() == after
