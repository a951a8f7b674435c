"""The log-in page, as a browser without scripts meets it, and where it leads to."""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from html import unescape
from http.cookiejar import CookieJar
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
from panel.io.state import state
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from tests.serving import VITPANEL, Server, get, is_let_in, serving, token_in
from vitpanel.app import log_in as module
from vitpanel.app.log_in import FORGOTTEN, MOST_WAITING, N_FREE, PROOF, TOO_MANY, WAIT, LogIn, Patience, way_back
from vitpanel.app.users import Users, read_users

ANNA = {"username": "anna", "password": "sesame"}


@pytest.mark.parametrize(
    ("asked", "prefix", "way"),
    [
        ("/first?image=12&layer=0#x", "", "./first?image=12&layer=0#x"),
        ("/lab/first?image=12", "/lab", "./first?image=12"),
        ("/lab/", "/lab", "./"),
        ("", "/lab", "./"),
        ("/", "/lab", "./"),
        ("/laboratory", "/lab", "./"),
        ("https://elsewhere.example/lab/", "/lab", "./"),
        ("//elsewhere.example/lab/", "", ".//elsewhere.example/lab/"),  # a path of this server
        ("/\\elsewhere.example", "", "./"),
        ("/first\r\nSet-Cookie: a=b", "", "./"),
        ("javascript:alert(1)", "", "./"),
    ],
)
def test_the_way_back_stays_on_the_server(asked: str, prefix: str, way: str):
    assert way_back(asked, prefix) == way
    assert urljoin(f"http://lab.example{prefix}/login", way).startswith(f"http://lab.example{prefix}/")


class Waits:
    """Seconds that were waited, none of them in truth; with a gate, until it is opened."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.now = 0.0
        self.gate: asyncio.Event | None = None

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if self.gate is not None:
            await self.gate.wait()

    def patience(self) -> Patience:
        return Patience(wait=self, clock=lambda: self.now)


def fail(patience: Patience, address: str, n: int) -> None:
    for _ in range(n):
        patience.note_failure(address)


def test_only_an_address_that_goes_on_guessing_waits_and_it_is_forgotten_in_time():
    waits = Waits()
    patience = waits.patience()
    fail(patience, "192.0.2.7", N_FREE - 1)
    assert asyncio.run(patience.wait("192.0.2.7"))
    assert not waits.seconds
    fail(patience, "192.0.2.7", 1)
    assert all(asyncio.run(patience.wait(address)) for address in ("192.0.2.7", "192.0.2.8", "192.0.2.7"))
    assert waits.seconds == [WAIT, WAIT]
    waits.now = FORGOTTEN
    assert asyncio.run(patience.wait("192.0.2.7"))
    fail(patience, "192.0.2.7", 1)
    assert asyncio.run(patience.wait("192.0.2.7"))
    assert waits.seconds == [WAIT, WAIT]


def test_who_has_a_network_of_addresses_waits_for_all_of_them():
    waits = Waits()
    patience = waits.patience()
    for last in range(N_FREE):
        patience.note_failure(f"2001:db8:0:1::{last}")
    for address in ("2001:db8:0:1:ffff::1", "2001:db8:0:2::1", "192.0.2.7", "::ffff:192.0.2.7", ""):
        assert asyncio.run(patience.wait(address))
    assert waits.seconds == [WAIT]


def test_guesses_side_by_side_are_refused_and_other_addresses_are_not():
    waits = Waits()
    patience = waits.patience()
    fail(patience, "192.0.2.7", N_FREE)

    async def guess() -> list[bool]:
        waits.gate = asyncio.Event()
        waiting = [asyncio.ensure_future(patience.wait("192.0.2.7")) for _ in range(MOST_WAITING)]
        await asyncio.sleep(0)  # each of them has its turn
        assert waits.seconds == [WAIT] * MOST_WAITING
        refused, other = await patience.wait("192.0.2.7"), await patience.wait("192.0.2.8")
        waits.gate.set()
        assert all(await asyncio.gather(*waiting))
        return [refused, other, await patience.wait("192.0.2.7")]

    assert asyncio.run(guess()) == [False, True, True]


def test_of_many_addresses_the_last_ones_are_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_ADDRESSES", 2)
    waits = Waits()
    patience = waits.patience()
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.3"):
        fail(patience, address, N_FREE)
    for last in range(1, 4):
        assert asyncio.run(patience.wait(f"192.0.2.{last}"))
    assert waits.seconds == [WAIT, WAIT]  # 1 and 3
    assert len(patience._failures) == 2
    assert not patience._waiting


class Who(RequestHandler):
    """A page that says whom the server takes a visitor for."""

    application: Any

    def get(self) -> None:
        """Say it."""
        self.write(str(self.application.auth_provider.get_user(self)))


Ask = Callable[..., Awaitable[HTTPResponse]]


@pytest.fixture
def asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run what asks a server of the log-in page, without studies; the file of users is in the temporary folder."""
    monkeypatch.setattr(state, "on_session_destroyed", lambda _: None)  # which would outlive the test
    (tmp_path / "users.json").write_text('{"anna": "sesame", "ben": "mohnsame"}', "utf-8")

    def run(visit: Callable[[Ask], Awaitable[Any]], *, patience: Patience | None = None, **options: Any) -> Any:
        async def serve() -> Any:
            rules = [("/login", provider.login_handler), ("/logout", provider.logout_handler), ("/", Who)]
            application: Any = Application(rules, cookie_secret="0" * 64)
            application.auth_provider, application.prefix = provider, ""
            socket, port = bind_unused_port()
            server, client = HTTPServer(application, **options), AsyncHTTPClient(force_instance=True)
            server.add_socket(socket)

            async def ask(path: str, form: dict[str, str] | None = None, **headers: str) -> HTTPResponse:
                method, body = ("GET", None) if form is None else ("POST", urlencode(form))
                address = f"http://127.0.0.1:{port}{path}"
                return await client.fetch(
                    address, method=method, body=body, headers=headers, follow_redirects=False, raise_error=False
                )

            try:
                return await visit(ask)
            finally:
                client.close()
                server.stop()
                await server.close_all_connections()

        provider = LogIn(Users.named_by(str(tmp_path / "users.json")), patience=patience)
        return asyncio.run(serve())

    return run


