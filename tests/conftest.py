"""What all tests share."""

import asyncio
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest

from tests.ensure_browser import find_chromium

ROOT = Path(__file__).parent.parent
if "PYTEST_XDIST_WORKER" in os.environ:
    # Each worker has a core; the servers and commands that its tests start count on that one too.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
# How long an example takes says how busy the machine is, not whether the code is right.
hypothesis.settings.register_profile("vitpanel", deadline=None, derandomize=True)
hypothesis.settings.load_profile("vitpanel")


@contextmanager
def _no_loop_of_others(item: pytest.Item) -> Iterator[None]:
    """Hide the event loop of Playwright, which runs in this thread from its first use on, from tests without it.

    What asks whether a loop is running finds none, as in a process that never had a browser.
    """
    if "playwright" in getattr(item, "fixturenames", ()):
        yield
        return
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Set a test up without the loop of a browser."""
    with _no_loop_of_others(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Run a test without the loop of a browser."""
    with _no_loop_of_others(item):
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def own_user_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let what vitpanel notes for its user go to a folder of the tests, in processes that they start too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("user-data")))
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a seeded generator."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of the real model and the photographs; tests that ask for it skip where it is absent."""
    folder = Path(os.environ.get("VITPANEL_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs the folder of VITPANEL_TEST_DATA; {folder} is absent")
    return folder


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the machine's Chromium without a sandbox, a graphics card or calls home."""
    args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    args += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    return {**browser_type_launch_args, "args": args, "executable_path": find_chromium()}
