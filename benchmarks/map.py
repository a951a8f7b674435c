"""Time the map of all heads in Chromium: from a turn of the wheel to the new picture painted.

Serves the view alone, as large as it is in a page of 1920 × 1080, on a synthetic study of so many heads (written once,
then kept in the folder for temporary files), zooms into dense and sparse places and out again, and prints one line for
contours and one for points. A turn is over when the frame is due in which the picture is that of the ranges in sight.
CPU time is that of the server; on a busy machine it tells more than wall time.

    python benchmarks/map.py --points 10000000 --json map.json
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import panel as pn
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.ensure_browser import find_chromium  # noqa: E402 - the tests are not installed
from tests.synthetic import synthetic_crop, synthetic_images, synthetic_manifest, synthetic_spec, webp  # noqa: E402
from vitpanel.state.session import Session  # noqa: E402
from vitpanel.study.own_stages import HEADS, LATENTS, LAYOUT  # noqa: E402
from vitpanel.study.reader import open_study  # noqa: E402
from vitpanel.study.stage import ArraySpec  # noqa: E402
from vitpanel.study.writer import StudyWriter  # noqa: E402
from vitpanel.views.bridge import Bridge  # noqa: E402
from vitpanel.views.pattern_overview import PatternOverview  # noqa: E402

SMALL, MANY = 144_000, 1_000_000
SIZE = (460, 590)
BLOCK_SIZE = 500
STEPS, PLACES = 4, ((0.5, 0.5), (0.35, 0.6), (0.7, 0.4))
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_IS_READY = "window.Bokeh?.documents.length && Bokeh.documents.every(document => document.is_idle)"
# Finds the map, and notes when a turn began and when the frame with its picture was due.
_WATCH = """() => {
  const isMap = view => view.model.renderers.some(renderer => renderer.glyph?.type === "ImageRGBA")
    && view.model.toolbar.tools.some(tool => tool.type === "LassoSelectTool");
  const view = [...Bokeh.index.query(view => view.canvas_view)].find(isMap);
  if (!view) return null;
  const source = view.model.renderers.find(renderer => renderer.glyph?.type === "ImageRGBA").data_source;
  const near = (a, b) => Math.abs(a - b) < 1e-6 * Math.abs(view.model.x_range.end - view.model.x_range.start);
  window.turn = {began: 0, ended: 0};
  const isThere = () => {
    const {x, dw} = source.data, {start, end} = view.model.x_range;
    return x.length === 1 && near(x[0], start) && near(x[0] + dw[0], end);
  };
  window.isDrawn = isThere;
  document.addEventListener("wheel", event => { window.turn = {began: event.timeStamp, ended: 0}; }, true);
  const paint = view._actual_paint;
  view._actual_paint = function () {
    paint.call(this);
    const turn = window.turn;
    if (turn.began && !turn.ended && isThere())
      requestAnimationFrame(() => { turn.ended = turn.ended || performance.now(); });
  };
  const frame = view.canvas_view.el.getBoundingClientRect();
  return [frame.left, frame.top, view.frame.inner_width ?? frame.width, view.frame.inner_height ?? frame.height];
}"""


@dataclass(frozen=True)
class Record:
    """One line of the result, times in milliseconds."""

    action: str
    points: int
    turns: int
    median_ms: float
    p95_ms: float
    server_cpu_ms: float


def study_of(n_points: int) -> Path:
    """Folder of the study, written if it is not there yet."""
    size = 12 if n_points <= MANY else 32
    n_images = math.ceil(n_points / size**2)
    path = Path(tempfile.gettempdir()) / f"vitpanel-map-{n_images * size**2}.study"
    spec = synthetic_spec(n_layers=size, n_heads=size, rows=2, cols=2)
    manifest = synthetic_manifest(spec)
    manifest = replace(manifest, settings=manifest.settings | {"block_size": BLOCK_SIZE, "latent_dim": 1})
    picture = synthetic_crop(spec, 0)
    rng = np.random.default_rng(0)
    with StudyWriter.create_or_resume(path, manifest, synthetic_images(spec, n_images)) as writer:
        for block in writer.pending_blocks():
            n = len(writer.block_images(block))
            arrays = {a.name: values(a, n, rng) for a in writer.arrays.values() if a.stage == HEADS}
            writer.write_block(block, arrays, [webp(picture, lossless=True)] * n, [webp(picture)] * n)
        if not writer.is_done(LAYOUT):
            writer.write_predictions()
            writer.finish_stage(HEADS, seconds=0)
            writer.write_file(writer.files.autoencoder.name, rng.bytes(64))
            for block in range(writer.n_blocks):
                n = len(writer.block_images(block))
                writer.write_rows("latents", block, values(writer.arrays["latents"], n, rng))
            writer.finish_stage(LATENTS, seconds=0)
            for array in [a for a in writer.arrays.values() if a.stage == LAYOUT]:
                writer.write_array(array.name, values(array, n_images, rng))
            writer.finish_stage(LAYOUT, seconds=0)
    return path


def values(array: ArraySpec, n_rows: int, rng: np.random.Generator) -> np.ndarray:
    """Random values; in layouts of heads some heads are islands and others are strewn."""
    shape = (n_rows, *array.shape[1:])
    if array.name == "probabilities":
        return rng.dirichlet(np.ones(shape[-1]), n_rows).astype(array.dtype)
    if array.stage == LAYOUT:
        heads = np.random.default_rng(1)
        centres = 30 * heads.normal(size=shape[1:])
        spread = heads.choice([0.5, 3, 12], (*shape[1:-1], 1))
        return (centres + spread * rng.standard_normal(shape, np.float32)).astype(array.dtype)
    if np.dtype(array.dtype).kind == "u":
        return rng.integers(0, 16, shape).astype(array.dtype)
    return rng.random(shape, np.float32).astype(array.dtype)


@contextmanager
def served(path: Path) -> Iterator[tuple[str, int]]:
    """Serve a study in a process of its own; gives its address and its process id."""
    command = [sys.executable, str(Path(__file__)), "--serve", str(path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            lines = iter(process.stdout or ())
            address = next(word for line in lines for word in line.split() if word.startswith("http"))
            yield address, process.pid
        finally:
            process.terminate()


def serve(path: Path) -> None:
    """Serve the view on a free port until the process is ended, and print the address."""
    study = open_study(path)

    def page() -> pn.Column:
        return pn.Column(PatternOverview(Session(study), Bridge()), width=SIZE[0], height=SIZE[1])

    server = pn.serve(page, port=0, show=False, start=False, address="localhost")
    print(f"http://localhost:{server.port}", flush=True)
    server.start()
    server.io_loop.start()


def cpu_ms(pid: int) -> float:
    """CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def turn(page: Page, place: tuple[float, float], *, inwards: bool) -> float:
    """Turn the wheel by one notch; milliseconds until the new picture is painted."""
    page.mouse.move(*place)
    page.mouse.wheel(0, -120 if inwards else 120)
    page.wait_for_function("turn.ended > 0", timeout=60_000)
    took = page.evaluate("turn.ended - turn.began")
    page.wait_for_timeout(150)
    return took


