"""An app for each user, from the launcher or as the page that comes first; and who else tries to reach it."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page

from tests.hub.hubs import Hub, Person, header, jupyter_hub, wait_for_titles, wait_for_views
from tests.serving import VITPANEL, Server, get, is_let_in, serving, token_in

pytestmark = [pytest.mark.hub, pytest.mark.slow]

APP = "/user/anna/vitpanel/vitpanel"
TITLE = "<title>tiny"
LAUNCHER, LANDING = "launcher_config.py", "landing_config.py"
CONNECT = """import os, socket, sys
if user := int(sys.argv[2]):
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
socket.socket(socket.AF_UNIX).connect(sys.argv[1])"""
NOBODY = 65534


@pytest.fixture(scope="module", params=[LAUNCHER, LANDING])
def config(request: pytest.FixtureRequest) -> str:
    """File that is loaded; with the second one, the app does without the live model."""
    return request.param


@pytest.fixture(scope="module")
def hub(config: str, tmp_path_factory: pytest.TempPathFactory, variables: dict[str, str]) -> Iterator[Hub]:
    """Start a hub for Anna and Ben."""
    live = "no" if config == LANDING else "yes"
    with jupyter_hub(config, tmp_path_factory.mktemp("hub"), **variables, VITPANEL_LIVE=live) as hub:
        yield hub


@pytest.fixture(scope="module")
def anna(hub: Hub, browser: Browser) -> Iterator[Person]:
    """Log Anna in."""
    with hub.person(browser, "anna") as anna:
        yield anna


@pytest.fixture(scope="module")
def page(config: str, anna: Person) -> Page:
    """Anna's app, by the tile or at once."""
    page = anna.page
    if config == LAUNCHER:
        with anna.page.expect_popup() as opened:
            anna.page.locator(".jp-LauncherCard", has_text="vitpanel").click()
        page = opened.value
    wait_for_views(page)
    assert page.url.startswith(f"{anna.hub.address}{APP}")
    return page


@pytest.fixture(scope="module")
def app(page: Page, hub: Hub) -> psutil.Process:
    """Process that answers Anna."""
    (found,) = [each for each in hub.processes_of("anna") if "--unix-socket" in each.cmdline()]
    return found


@pytest.fixture(scope="module")
def ben(hub: Hub, browser: Browser) -> Iterator[Person]:
    """Log Ben in."""
    with hub.person(browser, "ben") as ben:
        yield ben


@pytest.fixture
def token(page: Page, anna: Person, hub: Hub) -> str:
    """Token of a page of Anna's app that nobody has opened yet."""
    text = get(hub.at(APP).address, Cookie=anna.cookie(APP)).text
    assert TITLE in text
    return token_in(text)


def test_a_click_on_a_head_moves_the_views(page: Page, config: str):
    for flat, head in ((4, "L1 H1"), (1, "L0 H1")):
        page.locator(f"#head-{flat}").click()
        wait_for_titles(page, f"{head} by pruning mode", f"{head}: strength", f"{head}: distribution")
        if config == LAUNCHER:
            wait_for_titles(page, "CLS attends to")


def test_torch_is_loaded_for_the_live_model_alone(app: psutil.Process, config: str):
    assert any("libtorch" in each.path for each in app.memory_maps()) is (config == LAUNCHER)


def test_its_user_reaches_it_without_a_browser(anna: Person, hub: Hub, token: str):
    assert is_let_in(hub.at(APP), token, Cookie=anna.cookie(APP))


def test_nobody_reaches_it_without_a_log_in(hub: Hub, token: str):
    assert TITLE not in get(hub.at(APP).address).text
    assert not is_let_in(hub.at(APP), token)


def test_another_site_opens_no_websocket_for_its_user(anna: Person, hub: Hub, token: str):
    assert not is_let_in(hub.at(APP), token, Cookie=anna.cookie(APP), Origin="http://elsewhere.example")


def test_another_user_does_not_reach_it(ben: Person, hub: Hub, token: str):
    own = ben.cookies(f"{hub.address}/user/ben/")
    renamed = header({name.replace("ben", "anna"): value for name, value in own.items()})
    api_token = ben.new_api_token()
    attempts = [{"Cookie": ben.cookie(APP)}, {"Cookie": header(own)}, {"Cookie": renamed}]
    attempts += [{"Authorization": f"token {api_token}"}, {"Cookie": renamed, "Authorization": f"token {api_token}"}]
    # They are good for something.
    assert get(f"{hub.address}/user/ben/api/status", Cookie=header(own)).status == 200
    assert get(f"{hub.address}/user/ben/api/status", Authorization=f"token {api_token}").status == 200
    for headers in attempts:
        assert TITLE not in get(hub.at(APP).address, **headers).text
        assert not is_let_in(hub.at(APP), token, **headers)


def reached(port: int, by: Person) -> list[Server]:
    """Ways to a port by the proxy of somebody's own server, by which a page of the app comes."""
    ways = (f"proxy/{port}", f"proxy/absolute/{port}", f"proxy/127.0.0.1:{port}")
    servers = [by.hub.at(f"/user/{by.name}/{way}{page}") for way in ways for page in ("/vitpanel", APP)]
    return [each for each in servers if TITLE in get(each.address, Cookie=by.cookie(f"/user/{by.name}/")).text]


def test_nor_by_the_proxy_of_his_own_server(ben: Person, hub: Hub, app: psutil.Process, token: str):
    assert not app.net_connections("inet")
    ports = [
        each.laddr.port
        for process in hub.processes_of("anna")
        for each in process.net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    ]
    assert ports
    assert not [port for port in ports if reached(port, ben)]


def test_a_port_would_be_reached(ben: Person, variables: dict[str, str]):
    command = [*VITPANEL, "serve", variables["VITPANEL_STUDIES"], "--port", "0", "--no-show", "--no-live"]
    with serving(command, ready=r"open at (http://\S+)") as server:
        assert reached(int(server.origin.rpartition(":")[2]), ben)


def test_nor_as_another_user_of_the_computer(app: psutil.Process):
    unix_socket = Path(app.cmdline()[app.cmdline().index("--unix-socket") + 1])
    assert stat.S_IMODE(unix_socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(unix_socket.parent.stat().st_mode) == 0o700
    subprocess.run([sys.executable, "-c", CONNECT, unix_socket, "0"], check=True)
    if os.geteuid() == 0:  # who can become another user
        command = [sys.executable, "-c", CONNECT, unix_socket, str(NOBODY)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert "PermissionError" in done.stderr
