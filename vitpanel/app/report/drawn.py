"""Figures and tables of a report, as texts that its page holds."""

from collections.abc import Generator, Mapping
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.core.json_encoder import serialize_json
from bokeh.document import Document
from bokeh.embed import json_item
from bokeh.models import BoxZoomTool, HoverTool, PanTool, ResetTool, SaveTool, WheelZoomTool

from vitpanel import elements
from vitpanel.app.report.parts import Part
from vitpanel.errors import InferenceError, VitpanelError, public_words
from vitpanel.state.live import LiveModel
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study
from vitpanel.views.base import escaped

# What needs nobody who answers.
TOOLS = (PanTool, WheelZoomTool, BoxZoomTool, ResetTool, SaveTool, HoverTool)
DIGITS = 4
Steps = Generator[None, None, str]
LEFT_OUT = "The model would be asked for this, and this page was made without it."


def groups_html(
    groups: Mapping[str, tuple[Part, ...]], study: Study, selection: Selection, *, live: LiveModel | None
) -> Generator[None, None, dict[str, str]]:
    """Draw the parts of a page in steps, of which each takes a moment, and return the HTML below each heading."""
    found: dict[str, str] = {}
    for number, (heading, parts) in enumerate(groups.items()):
        drawn = []
        for i, part in enumerate(parts):
            key = f"figure-{number}-{i}"
            drawn.append((yield from part_html(part, study, selection, live=live, key=key)))
        found[heading] = f'<div class="figures">{"".join(drawn)}</div>'
    return found


def sections_html(sections: Mapping[str, str]) -> str:
    """Body of a page: headings, which are HTML, with what stands below each; those with nothing below are left out."""
    return "".join(f"<section><h2>{heading}</h2>{text}</section>" for heading, text in sections.items() if text)


def part_html(part: Part, study: Study, selection: Selection, *, live: LiveModel | None, key: str) -> Steps:
    """Draw a part in steps, of which each takes a moment, and return its HTML.

    What cannot be drawn has the reason in its place.
    """
    words = f"<p>{escaped(part.words)}</p>"
    try:
        table = _table(part, study, selection, live)
        yield
        element = _shown(part, study, selection, live)
        yield
        shown = yield from _figure(element, key)
    except VitpanelError as error:
        is_left_out = live is None and isinstance(error, InferenceError)
        reason = LEFT_OUT if is_left_out else escaped(public_words(f"{error.message} {error.hint}".strip()))
        return f'<figure class="absent">{words}<p>{reason}</p></figure>'
    else:
        return f"<figure>{shown}<figcaption>{words}{table}</figcaption></figure>"


def table_html(table: pd.DataFrame, *, caption: str = "") -> str:
    """Return a table of numbers and names, with as many digits as are of use."""
    head = "".join(map(_heading, table.columns, table.dtypes))
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.itertuples(index=False))
    title = f"<caption>{escaped(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _heading(name: str, kind: Any) -> str:
    looks = ' class="number"' if kind.kind in "iuf" else ""
    return f"<th{looks}>{escaped(name.replace('_', ' '))}</th>"


def _cell(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return f"<td>{'✓' if value else ''}</td>"
    if isinstance(value, float | np.floating):
        text = "–" if np.isnan(value) else f"{value:.{DIGITS}g}".replace("-", "−")
        return f'<td class="number">{text}</td>'
    is_number = isinstance(value, int | np.integer)
    return f'<td class="number">{value}</td>' if is_number else f"<td>{escaped(value)}</td>"


def _call(part: Part, live: LiveModel | None) -> tuple[Any, dict[str, Any]]:
    model = {"live": live or False} if part.asks_model else {}
    return getattr(elements, part.element), dict(part.options) | model


def _table(part: Part, study: Study, selection: Selection, live: LiveModel | None) -> str:
    """Table of a part; that of a chart of the model is asked for in any case, since it raises what is missing."""
    if not part.columns and not part.asks_model:
        return ""
    call, options = _call(part, live)
    table = call(study, selection, table=True, **options)
    return table_html(table[list(part.columns)].head(part.n_rows)) if part.columns else ""


def _shown(part: Part, study: Study, selection: Selection, live: LiveModel | None) -> Any:
    """Element as it is now, without what lets it follow."""
    call, options = _call(part, live)
    return call(study, selection, **options)[()]


def _figure(element: Any, key: str) -> Steps:
    plot = hv.Store.renderers["bokeh"].instance().get_plot(element, doc=Document())
    try:
        fig = plot.state
        fig.tools = [tool for tool in fig.tools if isinstance(tool, TOOLS)]
        fig.sizing_mode = None  # its frame has a size, of which Bokeh's check does not know
        # The wheel scrolls the page until a person asks for another use of it.
        fig.toolbar.update(logo=None, autohide=True, active_scroll=None, active_drag=None)
        yield
        # Within a script nothing but "<" can end it.
        item = serialize_json(json_item(fig)).replace("<", "\\u003c")
    finally:
        plot.cleanup()
    return f'<div class="drawing" id="{key}"></div><script type="application/json" data-for="{key}">{item}</script>'
