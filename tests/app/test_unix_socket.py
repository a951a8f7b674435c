"""Servers that listen to a unix socket instead of a port, and the one that Jupyter starts."""

import os
import select
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import psutil
import pytest

from tests.serving import (
    ROOT,
    VITPANEL,
    Server,
    browser,
    forged_token,
    get,
    is_let_in,
    run,
    serving,
    token_in,
)
from tests.synthetic import write_synthetic_study
from vitpanel.app.access import Access
from vitpanel.app.jupyter import own_studies, server_process
from vitpanel.errors import VitpanelError

READY = r"behind the unix socket (\S+)"


@contextmanager
def proxy(server: Server) -> Iterator[Server]:
    """Stand before a server as a proxy does that hands all on as it comes."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as behind:
                behind.connect(server.address)
                other = {self.request: behind, behind: self.request}
                while True:
                    for end in select.select([*other], [], [])[0]:
                        piece = end.recv(2**16)
                        if not piece:
                            return
                        other[end].sendall(piece)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as before:
        threading.Thread(target=before.serve_forever).start()
        yield Server(server.process, address=f"http://127.0.0.1:{before.server_address[1]}")
        before.shutdown()


def words_of(server: Server) -> str:
    """All that a browser is told of a page."""
    token = token_in(get(server.address).text)

    async def pull() -> str:
        async with browser(server, token) as opened:
            assert opened is not None
            return str(await opened.reply("PULL-DOC-REQ", "{}"))

    return run(pull())


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of two studies."""
    folder = tmp_path_factory.mktemp("home") / "studies"
    folder.mkdir()
    for name in ("first", "second"):
        write_synthetic_study(folder / f"{name}.study")
    return folder


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory, studies: Path) -> list[str]:
    """Start of a server behind a socket of its own."""
    unix_socket = tmp_path_factory.mktemp("private") / "socket"
    return [*VITPANEL, "serve", str(studies), "--no-live", "--unix-socket", str(unix_socket)]


@pytest.fixture(scope="module")
def server(command: list[str]) -> Iterator[Server]:
    """Serve two studies behind a socket, which is its address."""
    with serving(command, ready=READY) as started:
        yield started


@pytest.fixture
def first(server: Server) -> Iterator[Server]:
    """Page of the first study, by a proxy."""
    with proxy(server) as before:
        before.address += "/first"
        yield before


@pytest.mark.slow
def test_its_owner_alone_reaches_it_and_not_by_a_port(server: Server, first: Server):
    assert stat.S_IMODE(Path(server.address).stat().st_mode) == 0o600
    assert not psutil.Process(server.process.pid).net_connections("inet")
    answer = get(first.address)
    assert "<title>first" in answer.text
    assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'self'"


@pytest.mark.slow
def test_a_websocket_comes_from_the_site_that_the_proxy_names(first: Server):
    assert is_let_in(first)
    assert is_let_in(first, Host="hub.example", Origin="https://hub.example")
    assert not is_let_in(first, Origin="http://elsewhere.example")
    assert not is_let_in(first, Origin=None)
    assert not is_let_in(first, forged_token("mine"))


@pytest.mark.slow
def test_the_socket_of_another_server_is_not_taken_away(first: Server, command: list[str]):
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert "is there already" in done.stderr
    assert "<title>first" in get(first.address).text


def test_a_socket_that_a_server_has_left_behind_is_no_hindrance(tmp_path: Path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "socket"))
    Access(unix_socket=tmp_path / "socket").check()


@pytest.mark.parametrize(
    ("name", "words"), [("none/socket", "No such file"), ("open/socket", "not closed"), ("file", "is there already")]
)
def test_a_place_that_is_not_its_owners_alone_is_refused(tmp_path: Path, name: str, words: str):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    (tmp_path / "file").touch()
    with pytest.raises(VitpanelError, match=words) as refusal:
        Access(unix_socket=tmp_path / name).check()
    assert refusal.value.hint


@contextmanager
def started_by_jupyter(unix_socket: Path, **variables: str) -> Iterator[Server]:
    """Start what the tile of the launcher starts."""
    words = [word.format(unix_socket=unix_socket) for word in server_process()["command"]]
    env = {name: value for name, value in os.environ.items() if not name.startswith("VITPANEL_")}
    with serving(words, ready=READY, env=env | variables) as started, proxy(started) as before:
        yield before


@pytest.mark.slow
def test_the_tile_of_a_launcher_opens_the_studies_in_the_home(studies: Path, tmp_path: Path):
    with started_by_jupyter(tmp_path / "socket", HOME=str(studies.parent), VITPANEL_LIVE="no") as server:
        assert "second" in words_of(server)


@pytest.mark.slow
def test_the_tile_of_a_launcher_opens_what_the_hub_names(studies: Path, tmp_path: Path):
    named = str(studies / "first.study")
    with started_by_jupyter(tmp_path / "socket", HOME=str(tmp_path), VITPANEL_STUDIES=named) as server:
        assert "<title>first" in get(server.address).text


@pytest.mark.slow
def test_a_folder_without_studies_is_said_on_the_page(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with started_by_jupyter(tmp_path / "socket", VITPANEL_STUDIES=str(tmp_path / "empty")) as server:
        assert "No study can be shown: empty is not a study" in words_of(server)


def test_a_home_without_studies_has_none_to_show(studies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert own_studies() is None
    (tmp_path / "studies").mkdir()
    assert own_studies() is None
    monkeypatch.setenv("HOME", str(studies.parent))
    assert own_studies() == studies
