"""A box to tick."""

from typing import ClassVar

import param

from vitpanel.theme.palette import css
from vitpanel.views.component import Component


class Checkbox(Component):
    """A box to tick with its label; Bokeh's has none for who does not see it (Bokeh 3.9)."""

    label = param.String(default="", doc="Stands beside the box.")
    value = param.Boolean(default=False, doc="Whether it is ticked.")
    is_off = param.Boolean(default=False, doc="Whether it cannot be ticked now.")

    _module = ("vitpanel.views", "checkbox.js")
    _stylesheets: ClassVar[list[str]] = [
        f"""
    :host {{ align-self: center; }}
    label {{ display: flex; align-items: center; gap: 5px; font: 12.5px/20px sans-serif; color: {css("text")};
        white-space: nowrap; cursor: pointer; }}
    input {{ width: 15px; height: 15px; margin: 0; accent-color: {css("value")}; cursor: inherit; }}
    input:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: 1px; }}
    label:has(:disabled) {{ opacity: 0.5; cursor: default; }}
"""
    ]
