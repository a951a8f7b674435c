"""Servers of a small app, with and without the guards."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.serving import PANEL, ROOT, Server, serving

APP = str(Path(__file__).with_name("light_app.py"))
Start = Callable[..., AbstractContextManager[Server]]
CANARY = "import os, pathlib\npathlib.Path(os.environ['CANARY']).write_text('imported')\n"


@pytest.fixture(scope="session")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a module ``canary`` that leaves a file named ``found`` there when it is imported."""
    folder = tmp_path_factory.mktemp("canary")
    (folder / "canary.py").write_text(CANARY, "utf-8")
    return folder


@pytest.fixture(scope="session")
def start(canary: Path) -> Start:
    """Serve the app in a way, ``function`` or ``script``, with the options of ``panel serve`` for the latter."""

    @contextmanager
    def serve(mode: str, way: str = "function", *options: str, **env: str) -> Iterator[Server]:
        command = [sys.executable, APP, mode]
        ready = r"at (http://\S+)"
        if way == "script":
            command = [*PANEL, APP, "--port", "0", *options, "--args", mode]
            ready = r"running at: (http://\S+)"
        paths = os.pathsep.join([str(ROOT), str(canary), os.environ.get("PYTHONPATH", "")])
        variables = {"PYTHONPATH": paths, "CANARY": str(canary / "found"), **env}
        with serving(command, ready=ready, env={**os.environ, **variables}) as server:
            if way == "function":
                server.address = f"{server.address.rstrip('/')}/app"
            yield server

    return serve


@pytest.fixture(scope="session")
def bare(start: Start) -> Iterator[Server]:
    """Bokeh, Panel and Tornado as they are."""
    with start("bare") as server:
        yield server


@pytest.fixture(scope="session", params=["function", "script"])
def guarded(request: pytest.FixtureRequest, start: Start) -> Iterator[Server]:
    """Serve the app with our guards, both as ``vitpanel serve`` and as ``panel serve`` do."""
    options = ("--plugins", "vitpanel.runtime.plugin") if request.param == "script" else ()
    with start("guarded", request.param, *options) as server:
        yield server


@pytest.fixture(scope="session")
def function(start: Start) -> Iterator[Server]:
    """Serve the app with our guards as ``vitpanel serve`` does."""
    with start("guarded") as server:
        yield server
