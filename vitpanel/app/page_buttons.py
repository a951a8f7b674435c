"""The buttons in the page's header, and the keys that work on the whole page."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any, ClassVar

import param

from vitpanel.state.session import Session
from vitpanel.theme.palette import css
from vitpanel.views.component import Component


class PageButtons(Component):
    """Lists the keys, prints the page, and exchanges light and dark.

    The page is printed as it is seen on one sheet; a browser prints into a PDF as well, with texts that stay texts. The
    theme is a CSS class of the whole page. The address says which one is meant; without that it is the one that was
    chosen last in this browser, or else the one that the system has.

    Parameters
    ----------
    session
        Whose choices the keys change.
    """

    theme = param.Selector(
        default="", objects=["", "light", "dark"], doc="What was chosen on this page; told by the browser."
    )

    _module = ("vitpanel.app", "page_buttons.js")
    _stylesheets: ClassVar[list[str]] = [
        f"""
    :host {{ align-self: center; }}
    .buttons {{ display: flex; }}
    .buttons > button {{ width: 30px; height: 30px; padding: 5px; border: 0; border-radius: 4px; color: inherit;
        background: none; cursor: pointer; font: 600 17px/20px sans-serif; }}
    button svg {{ display: block; fill: currentColor; }}
    .buttons > button:hover {{ background: rgba(0, 0, 0, 0.25); }}
    .buttons > button:focus-visible {{ outline: 2px solid currentColor; outline-offset: -2px; }}
    .keys {{ inset: 48px 8px auto auto; margin: 0; padding: 10px 16px; font: 13px/1.7 sans-serif; color: {css("text")};
        background: {css("surface")}; border: 1px solid {css("muted")}; border-radius: 4px;
        box-shadow: 0 4px 16px rgba(0, 0, 0, 0.25); }}
    .keys h2 {{ margin: 0 0 4px; font-size: 14px; }}
    .keys dl {{ display: grid; grid-template-columns: auto auto; gap: 0 14px; margin: 0; }}
    .keys dd {{ margin: 0; }}
    kbd {{ padding: 0 5px; border: 1px solid {css("muted")}; border-radius: 3px; font: 12px sans-serif; }}
"""
    ]

    def __init__(self, session: Session, **params: Any) -> None:
        super().__init__(**params)
        self._history = session.selection.history
        self._acts: dict[str, Callable[[], object]] = {
            "ArrowLeft": partial(session.step_head, -1),
            "ArrowRight": partial(session.step_head, 1),
            "ArrowUp": partial(session.step_layer, -1),
            "ArrowDown": partial(session.step_layer, 1),
            "[": partial(session.step_image, -1),
            "]": partial(session.step_image, 1),
            "u": session.selection.undo,
            "r": session.selection.redo,
            "Escape": partial(session.selection.param.update, images=None, heads=None, tokens=None),
        }

    def _handle_msg(self, data: dict[str, Any]) -> None:
        """Do what a key stands for; what it does while it is held is one choice."""
        act = self._acts.get(str(data.get("key")))
        if act is not None:
            with self._history.held() if data.get("is_held") else nullcontext():
                act()
