"""A box for a whole number."""

from typing import ClassVar

import param

from vitpanel.theme.palette import css
from vitpanel.views.component import Component


class Stepper(Component):
    """A box for a whole number with its label; the buttons of Bokeh's have no names (Bokeh 3.9)."""

    label = param.String(default="", doc="What the number is.")
    has_words = param.Boolean(default=True, doc="Whether the label is seen on the border, or only read aloud.")
    value = param.Integer(default=None, allow_None=True, doc="The number; None shows an empty box.")
    start = param.Integer(default=0, doc="Least number.")
    step = param.Integer(default=1, doc="What the buttons and the arrow keys add or take away.")

    _module = ("vitpanel.views", "stepper.js")
    _stylesheets: ClassVar[list[str]] = [
        f"""
    label {{ position: relative; display: block; }}
    span {{ position: absolute; top: -7px; left: 6px; padding: 0 3px; font: 10px/12px sans-serif;
        color: {css("hint")}; background: {css("surface")}; }}
    input {{ width: 100%; height: 30px; box-sizing: border-box; margin: 0; padding: 3px 4px 3px 8px;
        font: 13px sans-serif; color: {css("text")}; background: transparent; border: 1px solid {css("muted")};
        border-radius: 4px; }}
    input:hover {{ border-color: {css("text")}; }}
    input:focus {{ outline: none; border-color: {css("value")}; box-shadow: inset 0 0 0 1px {css("value")}; }}
"""
    ]
