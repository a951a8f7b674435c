"""Nothing of a session outlives it."""

import gc
import logging
import os
import subprocess
import sys
import threading
import urllib.request
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import panel as pn
import pytest
from bokeh.document import Document
from panel.util import edit_readonly

from tests.ensure_browser import find_chromium
from tests.serving import ROOT
from tests.synthetic import write_synthetic_study
from tests.ui.conftest import ServerThread
from vitpanel.app.explorer import create_page
from vitpanel.app.lifetime import freeze_what_stays
from vitpanel.study.reader import open_study

pytestmark = pytest.mark.slow
SOON = {"unused_session_lifetime_milliseconds": 100, "check_unused_sessions_milliseconds": 100}


class Visits:
    """A server of a small study that notes the document of every visit, without keeping it."""

    def __init__(self, path: Path) -> None:
        self._study = open_study(path)
        self.documents: weakref.WeakSet[Document] = weakref.WeakSet()
        self.n_visits = 0
        self.server = ServerThread(self._make, **SOON)
        self.server.start()
        self.url = f"http://localhost:{self.server.wait()}/"

    def _make(self) -> Any:
        document = pn.state.curdoc
        assert document is not None
        self.documents.add(document)
        self.n_visits += 1
        return create_page(self._study)

    def n_left(self) -> int:
        """Documents that are alive once everything that can be collected is."""
        # The process of all tests is large: the collector looks only when the server has let go of its sessions.
        if not self.server.n_sessions():
            freeze_what_stays()
        return len(self.documents)


@pytest.fixture
def visits(tmp_path: Path) -> Iterator[Visits]:
    """Serve a small study whose unused sessions end soon."""
    # pytest keeps the records of a test, and a record what it tells of: a model, and with it the model's document.
    logging.disable(logging.WARNING)
    served = Visits(write_synthetic_study(tmp_path / "x.study"))
    yield served
    served.server.stop()
    pn.state.reset()
    gc.unfreeze()
    logging.disable(logging.NOTSET)


def wait_for(is_true: Callable[[], bool]) -> None:
    """Wait for something that becomes true in the thread of the server."""
    pause = threading.Event()
    for _ in range(600):
        if is_true():
            return
        pause.wait(0.1)
    pytest.fail("waited in vain")


def test_pages_that_are_only_fetched_leave_nothing(visits: Visits):
    for _ in range(3):
        with urllib.request.urlopen(visits.url, timeout=60) as answer:  # noqa: S310 - an address of this machine
            assert b"vp-lost" in answer.read()
    assert visits.n_visits == 3
    wait_for(lambda: visits.n_left() == 0)


@pytest.mark.ui
def test_pages_in_a_browser_are_not_kept(tmp_path: Path):
    study, browser = write_synthetic_study(tmp_path / "x.study"), find_chromium() or ""
    words = [sys.executable, str(Path(__file__).parent / "closed_pages.py"), str(study), browser]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) == 0, done.stderr


def test_what_others_do_changes_no_page(tmp_path: Path):
    document = Document()
    create_page(open_study(write_synthetic_study(tmp_path / "x.study"))).server_doc(document)
    events: list[Any] = []
    document.on_change(events.append)
    with edit_readonly(pn.state):
        pn.state.busy = True
        pn.state.busy = False
    assert not events
    pn.state.reset()
