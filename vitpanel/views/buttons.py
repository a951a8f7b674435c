"""Flat buttons."""

from typing import Any

import panel as pn

from vitpanel.theme.palette import css

_LOOK = f"""
    .bk-btn, .bk-btn[disabled] {{ min-width: 0; padding: 2px 6px; border: 0; border-radius: 4px; background: none;
        box-shadow: none; color: {css("text")}; font: 13px/26px sans-serif; }}
    .bk-btn:hover:enabled {{ background: {css("grid")}; }}
    .bk-btn:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
    .bk-btn[disabled] {{ opacity: 0.4; }}
"""
# Read aloud is the label alone.
_SIGN = '.bk-btn {{ font-size: 0 !important; }} .bk-btn::before {{ content: "{sign}" / ""; font-size: 22px; }}'


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
    return pn.widgets.Button(label=label, stylesheets=sheets, **{"margin": 0, "height": 30} | options)
