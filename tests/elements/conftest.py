"""A small study, a fake model that answers at once, and figures as Bokeh gets them."""

from pathlib import Path
from typing import Any

import holoviews as hv
import pytest

from tests.fakes import FakeModel
from tests.synthetic import write_synthetic_study
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("elements") / "a.study"))


@pytest.fixture(scope="session")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> Study:
    path: Path = tmp_path_factory.mktemp("elements") / "b.study"
    return open_study(write_synthetic_study(path, finished=False))


@pytest.fixture(scope="session")
def model(study: Study) -> FakeModel:
    return FakeModel(study.spec)


@pytest.fixture
def plot():
    """Give the plot that HoloViews makes of an element, with its Bokeh figure in ``state``."""
    made: list[Any] = []

    def get(element: Any) -> Any:
        made.append(hv.renderer("bokeh").get_plot(element))
        return made[-1]

    yield get
    for each in made:
        each.cleanup()
