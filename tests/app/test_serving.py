"""The two ways to serve a study, as processes that answer requests."""

import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.error import URLError

import pytest

from tests.serving import (
    PANEL,
    ROOT,
    VITPANEL,
    Answer,
    Server,
    forged_token,
    get,
    is_let_in,
    page_at,
    payload_of,
    serving,
    token_in,
)
from tests.synthetic import write_synthetic_study

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["vitpanel serve", "panel serve"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve a small study."""
    study = write_synthetic_study(tmp_path_factory.mktemp("served") / "x.study")
    tasks = study.with_name("tasks.md")
    tasks.write_text("## Look", "utf-8")
    what = [str(study), "--tasks", str(tasks)]
    commands = {
        "vitpanel serve": ([*VITPANEL, "serve", *what, "--port", "0", "--no-show"], r"open at (http://\S+)"),
        "panel serve": ([*PANEL, "apps/explorer.py", "--port", "0", "--args", *what], r"running at: (http://\S+)"),
    }
    command, ready = commands[request.param]
    with serving(command, ready=ready) as started:
        yield started


def test_the_page(server: Server):
    page = page_at(server)
    assert "<title>x · synthetic_vit" in page
    assert "fonts.googleapis.com" not in page


def test_the_server_is_guarded(server: Server):
    page = get(server.address, Cookie="a=SECRET", Authorization="SECRET")
    token = token_in(page.text)
    payload = payload_of(token)
    assert (list(payload["headers"]), payload["cookies"]) == (["Host"], {})
    assert page.headers["Content-Security-Policy"] == "frame-ancestors 'self'"
    assert not is_let_in(server, token, Origin=None)
    assert not is_let_in(server, forged_token("mine"))
    assert is_let_in(server, token)


def test_without_the_live_model_torch_is_not_loaded(tmp_path: Path):
    study = write_synthetic_study(tmp_path / "x.study")
    script = (
        "import sys, threading\n"
        "from pathlib import Path\n"
        "from vitpanel.app.explorer import create_app\n"
        f"create_app(Path({str(study)!r}), live=False)\n"
        "assert not {'torch', 'timm'} & set(sys.modules), 'torch is loaded'\n"
        "assert not any(thread.name.startswith('vitpanel-model') for thread in threading.enumerate())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


READY = r"open at (http://\S+)"


def serve(studies: Path, *options: str) -> list[str]:
    return [*VITPANEL, "serve", str(studies), "--port", "0", "--no-show", "--no-live", *options]


def test_a_folder_of_studies_has_a_page_that_lists_them(studies: Path):
    with serving(serve(studies), ready=READY) as server:
        assert server.says("2 studies are open")
        for name in ("first", "second"):
            assert f"<title>{name}" in get(f"{server.address}{name}").text
        assert get(f"{server.address}healthz").status == 200
        first = Server(server.process, address=f"{server.address}first")
        assert is_let_in(first, token_in(get(first.address).text))


def test_which_studies_of_a_folder_cannot_be_opened_is_said(studies: Path, tmp_path: Path):
    shutil.copytree(studies, tmp_path, dirs_exist_ok=True)
    (tmp_path / "second.study" / "manifest.json").write_text("{", "utf-8")
    with serving(serve(tmp_path), ready=READY) as server:
        assert server.says("1 of 2 studies are open at")
        assert "second.study cannot be opened: " in server.log
        assert "manifest.json is damaged" in server.log


@pytest.mark.parametrize("is_alone", [True, False])
def test_the_prefix_without_a_slash_leads_into_it(studies: Path, *, is_alone: bool):
    given, page = (studies / "first.study", "vitpanel") if is_alone else (studies, "first")
    with serving(serve(given, "--prefix", "/a/lab"), ready=READY) as server:
        for way in ("/a/lab", f"/a/lab/{page}?image=1", f"/a/lab/{page}/?image=1"):
            assert get(f"{server.origin}{way}").status == 200
        assert _way(server, "/a/lab?x=1") == "./lab/?x=1"
        # What a page asks for is relative to its address, and would not be there.
        assert _way(server, f"/a/lab/{page}/?image=1") == f"../{page}?image=1"


def _way(server: Server, address: str) -> str | None:
    """Where an address leads, as the server says it."""
    connection = HTTPConnection(server.origin.removeprefix("http://"), timeout=120)
    connection.request("GET", address)
    way = connection.getresponse().getheader("Location")
    connection.close()
    return way


def test_a_log_in_is_asked_for_but_not_by_what_watches_the_server(studies: Path):
    with serving(serve(studies, "--basic-auth", "sesame"), ready=READY) as server:
        assert "password" in get(f"{server.address}first").text
        assert "first.study" not in get(server.address).text
        assert get(f"{server.address}healthz").status == 200


def test_the_cookies_of_a_log_in_are_for_this_server_alone(studies: Path):
    with serving(serve(studies, "--basic-auth", "sesame", "--prefix", "/lab"), ready=READY) as server:
        connection = HTTPConnection(server.origin.removeprefix("http://"), timeout=120)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/lab/login", "username=anna&password=sesame", form)
        cookies = [value for name, value in connection.getresponse().getheaders() if name == "Set-Cookie"]
        connection.close()
        assert {"Path=/lab"} == set(
            re.findall("Path=[^;]+", "".join(each for each in cookies if each.startswith("user=")))
        )


def test_several_processes_answer(studies: Path):
    with serving(serve(studies / "first.study", "--num-procs", "2"), ready=READY) as server:
        tokens = [token_in(get(server.address).text) for _ in range(6)]
        assert all(is_let_in(server, token) for token in tokens)
        assert server.log.count("open at") == 1


@pytest.mark.skipif(not shutil.which("nginx"), reason="needs nginx")
@pytest.mark.parametrize("keeps_host", [True, False])
def test_behind_a_proxy_with_a_prefix(studies: Path, tmp_path: Path, *, keeps_host: bool):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--prefix", "/lab"] + ([] if keeps_host else ["--allow-websocket-origin", f"127.0.0.1:{port}"])
    with serving(serve(studies, *options), ready=READY) as server:
        assert server.address.endswith("/lab/")
        host = "proxy_set_header Host $http_host;" if keeps_host else ""
        config = tmp_path / "nginx.conf"
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        config.write_text(
            f"daemon off; pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; "
            + "".join(f"{kind}_temp_path {tmp_path}/{kind}; " for kind in kinds)
            + f"server {{ listen 127.0.0.1:{port}; location /lab/ {{ proxy_pass {server.origin}; {host} "
            "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; } } }"
        )
        proxy = subprocess.Popen(["nginx", "-c", str(config)])
        try:
            address = f"http://127.0.0.1:{port}/lab/first"
            page = _patient_get(address)
            through = Server(server.process, address=address)
            assert "<title>first" in page.text
            assert is_let_in(through, token_in(page.text))
            assert not is_let_in(through, token_in(get(address).text), Origin="http://elsewhere.example")
            assert "second" in get(f"http://127.0.0.1:{port}/lab/").text
        finally:
            proxy.terminate()
            proxy.wait()


def _patient_get(address: str) -> Answer:
    """Ask for a page of a proxy that is only just starting."""
    for _ in range(600):
        try:
            return get(address)
        except URLError:
            threading.Event().wait(0.1)
    pytest.fail("the proxy has not started")
