"""The live model behind the app, with a real model and no page."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.app.live_service import Blocked, answers, idle
from tests.tiny_vit import write_checkpoint
from vitpanel.app.cache import ByteCache
from vitpanel.app.inference import ModelService
from vitpanel.app.requests import MAX_WAITING, Key
from vitpanel.core.regions import PruningMode
from vitpanel.errors import InferenceError
from vitpanel.models import stopping
from vitpanel.study.reader import Study

pytestmark = pytest.mark.slow


@pytest.fixture
def service(live_study: Study) -> ModelService:
    """Return a service that has not loaded its model yet."""
    return ModelService(live_study)


def result(service: ModelService, kind: str, *where: int) -> Any:
    """Return what a session is given in the end."""
    outcome = answers(service, kind, *where)[-1]
    assert outcome.status == "done", outcome.message
    return outcome.value


def test_attention_is_row_stochastic_for_every_layer(service: ModelService, live_study: Study):
    spec = live_study.spec
    for layer in range(spec.n_layers):
        attention = result(service, "attention", 0, layer)
        for head in range(spec.n_heads):
            assert attention[head].shape == (spec.grid.n_tokens, spec.grid.n_tokens)
            assert np.allclose(attention[head].sum(-1), 1, atol=1e-3)


def test_modes_agree_with_the_study(service: ModelService, live_study: Study):
    image = 3
    label = int(live_study.images["label"].iloc[image])
    for layer in range(live_study.spec.n_layers):
        for head in range(live_study.spec.n_heads):
            pruned = result(service, "modes", image, layer, head)
            for metric in ("probability", "jsd", "cls", "patch"):
                values = pruned.importance(metric, label)
                stored = live_study[f"importance/{metric}"][image, layer, head]
                assert values[PruningMode.HEAD] == pytest.approx(stored, abs=1e-5), metric
            assert pruned.drawn("probability", label)[0] == pytest.approx(
                live_study["probabilities"][image, label], abs=1e-5
            )


def test_equal_requests_are_computed_once(service: ModelService):
    with Blocked(service):
        futures = [service.request(("modes", 2, 0, 1), asker) for asker in ("one", "two")]
    assert futures[0] is futures[1]
    assert futures[0].result(60) is not None


def test_a_newer_request_of_a_session_drops_its_older_one_but_not_anothers(service: ModelService):
    with Blocked(service):
        mine: Future[Any] = service.request(("modes", 0, 0, 0), "me")
        shared = service.request(("modes", 0, 0, 1), "me")
        service.request(("modes", 0, 0, 1), "other")
        service.abandon(("modes", 0, 0, 0), "me")
        service.abandon(("modes", 0, 0, 1), "me")
        assert mine.cancelled()
        assert not shared.cancelled()
    assert shared.result(60) is not None


def test_too_many_requests_are_refused_in_words(service: ModelService):
    with Blocked(service):
        futures = [service.request(("modes", 0, 0, number), "me") for number in range(MAX_WAITING)]
        with pytest.raises(InferenceError, match=f"{MAX_WAITING} requests wait"):
            service.request(("modes", 1, 0, 0), "me")
        for number, future in enumerate(futures):
            service.abandon(("modes", 0, 0, number), "me")
            assert future.cancelled()


class Steps:
    """Counts the steps of a service's model, and does something at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, act: Callable[[], None]) -> None:
        self.count = 0

        def step() -> None:
            self.count += 1
            if self.count == at:
                act()
            stopping.step()

        for module in ("vitpanel.models.ablation.base", "vitpanel.models.ablation.restart", "vitpanel.models.model"):
            monkeypatch.setattr(f"{module}.step", step)


@pytest.mark.parametrize("key", [("modes", 0, 0, 0), ("attention", 0, 0), ("atlas", 0)])
def test_a_running_job_that_nobody_wants_stops_at_its_next_step(
    service: ModelService, monkeypatch: pytest.MonkeyPatch, key: Key
):
    service.answers.model()
    whole = Steps(monkeypatch, 0, lambda: None)
    service.request(key, "other").result(60)
    service.abandon(key, "other")
    idle(service)
    assert whole.count > 1
    service.answers.cache = ByteCache(service.answers.cache.limit)
    service.answers.model()[1]._remembered = None  # type: ignore[attr-defined]
    steps = Steps(monkeypatch, 1, lambda: service.abandon(key, "me"))
    future = service.request(key, "me")
    assert isinstance(future.exception(60), CancelledError)
    assert steps.count == 1
    assert service.answers.cache.get(key) is None
    assert service.request(key, "me").result(60) is not None