def cookies_of(answer: HTTPResponse) -> SimpleCookie:
    """What a browser keeps of an answer."""
    found = SimpleCookie()
    for line in answer.headers.get_list("Set-Cookie"):
        found.load(line)
    return found


def sent(cookies: SimpleCookie, *, without: str = "") -> str:
    """Header with which it sends that back."""
    return "; ".join(f"{name}={cookie.value}" for name, cookie in cookies.items() if cookie.value and name != without)


@pytest.mark.parametrize(
    ("after", "anna", "ben"),
    [
        ('{"anna": "sesame", "ben": "mohnsame"} ', "anna", "ben"),
        ('{"ben": "mohnsame"}', "None", "ben"),
        ('{"anna": "another", "ben": "mohnsame"}', "None", "ben"),
        ('{"anna": "mohnsame", "ben": "sesame"}', "None", "None"),
        ("{", "None", "None"),
        (None, "None", "None"),
    ],
)
def test_who_is_taken_out_or_has_another_password_is_not_known_any_more(
    asking: Callable[..., Any], tmp_path: Path, after: str | None, anna: str, ben: str
):
    path = tmp_path / "users.json"
    before = path.read_text("utf-8")

    async def visit(ask: Ask) -> None:
        cookies = {}
        for name, password in (("anna", "sesame"), ("ben", "mohnsame")):
            cookies[name] = sent(cookies_of(await ask("/login", {"username": name, "password": password})))
            assert (await ask("/", Cookie=cookies[name])).body.decode() == name
        path.unlink()
        with suppress(TypeError):
            path.write_text(after, "utf-8")  # pyright: ignore[reportArgumentType] - none is no file
        for name, expected in (("anna", anna), ("ben", ben)):
            assert (await ask("/", Cookie=cookies[name])).body.decode() == expected
        path.write_text(before, "utf-8")
        assert (await ask("/", Cookie=cookies["anna"])).body.decode() == "anna"

    asking(visit)


def test_a_name_alone_or_the_proof_of_another_is_not_enough(asking: Callable[..., Any]):
    async def visit(ask: Ask) -> None:
        anna = cookies_of(await ask("/login", ANNA))
        ben = cookies_of(await ask("/login", {"username": "ben", "password": "mohnsame"}))
        assert "sesame" not in str(anna)
        for cookie in (sent(anna, without=PROOF), sent(anna, without="user"), ""):
            assert (await ask("/", Cookie=cookie)).body == b"None"
        mixed = f"{sent(anna, without=PROOF)}; {PROOF}={ben[PROOF].value}"
        assert (await ask("/", Cookie=mixed)).body == b"None"

    asking(visit)


