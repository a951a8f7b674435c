"""The page around the views."""

from pathlib import Path
from typing import Any

import panel_material_ui as pmui
import param
from panel.util import edit_readonly

from vitpanel.views.scripts import module_text

_TEMPLATE = (
    Path(__file__)
    .with_name("page.html")
    .read_text(encoding="utf-8")
    .replace("/* js/page.js */", module_text("vitpanel.app", "page.js"))
)


class Page(pmui.Page):
    """Page of panel-material-ui that ends with its session, and whose widgets tell the server of persons' acts alone.

    The busy line is not used. panel-material-ui ties it to a parameter of Panel's global state, which keeps every page
    that was ever served (`Page.__init__` in panel-material-ui 0.16.6; param 2.4 goes on watching what a value refers to
    after another has taken its place), and which changes at every act of anybody, so that each visitor costs a message
    to all others. Here it refers to nothing. What takes time says so in its place instead.

    ``page.html`` and the script in it have what is done in the browser: words while the page opens, words when the
    connection is lost, and what widgets send. ``page.html`` also writes the page's description: panel-material-ui
    writes the title there as HTML, and in the title is a model's name, which may be a stranger's script.
    """

    busy = param.Parameter(default=False, readonly=True, allow_refs=False, doc="Not used.")

    def __init__(self, **params: Any) -> None:
        super().__init__(template=_TEMPLATE, busy_indicator=None, **params)
        with edit_readonly(self):
            self.busy = False
