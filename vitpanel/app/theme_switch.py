"""The button in the page's header that exchanges light and dark."""

from typing import ClassVar

import param
from panel.custom import JSComponent

from vitpanel.views.scripts import module_text


class ThemeSwitch(JSComponent):
    """Puts the CSS class of the dark theme on the whole page; the address says at the start which theme is meant."""

    dark = param.Boolean(default=False, doc="Whether the page is dark; told by the browser.")

    _esm = module_text("vitpanel.app", "theme_switch.js")
    _stylesheets: ClassVar[list[str]] = [
        """
    :host { align-self: center; }
    button { width: 30px; height: 30px; padding: 5px; border: 0; border-radius: 4px; color: inherit; background: none;
        cursor: pointer; }
    button svg { display: block; fill: currentColor; }
    button:hover { background: rgba(255, 255, 255, 0.15); }
    button:focus-visible { outline: 2px solid currentColor; outline-offset: -2px; }
"""
    ]
