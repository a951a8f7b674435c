"""Small buttons with pictures, which together are one component of the page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import param
from bokeh.models import Tool, Toolbar

from vitpanel.theme.palette import css
from vitpanel.views.component import Component

SIDE = 28
NO_DRAG = ""


@dataclass(frozen=True)
class IconButton:
    """One button.

    Parameters
    ----------
    name
        By which it is known in Python.
    label
        Its tooltip, and what is read aloud.
    icon
        Path of an SVG of 24 × 24 pixels.
    is_switch
        Whether it stays pressed until it is pressed again.
    """

    name: str
    label: str
    icon: str
    is_switch: bool = False


class IconButtons(Component):
    """Buttons side by side, or one below the other.

    Parameters
    ----------
    known
        The buttons, in their order.
    on_press
        Is given the name of a button that is pressed and is no switch; what switches are on is ``pressed``.
    drags
        Tools of a figure that take its drags while the switch of that name is on; `NO_DRAG` names the one that takes
        them while none is. Without that one, the switch that is on cannot be switched off, only another one on.
    toolbar
        Of that figure.
    is_column
        Whether they stand one below the other.
    """

    buttons = param.List(default=[], doc="Records of the buttons.")
    pressed = param.List(default=[], doc="Names of the switches that are on; told by the browser too.")
    unavailable = param.List(default=[], doc="Names of the buttons that cannot be pressed now.")
    toolbar = param.String(default="", doc="Id of the toolbar whose drags are taken.")
    drags = param.Dict(default={}, doc="Ids of the tools that take drags, by the names of their switches.")

    _module = ("vitpanel.views", "icon_buttons.js")
    _stylesheets: ClassVar[list[str]] = [
        f"""
    .buttons {{ display: flex; }}
    :host(.column) .buttons {{ flex-direction: column; }}
    button {{ width: {SIDE}px; height: {SIDE}px; padding: 5px; border: 0; border-radius: 4px; background: none;
        cursor: pointer; }}
    button svg {{ display: block; fill: {css("text")}; }}
    button:hover:enabled {{ background: {css("grid")}; }}
    button:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
    button:disabled {{ opacity: 0.4; cursor: default; }}
    button[aria-pressed="true"] {{ background: {css("value")}; }}
    button[aria-pressed="true"] svg {{ fill: {css("surface")}; }}
"""
    ]

    def __init__(
        self,
        known: Sequence[IconButton],
        on_press: Callable[[str], object] = lambda _: None,
        *,
        drags: Mapping[str, Tool] | None = None,
        toolbar: Toolbar | None = None,
        is_column: bool = False,
        **params: Any,
    ) -> None:
        self._on_press, self._names = on_press, {button.name for button in known if not button.is_switch}
        super().__init__(
            buttons=[asdict(button) for button in known],
            drags={name: tool.id for name, tool in (drags or {}).items()},
            toolbar="" if toolbar is None else toolbar.id,
            css_classes=["column"] if is_column else [],
            **params,
        )

    def is_on(self, name: str) -> bool:
        """Whether a switch is on."""
        return name in self.pressed

    def switch(self, name: str, *, is_on: bool) -> None:
        """Switch one on or off, as if a person had pressed it."""
        if self.is_on(name) != is_on:
            self.pressed = [*self.pressed, name] if is_on else [other for other in self.pressed if other != name]

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if data.get("press") in self._names:
            self._on_press(data["press"])
