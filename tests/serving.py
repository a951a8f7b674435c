"""Servers as processes of their own, and requests as a browser sends them, or somebody worse."""

import asyncio
import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

ROOT = Path(__file__).parent.parent
Result = TypeVar("Result")
VITPANEL = [sys.executable, "-c", "from vitpanel.cli import main; main()"]
PANEL = [sys.executable, "-m", "panel", "serve"]


@dataclass
class Server:
    """A process that answers requests."""

    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)
    address: str = ""
    heard: threading.Condition = field(default_factory=threading.Condition)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return "/".join(self.address.split("/")[:3])

    @property
    def log(self) -> str:
        """What the process has printed until now."""
        return "".join(self.lines)

    def says(self, words: str) -> bool:
        """Whether the process prints something, which another thread reads when its turn comes."""
        with self.heard:
            return self.heard.wait_for(lambda: words in self.log, timeout=60)

    @property
    def peak(self) -> int:
        """Most bytes of memory that the process has had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


@contextmanager
def serving(words: list[str], *, ready: str, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Start a server and wait until it prints its address."""
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=env, start_new_session=True
    )
    server, is_up = Server(process), threading.Event()

    def read() -> None:
        for line in process.stdout or ():
            with server.heard:
                server.lines.append(line)
                server.heard.notify_all()
            found = re.search(ready, line)
            if found and not is_up.is_set():
                server.address = found[1]
                is_up.set()
        is_up.set()  # it has ended

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        is_up.wait(120)
        assert server.address, server.log
        yield server
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # the processes that it has started too
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        reader.join(30)
        if process.stdout:
            process.stdout.close()


@dataclass(frozen=True)
class Answer:
    """Answer to a request."""

    status: int
    headers: Mapping[str, str]
    text: str


def get(address: str, **headers: str) -> Answer:
    """Ask for a page."""
    try:
        with urlopen(Request(address, headers=headers), timeout=120) as answer:  # noqa: S310 - of this machine
            return Answer(answer.status, dict(answer.headers), answer.read().decode("utf-8", "replace"))
    except HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read().decode("utf-8", "replace"))


def token_in(page: str) -> str:
    """Token with which the browser opens the page's session."""
    found = re.search(r'"token":"([^"]+)"', page)
    assert found, page[-2000:]
    return found[1]


def payload_of(token: str) -> dict[str, Any]:
    """All that a token says."""
    payload = json.loads(_decoded(token.split(".", maxsplit=1)[0]))
    packed = payload.pop("__bk__zlib_", None)
    return payload if packed is None else {**payload, **json.loads(zlib.decompress(_decoded(packed)))}


def forged_token(session_id: str) -> str:
    """Token that the server has not made."""
    payload = {"session_id": session_id, "session_expiry": int(time.time()) + 300}
    return base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Event loop of all browsers, in which closed connections come to their end after the test."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Do what browsers do."""
    return asyncio.run_coroutine_threadsafe(coroutine, _loop()).result(300)


class Browser:
    """An open websocket, whose messages are read as they come."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._queue: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        message: str | bytes | None = ""
        while message is not None:
            message = await self.connection.read_message()
            await self._queue.put(message)

    async def message(self, kind: str) -> dict[str, Any] | None:
        """Content of the next message of a kind; None when the server has closed the connection before."""
        while (fragment := await asyncio.wait_for(self._queue.get(), 120)) is not None:
            header = json.loads(fragment) if isinstance(fragment, str) else {}
            if isinstance(header, dict) and re.fullmatch(kind, header.get("msgtype", "")):
                await self._queue.get()
                return json.loads(await self._queue.get() or "")
        return None

    async def send(self, kind: str, content: str) -> None:
        """Send a message without buffers."""
        for fragment in (json.dumps({"msgid": "1", "msgtype": kind}), "{}", content):
            await self.connection.write_message(fragment)

    async def reply(self, kind: str, content: str) -> dict[str, Any] | None:
        """Send a message and give the content of the answer, None if there is none but the end."""
        await self.send(kind, content)
        return await self.message("OK|ERROR|PULL-DOC-REPLY")


@asynccontextmanager
async def browser(server: Server, token: str, **headers: str | None) -> AsyncIterator[Browser | None]:
    """Open a session as the browser does that got the page; None if the server refuses.

    Parameters
    ----------
    headers
        Others than the page's own origin; a header that is None is not sent.
    """
    sent = {"Origin": server.origin, **headers}
    url = f"{server.address.replace('http', 'ws', 1)}/ws"
    request = HTTPRequest(url, headers={name: value for name, value in sent.items() if value is not None})
    connection = None
    with suppress(HTTPClientError):
        connection = await websocket_connect(request, subprotocols=["bokeh", token])
    try:
        opened = None if connection is None else Browser(connection)
        yield opened if opened is not None and await opened.message("ACK") is not None else None
    finally:
        if connection is not None:
            connection.close()


def is_let_in(server: Server, token: str | None = None, **headers: str | None) -> bool:
    """Whether a websocket with these headers opens a session; of a new page without a token."""

    async def ask() -> bool:
        async with browser(server, token or token_in(get(server.address).text), **headers) as opened:
            return opened is not None

    return run(ask())


def page_at(server: Server) -> str:
    """The app's page."""
    answer = get(server.address)
    if answer.status != 200:
        pytest.fail(answer.text)
    return answer.text
