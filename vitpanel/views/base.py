"""How all views look, and small helpers of theirs."""

import html
import re
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
from bokeh.models import ColumnDataSource, Grid, Title
from bokeh.plotting import figure

from vitpanel.errors import public_words
from vitpanel.theme.palette import GRID, MUTED, TEXT, css

MOST_TICKS = 16
NO_AXES = {"x_axis_type": None, "y_axis_type": None}
FULL_WIDTH = {"sizing_mode": "stretch_width", "margin": 0}
# A menu that takes what room a narrow view has left.
NARROWED: dict[str, Any] = {
    "sizing_mode": "stretch_width",
    "min_width": 60,
    "max_width": 126,
    "css_classes": ["narrowed"],
}
FILLED = {"sizing_mode": "stretch_both", "margin": 0}
# CSS of what scrolls: a shade at an end beyond which there is more.
SHADED_ENDS = f"""--shade: {css("muted")}; --ground: {css("surface")};
    background: linear-gradient(var(--ground) 40%, transparent) top / 100% 24px no-repeat local,
        linear-gradient(transparent, var(--ground) 60%) bottom / 100% 24px no-repeat local,
        linear-gradient(var(--shade), transparent) top / 100% 7px no-repeat scroll,
        linear-gradient(transparent, var(--shade)) bottom / 100% 7px no-repeat scroll;"""


def escaped(text: object) -> str:
    """Text that comes from files or people, safe inside HTML."""
    return html.escape(str(text))


def error_words(text: str) -> str:
    """Words of an error as HTML: without the server's folders, and with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped(public_words(text)))


def counted(n: int, noun: str) -> str:
    """Number and noun, as in "1 image" and "1,000 images"."""
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def create_figure(*, title: str = "", **options: Any) -> figure:
    """Return an empty figure in the house style: no logo, thin grid, small legible labels, stretching to its place."""
    defaults: dict[str, Any] = {
        "sizing_mode": "stretch_both",
        "toolbar_location": None,
        "tools": "",
        "min_border": 2,
        "min_border_right": 6,
        "min_width": 0,
        "min_height": 0,
        "lod_threshold": None,
    }
    fig = figure(**(defaults | options))
    cast("Title", fig.title).text = title  # Bokeh makes a second title of words that it is given
    _share_stateless(fig)
    return dressed(fig)


def _share_stateless(fig: figure) -> None:
    """Let both axes of a figure have one scale and one policy of labels, of which the browser makes its own."""
    if type(fig.x_scale) is type(fig.y_scale):
        fig.y_scale = fig.x_scale
    for axis in fig.axis[1:]:
        axis.major_label_policy = fig.axis[0].major_label_policy


def without_grid(fig: figure, *, dimensions: Sequence[int] = (0, 1)) -> None:
    """Take the grid of a figure away that would be there for every axis: the lines at its ticks of x (0), of y (1)."""
    fig.center = [part for part in fig.center if not (isinstance(part, Grid) and part.dimension in dimensions)]


def dressed(fig: figure) -> figure:
    """Give a figure the house style, and return it."""
    fig.outline_line_color = None
    fig.background_fill_alpha = fig.border_fill_alpha = 0
    fig.grid.grid_line_color = GRID
    for axis in fig.axis:
        axis.axis_line_color = axis.major_tick_line_color = MUTED
        axis.major_tick_in = 0
        axis.major_tick_out = 3
        axis.minor_tick_line_color = None
        axis.major_label_text_color = axis.axis_label_text_color = TEXT
        axis.major_label_text_font_size = "10px"
        axis.major_label_standoff = 3
        axis.axis_label_text_font_size = "11px"
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_standoff = 2
    title = cast("Title", fig.title)
    title.text_font_size = "11px"
    title.text_font_style = "bold"
    title.text_color = TEXT
    title.standoff = 2
    return fig


def numbers_as_text(values: np.ndarray, digits: int) -> list[str]:
    """Numbers for a tooltip, a dash for NaN."""
    return ["–" if np.isnan(value) else f"{value:.{digits}f}".replace("-", "−") for value in values]


def source_table(source: ColumnDataSource, **columns: str) -> pd.DataFrame:
    """Columns of a source as a table to be saved, under the given names."""
    return pd.DataFrame({name: source.data[column] for name, column in columns.items()})


def layer_ticks(n_layers: int) -> list[int]:
    """Layers whose numbers fit below a narrow chart."""
    return list(range(0, n_layers, 1 + n_layers // (MOST_TICKS + 1)))
