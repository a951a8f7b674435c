"""The buttons in the page's header: one prints it, one exchanges light and dark."""

from typing import ClassVar

import param
from panel.custom import JSComponent

from vitpanel.views.scripts import module_text


class PageButtons(JSComponent):
    """Prints the page as it is seen on one sheet, and puts the CSS class of the dark theme on the whole page.

    A browser prints into a PDF as well, with texts that stay texts. The address says which theme is meant at the start.
    """

    dark = param.Boolean(default=False, doc="Whether the page is dark; told by the browser.")

    _esm = module_text("vitpanel.app", "page_buttons.js")
    _stylesheets: ClassVar[list[str]] = [
        """
    :host { align-self: center; }
    div { display: flex; }
    button { width: 30px; height: 30px; padding: 5px; border: 0; border-radius: 4px; color: inherit; background: none;
        cursor: pointer; }
    button svg { display: block; fill: currentColor; }
    button:hover { background: rgba(255, 255, 255, 0.15); }
    button:focus-visible { outline: 2px solid currentColor; outline-offset: -2px; }
"""
    ]
