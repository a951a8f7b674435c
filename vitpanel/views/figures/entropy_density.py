"""C3: entropy of the chosen head over all images."""

from dataclasses import dataclass
from typing import Any

from bokeh.models import ColumnDataSource, DataRange1d, Range1d, Span
from bokeh.plotting import figure

from vitpanel.state.results import EntropyDensity
from vitpanel.views.base import create_figure
from vitpanel.views.palette import CHOSEN, MEAN


@dataclass(frozen=True)
class EntropyArea:
    """The chart, its curve, and the line at the chosen image."""

    figure: figure
    curve: ColumnDataSource
    line: Span


def density_columns(density: EntropyDensity) -> dict[str, Any]:
    """Columns of the curve."""
    return {"entropy": density.grid, "density": density.density}


def create_entropy_area() -> EntropyArea:
    """Empty area over the entropies from 0 to 1."""
    curve = ColumnDataSource({"entropy": [], "density": []})
    fig = create_figure(x_range=Range1d(0, 1), y_range=DataRange1d(start=0, range_padding=0.06), title="Distribution")
    fig.varea("entropy", 0, "density", source=curve, fill_color=MEAN, fill_alpha=0.3)
    fig.line("entropy", "density", source=curve, line_color=MEAN, line_width=1.2)
    line = Span(location=0, dimension="height", line_color=CHOSEN, line_width=2, level="overlay", visible=False)
    fig.add_layout(line)
    fig.xaxis.axis_label = "entropy, all images"
    fig.xaxis.ticker = [0, 0.25, 0.5, 0.75, 1]
    fig.xaxis.major_label_overrides = {0: "0", 0.25: "", 0.5: "0.5", 0.75: "", 1: "1"}
    fig.yaxis.visible = False
    fig.grid.visible = False
    return EntropyArea(fig, curve, line)
