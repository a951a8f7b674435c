"""Draw the charts of docs/case-dinov2.md from a study, with the figures of the app.

    python benchmarks/case_dinov2.py dinov2.study

writes docs/images/dinov2-importance.png (after the paper's Fig. 7) and docs/images/dinov2-entropy.png (after Fig. 8).
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from bokeh.embed import file_html
from bokeh.layouts import column, gridplot, row
from bokeh.plotting import figure
from bokeh.resources import INLINE
from PIL import Image, ImageOps
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.ensure_browser import find_chromium  # noqa: E402 - the tests are not installed
from vitpanel.core.metrics import metric_keys  # noqa: E402
from vitpanel.core.spec import short_head_name  # noqa: E402
from vitpanel.state.selection import Selection  # noqa: E402
from vitpanel.state.session import Session  # noqa: E402
from vitpanel.study.reader import Study, open_study  # noqa: E402
from vitpanel.views.figures.head_scatter import create_head_scatter, head_columns, value_texts  # noqa: E402
from vitpanel.views.figures.importance_line import create_importance_line  # noqa: E402
from vitpanel.views.figures.strength_bars import create_strength_bars, strength_columns  # noqa: E402

# Local ones of the first layers, a uniform one, and two of the last layers.
HEADS = ((0, 4), (1, 3), (3, 0), (8, 3), (11, 5))


def fixed(fig: figure, *, width: int, height: int) -> figure:
    """Figure of a size in pixels instead of one that stretches."""
    fig.update(sizing_mode="fixed", width=width, height=height)
    return fig


def importance_charts(study: Study) -> Any:
    """Mean and band of the four metrics over all heads (Fig. 7)."""
    spec, charts = study.spec, []
    for metric in metric_keys():
        curve = Session(study, selection=Selection(metric=metric)).importance_curve()
        line = create_importance_line(spec.n_layers, spec.n_heads)
        line.show(curve)
        line.show_context(is_shown=True)
        line.line.visible = False
        charts.append(fixed(line.figure, width=520, height=250))
    return gridplot([charts[:2], charts[2:]], toolbar_location=None)


def entropy_charts(study: Study) -> Any:
    """Entropy of all heads, mean and standard deviation over images, and the strength of a few (Fig. 8)."""
    spec = study.spec
    scatter = create_head_scatter(spec.n_layers, spec.n_heads)
    values = Session(study, selection=Selection()).head_values("entropy")
    texts = value_texts(values, patch_side=None)
    scatter.heads.data = head_columns(values, {"entropy": texts, "distance": texts})
    bars = []
    for layer, head in HEADS:
        chart = create_strength_bars(spec.grid.n_hops)
        strength = Session(study, selection=Selection(layer=layer, head=head)).strength()
        chart.hops.data = strength_columns(strength)
        chart.scale(strength)
        chart.figure.title.text = f"{short_head_name(layer, head)}: mean strength"
        bars.append(fixed(chart.figure, width=208, height=170))
    return column(fixed(scatter.figure, width=1040, height=300), row(*bars))


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
    study = open_study(options.study)
    for name, layout in (("importance", importance_charts(study)), ("entropy", entropy_charts(study))):
        save(layout, options.out / f"dinov2-{name}.png")
        print(options.out / f"dinov2-{name}.png")


if __name__ == "__main__":
    main()