def test_a_file_that_stays_the_same_is_read_once(asking: Callable[..., Any], monkeypatch: pytest.MonkeyPatch):
    read: list[Path] = []
    known = read_users
    monkeypatch.setattr("vitpanel.app.users.read_users", lambda path: read.append(path) or known(path))

    async def visit(ask: Ask) -> None:
        cookies = sent(cookies_of(await ask("/login", ANNA)))
        n_read = len(read)
        for _ in range(3):
            assert (await ask("/", Cookie=cookies)).body == b"anna"
        assert len(read) == n_read
        os.utime(read[-1], ns=(0, 0))
        assert (await ask("/", Cookie=cookies)).body == b"anna"
        assert len(read) == n_read + 1

    asking(visit)


def test_the_page_lets_who_guesses_wait_and_the_right_password_too(asking: Callable[..., Any]):
    waits = Waits()

    async def visit(ask: Ask) -> None:
        for _ in range(N_FREE):
            assert (await ask("/login", ANNA | {"password": "wrong"})).code == 403
        assert not waits.seconds
        assert (await ask("/login", ANNA | {"password": "wrong"})).code == 403
        assert (await ask("/login", ANNA)).code == 302
        assert (await ask("/login", ANNA)).code == 302
        assert waits.seconds == [WAIT] * 3
        assert (await ask("/login")).code == 200
        assert len(waits.seconds) == 3

    asking(visit, patience=waits.patience())


def test_the_page_says_that_too_many_wait(asking: Callable[..., Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_WAITING", 0)
    patience = Waits().patience()
    fail(patience, "127.0.0.1", N_FREE)

    async def visit(ask: Ask) -> HTTPResponse:
        return await ask("/login", ANNA)

    answer = asking(visit, patience=patience)
    assert answer.code == 429
    assert TOO_MANY in answer.body.decode()
    assert not cookies_of(answer)


@pytest.mark.parametrize(
    ("options", "headers", "is_secure"),
    [
        ({}, {}, False),
        ({}, {"X-Forwarded-Proto": "http"}, False),
        ({}, {"X-Forwarded-Proto": "https, http"}, True),
        ({"protocol": "https"}, {}, True),
        ({"xheaders": True}, {"X-Scheme": "https"}, True),
    ],
)
def test_cookies_stay_with_this_site_and_where_it_came_by_https_with_https(
    asking: Callable[..., Any], options: dict[str, Any], headers: dict[str, str], *, is_secure: bool
):
    async def visit(ask: Ask) -> HTTPResponse:
        return await ask("/login", ANNA, **headers)

    cookies = cookies_of(asking(visit, **options))
    assert {"user", "id_token", PROOF} <= set(cookies)
    for cookie in cookies.values():
        assert (cookie["samesite"], bool(cookie["secure"])) == ("Lax", is_secure), cookie
        assert cookie["httponly"] or not cookie.value


class Visitor:
    """A browser that keeps cookies, and fills in the form that it was sent."""

    def __init__(self, address: str) -> None:
        self._jar = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self._jar))
        self.open(address)

    @property
    def cookies(self) -> str:
        """Header with all that it has kept."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._jar)

    def open(self, address: str, form: bytes | None = None) -> None:
        """Ask for a page, or send a form."""
        try:
            answer = self._opener.open(address, form, timeout=120)
        except HTTPError as error:
            answer = error
        with answer:
            self.address, self.status, self.page = answer.url, answer.status, answer.read().decode("utf-8")

    def log_in(self, words: dict[str, str]) -> None:
        """Send the form with some words filled in."""
        action = re.findall(r'<form action="([^"]+)"', self.page)[0]
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', self.page))
        form = {name: unescape(value) for name, value in hidden.items()} | words
        self.open(urljoin(self.address, action), urlencode(form).encode())


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File with one user."""
    path = tmp_path_factory.mktemp("users") / "users.json"
    path.write_text('{"anna": "sesame"}', "utf-8")
    return path


def serve(what: Path, *options: str) -> Iterator[Server]:
    words = [*VITPANEL, "serve", str(what), "--port", "0", "--no-show", "--no-live", *options]
    with serving(words, ready=r"open at (http://\S+)") as server:
        yield server


@pytest.fixture(scope="module")
def server(studies: Path, users: Path) -> Iterator[Server]:
    """Serve to users of a file, below a prefix, in two processes."""
    yield from serve(studies, "--prefix", "/lab", "--num-procs", "2", "--basic-auth", str(users))


