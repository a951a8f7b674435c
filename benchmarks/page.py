"""What a page costs: many visitors at once, others who work meanwhile, and what is left when all have gone.

    python benchmarks/page.py X.study                        this code
    python benchmarks/page.py X.study --code OTHER_CHECKOUT  another one too, in the same run

Visitors are websockets that do what a browser does up to the point where it would draw. Server CPU and memory are read
from /proc, so this runs on Linux.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

ROOT = Path(__file__).parent.parent
SERVE = "import sys; sys.path.insert(0, ''); from vitpanel.cli import main; main()"
N_VIEWS = 5
PATIENCE = 900.0
N_FIRST = 60
READY = {
    "events": [
        {
            "kind": "MessageSent",
            "msg_type": "bokeh_event",
            "msg_data": {"type": "event", "name": "document_ready", "values": {"type": "map"}},
        }
    ]
}
TICK = os.sysconf("SC_CLK_TCK")


class Server:
    """A served study, by one process or by several."""

    def __init__(self, study: Path, code: Path, n_processes: int) -> None:
        words = [sys.executable, "-c", SERVE, "serve", str(study), "--port", "0", "--no-show"]
        words += ["--num-procs", str(n_processes)] if n_processes > 1 else []
        self.process = subprocess.Popen(  # noqa: S603 - ours
            words,
            cwd=code,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"PYTHONPATH": str(code)},
        )
        assert self.process.stdout  # noqa: S101 - a pipe was asked for
        found = None
        while found is None:
            found = re.search(r"open at (http://\S+)", self.process.stdout.readline())
        self.address = found[1]
        self.origin = self.address.rsplit("/", 1)[0]

    @property
    def _processes(self) -> list[Path]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="utf-8")
        return [Path(f"/proc/{pid}") for pid in (self.process.pid, *children.split())]

    @property
    def cpu(self) -> float:
        """Seconds of CPU until now."""
        stats = (place.joinpath("stat").read_text(encoding="utf-8") for place in self._processes)
        fields = [text.rsplit(")", 1)[1].split() for text in stats]
        return sum(int(times[11]) + int(times[12]) for times in fields) / TICK

    @property
    def memory(self) -> float:
        """Resident memory, MB."""
        texts = (place.joinpath("status").read_text(encoding="utf-8") for place in self._processes)
        return sum(int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) for text in texts) / 1024

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


class Visitor:
    """One page, and the seconds after which it was fetched, live, and whole."""

    def __init__(self, server: Server) -> None:
        self.server, self.seconds = server, dict[str, float]()
        self.n_bytes = 0
        self._n_views = 0

    async def open(self) -> None:
        """Fetch the page, open its session, and wait until all views are there."""
        begun = time.monotonic()
        answer = await AsyncHTTPClient().fetch(self.server.address, request_timeout=PATIENCE)
        self.seconds["fetched"] = time.monotonic() - begun
        token = re.findall(r'"token":"([^"]+)"', answer.body.decode())[0]
        url = f"{self.server.address.replace('http', 'ws', 1)}/ws"
        request = HTTPRequest(
            url, headers={"Origin": self.server.origin}, connect_timeout=PATIENCE, request_timeout=PATIENCE
        )
        self.socket = await websocket_connect(request, subprotocols=["bokeh", token], max_message_size=2**28)
        await self.next("ACK")
        await self.send("PULL-DOC-REQ", {})
        await self.next("PULL-DOC-REPLY")
        self.seconds["live"] = time.monotonic() - begun
        await self.send("PATCH-DOC", READY)
        while self._n_views < N_VIEWS:
            await self.next(".*")
        self.seconds["whole"] = time.monotonic() - begun

    async def send(self, kind: str, content: dict[str, Any]) -> None:
        """Send a message."""
        for fragment in (json.dumps({"msgid": "1", "msgtype": kind}), "{}", json.dumps(content)):
            await self.socket.write_message(fragment)

    async def next(self, kind: str) -> None:
        """Read up to and with the next message of a kind."""
        while True:
            header = await asyncio.wait_for(self.socket.read_message(), PATIENCE)
            if header is None:
                message = "The server has closed the connection."
                raise ConnectionError(message)
            if not isinstance(header, str) or '"msgtype"' not in header[:300]:
                continue
            await self.socket.read_message()
            content = await self.socket.read_message() or ""
            self.n_bytes += len(content)
            self._n_views += content.count('"vp-view"') if isinstance(content, str) else 0
            if re.fullmatch(kind, json.loads(header)["msgtype"]):
                return

    async def ping(self, until: "asyncio.Task[Any]") -> list[float]:
        """Seconds that the server took to answer, again and again until a task has ended."""
        waits = []
        while not until.done():
            begun = time.monotonic()
            await self.send("SERVER-INFO-REQ", {})
            await self.next("SERVER-INFO-REPLY")
            waits.append(time.monotonic() - begun)
            await asyncio.sleep(0.05)
        return waits


async def visit(server: Server, n: int) -> dict[str, float]:
    """Open pages at once while somebody else works; figures of all."""
    worker = Visitor(server)
    await worker.open()
    begun, memory = server.cpu, server.memory
    visitors = [Visitor(server) for _ in range(n)]
    opening = asyncio.gather(*(visitor.open() for visitor in visitors))
    task = asyncio.ensure_future(_all(opening))
    waits = await worker.ping(task)
    await task
    figures = {
        f"{name} {words}": function([visitor.seconds[name] for visitor in visitors])
        for name in ("fetched", "live", "whole")
        for words, function in (("first", min), ("median", median), ("last", max))
    }
    figures |= {
        "CPU a visitor": (server.cpu - begun) / n,
        "MB a visitor": (server.memory - memory) / n,
        "MB sent a visitor": sum(visitor.n_bytes for visitor in visitors) / n / 1e6,
        "ping median": median(waits),
        "ping longest": max(waits),
    }
    for visitor in (worker, *visitors):
        visitor.socket.close()
    return figures


async def _all(opening: "asyncio.Future[list[None]]") -> None:
    await opening


async def come_and_go(server: Server, n: int) -> float:
    """Open and close pages one after the other; kB of memory that each has left behind.

    Those that come first make the allocator take what a few pages at once need, which it then keeps.
    """
    for _ in range(N_FIRST):
        await _once(server)
    before = server.memory
    for _ in range(n):
        await _once(server)
    # The server looks for sessions that are not used any more every 17 s.
    await asyncio.sleep(60)
    return (server.memory - before) * 1024 / n


async def _once(server: Server) -> None:
    visitor = Visitor(server)
    await visitor.open()
    visitor.socket.close()


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("--code", type=Path, action="append", default=[], help="another checkout to compare with")
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--num-procs", type=int, default=1, help="processes of the server")
    parser.add_argument("--cycles", type=int, default=0, help="pages to open and close one after the other")
    options = parser.parse_args()
    for code in (*options.code, ROOT):
        server = Server(options.study.resolve(), code.resolve(), options.num_procs)
        print(f"{code.resolve().name}: {server.memory:.0f} MB at the start", flush=True)
        try:
            for n in (1, options.visitors):
                figures = asyncio.run(visit(server, n))
                words = ", ".join(f"{name} {value:.2f}" for name, value in figures.items())
                print(f"  {n} at once: {words}", flush=True)
            if options.cycles:
                left = asyncio.run(come_and_go(server, options.cycles))
                print(f"  {left:.0f} kB left by each of {options.cycles} pages")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
