"""The page around the views."""

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, cast

import panel as pn

from vitpanel.app.page_scripts import load_scripts
from vitpanel.runtime import guards
from vitpanel.theme.palette import css_variables
from vitpanel.views.scripts import module_text

HEADER_HEIGHT = 40
_HEADER = {"background": "var(--vp-header)", "color": "white", "align-items": "center", "flex": "none"}
# Narrower than its words where others need the room, before these are.
_FIRST = {"margin-right": "auto", "flex": "0 9 auto", "min-width": "110px"}
_TITLE = """
    :host { align-self: center; overflow: hidden; }
    h1 { margin: 0; font: 500 17px/1.2 sans-serif; color: white; white-space: nowrap; overflow: hidden;
        text-overflow: ellipsis; }
"""


def create_frame(title: str, content: Sequence[Any], *, header: Sequence[Any] = ()) -> pn.Column:
    """Return a page: a header with its title and what is at the right of it, above the content.

    ``page.html`` and the script in it have what is done in the browser alone: words while the page opens and when the
    connection is lost, and the ground of the theme.
    """
    document = pn.state.curdoc
    if document is not None:
        document.template = cast("Any", _template())  # Bokeh takes a text as well
        document.title = title
        if guards.are_installed():  # and so the server answers with the script
            document.template_variables["scripts"] = load_scripts(document)
    words = pn.pane.HTML(_heading(title), stylesheets=[_TITLE], margin=(0, 12), styles=_FIRST)
    top = pn.Row(words, *header, height=HEADER_HEIGHT, sizing_mode="stretch_width", margin=0, styles=_HEADER)
    return pn.Column(top, *content, sizing_mode="stretch_both", margin=0)


def rename(frame: pn.Column, title: str) -> None:
    """Give a page that `create_frame` returned another title."""
    cast("Any", frame)[0][0].object = _heading(title)
    if pn.state.curdoc is not None:
        pn.state.curdoc.title = title


def _heading(title: str) -> str:
    return f'<h1 title="{escape(title)}">{escape(title)}</h1>'


@lru_cache(maxsize=1)
def _template() -> str:
    """Return the page's own part of the template of Panel's pages; the title comes with each page."""
    colours = "".join(
        f"{where} {{ {' '.join(f'{name}: {value};' for name, value in css_variables(dark=dark).items())} }}\n"
        for where, dark in ((":root", False), (":root.vp-dark", True))
    )
    template = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    script = module_text("vitpanel.app", "page.js")
    return template.replace("/* colours */", colours).replace("/* js/page.js */", script)
