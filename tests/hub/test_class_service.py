"""One app for a class, with the hub's log-in; and who tries to come without being a member."""

from collections.abc import Iterator

import psutil
import pytest
from playwright.sync_api import Browser, Page
from tornado.web import create_signed_value

from tests.hub.hubs import Hub, Person, header, jupyter_hub, wait_for_titles, wait_for_views
from tests.serving import get, is_let_in, token_in

pytestmark = [pytest.mark.hub, pytest.mark.slow]

PREFIX = "/services/vitpanel"
APP = f"{PREFIX}/vitpanel"
TITLE = "<title>tiny"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, variables: dict[str, str]) -> Iterator[Hub]:
    """Start a hub with a class of Anna and Ben; Carl is not in it."""
    folder = tmp_path_factory.mktemp("hub")
    with jupyter_hub("service_config.py", folder, **variables, VITPANEL_CLASS="anna,ben") as hub:
        yield hub


@pytest.fixture(scope="module")
def anna(hub: Hub, browser: Browser) -> Iterator[Person]:
    """Let a member open the app."""
    with hub.person(browser, "anna", path=f"{PREFIX}/") as anna:
        wait_for_views(anna.page)
        yield anna


@pytest.fixture(scope="module")
def ben(hub: Hub, browser: Browser) -> Iterator[Person]:
    """Let another member open the app."""
    with hub.person(browser, "ben", path=f"{PREFIX}/") as ben:
        wait_for_views(ben.page)
        yield ben


@pytest.fixture(scope="module")
def carl(hub: Hub, browser: Browser) -> Iterator[Person]:
    """Let somebody who is no member start a server of his own."""
    with hub.person(browser, "carl") as carl:
        yield carl


@pytest.fixture
def token(anna: Person, hub: Hub) -> str:
    """Token of a page of Anna's that nobody has opened yet."""
    text = get(hub.at(APP).address, Cookie=anna.cookie(APP)).text
    assert TITLE in text
    return token_in(text)


def choose(page: Page, flat: int, head: str) -> None:
    page.locator(f"#head-{flat}").click()
    wait_for_titles(page, f"{head} by pruning mode", f"{head}: strength", "CLS attends to")


def test_each_member_has_views_of_their_own_of_one_model(anna: Person, ben: Person, hub: Hub):
    choose(anna.page, 4, "L1 H1")
    choose(ben.page, 1, "L0 H1")
    wait_for_titles(anna.page, "L1 H1 by pruning mode")
    running = psutil.Process(hub.server.process.pid).children(recursive=True)
    assert sum("--oauth-provider" in each.cmdline() for each in running) == 1


def test_a_member_is_let_in_without_a_browser(anna: Person, hub: Hub, token: str):
    assert is_let_in(hub.at(APP), token, Cookie=anna.cookie(APP))


def test_a_member_does_not_come_into_the_session_of_another(anna: Person, ben: Person, hub: Hub):
    assert not is_let_in(hub.at(APP), token_in(anna.page.content()), Cookie=ben.cookie(APP))


def test_nobody_reaches_it_without_a_log_in(hub: Hub, token: str):
    assert TITLE not in get(hub.at(APP).address).text
    assert not is_let_in(hub.at(APP), token)


@pytest.mark.parametrize("secret", ["", "0" * 64])
def test_a_forged_cookie_is_no_log_in(hub: Hub, token: str, secret: str):
    cookie = header({"user": create_signed_value(secret, "user", "anna").decode(), "access_token": "x"})
    assert TITLE not in get(hub.at(APP).address, Cookie=cookie).text
    assert not is_let_in(hub.at(APP), token, Cookie=cookie)


def test_the_hub_turns_away_who_is_not_of_the_class(carl: Person, hub: Hub, token: str):
    page = carl.page.context.new_page()
    answer = page.goto(hub.at(APP).address)
    assert answer is not None
    assert answer.status == 403
    assert "do not have permission to access" in page.inner_text("body")
    page.close()
    for headers in ({"Cookie": carl.cookie(APP)}, {"Authorization": f"token {carl.new_api_token()}"}):
        assert TITLE not in get(hub.at(APP).address, **headers).text
        assert not is_let_in(hub.at(APP), token, **headers)


def test_nor_by_the_proxy_of_his_own_server(carl: Person, hub: Hub, token: str):
    own = "/user/carl/"
    for way in (f"proxy/{hub.ports['service']}", f"proxy/127.0.0.1:{hub.ports['service']}"):
        server = hub.at(f"{own}{way}{APP}")
        page = get(server.address, Cookie=carl.cookie(own))
        assert TITLE not in page.text
        assert not is_let_in(server, token, Cookie=carl.cookie(own))
        # The port is reached; what asks for a log-in is the app.
        assert get(f"{hub.address}{own}{way}{PREFIX}/healthz", Cookie=carl.cookie(own)).status == 200


def test_no_server_of_another_user_is_sent_the_cookies_of_a_member(anna: Person, hub: Hub):
    of_app = {"user", "access_token", "id_token"}
    assert of_app <= set(anna.cookies(f"{hub.address}{APP}"))
    assert not of_app & set(anna.cookies(f"{hub.address}/user/ben/"))


def test_another_site_opens_no_websocket_for_a_member(anna: Person, hub: Hub, token: str):
    assert not is_let_in(hub.at(APP), token, Cookie=anna.cookie(APP), Origin="http://elsewhere.example")
