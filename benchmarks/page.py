"""What a page costs: in a browser, with many visitors at once while others work, and when all have gone.

    python benchmarks/page.py X.study                        this code
    python benchmarks/page.py X.study --code OTHER_CHECKOUT  another one too, in the same run

Visitors are websockets that do what a browser does up to the point where it would draw; one Chromium draws. Server CPU
and memory are read from /proc, so this runs on Linux.
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

from playwright.sync_api import Page, sync_playwright
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from tests.ensure_browser import find_chromium  # noqa: E402 - the tests are not installed

SERVE = "import sys; sys.path.insert(0, ''); from vitpanel.cli import main; main()"
N_VIEWS = 5
PATIENCE = 900.0
N_FIRST = 60
# Seconds. The server looks for sessions that are not used any more every 17 s.
TIDYING = 60.0
READY = {
    "events": [
        {
            "kind": "MessageSent",
            "msg_type": "bokeh_event",
            "msg_data": {"type": "event", "name": "document_ready", "values": {"type": "map"}},
        }
    ]
}
# A figure that has been drawn, and all of them on a page where nothing is built any more.
_ONE_DRAWN = """() => window.Bokeh?.documents.length
  && [...Bokeh.index.query(view => view.canvas_view)].some(view => view.bbox?.width > 0 && view.is_idle)"""
_ALL_DRAWN = """n => window.Bokeh?.documents[0]?.is_idle
  && [...Bokeh.index.query(view => view.model.css_classes?.includes("vp-view"))].length >= n
  && ![...Bokeh.index.query(view => view.model.css_classes?.includes("vp-opening"))].length"""
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
        patience = {"connect_timeout": PATIENCE, "request_timeout": PATIENCE}
        answer = await AsyncHTTPClient(max_clients=1000).fetch(self.server.address, **patience)
        self.seconds["fetched"] = time.monotonic() - begun
        token = re.findall(r'"token":"([^"]+)"', answer.body.decode())[0]
        url = f"{self.server.address.replace('http', 'ws', 1)}/ws"
        request = HTTPRequest(url, headers={"Origin": self.server.origin}, **patience)
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


def browse(server: Server) -> dict[str, float]:
    """Open the page in Chromium twice; figures of the second time, when its files are in the browser's cache."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(PATIENCE * 1000)
        _load(page, server)
        figures = _load(page, server)
        browser.close()
    return figures


def _load(page: Page, server: Server) -> dict[str, float]:
    begun = time.monotonic()
    page.goto(server.address, wait_until="commit")
    page.wait_for_function(_ONE_DRAWN, polling=20)
    first = time.monotonic() - begun
    page.wait_for_function(_ALL_DRAWN, arg=N_VIEWS, polling=20)
    all_drawn = time.monotonic() - begun
    n_models = page.evaluate("Bokeh.documents[0]._all_models.size")
    return {"first figure drawn": first, "all views drawn": all_drawn, "models": n_models}


async def visit(server: Server, n: int) -> dict[str, float]:
    """Open pages at once while somebody else works, and let all go; figures of all."""
    start = server.memory
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
    await asyncio.sleep(TIDYING)
    return figures | {"memory when they have left, of that before": server.memory / start}


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
    await asyncio.sleep(TIDYING)
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
            words = ", ".join(f"{name} {value:.2f}" for name, value in browse(server).items())
            print(f"  in Chromium: {words}", flush=True)
            for n in (1, options.visitors, options.visitors):
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
