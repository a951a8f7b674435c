"""Flat buttons."""

from typing import Any

import panel as pn

from vitpanel.theme.palette import css

# The design of the page has looks of its own for buttons of Panel, which only what is important takes away.
_LOOK = f"""
    .bk-btn-group > .bk-btn.bk-btn {{ display: flex; align-items: center; justify-content: center; height: 30px;
        min-width: 0; padding: 0 6px; border: 0; border-radius: 4px; background: none !important; box-shadow: none;
        color: {css("text")}; font: 13px sans-serif; }}
    .bk-btn-group > .bk-btn.bk-btn:hover:enabled {{ background: {css("grid")} !important; }}
    .bk-btn-group > .bk-btn.bk-btn:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
    .bk-btn-group > .bk-btn.bk-btn:disabled {{ opacity: 0.4; }}
"""
# Read aloud is the label alone.
_SIGN = """
    .bk-btn-group > .bk-btn.bk-btn {{ font-size: 0; }}
    .bk-btn-group > .bk-btn.bk-btn::before {{ content: "{sign}" / ""; font-size: 24px; line-height: 24px;
        margin-top: -4px; }}
"""


def create_button(label: str, *, sign: str = "", look: str = "", **options: Any) -> pn.widgets.Button:
    """Return a button of Panel, which unlike those of Material UI does not send back what the server tells it.

    A server that says twice within a moment whether it can be pressed would hear of the first answer after the second.

    Parameters
    ----------
    sign
        What is shown in the place of the label, which then is for those who do not see it.
    look
        More of CSS.
    """
    sheets = [_LOOK, look, *([_SIGN.format(sign=sign)] if sign else [])]
    defaults: dict[str, Any] = {"margin": (0, 1), "height": 30, "styles": {"align-self": "center"}}
    return pn.widgets.Button(label=label, stylesheets=sheets, **defaults | options)
