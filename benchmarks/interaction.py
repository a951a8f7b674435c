"""Time the linked views in Chromium: from a person's act to the last paint of any figure.

For ``drag_step``, a move of the line from head to head, it is the first paint: the rest follows when the line rests.

Serves the app on a synthetic study of ``--images`` images with 12 × 12 heads (written once, then kept in the folder for
temporary files), clicks and drags in it, and prints one line for each kind of act. There is no live model:
what is timed is all that needs none. CPU time is that of the server's process and of all of the browser's; on a busy
machine it tells more than wall time.

    python benchmarks/interaction.py --images 50000 --json interaction.json
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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
from tests.synthetic import synthetic_crop, synthetic_images, synthetic_manifest, synthetic_spec, webp  # noqa: E402
from vitpanel.app.explorer import Explorer  # noqa: E402
from vitpanel.study.own_stages import HEADS, LATENTS, LAYOUT  # noqa: E402
from vitpanel.study.reader import open_study  # noqa: E402
from vitpanel.study.stage import ArraySpec  # noqa: E402
from vitpanel.study.writer import StudyWriter  # noqa: E402

N_LAYERS = N_HEADS = 12
SIDE, N_CLASSES, BLOCK_SIZE, N_PICTURES = 7, 10, 1000, 50
QUIET_MS = 400
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
# Notes when an act began, and when the frame after the last paint of any Bokeh figure was due.
_WATCH = """
window.watched = {began: 0, first: 0, painted: 0, n: 0};
for (const kind of ["pointerdown", "pointermove", "pointerup", "keydown"])
  document.addEventListener(kind, event => {
    if (kind === window.watched.kind) window.watched.began = event.timeStamp;
  }, true);
const patch = setInterval(() => {
  const view = window.Bokeh?.index && [...Bokeh.index.query(view => view.canvas_view)][0];
  if (!view) return;
  clearInterval(patch);
  let kind = Object.getPrototypeOf(view);
  while (!Object.hasOwn(kind, "_actual_paint")) kind = Object.getPrototypeOf(kind);
  const paint = kind._actual_paint;
  kind._actual_paint = function () {
    paint.call(this);
    window.watched.n += 1;
    requestAnimationFrame(() => {
      const now = performance.now();
      window.watched.painted = now;
      if (window.watched.began > 0 && window.watched.first === 0) window.watched.first = now;
    });
  };
}, 5);
"""
_IS_QUIET = """quiet => watched.painted > watched.began && performance.now() - watched.painted > quiet
  && Bokeh.documents.every(document => document.is_idle)"""
_PLACE = """([id, x, y]) => {
  const view = Bokeh.index.find_one_by_id(id), box = view.canvas_view.el.getBoundingClientRect();
  return [box.left + view.frame.x_scale.compute(x), box.top + view.frame.y_scale.compute(y)];
}"""


@dataclass
class Act:
    """What one act cost, times in milliseconds."""

    wall: float
    server: float
    browser: float
    n_paints: int


def study_of(n_images: int) -> Path:
    """Folder of the study, written if it is not there yet."""
    path = Path(tempfile.gettempdir()) / f"vitpanel-interaction-{n_images}.study"
    spec = synthetic_spec(n_layers=N_LAYERS, n_heads=N_HEADS, rows=SIDE, cols=SIDE, n_classes=N_CLASSES)
    manifest = synthetic_manifest(spec)
    manifest = replace(manifest, settings=manifest.settings | {"block_size": BLOCK_SIZE})
    pictures = [synthetic_crop(spec, image) for image in range(N_PICTURES)]
    crops = [webp(picture, lossless=True) for picture in pictures]
    thumbnails = [webp(picture, longest=64, quality=80) for picture in pictures]
    rng = np.random.default_rng(0)
    with StudyWriter.create_or_resume(path, manifest, synthetic_images(spec, n_images)) as writer:
        for block in writer.pending_blocks():
            images = writer.block_images(block)
            arrays = {a.name: values(a, len(images), rng) for a in writer.arrays.values() if a.stage == HEADS}
            which = [image % N_PICTURES for image in images]
            writer.write_block(block, arrays, [crops[i] for i in which], [thumbnails[i] for i in which])
        if not writer.is_done(LAYOUT):
            finish(writer, rng)
    return path


def values(array: ArraySpec, n_rows: int, rng: np.random.Generator) -> np.ndarray:
    """Random values with some structure of layer and head; 1 where no view reads them."""
    shape = (n_rows, *array.shape[1:])
    if array.name == "probabilities":
        return rng.dirichlet(np.ones(shape[-1]), n_rows).astype(array.dtype)
    if array.name.startswith(("patterns", "latents")):
        # A chunk of nothing but 0 would not be written at all.
        return np.ones(shape, array.dtype)
    if array.name.startswith("layout"):
        centres = 5 * np.random.default_rng(1).normal(size=(*shape[1:-1], 2))
        return (centres + rng.normal(size=shape)).astype(array.dtype)
    level = np.random.default_rng(2).beta(2, 5, shape[1:])
    return (level * rng.beta(6, 2, shape)).astype(array.dtype)


def finish(writer: StudyWriter, rng: np.random.Generator) -> None:
    """Write all that follows the blocks."""
    writer.write_predictions()
    writer.finish_stage(HEADS, seconds=0)
    writer.write_file(writer.files.autoencoder.name, rng.bytes(64))
    for block in range(writer.n_blocks):
        writer.write_rows("latents", block, values(writer.arrays["latents"], len(writer.block_images(block)), rng))
    writer.finish_stage(LATENTS, seconds=0)
    for name, array in writer.arrays.items():
        if array.stage == LAYOUT:
            writer.write_array(name, values(array, writer.manifest.n_images, rng))
    writer.finish_stage(LAYOUT, seconds=0)


class Server(threading.Thread):
    """The app on a free port; `explorers` are those of its visitors."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.study = open_study(path)
        self.explorers: list[Explorer] = []
        self._is_up = threading.Event()
        self._port = 0

    @property
    def port(self) -> int:
        """Port, once the server is up."""
        self._is_up.wait()
        return self._port

    def run(self) -> None:
        """Serve until the process ends."""
        asyncio.set_event_loop(asyncio.new_event_loop())
        server: Any = get_server(self._page, port=0, show=False, start=False)
        server.start()
        self._port = server.port
        self._is_up.set()
        IOLoop.current().start()

    def _page(self) -> Any:
        self.explorers.append(Explorer(self.study, height="calc(100vh - 20px)"))
        return pn.Column(self.explorers[-1], sizing_mode="stretch_both", margin=0)


