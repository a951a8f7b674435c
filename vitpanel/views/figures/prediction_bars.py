"""B3: what the model predicts while the chosen head is pruned."""

from dataclasses import dataclass
from typing import Any

from bokeh.models import ColumnDataSource, HBar, HoverTool, Range1d, Segment, Text
from bokeh.plotting import figure

from vitpanel.state.results import N_TOP, Predictions
from vitpanel.theme.palette import MUTED, TEXT, VALUE
from vitpanel.views.base import create_figure, without_grid
from vitpanel.views.figures.glyphs import add_glyph

LONGEST_NAME = 24
BAR = 0.3  # of a row


@dataclass(frozen=True)
class PredictionBars:
    """The chart and its rows, most probable class first."""

    figure: figure
    rows: ColumnDataSource


def shortened(name: str) -> str:
    """Name cut to what fits over a bar."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].rstrip()}…"


def prediction_columns(predictions: Predictions, *, alpha: float = 1.0) -> dict[str, Any]:
    """Columns of the rows; the true class has a check mark and bold letters."""
    n_rows = len(predictions.names)
    return {
        "row": list(range(n_rows)),
        "top": [row - BAR / 2 for row in range(n_rows)],
        "end": [row + BAR for row in range(n_rows)],
        "name": list(predictions.names),
        "text": [
            f"✓ {shortened(name)}" if is_true else shortened(name)
            for name, is_true in zip(predictions.names, predictions.is_true, strict=True)
        ],
        "font": ["bold" if is_true else "normal" for is_true in predictions.is_true],
        "probability": predictions.probabilities,
        "unpruned": predictions.unpruned,
        "value": [f"{value:.3f}" for value in predictions.probabilities],
        "truth": ["yes" if is_true else "no" for is_true in predictions.is_true],
        "alpha": [alpha] * n_rows,
    }


def create_prediction_bars() -> PredictionBars:
    """Empty rows, each a name over its bar."""
    names = ("row", "top", "end", "name", "text", "font", "probability", "unpruned", "value", "truth", "alpha")
    rows = ColumnDataSource({name: [] for name in names})
    fig = create_figure(x_range=Range1d(0, 1.02), y_range=Range1d(N_TOP + 0.5, -0.8), title="Top classes")
    faint = {"fill_color": MUTED, "fill_alpha": 0.3, "line_color": MUTED, "line_alpha": 0.3}
    add_glyph(fig, HBar(y="row", left=0, right=1, height=BAR, **faint), rows)
    look = {"fill_color": VALUE, "fill_alpha": "alpha", "line_alpha": 0}
    add_glyph(fig, HBar(y="row", left=0, right="probability", height=BAR, **look), rows)
    ends = {"x0": "unpruned", "y0": "top", "x1": "unpruned", "y1": "end"}
    tick = Segment(**ends, line_color=TEXT, line_width=2.5, line_alpha="alpha")
    add_glyph(fig, tick, rows)
    text = {"text_font_size": "11px", "text_font_style": "font", "text_color": TEXT, "text_alpha": "alpha"}
    place = {"y": "top", "y_offset": -2, "text_baseline": "bottom"}
    add_glyph(fig, Text(x=0, text="text", **text, **place), rows)
    add_glyph(fig, Text(x=1, text="value", text_align="right", **text, **place), rows)
    hit = add_glyph(fig, HBar(y="row", left=0, right=1, height=1, fill_color=None, line_color=None), rows)
    tooltips = [
        ("class", "@name"),
        ("true class", "@truth"),
        ("pruned", "@probability{0.00000}"),
        ("unpruned", "@unpruned{0.00000}"),
    ]
    fig.add_tools(HoverTool(renderers=[hit], tooltips=tooltips, point_policy="follow_mouse", attachment="horizontal"))
    fig.left = []
    fig.min_border_left = 6  # for the half of the 0 below the axis
    without_grid(fig)
    fig.xaxis.axis_label = "probability (tick: unpruned)"
    fig.xaxis.ticker = [0, 0.5, 1]
    return PredictionBars(fig, rows)
