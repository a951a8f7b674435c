"""Sets of heads pruned on many images by the service behind the app, with a real model and no page."""

import gc
import threading
import weakref
from functools import partial
from typing import Any

import numpy as np
import pytest

from tests import serving
from tests.pruned_families import Pruned
from vitpanel.app import image_runs
from vitpanel.app.inference import ModelService
from vitpanel.app.session_inference import SessionInference
from vitpanel.core.regions import PruningMode, pruning_mask
from vitpanel.errors import ChoiceError, InferenceError
from vitpanel.state.brush import Ids
from vitpanel.state.online import Online
from vitpanel.state.queries.pruned_set import PrunedSoFar, SetJob
from vitpanel.study.reader import Study

pytestmark = pytest.mark.slow
HEADS = ((0, 1), (1, 0), (1, 2))
IMAGES = (6, 1, 4, 0, 5)


@pytest.fixture
def service(live_study: Study) -> ModelService:
    return ModelService(live_study)


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every batch have one image, and every one be told."""
    monkeypatch.setattr(image_runs, "LARGEST_BATCH", 1)
    monkeypatch.setattr(image_runs, "TELL_SECONDS", -1)


def slow(service: ModelService, heads: Any, mode: int, images: Any) -> np.ndarray:
    """Probabilities by hooks, from the pictures in the study."""
    model, _ = service.answers.model()
    mask = pruning_mask(model.spec.grid, PruningMode(mode).regions)
    return Pruned(model, service.answers.pixels(images), [(*head, mask) for head in heads]).probabilities


def job_of(*, images: tuple[int, ...] = IMAGES, mode: int = 1, sets: Any = (HEADS,)) -> SetJob:
    return SetJob(sets, mode, images)


def finished(service: ModelService, job: SetJob) -> PrunedSoFar:
    *_, outcome = service.runs.outcomes(job)
    assert outcome.status == "done", outcome.message
    assert outcome.value is not None
    return outcome.value


@pytest.mark.parametrize("mode", [0, 1, 3, 5])
def test_many_images_are_as_slow_hooks_have_them(service: ModelService, live_study: Study, mode: int):
    found = finished(service, job_of(mode=mode)).found
    before, after = slow(service, (), 0, IMAGES), slow(service, HEADS, mode, IMAGES)
    labels = live_study.images["label"].to_numpy()[list(IMAGES)]
    rows = np.arange(len(IMAGES))
    assert found.images.tolist() == list(IMAGES)
    assert np.allclose(found.before, before[rows, labels], atol=1e-5)
    assert np.allclose(found.after[:, 0], after[rows, labels], atol=1e-5)
    assert found.predicted[:, 0].tolist() == after.argmax(-1).tolist()
    if mode == PruningMode.HEAD:
        drops = live_study["importance/probability"][list(IMAGES)]
        assert np.allclose(found.singly[:, 0], -sum(drops[:, layer, head] for layer, head in HEADS), atol=1e-6)
    else:
        assert np.isnan(found.singly).all() == (mode != 0)


def test_a_curve_has_a_column_for_each_set(service: ModelService):
    sets = ((), HEADS[:1], HEADS)
    found = finished(service, job_of(sets=sets)).found
    for at, heads in enumerate(sets):
        after = slow(service, heads, 1, IMAGES)
        assert np.allclose(found.after[:, at], after[np.arange(len(IMAGES)), found.reference], atol=1e-5)
    assert (found.jsd[:, 0] < 1e-6).all()


def test_one_image_has_all_its_probabilities_and_is_known_the_next_time(service: ModelService):
    heard: list[Online[np.ndarray]] = []
    for _ in range(2):
        SessionInference(service).prune_image(job_of(images=(3,), mode=4), heard.append)
    assert [outcome.status for outcome in heard] == ["running", "done", "done"]
    expected = np.concatenate([slow(service, (), 0, [3]), slow(service, HEADS, 4, [3])])
    assert heard[1].value == pytest.approx(expected, abs=1e-5)
    assert heard[2].value is heard[1].value


@pytest.mark.usefixtures("one_by_one")
def test_it_is_told_after_each_batch_how_far_it_is(service: ModelService):
    heard = list(service.runs.outcomes(job_of()))
    assert [len(outcome.value.found) for outcome in heard if outcome.value] == [1, 2, 3, 4, 5]
    assert [outcome.status for outcome in heard] == ["running"] * 4 + ["done"]
    first, *left = [outcome.value.seconds_left for outcome in heard if outcome.value]
    assert first is None
    assert all(seconds is not None and seconds > 0 for seconds in left[:-1])


@pytest.mark.usefixtures("one_by_one")
def test_two_who_ask_the_same_are_told_the_same_of_one_run(service: ModelService, monkeypatch: pytest.MonkeyPatch):
    n_pruned = count_pruned(service, monkeypatch)
    heard: dict[str, list[Any]] = {"one": [], "two": []}
    ends = {who: threading.Event() for who in heard}
    go = threading.Event()
    service._pool.submit(go.wait, 60)
    for who, end in ends.items():
        service.runs.ask(job_of(), who, partial(hear, heard[who], end))
    go.set()
    assert all(end.wait(60) for end in ends.values())
    assert heard["one"] == heard["two"]
    assert n_pruned == list(IMAGES)


def hear(heard: list[Any], end: threading.Event, outcome: Online[Any]) -> None:
    heard.append(outcome)
    if outcome.status != "running":
        end.set()


def count_pruned(service: ModelService, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Images that are computed, in a list that grows."""
    images, compute = list[int](), service.answers.pruned

    def counted(job: SetJob, of: Any) -> Any:
        images.extend(of)
        return compute(job, of)

    monkeypatch.setattr(service.answers, "pruned", counted)
    return images