def test_a_running_job_goes_on_while_somebody_else_wants_it(service: ModelService, monkeypatch: pytest.MonkeyPatch):
    key = ("modes", 0, 0, 0)
    service.answers.model()
    Steps(monkeypatch, 1, lambda: service.abandon(key, "me"))
    with Blocked(service):
        future = service.request(key, "me")
        assert service.request(key, "other") is future
    assert future.result(60) is not None


def test_what_was_stopped_is_computed_anew_for_who_asks_later(service: ModelService, monkeypatch: pytest.MonkeyPatch):
    key = ("modes", 0, 0, 0)
    again: list[Future[Any]] = []

    def leave_and_ask() -> None:
        service.abandon(key, "me")
        again.append(service.request(key, "late"))

    service.answers.model()
    Steps(monkeypatch, 1, leave_and_ask)
    first = service.request(key, "me")
    assert isinstance(first.exception(60), CancelledError)
    assert again[0] is not first
    assert again[0].result(60) is not None


def test_what_is_prepared_stops_when_somebody_asks_and_when_all_have_left(
    service: ModelService, monkeypatch: pytest.MonkeyPatch
):
    service.request(("modes", 2, 0, 1), "me").result(60)
    service.leave("me")
    idle(service)
    steps = Steps(monkeypatch, 0, lambda: None)
    service._pool.submit(service._prefetch).result(60)
    assert steps.count == 0
    wishes = list(service._wishes)
    service._wishers = {"me"}
    asked: list[Future[Any]] = []
    held: list[Blocked] = []

    def ask() -> None:
        asked.append(service.request(("attention", 1, 0), "me"))
        # What was stopped is taken up again after the answer: the worker is held before it does.
        held.append(Blocked(service))

    Steps(monkeypatch, 1, ask)
    service._pool.submit(service._prefetch).result(60)
    with held[0]:
        assert asked[0].result(60) is not None
        assert service.answers.cache.get(wishes[0]) is None


def test_other_weights_are_refused_in_words(live_study: Study, tmp_path: Path):
    other = write_checkpoint(tmp_path / "other.safetensors", seed=9)
    failed = answers(ModelService(live_study, checkpoint=other), "modes", 0, 0, 0)[-1]
    assert failed.status == "failed"
    assert "not those that the study was computed with" in failed.message
    assert "--checkpoint" in failed.hint


def test_weights_that_are_gone_are_said_and_a_retry_works(live_study: Study, tmp_path: Path):
    service = ModelService(live_study, checkpoint=tmp_path / "moved.safetensors")
    failed = answers(service, "attention", 0, 0)[-1]
    assert failed.status == "failed"
    assert "moved.safetensors" in failed.message
    write_checkpoint(tmp_path / "moved.safetensors")
    assert answers(service, "attention", 0, 0)[-1].status == "done"


def test_heads_beside_the_last_one_are_there_before_they_are_asked_for(service: ModelService):
    answers(service, "modes", 2, 0, 1)
    idle(service)
    for layer, head in [(0, 0), (0, 2), (1, 1)]:
        assert [heard.status for heard in answers(service, "modes", 2, layer, head)] == ["done"]
    assert [heard.status for heard in answers(service, "modes", 2, 1, 0)] == ["running", "done"]


def test_nothing_is_prepared_while_somebody_waits(service: ModelService):
    service.answers.model()
    with Blocked(service):
        first = service.request(("modes", 5, 0, 0), "me")
        second = service.request(("modes", 6, 1, 2), "other")
        assert not first.done()
    second.result(60)
    idle(service)
    assert service.answers.cache.get(("modes", 5, 0, 1)) is None
    assert service.answers.cache.get(("modes", 6, 1, 1)) is not None


def test_attention_that_does_not_fit_is_kept_layer_by_layer(service: ModelService, live_study: Study):
    whole = [result(service, "attention", 0, layer) for layer in range(live_study.spec.n_layers)]
    small = ModelService(live_study)
    small.answers.cache = ByteCache(whole[0].nbytes * live_study.spec.n_layers)
    # Which layers are read decides how the others are computed, so that the last bits may differ.
    for head in range(live_study.spec.n_heads):
        assert np.allclose(result(small, "attention", 0, 1)[head], whole[1][head], rtol=2e-3, atol=1e-6)
    assert small.answers.cache.get(("attention", 0, 0)) is None
    assert small.answers.cache.size == whole[1].nbytes