def measure(page: Page, frame: list[float], pid: int) -> dict[str, Any]:
    """Zoom into some places and out again."""
    left, top, width, height = frame
    before, times = cpu_ms(pid), []
    for across, down in PLACES:
        place = (left + across * width, top + down * height)
        times += [turn(page, place, inwards=step < STEPS) for step in range(2 * STEPS)]
    return {
        "turns": len(times),
        "median_ms": round(float(np.median(times)), 1),
        "p95_ms": round(float(np.percentile(times, 95)), 1),
        "server_cpu_ms": round((cpu_ms(pid) - before) / len(times), 1),
    }


def run(n_points: int) -> list[Record]:
    """Measure contours and points."""
    path, records = study_of(n_points), []
    with served(path) as (address, pid), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": SIZE[0] + 40, "height": SIZE[1] + 40})
        page.goto(address, timeout=300_000)
        page.wait_for_function(_IS_READY, timeout=300_000)
        page.wait_for_timeout(1000)
        frame = page.evaluate(_WATCH)
        page.wait_for_function("isDrawn()", timeout=300_000)
        for name, button in (("contours", "Density"), ("points", "Points")):
            page.get_by_role("button", name=button, exact=True).click()
            page.wait_for_timeout(1000)
            turn(page, (frame[0] + frame[2] / 2, frame[1] + frame[3] / 2), inwards=False)
            records.append(Record(f"map_wheel_{name}", n_points, **measure(page, frame, pid)))
        browser.close()
    return records


def main() -> None:
    """Measure, print a table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=SMALL, help="heads on the map")
    parser.add_argument("--serve", type=Path, help="only serve the view on this study")
    parser.add_argument("--json", type=Path, help="file for the records")
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    records = run(options.points)
    print(f"{'':20} {'points':>11} {'median':>8} {'p95':>8} {'server CPU':>11}   (ms)")
    for record in records:
        print(
            f"{record.action:20} {record.points:>11,} {record.median_ms:>8} {record.p95_ms:>8} "
            f"{record.server_cpu_ms:>11}"
        )
    if options.json:
        options.json.write_text(json.dumps([asdict(record) for record in records], indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