class Visitor:
    """Acts in the page, and notes what each act cost."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page, self.server = page, server
        self.acts: dict[str, list[Act]] = {}

    @property
    def explorer(self) -> Explorer:
        """What this visitor looks at."""
        return self.server.explorers[-1]

    def place(self, fig: Any, x: float, y: float) -> tuple[float, float]:
        """Where a point of a figure is on the page."""
        left, top = self.page.evaluate(_PLACE, [fig.id, float(x), float(y)])
        return left, top

    def time(self, action: str, kind: str, act: Callable[[], Any]) -> None:
        """Act, wait until nothing is painted any more, and note the time since the last event of a kind."""
        self.page.evaluate("kind => Object.assign(watched, {kind, began: 0, first: 0, painted: 0, n: 0})", kind)
        server, browser = cpu_of(os.getpid()), browser_cpu()
        act()
        self.page.wait_for_function(_IS_QUIET, arg=QUIET_MS, polling=50, timeout=60_000)
        found = self.page.evaluate("watched")
        spent = cpu_of(os.getpid()) - server, browser_cpu() - browser
        self.acts.setdefault(action, []).append(Act(found["painted"] - found["began"], *spent, found["n"]))

    def time_first(self, action: str, kind: str, act: Callable[[], Any]) -> None:
        """Act, and note the time to the first paint; what a line that rests brings about comes later."""
        self.page.evaluate("kind => Object.assign(watched, {kind, began: 0, first: 0, painted: 0, n: 0})", kind)
        server, browser = cpu_of(os.getpid()), browser_cpu()
        act()
        self.page.wait_for_function("watched.first > 0", polling="raf", timeout=60_000)
        found = self.page.evaluate("watched")
        spent = cpu_of(os.getpid()) - server, browser_cpu() - browser
        self.acts.setdefault(action, []).append(Act(found["first"] - found["began"], *spent, found["n"]))

    def open(self, n: int) -> None:
        """Time the first look at the page; what is compiled once per process is not counted."""
        for attempt in range(n + 1):
            server, browser = cpu_of(os.getpid()), browser_cpu()
            self.page.goto(f"http://localhost:{self.server.port}", timeout=200_000)
            self.page.wait_for_function("window.Bokeh?.documents?.length > 0 && watched.painted > 0")
            self.page.wait_for_function(_IS_QUIET, arg=1500, polling=100, timeout=120_000)
            found = self.page.evaluate("watched")
            spent = cpu_of(os.getpid()) - server, browser_cpu() - browser
            if attempt:
                self.acts.setdefault("first_paint", []).append(Act(found["painted"], *spent, found["n"]))

    def choose_images(self, n: int) -> None:
        """Click on images in the map."""
        layout = self.server.study["layout/images_drop"]
        for image in np.linspace(0, len(layout) - 1, n + 2).astype(int)[1:-1]:
            place = self.place(self.explorer.views["image-overview"].map.figure, *layout[image])
            self.time("image_click", "pointerup", lambda place=place: self.page.mouse.click(*place))

    def choose_heads(self, n: int) -> None:
        """Click on heads in the curve."""
        fig = self.explorer.views["head-importance"].curve.figure
        middle = (fig.y_range.start + fig.y_range.end) / 2
        for flat in np.random.default_rng(3).permutation(np.arange(4, N_LAYERS * N_HEADS, 3))[:n]:
            place = self.place(fig, flat, middle)
            self.time("head_click", "pointerup", lambda place=place: self.page.mouse.click(*place))

    def drag(self, n: int) -> None:
        """Drag the line from head to head, and let go."""
        curve, mouse = self.explorer.views["head-importance"].curve, self.page.mouse
        middle = (curve.figure.y_range.start + curve.figure.y_range.end) / 2
        for start in (20, 60):
            mouse.click(*self.place(curve.figure, start, middle))
            self.page.wait_for_timeout(1500)
            mouse.move(*self.place(curve.figure, start, middle))
            mouse.down()
            mouse.move(*self.place(curve.figure, start + 3, middle))
            for step in range(n):
                place = self.place(curve.figure, start + 4 + step, middle)
                self.time_first("drag_step", "pointermove", lambda place=place: mouse.move(*place))
            place = self.place(curve.figure, start + 8 + n, middle)

            def let_go(place: tuple[float, float] = place) -> None:
                mouse.move(*place)
                mouse.up()

            self.time("drag_release", "pointerup", let_go)


def descendants(pid: int) -> Iterator[int]:
    """Processes started by a process, and by those."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            yield child
            yield from descendants(child)


