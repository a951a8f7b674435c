"""What a stranger can try: that our servers refuse it, and that the libraries we build on do not yet."""

import asyncio
import base64
import gzip
import json
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.light_app import SECRET
from tests.serving import Answer, Server, browser, forged_token, get, is_let_in, payload_of, run, token_in

pytestmark = [pytest.mark.slow, pytest.mark.reliability]
MB = 2**20
UNKNOWN = json.dumps({"events": [{"kind": "ModelChanged", "model": {"id": "nobody"}, "attr": "x", "new": 1}]})


def forge_a_session(server: Server, canary: Path) -> bool:
    return is_let_in(server, forged_token("mine"))


def lead_others_into_a_session(server: Server, canary: Path) -> bool:
    mine = payload_of(token_in(get(server.address).text))["session_id"]
    return "token" in get(f"{server.address}?bokeh-session-id={mine}").text


def lead_others_into_a_session_by_its_token(server: Server, canary: Path) -> bool:
    return "token" in get(f"{server.address}?bokeh-token={token_in(get(server.address).text)}").text


def share_a_session(server: Server, canary: Path) -> bool:
    async def share() -> bool:
        token = token_in(get(server.address).text)
        async with browser(server, token) as first, browser(server, token) as second:
            assert first is not None
            return second is not None

    return run(share())


def come_without_origin(server: Server, canary: Path) -> bool:
    return is_let_in(server, Origin=None)


def find_cookies_in_the_page(server: Server, canary: Path) -> bool:
    page = get(server.address, Cookie="a=SECRET", Authorization="SECRET").text
    return "SECRET" in json.dumps(payload_of(token_in(page)))


def import_a_module(server: Server, canary: Path) -> bool:
    (canary / "found").unlink(missing_ok=True)
    get(f"{server.origin}/components/canary/X/_css/y")
    return (canary / "found").exists()


def break_the_handler_of_components(server: Server, canary: Path) -> bool:
    paths = ["../X/_css/y", ".x/X/_css/y", "/X/_css/y", "panel.config/config/raw_css/y", "panel.io.server/os/_css/y"]
    return any(get(f"{server.origin}/components/{path}").status == 500 for path in paths)


def _sends(message: str) -> Callable[[Server], Coroutine[Any, Any, dict[str, Any] | None]]:
    async def send(server: Server) -> dict[str, Any] | None:
        async with browser(server, token_in(get(server.address).text)) as opened:
            assert opened is not None
            return await opened.reply("PATCH-DOC", message)

    return send


def _takes_memory(server: Server, message: str) -> bool:
    get(server.address)
    before = server.peak
    run(_sends(message)(server))
    return server.peak > before + 100 * MB


def unpack_200_mb(server: Server, canary: Path) -> bool:
    packed = base64.b64encode(gzip.compress(bytes(200 * MB))).decode()
    data = {"type": "bytes", "data": packed}
    return _takes_memory(server, json.dumps({"events": [{"kind": "MessageSent", "msg_type": "x", "msg_data": data}]}))


def send_four_million_lists(server: Server, canary: Path) -> bool:
    return _takes_memory(server, f"[{'[],' * 4_000_000}0]")


def read_a_traceback(server: Server, canary: Path) -> bool:
    reply = run(_sends(UNKNOWN)(server))
    return reply is not None and "site-packages" in json.dumps(reply)


def read_the_traceback_of_a_failed_page(server: Server, canary: Path) -> bool:
    async def pull() -> str:
        async with browser(server, token_in(get(f"{server.address}?fail=1").text)) as opened:
            assert opened is not None
            return json.dumps(await opened.reply("PULL-DOC-REQ", "{}"))

    document = run(pull())
    return SECRET in document or "Traceback" in document


def show_the_page_within_another(server: Server, canary: Path) -> bool:
    return "frame-ancestors" not in get(server.address).headers.get("Content-Security-Policy", "")


def let_browsers_guess_types(server: Server, canary: Path) -> bool:
    paths = ["/static/js/bokeh.min.js", "/nowhere", "/favicon.ico"]
    answers = [get(server.address), *(get(server.origin + path) for path in paths)]
    return any(answer.headers.get("X-Content-Type-Options") != "nosniff" for answer in answers)


def load_the_page_as_a_script(server: Server, canary: Path) -> bool:
    return get(f"{server.address}/autoload.js?bokeh-autoload-element=x").status == 200


ATTACKS = [
    forge_a_session, lead_others_into_a_session, lead_others_into_a_session_by_its_token, share_a_session,
    come_without_origin, find_cookies_in_the_page, import_a_module, break_the_handler_of_components, unpack_200_mb,
    send_four_million_lists, read_a_traceback, show_the_page_within_another, let_browsers_guess_types,
    load_the_page_as_a_script,
]  # fmt: skip
each_attack = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)


