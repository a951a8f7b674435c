"""What Panel keeps back while it writes is sent, and not only with the next change."""

import asyncio
from typing import Any

import pytest
from bokeh.document import Document
from panel.io import document as sending

from vitpanel.views import late_messages


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
    monkeypatch.setattr(sending, "_dispatch_msgs", late_messages._panels_own)
    if is_mended:
        late_messages.send_what_is_kept_back()

    async def run() -> list[str]:
        return await told(Document(), Connection())

    # Without the mending the second is not told: when it is, `late_messages` can go.
    assert asyncio.run(run()) == (["first", "second"] if is_mended else ["first"])
