"""Guards under the options of ``panel serve`` and the variables of Bokeh and ours."""

import json

import pytest
from bokeh.util.token import check_token_signature

from tests.runtime.conftest import Start
from tests.serving import Server, forged_token, get, is_let_in, payload_of, token_in

pytestmark = [pytest.mark.slow, pytest.mark.reliability]


def is_guarded(server: Server) -> bool:
    token = token_in(get(server.address, Cookie="a=SECRET").text)
    can_come = is_let_in(server, token)
    return can_come and "SECRET" not in json.dumps(payload_of(token)) and not is_let_in(server, forged_token("mine"))


def test_a_script_guards_from_its_first_visit_on(start: Start):
    with start("guarded", "script") as server:
        assert is_guarded(server)


def test_the_first_visit_keeps_what_its_address_asks_for(start: Start):
    with start("guarded", "script") as server:
        payload = payload_of(token_in(get(f"{server.address}?theme=dark&image=3").text))
    assert payload["arguments"] == {"theme": [{"bytes": "ZGFyaw"}], "image": [{"bytes": "Mw"}]}


def test_a_script_that_is_run_before_the_first_visit(start: Start):
    with start("guarded", "script", "--warm") as server:
        assert get(f"{server.origin}/nowhere").headers["X-Content-Type-Options"] == "nosniff"
        assert is_guarded(server)


def test_all_processes_have_one_key(start: Start):
    with start("guarded", "script", "--num-procs", "2", "--plugins", "vitpanel.runtime.plugin") as server:
        tokens = [token_in(get(server.address).text) for _ in range(6)]
        assert all(is_let_in(server, token) for token in tokens)
        assert not is_let_in(server, forged_token("mine"))


def test_a_token_of_another_server_is_refused(start: Start, function: Server):
    with start("guarded") as other:
        token = token_in(get(other.address).text)
        assert not is_let_in(function, token)
        assert is_let_in(other, token)


@pytest.mark.parametrize("way", ["function", "script"])
def test_a_key_of_the_users_own(start: Start, way: str):
    with start("guarded", way, BOKEH_SECRET_KEY="key of the user") as server:  # noqa: S106 - of a test
        token = token_in(get(server.address).text)
    assert check_token_signature(token, secret_key=b"key of the user", signed=True)


def test_signing_can_be_turned_off(start: Start):
    with start("guarded", BOKEH_SIGN_SESSIONS="no") as server:
        assert is_let_in(server, forged_token("mine"))


def test_an_allowed_origin(start: Start):
    with start("guarded", BOKEH_ALLOW_WS_ORIGIN="hub.example") as server:
        assert is_let_in(server, Origin="https://hub.example")
        assert is_let_in(server)
        assert not is_let_in(server, Origin="https://evil.example")


def test_a_site_that_may_embed(start: Start):
    with start("guarded", VITPANEL_ALLOW_EMBED="https://lab.example") as server:
        script = f"{server.address}/autoload.js?bokeh-autoload-element=x"
        answer = get(script, Origin="https://lab.example")
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "https://lab.example"
        assert get(script, Origin="https://evil.example").status == 403
        assert get(server.address).headers["Content-Security-Policy"] == "frame-ancestors 'self' https://lab.example"
        assert is_let_in(server, Origin="https://lab.example")
        assert not is_let_in(server, Origin="https://evil.example")


def test_other_apps_of_the_server_keep_their_login(start: Start):
    with start("guarded", "script", "--basic-auth", "word", "--cookie-secret", "secret") as server:
        assert "Login" in get(server.address).text
        assert not is_let_in(server, forged_token("mine"))
