"""The log-in page, as a browser without scripts meets it, and where it leads to."""

import re
from collections.abc import Iterator
from html import unescape
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from tests.serving import VITPANEL, Server, get, serving
from tests.synthetic import write_synthetic_study
from vitpanel.app.log_in import way_back

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


class Visitor:
    """A browser that keeps cookies, and fills in the form that it was sent."""

    def __init__(self, address: str) -> None:
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))
        self.open(address)

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
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of two studies."""
    folder = tmp_path_factory.mktemp("several")
    for name in ("first", "second"):
        write_synthetic_study(folder / f"{name}.study")
    return folder


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
