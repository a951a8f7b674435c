"""A link between browser and server that takes its time."""

import asyncio
import threading
from contextlib import suppress

CHUNK = 2**16


class SlowLink(threading.Thread):
    """Hands on what comes to a free port, each way half a round trip later.

    Parameters
    ----------
    port
        Of the server on this machine.
    round_trip
        Seconds that a request takes longer.
    at
        Port to listen on; 0 takes a free one.
    """

    def __init__(self, port: int, *, round_trip: float, at: int = 0) -> None:
        super().__init__(daemon=True)
        self._port, self._delay = port, round_trip / 2
        self._is_up = threading.Event()
        self.port = at

    def run(self) -> None:
        """Hand on until stopped."""
        with suppress(asyncio.CancelledError):
            asyncio.run(self._serve())

    def wait(self) -> int:
        """Port, once there is one."""
        assert self._is_up.wait(30)
        return self.port

    def stop(self) -> None:
        """Cut all connections and wait for the end."""
        self._loop.call_soon_threadsafe(self._task.cancel)
        self.join(30)

    async def _serve(self) -> None:
        self._loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._task = task
        async with await asyncio.start_server(self._connect, "localhost", self.port) as server:
            self.port = server.sockets[0].getsockname()[1]
            self._is_up.set()
            await asyncio.Event().wait()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        other_reader, other_writer = await asyncio.open_connection("localhost", self._port)
        try:
            # Cut connections are no errors: asyncio would log them.
            with suppress(asyncio.CancelledError):
                await asyncio.gather(self._hand_on(reader, other_writer), self._hand_on(other_reader, writer))
        finally:
            for end in (writer, other_writer):
                end.close()

    async def _hand_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def send(data: bytes) -> None:
            if not writer.is_closing():
                writer.write(data) if data else writer.close()

        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                self._loop.call_later(self._delay, send, data)
        self._loop.call_later(self._delay, send, b"")
