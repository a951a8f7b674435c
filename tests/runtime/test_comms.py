"""Which way of speaking is chosen in which kind of notebook; Colab and VS Code themselves are not started."""

import sys
import warnings
from types import ModuleType
from typing import Any

import holoviews as hv
import panel as pn
import pytest

from vitpanel.runtime import comms


@pytest.fixture(autouse=True)
def config() -> Any:
    """Panel's configuration, put back afterwards."""
    config: Any = pn.config
    before = config.comms
    config.comms = "default"
    comms._let_colab_load_widgets.cache_clear()
    yield config
    config.comms = before


@pytest.fixture
def colab(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Modules of Colab, and what they are asked for."""
    asked: list[str] = []
    output: Any = ModuleType("google.colab.output")
    output.enable_custom_widget_manager = lambda: asked.append("widgets")
    for name in ("google", "google.colab"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    return asked


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand for an installation without jupyter_bokeh."""
    monkeypatch.setitem(sys.modules, "jupyter_bokeh", None)


def test_jupyterlab_has_its_own_way(config: Any):
    comms.choose()
    assert config.comms == "default"


@pytest.mark.parametrize("way", ["vscode", "ipywidgets"])
def test_a_way_that_works_stays(config: Any, way: str):
    config.comms = way
    comms.choose()
    assert config.comms == way


def test_without_its_package_vs_code_has_figures_that_hear_nothing(config: Any, bare: None):
    config.comms = "vscode"
    with pytest.warns(UserWarning, match="In VS Code and Colab, install jupyter_bokeh"):
        comms.choose()
    assert config.comms == "default"


@pytest.mark.parametrize("found", ["default", "colab", "ipywidgets"])
def test_colab_has_its_own_way_and_loads_widgets_once(config: Any, colab: list[str], found: str):
    config.comms = found
    comms.choose()
    comms.choose()
    assert config.comms == ("ipywidgets" if found == "ipywidgets" else "colab")
    assert colab == ["widgets"]


@pytest.mark.parametrize("found", ["default", "colab"])
def test_colab_without_the_package_draws_views_and_says_what_to_install(
    config: Any, colab: list[str], bare: None, found: str
):
    config.comms = found
    with pytest.warns(UserWarning, match="!pip install jupyter_bokeh, restart the session"):
        comms.choose()
    assert config.comms == "colab"
    assert not colab


def test_extensions_choose_the_way_of_colab_too(config: Any, colab: list[str]):
    # If they choose another one in a later version, ours is to be thought over.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hv.extension("bokeh", logo=False)
    assert config.comms == "colab"
