"""What is mended of Panel, and of what tells Python of clicks in a notebook."""

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from bokeh.document import Document
from panel.io import document as sending
from pyviz_comms import Comm
from tornado import netutil

from vitpanel.runtime import patches


class Loop:
    """Keeps what is to be done."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], Any]] = []

    def add_callback(self, call: Callable[..., Any], *args: Any) -> None:
        self.waiting.append(lambda: call(*args))


def in_another_thread(call: Callable[[], Any]) -> None:
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


@pytest.fixture(autouse=True)
def _applied() -> None:
    patches.apply()


def test_what_another_thread_hears_is_handled_by_that_of_the_cells(monkeypatch: pytest.MonkeyPatch):
    loop, heard = Loop(), []
    monkeypatch.setattr(patches, "kernel_loop", lambda: loop)
    comm = Comm(on_msg=lambda message: heard.append((message["n"], threading.current_thread())))
    for n in range(2):
        in_another_thread(lambda n=n: comm._handle_msg({"n": n}))
    assert not heard
    for call in loop.waiting:
        call()
    comm._handle_msg({"n": 2})
    assert heard == [(n, threading.main_thread()) for n in range(3)]


def test_without_a_kernel_it_is_handled_at_once():
    heard = []
    in_another_thread(lambda: Comm(on_msg=heard.append)._handle_msg({"n": 0}))
    assert heard == [{"n": 0}]


def test_where_the_inside_is_not_known_nothing_is_replaced(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(patches, "version", lambda _: "2.0")
    before = sending._dispatch_msgs, Comm._handle_msg
    patches.apply.__wrapped__()
    assert (sending._dispatch_msgs, Comm._handle_msg) == before
    assert not patches.is_known("panel")


class Socket:
    """Takes messages; the first is being written until somebody says that it is done."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.is_written: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Connection:
    """Of a browser."""

    def __init__(self) -> None:
        self._socket, self.protocol = Socket(), self

    def create(self, _kind: str, events: Any) -> str:
        """Message about some events."""
        return events


def write(connection: Connection, _events: Any = None, *, msg: str) -> list[asyncio.Future[None]]:
    """Write a message to a socket."""
    socket = connection._socket
    socket.messages.append(msg)
    return [socket.is_written]


async def told(document: Document, connection: Any) -> list[str]:
    """What a browser is told of two changes, if the second comes when the first has just been written."""
    sending.schedule_write_events(document, [connection], "first")  # pyright: ignore[reportArgumentType]
    await asyncio.sleep(0)
    connection._socket.is_written.set_result(None)
    sending.schedule_write_events(document, [connection], "second")  # pyright: ignore[reportArgumentType]
    for _ in range(20):
        await asyncio.sleep(0)
    return connection._socket.messages


@pytest.mark.parametrize("is_mended", [True, False])
def test_a_change_that_comes_while_another_is_written_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch,
    is_mended: bool,  # noqa: FBT001
):
    monkeypatch.setitem(sending.extra_socket_handlers, Socket, write)
    send = patches.send_what_is_kept_back if is_mended else patches._send
    monkeypatch.setattr(sending, "_dispatch_msgs", send)

    async def run() -> list[str]:
        return await told(Document(), Connection())

    # Without the mending the second is not told: when it is, the patch can go.
    assert asyncio.run(run()) == (["first", "second"] if is_mended else ["first"])


async def taken_at_once(n: int) -> int:
    """How many of n connections that wait are taken when Tornado looks for the first time."""
    [listening] = netutil.bind_sockets(0, "127.0.0.1")
    clients = [socket.create_connection(listening.getsockname()) for _ in range(n)]
    taken: list[socket.socket] = []
    has_looked = asyncio.Event()

    def take(connection: socket.socket, _address: Any) -> None:
        taken.append(connection)
        has_looked.set()

    stop = netutil.add_accept_handler(listening, take)
    await has_looked.wait()
    stop()
    for opened in (listening, *clients, *taken):
        opened.close()
    return len(taken)


def test_processes_take_one_connection_at_a_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(netutil, "_DEFAULT_BACKLOG", 128)
    assert asyncio.run(taken_at_once(5)) > 1  # so the patch is still needed
    patches.share_connections()
    assert asyncio.run(taken_at_once(5)) == 1
