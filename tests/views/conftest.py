"""Sessions on small studies, without a server or a browser."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.fakes import FakeInference
from tests.synthetic import write_synthetic_study
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="session")
def small_study(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Study]:
    """Open a synthetic study of the given sizes; equal sizes share one, since nothing changes a study."""

    @cache
    def small(**sizes: Any) -> Study:
        return open_study(write_synthetic_study(tmp_path_factory.mktemp("studies") / "small.study", **sizes))

    return small


@pytest.fixture
def make_session(small_study: Callable[..., Study]) -> Callable[..., Session]:
    """Make a session on a small study, with a fake live model and a plain selection."""

    def make(*, has_inference: bool = True, selection: Selection | None = None, **sizes: Any) -> Session:
        study = small_study(**sizes)
        inference = FakeInference(study.spec) if has_inference else None
        return Session(study, selection=selection or Selection(image=3), inference=inference)

    return make
