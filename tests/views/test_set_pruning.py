"""The view of a set of heads pruned together: what it asks, what it says, and what a press does."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.fakes import FakeInference
from vitpanel.core.metrics import metric_of
from vitpanel.errors import VitpanelError
from vitpanel.state.brush import Ids
from vitpanel.state.online import NO_MODEL, Online
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.views.bridge import Bridge
from vitpanel.views.set_pruning import _TITLES, PruneSet


@pytest.fixture
def live(small_study) -> FakeInference:
    return FakeInference(small_study().spec)


@pytest.fixture
def view(small_study, live) -> PruneSet:
    study = small_study()
    made = PruneSet(Session(study, selection=Selection(study, image=3), inference=live), Bridge())
    send(made, seen=True)
    return made


def send(view: PruneSet, **message: Any) -> None:
    view._on_message(SimpleNamespace(data=message))


def words(view: PruneSet) -> str:
    return view.panel.image["words"]


def test_the_model_is_asked_for_the_image_while_somebody_looks(small_study, live):
    study = small_study()
    live.is_prompt = False
    view = PruneSet(Session(study, selection=Selection(study, image=3), inference=live), Bridge())
    assert "prune" not in live.waiting
    send(view, seen=True)
    assert live.waiting["prune"][0][0].images == (3,)
    assert view.panel.image["is_busy"]
    live.answer("prune")
    assert view.panel.image["rows"]
    send(view, seen=False)
    view.session.selection.image = 4
    assert "prune" not in live.waiting
    send(view, seen=True)
    assert live.waiting["prune"][0][0].images == (4,)


def test_brush_pins_mode_and_image_are_followed(view, live):
    selection = view.session.selection
    assert words(view).startswith("Pruned: the chosen head (L")
    selection.heads = Ids(((0, 0), (1, 2)), item="head")
    assert words(view) == "Pruned together: 2 brushed heads (L0 H0, L1 H2), mode 1 (the whole head)."
    before = view.panel.image["facts"]
    selection.mode = 5
    assert view.mode.value == 5
    assert "mode 5 (patches→patches)" in words(view)
    assert view.panel.image["facts"] != before
    view.mode.value = 3
    assert selection.mode == 3
    selection.heads = Ids((), item="head")
    assert words(view).startswith("No head is brushed.")
    assert view.panel.image["rows"] == []
    selection.param.update(heads=None, image=None)
    assert "Choose an image" in view.panel.image["message"]


def test_the_numbers_of_the_image_are_those_of_the_answer(view, live):
    study, selection = view.session.study, view.session.selection
    selection.heads = Ids(((0, 0), (1, 2)), item="head")
    record, job = view.panel.image, view.pruning._asked
    before, after = live.pruned_image(job)
    label = int(study.images["label"].iloc[3])
    shown = {row["name"]: (row["before"], row["after"]) for row in record["rows"]}
    assert shown[study.class_names[label]] == (before[label], after[label])
    assert [row["name"] for row in record["rows"] if row["is_true"]] == [study.class_names[label]]
    facts = dict(record["facts"])
    assert facts[f"p({study.class_names[label]}), the label"] == f"{before[label]:.3f} → {after[label]:.3f}"
    assert facts["its change"].startswith("together ")
    assert ", one by one " in facts["its change"]


def test_many_images_are_pruned_when_run_is_pressed(view, live):
    selection = view.session.selection
    selection.param.update(heads=Ids(((0, 0), (1, 2)), item="head"), images=Ids((1, 4, 5, 8)))
    assert view.scope.value == "brushed"
    assert next(iter(view.scope.options)) == "4 brushed images"
    assert view.panel.images["rows"] == []
    live.is_prompt = False
    send(view, run="images")
    (job,), _ = live.waiting["images"]
    assert sorted(job.images) == [1, 4, 5, 8]
    assert job.sets == (((0, 0), (1, 2)),)
    assert view.panel.images["is_busy"]
    deliver = live.waiting["images"][1]
    deliver(Online("running", live.so_far(job, 3)))
    assert view.panel.images["status"] == "3 of 4 images, about 1 s left"
    assert view.panel.images["done"] == 0.75
    send(view, cancel="images")
    assert "images" not in live.waiting
    record = view.panel.images
    assert (record["status"], record["is_busy"]) == ("3 of 4 images; cancelled", False)
    assert len(record["thumbnails"]) == 3
    assert record["words"] == view.panel.next["images"] == "2 brushed heads, mode 1 (the whole head), 4 brushed images"
    selection.images = None
    assert view.panel.images["words"] != view.panel.next["images"]
    assert len(view.panel.images["thumbnails"]) == 3
    send(view, choose=record["thumbnails"][0]["image"])
    assert selection.image == record["thumbnails"][0]["image"] == view.panel.chosen


def test_a_cancel_before_anything_is_there_says_so(view, live):
    live.is_prompt = False
    send(view, run="images")
    send(view, cancel="images")
    assert view.panel.images["status"] == "cancelled before the first image"


def test_a_failure_keeps_what_was_found(view, live):
    live.is_prompt = False
    send(view, run="images")
    (job,), deliver = live.waiting["images"]
    deliver(Online("failed", live.so_far(job, 2), "The model failed.", "Ask again."))
    assert view.panel.images["status"].endswith("then: The model failed. Ask again.")
    assert view.panel.images["is_wrong"]
    assert view.panel.images["rows"]


def test_curves_of_both_orders_stand_together_while_they_are_of_the_same(view):
    send(view, run="curve")
    send(view, order="most")
    send(view, run="curve")
    lines = view.panel.curve["lines"]
    n_heads = view.session.study.spec.is_there.sum()
    assert {line["order"] for line in lines} == {"least", "most"}
    for line in lines:
        assert (line["points"][0][0], line["points"][-1][0]) == (0, n_heads)
    assert metric_of(view.session.selection.metric).title in view.panel.curve["words"]
    view.session.selection.mode = 5
    send(view, run="curve")
    assert [line["order"] for line in view.panel.curve["lines"]] == ["most"]


def test_everything_in_sight_is_saved_as_numbers(view, monkeypatch):
    saved: dict[str, str] = {}
    monkeypatch.setattr(view.view_tools, "download", lambda _figure, *, kind, file, text: saved.update({file: text}))
    reasons = {record["stem"]: record["reason"] for record in view.records()}
    assert reasons["pruned-set_image"] == ""
    assert reasons["pruned-set_images"] == reasons["necessity-curve"] == "Press Run first."
    with pytest.raises(VitpanelError):
        view._table("necessity-curve")
    send(view, run="images")
    send(view, run="curve")
    assert not any(record["reason"] for record in view.records())
    for stem in _TITLES:
        view.save(stem, "csv")
    assert list(saved) == [
        "pruned-set_image_image3.csv", "pruned-set_images.csv", "pruned-set_heads.csv", "necessity-curve.csv",
    ]  # fmt: skip
    assert saved["pruned-set_images.csv"].startswith("image,label,predicted,predicted_pruned,")
    assert saved["pruned-set_heads.csv"].splitlines()[0] == "layer,head,mode"


def test_without_a_model_or_classes_it_says_why(small_study):
    study = small_study()
    view = PruneSet(Session(study, selection=Selection(study, image=1)), Bridge())
    assert view.panel.image["message"] == NO_MODEL
    send(view, run="images")
    assert view.panel.images["status"] == NO_MODEL
    bare = small_study(n_classes=0)
    view = PruneSet(Session(bare, selection=Selection(bare, image=1), inference=FakeInference(bare.spec)), Bridge())
    assert "class" in view.panel.image["message"]
    for what in ("images", "curve"):
        send(view, run=what)
    assert view.panel.images["status"] == view.panel.curve["status"] == view.panel.image["message"]


def test_what_is_not_there_changes_nothing(view):
    before, selection = view.panel.images, view.session.selection
    for message in ({"choose": 99}, {"choose": "x"}, {"run": "all"}, {"order": "x"}, {"cancel": None}, {"seen": 1}):
        send(view, **message)
    assert view.panel.images == before
    assert (selection.image, view.pruning.order) == (3, "least")


def test_accuracy_and_interval_are_those_of_the_images(view, live):
    send(view, run="images")
    record, (found,) = view.panel.images, [view.pruning.images.value.found]
    is_labelled = found.labels >= 0
    right = (found.predicted[:, 0] == found.labels)[is_labelled].mean()
    assert record["rows"][0][:1] + record["rows"][0][2:3] == ["accuracy", f"{100 * right:.1f} %"]
    assert "(" in record["rows"][1][3]
    changed = np.count_nonzero(found.predicted[:, 0] != found.predicted_before)
    assert any(fact.startswith(f"{changed} of {len(found)} predictions changed") for fact in record["facts"])