@pytest.fixture(scope="module")
def plain(studies: Path) -> Iterator[Server]:
    """Serve one study, in one process, to all who know a word."""
    yield from serve(studies / "first.study", "--basic-auth", " open sesame ")


@pytest.mark.slow
@pytest.mark.parametrize("n_wrong", [0, 1, 3])
def test_the_right_password_leads_to_what_was_asked_for(server: Server, n_wrong: int):
    address = f"{server.origin}/lab/first?image=1&layer=1"
    visitor = Visitor(address)
    for _ in range(n_wrong):
        visitor.log_in(ANNA | {"password": "wrong"})
        assert visitor.status == 403
        assert "The user name or the password is wrong." in visitor.page
    visitor.log_in(ANNA)
    assert (visitor.status, visitor.address) == (200, address)
    assert "<title>first" in visitor.page


@pytest.mark.slow
def test_a_word_for_all_asks_for_no_name(plain: Server):
    address = f"{plain.origin}/vitpanel?image=1"
    visitor = Visitor(address)
    assert 'name="username"' not in visitor.page
    visitor.log_in({"password": "open sesame"})
    assert "The password is wrong." in visitor.page
    visitor.log_in({"password": " open sesame "})
    assert (visitor.status, visitor.address) == (200, address)


@pytest.mark.slow
@pytest.mark.parametrize(("way", "leads_to"), [("/lab", "/lab/"), ("/lab/first/?image=1", "/lab/first?image=1")])
def test_a_slash_too_few_or_too_many_leads_to_the_log_in_and_to_the_page(server: Server, way: str, leads_to: str):
    visitor = Visitor(f"{server.origin}{way}")
    visitor.log_in(ANNA)
    assert (visitor.status, visitor.address) == (200, f"{server.origin}{leads_to}")


@pytest.mark.slow
def test_the_page_asks_nothing_of_others_and_gives_nothing_away(server: Server):
    page = get(f"{server.origin}/lab/first").text
    assert "<title>Log in - vitpanel</title>" in page
    # The name of SVG is asked for by nobody.
    assert not re.search(r"//[\w-]+\.\w", page.replace("//www.w3.org/2000/svg", ""))
    assert re.findall(r"<link|<img|<script src|@import", page) == ["<link"]
    assert '<link rel="icon" type="image/svg+xml" href="data:' in page
    assert "first" not in page.replace('value="/lab/first"', "")


@pytest.mark.slow
def test_what_an_address_says_is_text_on_the_page(server: Server):
    page = get(f"{server.origin}/lab/login?next=%22%3E%3Cb%3E&error=Call+me").text
    assert "<b>" not in page
    assert "Call me" not in page


@pytest.mark.slow
def test_who_logs_out_is_asked_again(server: Server):
    visitor = Visitor(f"{server.origin}/lab/first")
    visitor.log_in(ANNA)
    assert "<title>first" in visitor.page
    visitor.open(f"{server.origin}/lab/logout")
    assert visitor.address == f"{server.origin}/lab/login"
    visitor.open(f"{server.origin}/lab/first")
    assert "<title>Log in" in visitor.page


@pytest.mark.slow
def test_who_is_taken_out_opens_no_page_and_no_websocket(server: Server, users: Path):
    before = users.read_text("utf-8")
    page = Server(server.process, address=f"{server.origin}/lab/first")
    visitor = Visitor(page.address)
    visitor.log_in(ANNA)
    assert is_let_in(page, token_in(visitor.page), Cookie=visitor.cookies)
    visitor.open(page.address)
    try:
        users.write_text('{"ben": "mohnsame"}', "utf-8")
        assert not is_let_in(page, token_in(visitor.page), Cookie=visitor.cookies)
        assert "<title>Log in" in get(page.address, Cookie=visitor.cookies).text
    finally:
        users.write_text(before, "utf-8")
    assert is_let_in(page, token_in(visitor.page), Cookie=visitor.cookies)


@pytest.mark.slow
def test_a_file_that_is_broken_meanwhile_lets_nobody_in_and_says_so(server: Server, users: Path):
    before = users.read_text("utf-8")
    visitor = Visitor(f"{server.origin}/lab/first")
    try:
        users.write_text("{", "utf-8")
        visitor.log_in(ANNA)
        assert visitor.status == 503
        assert "Nobody can log in at the moment." in visitor.page
        assert str(users) not in visitor.page
        assert server.says(f"The file of users {users} is not JSON")
    finally:
        users.write_text(before, "utf-8")
    visitor.log_in(ANNA)
    assert "<title>first" in visitor.page
