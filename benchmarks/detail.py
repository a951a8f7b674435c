"""Time the pictures of one attention matrix: what the server does for a head, and when Chromium has painted it.

Serves the view on a synthetic study of one layer whose attention (local, vertical and random heads in turn) is there
before anybody asks, and prints one line for each kind of act:

* ``derive``: CPU of the server for one head, without a browser.
* ``head``: from choosing a head on the server to the last paint.
* ``drag``: from a move of the threshold bar to the paint, for each of the last moves of a drag to all values.
* ``release``: from letting the bar go to the last paint, with all links there may be.
* ``mask``: from a move of the pointer over the image to the paint of the mask.
* ``slow mask``: the same with a round trip to the server that takes 200 ms longer.

    python benchmarks/detail.py --tokens 1370 --json detail.json --picture detail.png
"""

import argparse
import asyncio
import json
import math
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import panel as pn
from panel.io.server import get_server
from playwright.sync_api import Page, sync_playwright
from tornado.ioloop import IOLoop

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.ensure_browser import find_chromium  # noqa: E402 - the tests are not installed
from tests.synthetic import write_synthetic_study  # noqa: E402
from tests.ui.slow_link import SlowLink  # noqa: E402
from vitpanel.core.grid import Grid  # noqa: E402
from vitpanel.core.received import received_attention  # noqa: E402
from vitpanel.drawing.display import head_display, threshold_value  # noqa: E402
from vitpanel.drawing.thumbnails import thumbnails  # noqa: E402
from vitpanel.state.online import Online  # noqa: E402
from vitpanel.state.selection import Selection  # noqa: E402
from vitpanel.state.session import Session  # noqa: E402
from vitpanel.study.reader import open_study  # noqa: E402
from vitpanel.views.attention_detail import AttentionDetail  # noqa: E402
from vitpanel.views.bridge import Bridge  # noqa: E402
from vitpanel.views.figures.head_pictures import head_columns  # noqa: E402

N_HEADS, N_ACTS, QUIET_MS, ROUND_TRIP = 3, 5, 500, 0.2
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
# Notes the moves of the pointer and, by figure, when the frame after its last paint was due; both as wall time.
_WATCH = """() => {
  window.now = () => performance.timeOrigin + performance.now()
  window.watched = {moved: 0, painted: {}}
  document.addEventListener("pointermove", () => { watched.moved = now() }, true)
  document.addEventListener("pointerup", () => { watched.moved = now() }, true)
  for (const view of Bokeh.index.query(view => view.repainted)) {
    view.repainted.connect(() => requestAnimationFrame(() => { watched.painted[view.model.id] = now() }))
  }
}"""
_IS_QUIET = """([since, id, quiet]) => {
  const last = id === null ? Math.max(0, ...Object.values(watched.painted)) : watched.painted[id] ?? 0
  return last > since && now() - last > quiet
}"""
_PLACE = """([id, x, y]) => {
  const view = Bokeh.index.find_one_by_id(id), box = view.canvas_view.el.getBoundingClientRect()
  return [box.left + view.frame.x_scale.compute(x), box.top + view.frame.y_scale.compute(y)]
}"""


class Attention:
    """Stands for the live model; everything is there."""

    def __init__(self, grid: Grid) -> None:
        rng = np.random.default_rng(0)
        logits = rng.normal(size=(N_HEADS, grid.n_tokens, grid.n_tokens)).astype(np.float32)
        logits[0, grid.n_prefix :, grid.n_prefix :] -= 2 * grid.hops
        logits[1] += 3 * rng.normal(size=grid.n_tokens)
        weights = np.exp(logits)
        self.weights = weights / weights.sum(-1, keepdims=True)
        self.thumbnails = thumbnails(self.weights, grid)[None]
        self.of_tokens = received_attention(self.weights[None], grid)

    def modes(self, image: int, layer: int, head: int, deliver: Callable[..., None], **_: Any) -> None:
        """Nothing here shows pruning."""

    def attention(self, image: int, layer: int, deliver: Callable[..., None]) -> None:  # noqa: ARG002 - its signature
        """Answer at once."""
        deliver(Online("done", self.weights))

    def atlas(self, image: int, deliver: Callable[..., None]) -> None:  # noqa: ARG002 - its signature
        """Answer at once."""
        deliver(Online("done", self.thumbnails))

    def received(self, image: int, deliver: Callable[..., None]) -> None:  # noqa: ARG002 - its signature
        """Answer at once."""
        deliver(Online("done", self.of_tokens))


class Server(threading.Thread):
    """The view on a free port; `views` are those of its visitors."""

    def __init__(self, study: Any) -> None:
        super().__init__(daemon=True)
        self.study, self.attention = study, Attention(study.spec.grid)
        self.views: list[Any] = []
        self._is_up = threading.Event()

    def run(self) -> None:
        """Serve until the process ends."""
        asyncio.set_event_loop(asyncio.new_event_loop())
        server: Any = get_server(self._page, port=0, show=False, start=False, websocket_origin="*")
        server.start()
        self._port = server.port
        self._is_up.set()
        IOLoop.current().start()

    @property
    def port(self) -> int:
        """Port, once the server is up."""
        self._is_up.wait()
        return self._port

    def choose(self, head: int) -> None:
        """Choose a head as a click in another view would."""
        view = self.views[-1]
        view.bridge.soon(partial(view.session.selection.choose_head, 0, head))

    def _page(self) -> Any:
        pn.extension()
        session = Session(self.study, selection=Selection(image=0), inference=self.attention)
        self.views.append(AttentionDetail(session, Bridge()))
        return pn.Column(self.views[-1], sizing_mode="stretch_width", height=620)


