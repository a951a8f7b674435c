"""Processes that answer together end together."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.serving import ROOT, VITPANEL
from tests.synthetic import write_synthetic_study
from vitpanel.app.processes import count_processes
from vitpanel.errors import VitpanelError


def test_how_many_there_are(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert [count_processes(asked) for asked in (0, 1, 2)] == [3, 1, 2]


def test_fewer_than_none_are_refused():
    with pytest.raises(VitpanelError, match="--num-procs is -1"):
        count_processes(-1)


def test_several_are_refused_where_there_is_no_fork(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(os, "fork")
    assert count_processes(1) == 1
    with pytest.raises(VitpanelError, match="--num-procs is 2"):
        count_processes(2)


@contextmanager
def served(study: Path, n_processes: int) -> "Iterator[tuple[subprocess.Popen[str], int]]":
    """First process of a server, and the port."""
    words = [*VITPANEL, "serve", str(study), "--port", "0", "--no-show", "--no-live", "--num-procs", str(n_processes)]
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, start_new_session=True
    )
    with process:
        try:
            assert process.stdout
            said = next(line for line in process.stdout if "open at" in line)
            yield process, urlsplit(said.split()[-5]).port or 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small study."""
    return write_synthetic_study(tmp_path_factory.mktemp("served") / "x.study")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_all_end_with_the_first(study: Path, number: signal.Signals):
    with served(study, 2) as (process, port):
        process.send_signal(number)
        process.wait(60)
        with socket.socket() as other:
            is_free = other.connect_ex(("127.0.0.1", port)) != 0
        # Killed, it cannot wait for the others.
        assert is_free or number == signal.SIGKILL
        # Comes to its end when the last process that writes to it has ended.
        said = process.communicate(timeout=60)[0]
    assert process.returncode == (0 if number == signal.SIGINT else -number)
    assert said == ("vitpanel: server stopped.\n" if number == signal.SIGINT else "")


@pytest.mark.slow
@pytest.mark.parametrize("n_processes", [1, 2])
def test_an_interrupt_at_the_terminal_reaches_all_and_is_said_once(study: Path, n_processes: int):
    with served(study, n_processes) as (process, _):
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    assert said == "vitpanel: server stopped.\n"