@pytest.mark.usefixtures("one_by_one")
def test_what_nobody_wants_stops_and_is_gone_on_with_later(service: ModelService, monkeypatch: pytest.MonkeyPatch):
    n_pruned, heard, is_second = count_pruned(service, monkeypatch), list[Any](), threading.Event()

    def leave_after_two(outcome: Online[Any]) -> None:
        heard.append(outcome)
        assert outcome.value is not None
        if len(outcome.value.found) == 2:
            service.runs.leave("me", job_of())
            is_second.set()

    service.runs.ask(job_of(), "me", leave_after_two)
    assert is_second.wait(60)
    service._pool.submit(lambda: None).result(60)
    service._pool.submit(lambda: None).result(60)
    assert len(heard) == 2
    assert n_pruned == list(IMAGES[:2])
    assert len(finished(service, job_of()).found) == 5
    assert n_pruned == list(IMAGES)


def test_it_stops_within_a_batch(service: ModelService):
    service.answers.model()
    steps = 0

    def is_unwanted() -> bool:
        nonlocal steps
        steps += 1
        return steps == 2

    assert service._of_images(job_of(), np.array(IMAGES), is_unwanted) is None
    assert steps == 2


@pytest.mark.usefixtures("one_by_one")
def test_who_asks_for_a_head_is_answered_between_two_batches(service: ModelService):
    order: list[str] = []
    is_done = threading.Event()

    def ask_in_between(outcome: Online[Any]) -> None:
        order.append(outcome.status)
        if len(order) == 1:
            service.request(("modes", 0, 0, 0), "other").add_done_callback(lambda _: order.append("modes"))
        if outcome.status == "done":
            is_done.set()

    service.runs.ask(job_of(), "me", ask_in_between)
    assert is_done.wait(60)
    assert order.index("modes") == 1


@pytest.mark.usefixtures("one_by_one")
def test_a_failure_is_told_with_what_was_found_before(service: ModelService, monkeypatch: pytest.MonkeyPatch):
    compute = service.answers.pruned

    def fail_at(job: SetJob, images: Any) -> Any:
        if images[0] == IMAGES[3]:
            message = "The picture is broken."
            raise InferenceError(message, hint="Mend it.")
        return compute(job, images)

    monkeypatch.setattr(service.answers, "pruned", fail_at)
    *_, outcome = service.runs.outcomes(job_of())
    assert (outcome.status, outcome.message, outcome.hint) == ("failed", "The picture is broken.", "Mend it.")
    assert outcome.value is not None
    assert len(outcome.value.found) == 3
    with pytest.raises(InferenceError, match="broken"):
        service.prune(HEADS, images=IMAGES)
    monkeypatch.setattr(service.answers, "pruned", compute)
    assert len(service.prune(HEADS, images=IMAGES)) == 5


def test_a_session_hears_of_its_latest_job_alone_and_leaves_nothing(service: ModelService):
    heard: list[Online[Any]] = []

    async def visit() -> "weakref.ref[SessionInference]":
        inference = SessionInference(service)
        inference.prune_images(job_of(), heard.append)
        inference.prune_images(job_of(mode=5), heard.append)
        assert list(service.runs._runs) == [job_of(mode=5)]
        inference.close()
        assert not service.runs._runs
        return weakref.ref(inference)

    session = serving.run(visit())
    gc.collect()
    assert session() is None
    service._pool.submit(lambda: None).result(60)
    assert [outcome.status for outcome in heard] == ["running", "running"]


def test_a_script_gets_a_table(service: ModelService, live_study: Study):
    table = service.prune(Ids(HEADS, item="head"), mode=3, images=Ids((5, 2)))
    assert table["image"].tolist() == [2, 5]
    after = slow(service, HEADS, 3, [2, 5])
    assert table["p_true_pruned"].to_numpy() == pytest.approx(
        after[[0, 1], live_study.images["label"].to_numpy()[[2, 5]]], abs=1e-5
    )
    assert table["predicted_pruned"].tolist() == [live_study.class_names[row.argmax()] for row in after]
    assert len(service.prune(HEADS)) == live_study.n_images
    with pytest.raises(ChoiceError, match="no head"):
        service.prune([(7, 0)])
