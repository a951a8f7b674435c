"""Buttons, menus and boxes in the house style.

They are Panel's own, which neither bring a library of the browser's with them nor send back what the server tells them.
"""

from collections.abc import Sequence
from typing import Any

import panel as pn
import param

from vitpanel.theme.palette import css
from vitpanel.views.stepper import Stepper

HEIGHT = 30
# The design of a page has looks of its own for Panel's buttons, which only what is important takes away.
_BUTTON = f"""
    .bk-btn-group {{ height: 100%; }}
    .bk-btn-group > .bk-btn.bk-btn {{ display: flex; align-items: center; justify-content: center; height: 100%;
        min-width: 0; padding: 0 6px; border: 0; border-radius: 4px; background: none !important; box-shadow: none;
        color: {css("text")} !important; font: 13px sans-serif; white-space: nowrap; }}
    .bk-btn-group > .bk-btn.bk-btn:hover:enabled {{ background: {css("grid")} !important; }}
    .bk-btn-group > .bk-btn.bk-btn:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
    .bk-btn-group > .bk-btn.bk-btn:disabled {{ opacity: 0.4; }}
    .bk-btn-group > .bk-btn.bk-btn.bk-active {{ background: {css("grid")} !important;
        box-shadow: inset 0 0 0 2px {css("value")}; font-weight: 600; }}
"""
# Read aloud is the label alone.
_SIGN = """
    .bk-btn-group > .bk-btn.bk-btn {{ font-size: 0; }}
    .bk-btn-group > .bk-btn.bk-btn::before {{ content: "{sign}" / ""; font-size: 24px; line-height: 24px;
        margin-top: -4px; }}
"""
_OUTLINED = f"""
    .bk-btn-group > .bk-btn.bk-btn {{ border: 1px solid {css("muted")}; }}
    .bk-btn-group > .bk-btn.bk-btn:not(:hover, .bk-active) {{ background: {css("surface")} !important; }}
"""
# The label lies on the border of the box, as on cards and in forms.
_BOX = f"""
    :host {{ --color: {css("text")}; }}
    .bk-input-group {{ position: relative; }}
    .bk-input-group > label {{ position: absolute; top: -7px; left: 6px; z-index: 1; padding: 0 3px; margin: 0;
        font: 10px/12px sans-serif; color: {css("hint")}; background: {css("surface")} !important; }}
    .bk-input-group .bk-input.bk-input {{ height: {HEIGHT}px; min-height: 0; padding: 3px 20px 3px 8px;
        font: 13px sans-serif; color: {css("text")}; background-color: transparent; border: 1px solid {css("muted")};
        border-radius: 4px; text-overflow: ellipsis; }}
    .bk-input-group .bk-input.bk-input:hover {{ border-color: {css("text")}; }}
    .bk-input-group .bk-input.bk-input:focus {{ border-color: {css("value")};
        box-shadow: inset 0 0 0 1px {css("value")}; }}
    .bk-input-group .bk-input.bk-input:disabled {{ opacity: 0.5; }}
    .bk-input-group .bk-input::placeholder {{ color: {css("hint")}; opacity: 1; }}
    .bk-input-group select.bk-input option {{ color: {css("text")}; background: {css("surface")}; }}
    :host(.narrowed) {{ container-type: inline-size; }}
    @container (max-width: 112px) {{
        .bk-input-group select.bk-input.bk-input {{ padding: 3px 15px 3px 5px; font-size: 11px; }}
    }}
    :host(.wrong) .bk-input-group .bk-input.bk-input {{ border-color: {css("warning")};
        box-shadow: inset 0 0 0 1px {css("warning")}; }}
"""
_TEXT = ".bk-input-group .bk-input.bk-input { padding-right: 6px; }"
_CHOICE = f"""
    .bk-btn-group {{ display: flex; }}
    .bk-btn-group > .bk-btn.bk-btn {{ height: 26px; padding: 0 7px; font: 11.5px sans-serif;
        color: {css("text")} !important; background: none !important; border: 1px solid {css("muted")};
        box-shadow: none; }}
    .bk-btn-group > .bk-btn.bk-btn.bk-active {{ background: {css("grid")} !important; border-color: {css("value")};
        font-weight: 600; }}
    .bk-btn-group > .bk-btn.bk-btn:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
"""
WRONG = ["wrong"]  # CSS classes of a box with something in it that is refused


def create_button(
    label: str, *, sign: str = "", is_outlined: bool = False, look: str = "", **options: Any
) -> pn.widgets.Button:
    """Return a flat button.

    Parameters
    ----------
    sign
        What is shown in the place of the label, which then is for those who do not see it.
    is_outlined
        Whether it has a border, and hides what is below it.
    look
        More of CSS.
    """
    sheets = [_BUTTON, *([_OUTLINED] if is_outlined else []), look, *([_SIGN.format(sign=sign)] if sign else [])]
    return pn.widgets.Button(label=label, stylesheets=list(filter(None, sheets)), **_flat() | options)


def create_toggle(label: str, **options: Any) -> pn.widgets.Toggle:
    """Return a button that stays pressed until it is pressed again."""
    return pn.widgets.Toggle(label=label, stylesheets=[_BUTTON, _OUTLINED], **_flat() | options)


def create_select(label: str, options: dict[str, Any] | Sequence[str], value: Any, **look: Any) -> pn.widgets.Select:
    """Return a menu with its label on its border; ``options`` are values by their words, or words."""
    options = options if isinstance(options, dict) else list(options)
    return pn.widgets.Select(label=label, options=options, value=value, stylesheets=[_BOX], **_box() | look)


def create_text_box(label: str, **look: Any) -> pn.widgets.TextInput:
    """Return a box for a line of text with its label on its border."""
    return pn.widgets.TextInput(label=label, stylesheets=[_BOX, _TEXT], **_box() | look)


def create_stepper(label: str, **look: Any) -> Stepper:
    """Return a box for a whole number with its label on its border, and two buttons to step."""
    return Stepper(label=label, **_box() | look)


def create_choice(options: dict[str, Any], value: Any, **look: Any) -> pn.widgets.RadioButtonGroup:
    """Return buttons side by side of which one is pressed; ``options`` are values by their words."""
    return pn.widgets.RadioButtonGroup(options=options, value=value, stylesheets=[_CHOICE], **_box() | look)


def _flat() -> dict[str, Any]:
    return {"margin": (0, 1), "height": HEIGHT, "styles": {"align-self": "center"}}


def _box() -> dict[str, Any]:
    return {"margin": (10, 3, 0, 3)}


def linked(widget: Any, owner: param.Parameterized, name: str) -> Any:
    """Let the value of a widget and a parameter follow each other; return the widget."""
    widget.param.watch(lambda event: owner.param.update({name: event.new}), "value")
    owner.param.watch(lambda event: widget.param.update(value=event.new), name)
    return widget
