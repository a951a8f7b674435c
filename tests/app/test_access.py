"""A server that others reach says by which name, and who may come."""

from pathlib import Path

import pytest

from vitpanel.app.access import Access, check_port, is_loopback
from vitpanel.app.users import Users
from vitpanel.errors import VitpanelError

OUTSIDE, NAMES = "0.0.0.0", ("lab.example:5006",)  # noqa: S104 - nothing listens here


@pytest.mark.parametrize(
    ("access", "words"),
    [
        (Access(OUTSIDE), "by which name"),
        (Access("lab.example"), "by which name"),
        (Access("::"), "by which name"),
        (Access(OUTSIDE, NAMES), "nobody would have to log in"),
        (Access(OUTSIDE, NAMES, basic_auth="x", is_open=True), "both"),
        (Access(is_open=True, oauth={"oauth_provider": "github"}), "both"),
        (Access(oauth={"oauth_key": "x", "oauth_provider": None}), "no provider"),
        (Access(oauth={"oauth_provider": "githib"}), "githib"),
        (Access(basic_auth="x", oauth={"oauth_provider": "github"}), "both"),
        (Access(basic_auth=""), "--basic-auth is empty"),
        (Access(OUTSIDE, NAMES, basic_auth=" "), "--basic-auth is empty"),
        (Access(OUTSIDE, NAMES, oauth={"oauth_provider": ""}), "--oauth-provider is empty"),
        (Access(oauth={"oauth_provider": "github", "oauth_secret": ""}), "--oauth-secret is empty"),
        (Access(basic_auth="user.json"), "There is no file user.json"),
        (Access(basic_auth="USER.JSON"), "There is no file USER.JSON"),
        (Access(basic_auth="lab/users"), "There is no file lab/users"),
    ],
)
def test_what_is_refused(access: Access, words: str):
    with pytest.raises(VitpanelError, match=words) as refusal:
        access.check()
    assert refusal.value.hint


@pytest.mark.parametrize(
    "access",
    [
        Access(),
        Access("127.0.0.1"),
        Access("::1", basic_auth="x"),
        Access(basic_auth="x" * 1000),
        Access(OUTSIDE, NAMES, basic_auth="x"),
        Access(OUTSIDE, NAMES, is_open=True),
        Access(OUTSIDE, NAMES, oauth={"oauth_provider": "github", "oauth_key": "x"}),
    ],
)
def test_what_is_let_be(access: Access):
    access.check()


def test_a_log_in_has_a_secret_of_its_own():
    assert Access().log_in == {}
    first, second = (Access(basic_auth="x").log_in for _ in range(2))
    assert first["cookie_secret"] != second["cookie_secret"]


@pytest.mark.parametrize(
    ("address", "expected"), [("127.8.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("", False)]
)
def test_which_addresses_are_of_this_computer(address: str, *, expected: bool):
    assert is_loopback(address) is expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"anna": "sesame"', "is not JSON from line 1 on"),
        ("", "is not JSON from line 1 on"),
        ("[" * 100_000, "is not JSON"),
        ('["sesame"]', "is a list"),
        ("{}", "names nobody"),
        ('{"anna": 1}', "password of 'anna'"),
        ('{"ben": "sesame", "anna": " "}', "password of 'anna'"),
        ('{"": "sesame"}', "blank name"),
    ],
)
def test_a_file_of_users_that_cannot_be_used_is_refused(tmp_path: Path, text: str, said: str):
    path = tmp_path / "users.json"
    path.write_text(text, "utf-8")
    with pytest.raises(VitpanelError, match=said) as refusal:
        Access(basic_auth=str(path)).check()
    assert str(path) in refusal.value.message
    assert '{"anna": "PASSWORD"' in refusal.value.hint
    assert "sesame" not in refusal.value.message


def test_a_file_of_users_of_another_encoding_is_refused(tmp_path: Path):
    path = tmp_path / "users.json"
    path.write_bytes('{"anna": "Grüße"}'.encode("latin-1"))
    with pytest.raises(VitpanelError, match="is not JSON"):
        Access(basic_auth=str(path)).check()


def test_who_is_let_in_by_a_password_for_all():
    users = Users.named_by("Grüße")
    assert users.know("", "Grüße")
    assert users.know("anna", "Grüße")
    assert not users.know("anna", "")
    assert not users.know("anna", "grüße")


def test_who_is_let_in_by_a_file_which_may_be_changed_meanwhile(tmp_path: Path):
    path = tmp_path / "users"
    path.write_text('\N{ZERO WIDTH NO-BREAK SPACE}{"anna": "a"}', "utf-8")
    users = Users.named_by(str(path))
    assert users.know("anna", "a")
    assert not users.know("ben", "")
    assert not users.know("anna", str(path))
    path.write_text('{"ben": "b"}', "utf-8")
    assert users.know("ben", "b")
    assert not users.know("anna", "a")
    path.unlink()
    with pytest.raises(VitpanelError, match="cannot be read"):
        users.know("anna", str(path))


@pytest.mark.parametrize("port", [0, 1, 65535])
def test_which_ports_there_are(port: int):
    check_port(port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_which_ports_there_are_not(port: int):
    with pytest.raises(VitpanelError, match=f"--port is {port}"):
        check_port(port)
