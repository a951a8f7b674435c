"""Draw the charts of docs/case-dinov2.md from a study, with the elements of notebooks.

    python benchmarks/case_dinov2.py dinov2.study

writes docs/images/dinov2-importance.png (after the paper's Fig. 7) and docs/images/dinov2-entropy.png (after Fig. 8).
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import holoviews as hv
from bokeh.embed import file_html
from bokeh.layouts import column
from bokeh.resources import INLINE
from holoviews import opts
from PIL import Image, ImageOps
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.ensure_browser import find_chromium  # noqa: E402 - the tests are not installed
from vitpanel import elements  # noqa: E402
from vitpanel.study.reader import Study, open_study  # noqa: E402

METRICS = ("probability", "jsd", "cls", "patch")
# Local ones of the first layers, a uniform one, and two of the last layers.
HEADS = ((0, 4), (1, 3), (3, 0), (8, 3), (11, 5))


def importance_charts(study: Study) -> Any:
    """Mean and band of the four metrics over all heads (Fig. 7)."""
    size = opts.Overlay(width=520, height=250)
    charts = [elements.importance_curve(study, metric=metric, image=None).opts(size) for metric in METRICS]
    return hv.render(hv.Layout(charts).cols(2).opts(toolbar=None, shared_axes=False), backend="bokeh")


def entropy_charts(study: Study) -> Any:
    """Entropy of all heads, mean and standard deviation over images, and the strength of a few (Fig. 8)."""
    wide = opts.Overlay(width=1040, height=300)
    scatter = elements.head_scatter(study, image=None, x="layer", y="entropy").opts(wide)
    bars = []
    for layer, head in HEADS:
        small = opts.Overlay(width=208, height=170, title=f"L{layer} H{head}: mean strength")
        bars.append(elements.strength_bars(study, image=None, layer=layer, head=head).opts(small))
    rows = (hv.Layout(charts).cols(len(HEADS)).opts(toolbar=None, shared_axes=False) for charts in ([scatter], bars))
    return column(*map(hv.render, rows))


def save(layout: Any, path: Path) -> None:
    """Paint a layout in Chromium, at twice the resolution."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        html = Path(folder) / "chart.html"
        html.write_text(file_html(layout, INLINE), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1060, "height": 520}, device_scale_factor=2)
        page.goto(html.as_uri())
        page.wait_for_function("window.Bokeh?.documents.length > 0 && Bokeh.documents[0].is_idle", timeout=120_000)
        page.screenshot(path=path, full_page=True, timeout=120_000)
        browser.close()
    trim(path)


def trim(path: Path) -> None:
    """Cut what is empty below and beside a picture."""
    picture = Image.open(path).convert("RGB")
    _, _, right, bottom = ImageOps.invert(picture).getbbox() or (0, 0, *picture.size)
    picture.crop((0, 0, right + 8, bottom + 8)).save(path, optimize=True)


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", help="folder of the pictures")
    options = parser.parse_args()
    hv.extension("bokeh")
    study = open_study(options.study)
    for name, layout in (("importance", importance_charts(study)), ("entropy", entropy_charts(study))):
        save(layout, options.out / f"dinov2-{name}.png")
        print(options.out / f"dinov2-{name}.png")


if __name__ == "__main__":
    main()
