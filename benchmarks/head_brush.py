"""Time what a brush of heads on images costs the server in views A and B, beside the mask that all views share.

On the synthetic study of `interaction.py` (12 × 12 heads), without a browser: each line is one answer to a new brush,
after one that warms up. CPU time is that of the process.

    python benchmarks/head_brush.py --images 50000
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from interaction import study_of  # noqa: E402 - benchmarks are not installed

from vitpanel.state.brush import Brush, InRange, OfLayers, mask_of  # noqa: E402
from vitpanel.state.selection import Selection  # noqa: E402
from vitpanel.state.session import Session  # noqa: E402
from vitpanel.study.reader import Study, open_study  # noqa: E402
from vitpanel.views.bridge import Bridge  # noqa: E402
from vitpanel.views.head_importance import HeadImportance  # noqa: E402
from vitpanel.views.image_overview import ImageOverview  # noqa: E402

N_TIMES = 7


def measure(study: Study) -> None:
    """Print a line for each answer: the median of wall and CPU milliseconds."""
    for title, brushes in {
        "heads on images": [InRange("entropy", high=high) for high in np.linspace(0.2, 0.5, N_TIMES + 1)],
        "heads": [OfLayers(0, last) for last in range(1, N_TIMES + 2)],
    }.items():
        costs: dict[str, list[tuple[float, float]]] = {}
        for brush in brushes:
            for name, cost in answers(study, brush).items():
                costs.setdefault(name, []).append(cost)
        for name, found in costs.items():
            wall, cpu = np.median(found[1:], axis=0)
            print(f"{title:<18}{name:<34}{wall:8.1f} ms{cpu:8.1f} ms CPU")


def answers(study: Study, brush: Brush) -> dict[str, tuple[float, float]]:
    """What each answer to a brush costs."""
    session = Session(study, selection=Selection(study, colouring="brush"))
    bridge = Bridge()
    a, b = ImageOverview(session, bridge), HeadImportance(session, bridge)
    found = {"mask of the brush": timed(lambda: mask_of(study, brush))}
    session.selection.heads = brush
    return found | {
        "colours of images": timed(a._draw_heads),  # noqa: SLF001 - what the selection calls, as the next two are
        "row below the curve": timed(b._draw_marks),  # noqa: SLF001
        "bars of the list": timed(b.ranked._on_shares),  # noqa: SLF001
    }


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU time of a call in milliseconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=int, default=50_000, help="size of the study (50000)")
    options = parser.parse_args()
    measure(open_study(study_of(options.images)))


if __name__ == "__main__":
    main()