class Visitor:
    """Acts in the page and notes how long each act took, in milliseconds."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page, self.server = page, server
        self.times: dict[str, list[float]] = {}

    def open(self, port: int) -> None:
        """Open the page and wait until all is drawn."""
        self.page.goto(f"http://localhost:{port}", timeout=120_000)
        self.page.wait_for_function("window.Bokeh?.documents.length && Bokeh.documents.every(d => d.is_idle)")
        self.page.wait_for_timeout(4000)
        self.page.evaluate(_WATCH)

    def note(self, act: str, since: float | None, fig: Any = None) -> None:
        """Wait until nothing (or one figure) is painted any more; ``since`` None counts from the last move."""
        start = self.page.evaluate("watched.moved") if since is None else since
        self.page.wait_for_function(_IS_QUIET, arg=[start, fig and fig.id, QUIET_MS if fig is None else 60])
        painted = self.page.evaluate("watched.painted")
        last = max(painted.values()) if fig is None else painted[fig.id]
        self.times.setdefault(act, []).append(last - start)
        print(f"{act}: {last - start:.0f} ms", file=sys.stderr, flush=True)

    def move(self, fig: Any, x: float, y: float) -> None:
        """Move the pointer in a figure."""
        self.page.mouse.move(*self.page.evaluate(_PLACE, [fig.id, float(x), float(y)]))

    def choose_heads(self) -> None:
        """Choose one head after the other."""
        for act in range(N_ACTS):
            start = 1000 * time.time()
            self.server.choose((act + 1) % N_HEADS)
            self.note("head", start)

    def drag(self) -> None:
        """Drag the bar down to the lowest values and let it go."""
        pictures, session = self.server.views[-1].pictures, self.server.views[-1].session
        fig, lines = pictures.histogram.figure, pictures.lines.figure
        values = [threshold_value(session.attention.value, share) for share in np.geomspace(0.01, 0.999, N_ACTS + 3)]
        self.move(fig, values[0], 3)
        self.page.mouse.down()
        for place, value in enumerate(values[1:]):
            self.move(fig, value, 3)
            self.note("drag" if place > 1 else "first drag", None, lines)
        self.page.mouse.up()
        self.note("release", None, lines)

    def point(self, act: str) -> None:
        """Point at patches of the image."""
        masks = self.server.views[-1].pictures.masks
        grid = self.server.study.spec.grid
        for place in range(N_ACTS + 1):
            self.move(masks.figures["image"], 1.5 + place % (grid.cols - 2), 1.5 + place // (grid.cols - 2))
            self.note(act if place else "first mask", None, masks.figures["source"])


def derive(server: Server) -> list[float]:
    """CPU of what the server does for a head, milliseconds."""
    times = []
    for act in range(N_ACTS):
        matrix = server.attention.weights[act % N_HEADS]
        start = time.process_time()
        head_columns(head_display(matrix, server.study.spec.grid), threshold_value(matrix, 0.01))
        times.append(1000 * (time.process_time() - start))
    return times


def main() -> None:
    """Run all and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--tokens", type=int, default=197, help="CLS and a square of patches: 197, 257, 1370")
    parser.add_argument("--json", type=Path, help="file for the records")
    parser.add_argument("--picture", type=Path, help="file for a screenshot")
    options = parser.parse_args()
    side = math.isqrt(options.tokens - 1)
    if side**2 + 1 != options.tokens:
        parser.error(f"{options.tokens} is not 1 more than a square")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        sizes = {"n_images": 2, "n_layers": 1, "n_heads": N_HEADS, "rows": side, "cols": side}
        server = Server(open_study(write_synthetic_study(Path(folder) / "a.study", **sizes)))
        times = {"derive": derive(server)}
        server.start()
        browser = play.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        visitor = Visitor(browser.new_page(viewport={"width": 1100, "height": 640}), server)
        visitor.page.set_default_timeout(120_000)
        visitor.open(server.port)
        visitor.choose_heads()
        visitor.point("mask")
        visitor.drag()
        if options.picture is not None:
            visitor.page.screenshot(path=options.picture)
        link = SlowLink(server.port, round_trip=ROUND_TRIP)
        link.start()
        visitor.open(link.wait())
        visitor.point("slow mask")
        browser.close()
    times |= visitor.times
    records = [
        {
            "action": act,
            "n": len(found),
            "median_ms": float(np.median(found)),
            "p95_ms": float(np.quantile(found, 0.95)),
        }
        for act, found in times.items()
    ]
    print(f"{options.tokens} tokens, load {os.getloadavg()[0]:.1f}")
    for record in records:
        print("{action:>12}  n {n:2d}  median {median_ms:7.1f} ms  p95 {p95_ms:7.1f} ms".format(**record))
    if options.json is not None:
        options.json.write_text(json.dumps({"tokens": options.tokens, "records": records}, indent=2), "utf-8")


if __name__ == "__main__":
    main()