@each_attack
def test_our_server_refuses(guarded: Server, canary: Path, attack: Callable[[Server, Path], bool]):
    assert not attack(guarded, canary)


@pytest.mark.parametrize("attack", [*ATTACKS, read_the_traceback_of_a_failed_page], ids=lambda attack: attack.__name__)
def test_the_guard_is_still_needed(bare: Server, canary: Path, attack: Callable[[Server, Path], bool]):
    """When this fails, the libraries do it themselves, and the guard can go."""
    assert attack(bare, canary)


def incident_of(text: str, server: Server) -> str:
    """Id that a visitor is shown; the log has the details under it."""
    found = re.findall(r"under ([0-9a-f]{8})\.", text)
    assert found, text
    assert server.says(f"Incident {found[0]}")
    return found[0]


def test_a_page_that_fails_shows_an_id(guarded: Server):
    async def pull() -> str:
        async with browser(guarded, token_in(get(f"{guarded.address}?fail=1").text)) as opened:
            assert opened is not None
            return json.dumps(await opened.reply("PULL-DOC-REQ", "{}"))

    document = run(pull())
    incident_of(document, guarded)
    assert SECRET not in document
    assert guarded.says(SECRET)


def test_a_request_that_fails_shows_an_id(function: Server):
    answer = get(f"{function.origin}/fails")
    assert answer.status == 500
    incident_of(answer.text, function)
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_message_that_fails_shows_an_id(guarded: Server):
    reply = run(_sends(UNKNOWN)(guarded))
    assert reply is not None
    incident_of(reply["text"], guarded)
    assert reply["traceback"] is None
    assert guarded.says("UnknownReferenceError")


def test_messages_that_are_none_end_the_connection(guarded: Server):
    assert run(_sends("no JSON")(guarded)) is None


def test_a_session_goes_on_after_its_connection_is_lost(guarded: Server):
    token = token_in(get(guarded.address).text)
    assert is_let_in(guarded, token)
    assert is_let_in(guarded, token)


def test_who_does_not_answer_makes_room(guarded: Server):
    """A connection that was cut is still open for the server when its browser comes back."""

    async def come_back() -> bool:
        token = token_in(get(guarded.address).text)
        async with browser(guarded, token) as first:
            assert first is not None
            # As if the network were gone: nothing is read any more, pings are not either.
            first.connection.protocol.stream.set_close_callback(None)
            first.connection.protocol._abort = lambda: None
            first.connection.protocol.write_ping = first.connection.protocol._write_frame = _nowhere
            async with browser(guarded, token) as second:
                return second is not None

    assert run(come_back())


def _nowhere(*_: object, **__: object) -> "asyncio.Future[None]":
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future


@pytest.mark.parametrize(
    ("origin", "is_ours"),
    [
        ("{ours}", True), ("{secure}", True), ("http://evil.example", False), ("http://{port}.evil.example", False),
        ("http://localhost.evil.example:{port}", False), ("http://localhost:1", False), ("null", False), ("", False),
        ("http://127.0.0.1", False), ("http://127.0.0.1:{port}", False), ("http://[::1]:{port}", False),
        ("http://localhost", False), (None, False),
    ],
)  # fmt: skip
def test_origins(function: Server, origin: str | None, is_ours: bool):  # noqa: FBT001 - of the table
    ours = function.origin
    port = ours.rpartition(":")[2]
    origin = None if origin is None else origin.format(ours=ours, secure=ours.replace("http", "https"), port=port)
    assert is_let_in(function, Origin=origin) == is_ours


@pytest.mark.parametrize("host", ["node7:5006", "127.0.0.1:5006", "localhost:8888", "hub.example"])
def test_other_names_of_the_server_are_its_own(function: Server, host: str):
    assert is_let_in(function, Host=host, Origin=f"http://{host}")
    assert not is_let_in(function, Host=host, Origin="http://evil.example")


def test_a_site_that_is_refused_stands_in_the_log(function: Server):
    assert not is_let_in(function, Origin="http://evil.example")
    assert function.says("--allow-websocket-origin=evil.example")
    assert not is_let_in(function, Origin=None)
    assert function.says("without Origin")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/liveness", 404), ("/rest/session_info", 404), ("/admin", 404), ("/static/../../etc/passwd", 403),
     ("/static/..%2f..%2f..%2fetc/passwd", 403), ("/components/panel.config/config/_css/../../../etc/passwd", 404),
     ("/static/js/bokeh.min.js", 200)],
)  # fmt: skip
def test_what_else_is_there(function: Server, path: str, status: int):
    answer: Answer = get(function.origin + path)
    assert answer.status == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "root:" not in answer.text