def cpu_of(pid: int) -> float:
    """CPU time of a process in milliseconds; 0 when it has ended."""
    if pid == os.getpid():
        return time.process_time() * 1000
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def browser_cpu() -> float:
    """CPU time of the browser's processes in milliseconds."""
    return sum(cpu_of(pid) for pid in descendants(os.getpid()))


def record(action: str, acts: list[Act], n_images: int) -> dict[str, Any]:
    """Medians and the 95th percentile of one kind of act."""
    wall = np.array([act.wall for act in acts])
    return {
        "action": action,
        "images": n_images,
        "heads": N_LAYERS * N_HEADS,
        "n": len(acts),
        "median_ms": round(float(np.median(wall)), 1),
        "p95_ms": round(float(np.percentile(wall, 95)), 1),
        "server_cpu_ms": round(float(np.median([act.server for act in acts])), 1),
        "browser_cpu_ms": round(float(np.median([act.browser for act in acts])), 1),
        "paints": float(np.median([act.n_paints for act in acts])),
    }


def measure(n_images: int, n_acts: int) -> list[dict[str, Any]]:
    """Records of all kinds of acts."""
    server = Server(study_of(n_images))
    server.start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(_WATCH)
        visitor = Visitor(page, server)
        visitor.open(2)
        visitor.choose_images(n_acts)
        visitor.choose_heads(n_acts)
        visitor.drag(n_acts // 2)
        browser.close()
    return [record(action, acts, n_images) for action, acts in visitor.acts.items()]


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=int, default=1000, help="size of the study (1000)")
    parser.add_argument("--acts", type=int, default=20, help="how often each act is repeated (20)")
    parser.add_argument("--json", type=Path, help="write the records into this file")
    options = parser.parse_args()
    pn.extension()
    records = measure(options.images, options.acts)
    print(
        f"{options.images} images × {N_LAYERS * N_HEADS} heads, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    columns = ("action", "n", "median_ms", "p95_ms", "server_cpu_ms", "browser_cpu_ms", "paints")
    for row in [dict(zip(columns, columns, strict=True)), *records]:
        print("".join(f"{row[name]!s:>16}" for name in columns))
    if options.json:
        options.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
