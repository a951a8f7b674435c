"""The page around the views."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import panel as pn

from vitpanel.app.heading import Heading
from vitpanel.app.page_scripts import load_scripts
from vitpanel.runtime import guards
from vitpanel.runtime.scripts import module_text
from vitpanel.theme.palette import css, css_of_themes

HEADER_HEIGHT = 40
# Look of a button in the header that opens something beside or over the views.
OPENER = f"""
    .opener {{ height: 24px; padding: 0 10px; border: 1px solid {css("muted")}; border-radius: 12px; cursor: pointer;
        font: 12.5px/20px sans-serif; color: white; background: none; white-space: nowrap; }}
    .opener:hover, .opener[aria-expanded=true] {{ border-color: white; background: rgba(0, 0, 0, 0.25); }}
    .opener:focus-visible {{ outline: 2px solid white; outline-offset: 1px; }}
"""
# In a window too narrow for its buttons they go on at the right, to which the page scrolls; their ground is the shadow.
_HEADER = {
    "background": "var(--vp-header)",
    "color": "white",
    "align-items": "center",
    "flex": "none",
    "box-shadow": "100vw 0 var(--vp-header)",
}


def create_frame(
    title: str, content: Sequence[Any], *, heading: Heading | None = None, header: Sequence[Any] = ()
) -> pn.Column:
    """Return a page: a header with its title and what is at the right of it, above the content.

    ``page.html`` and the script in it have what is done in the browser alone: words while the page opens and when the
    connection is lost, and the ground of the theme.

    Parameters
    ----------
    title
        Of the browser's tab.
    content
        What is below the header.
    heading
        Words at the left of the header; None takes the title.
    header
        What is at the right of them.
    """
    document = pn.state.curdoc
    if document is not None:
        document.template = cast("Any", _template())  # Bokeh takes a text as well
        document.title = title
        if guards.are_installed():  # and so the server answers with the script
            document.template_variables["scripts"] = load_scripts(document)
    top = pn.Row(
        heading or Heading(title), *header, height=HEADER_HEIGHT, sizing_mode="stretch_width", margin=0, styles=_HEADER
    )
    return pn.Column(top, *content, sizing_mode="stretch_both", margin=0)


@lru_cache(maxsize=1)
def _template() -> str:
    """Return the page's own part of the template of Panel's pages; the title comes with each page."""
    template = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    for name in ("look.js", "page.js"):
        template = template.replace(f"/* js/{name} */", module_text("vitpanel.app", name))
    return template.replace("/* colours */", css_of_themes())
