"""What one session hears of the live model, with a real model and no page."""

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from pyviz_comms import Comm

from tests import serving
from tests.app.live_service import Blocked, answers, idle
from vitpanel.app.inference import ModelService
from vitpanel.app.session_inference import SessionInference
from vitpanel.core.regions import PruningMode
from vitpanel.models.images import decode_crop
from vitpanel.state.brush import Ids
from vitpanel.state.online import Online
from vitpanel.state.session import Session
from vitpanel.study.reader import Study
from vitpanel.views.bridge import Bridge

pytestmark = pytest.mark.slow


@pytest.fixture
def service(live_study: Study) -> ModelService:
    """Return a service that has not loaded its model yet."""
    return ModelService(live_study)


def test_a_known_result_comes_at_once(service: ModelService):
    first = answers(service, "modes", 1, 0, 0)
    again = answers(service, "modes", 1, 0, 0)
    assert [heard.status for heard in first] == ["running", "done"]
    assert [heard.status for heard in again] == ["done"]
    assert again[0].value is first[1].value


def test_a_closed_session_hears_nothing_and_is_not_kept(service: ModelService, live_study: Study):
    class Page:
        """Stands for a session's document, that its callbacks lead to."""

        def __init__(self) -> None:
            self.heard: list[Online[Any]] = []

        def hear(self, outcome: Online[Any]) -> None:
            self.heard.append(outcome)

    async def visit() -> tuple[weakref.ref[Page], weakref.ref[SessionInference], list[Online[Any]]]:
        page, inference = Page(), SessionInference(service)
        inference.modes(0, 0, 0, page.hear)
        inference.attention(0, 1, page.hear)
        inference.close()
        inference.atlas(0, page.hear)
        return weakref.ref(page), weakref.ref(inference), page.heard

    with Blocked(service):
        other = service.request(("modes", 0, 0, 0), "other")
        page, inference, heard = serving.run(visit())
        gc.collect()
        assert page() is None
        assert inference() is None
    assert other.result(60) is not None
    idle(service)
    assert [outcome.status for outcome in heard] == ["running", "running"]


def test_without_an_image_a_session_hears_means_as_slow_ones_have_them(service: ModelService, live_study: Study):
    session = Session(live_study, inference=SessionInference(service))
    session.selection.param.update(image=None, layer=1, head=2, images=Ids((0, 3, 4)))
    model, seen = service.answers.model()[0], list[np.ndarray]()
    for image in (0, 3, 4):
        model.attend(
            model.preprocessing.tensor([decode_crop(live_study.crop(image))]),
            lambda _layer, attention: seen.append(attention[0, 2].numpy().astype(float)),
            layers=[1],
        )
    shown, modes = session.attention.value, session.mean_mode_values()
    assert shown is not None
    assert np.allclose(shown, np.mean(seen, axis=0), atol=1e-6)
    assert session.attention.message == "mean of 3 brushed images"
    one_by_one = list[np.ndarray]()
    for image in (0, 3, 4):
        session.selection.image = image
        values = session.mode_values()
        assert values is not None
        one_by_one.append(values)
    assert modes is not None
    assert modes.words == "3 brushed images"
    assert np.allclose(modes.values, np.mean(one_by_one, axis=0), atol=1e-6)


def test_a_session_hears_of_the_head_that_is_chosen_now(service: ModelService, live_study: Study):
    session = Session(live_study, inference=SessionInference(service))
    session.selection.choose_pattern(4, 1, 2)
    assert session.modes.status == "done"
    model, seen = service.answers.model()[0], list[np.ndarray]()
    model.attend(
        model.preprocessing.tensor([decode_crop(live_study.crop(4))]),
        lambda _layer, attention: seen.append(attention[0, 2].numpy()),
        layers=[1],
    )
    shown = session.attention.value
    assert shown is not None
    assert shown.dtype == np.float32
    assert np.allclose(shown, seen[0], rtol=2**-11, atol=0)
    values = session.mode_values()
    assert values is not None
    assert values.shape == (len(PruningMode),)
    assert session.head_display() is not None
    predictions = session.predictions()
    assert predictions is not None
    assert predictions.is_true.sum() == 1


def test_a_session_asks_nothing_for_views_that_a_notebook_has_let_go_of(
    service: ModelService, live_study: Study, monkeypatch: pytest.MonkeyPatch
):
    bridge = Bridge()
    column = bridge.column()
    session = Session(live_study, inference=SessionInference(service, bridge))
    column._cleanup(column.get_root(comm=Comm()))
    asked, request = list[Any](), service.request
    monkeypatch.setattr(service, "request", lambda key, asker: asked.append(key) or request(key, asker))
    session.selection.choose_pattern(4, 1, 2)
    session.selection.choose_pattern(5, 1, 1)
    assert not asked
    column.get_root(comm=Comm())
    assert asked == [("attention", 5, 1), ("modes", 5, 1, 1)]
    assert (session.modes.status, session.attention.status) == ("done", "done")
