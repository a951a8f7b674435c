"""A server that others reach says by which name, and who may come."""

import pytest

from vitpanel.app.access import Access, is_loopback
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
    assert first["basic_auth"] == "x"
    assert first["cookie_secret"] != second["cookie_secret"]


@pytest.mark.parametrize(
    ("address", "expected"), [("127.8.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("", False)]
)
def test_which_addresses_are_of_this_computer(address: str, *, expected: bool):
    assert is_loopback(address) is expected
