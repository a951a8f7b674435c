"""The menu at the end of the page's header: a tour of the page, and larger type."""

from typing import Any, ClassVar

import param

from vitpanel.runtime.scripts import module_text
from vitpanel.state.saved_state import BRUSHES
from vitpanel.state.selection import Selection
from vitpanel.theme.palette import css
from vitpanel.views.component import Component


class PageMenu(Component):
    """Offers a tour to who is here for the first time, and in a menu to all; makes type larger.

    The offer is a button in the header that covers nothing; a browser that has taken or refused it is not asked again.
    The script of the tour is sent when it is asked for. Larger type is a CSS class of the whole page, and is chosen as
    the theme is (`vitpanel.app.page_buttons.PageButtons`).

    Parameters
    ----------
    selection
        Its brushes, which are told in the header, need the room of the offer.
    """

    type_size = param.Selector(
        default="", objects=["", "normal", "large"], doc="What was chosen on this page; told by the browser."
    )

    has_room = param.Boolean(default=True, doc="Whether the header has room for the offer.")

    _module = ("vitpanel.app", "page_menu.js")
    _stylesheets: ClassVar[list[str]] = [
        f"""
    :host {{ align-self: center; color: white; }}
    :host > div {{ display: flex; align-items: center; }}
    .more {{ width: 30px; height: 30px; padding: 5px; border: 0; border-radius: 4px; color: inherit; background: none;
        cursor: pointer; }}
    .more svg {{ display: block; fill: currentColor; }}
    .more:hover, .more[aria-expanded=true] {{ background: rgba(0, 0, 0, 0.25); }}
    .more:focus-visible {{ outline: 2px solid currentColor; outline-offset: -2px; }}
    .offer {{ display: flex; height: 24px; margin: 0 6px; border-radius: 12px; overflow: hidden; color: {css("text")};
        background: {css("surface")}; }}
    .offer[hidden] {{ display: none; }}
    .offer button {{ padding: 0 4px 0 10px; border: 0; font: 12.5px/20px sans-serif; white-space: nowrap;
        color: inherit; background: none; cursor: pointer; }}
    .offer .no {{ padding: 0 8px 0 4px; font-size: 17px; }}
    .offer button:hover {{ background: {css("grid")}; }}
    .offer button:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; border-radius: 12px; }}
    .menu {{ inset: 48px 8px auto auto; margin: 0; padding: 6px; font: 13px/1.5 sans-serif; color: {css("text")};
        background: {css("surface")}; border: 1px solid {css("muted")}; border-radius: 4px;
        box-shadow: 0 4px 16px rgba(0, 0, 0, 0.25); }}
    .menu > * {{ display: flex; gap: 8px; align-items: center; width: 100%; box-sizing: border-box; padding: 5px 10px;
        border: 0; border-radius: 4px; font: inherit; color: inherit; background: none; cursor: pointer; }}
    .menu > *:hover {{ background: {css("grid")}; }}
    .menu > *:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
    .menu input {{ margin: 0; }}
    .frame {{ position: fixed; z-index: 1400; pointer-events: none; border-radius: 4px;
        box-shadow: 0 0 0 3px {css("chosen")}, 0 0 0 200vmax rgba(0, 0, 0, 0.4); }}
    .frame[hidden] {{ display: none; }}
    .step {{ position: fixed; z-index: 1401; width: min(330px, 92vw); box-sizing: border-box; padding: 12px 16px;
        border-radius: 4px; font: 14px/1.45 sans-serif; color: {css("text")}; background: {css("surface")};
        border: 1px solid {css("muted")}; box-shadow: 0 4px 16px rgba(0, 0, 0, 0.4); }}
    .step:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
    .step .title {{ margin-bottom: 4px; font-weight: 600; }}
    .step .row {{ display: flex; gap: 6px; align-items: center; margin-top: 10px; }}
    .step .count {{ margin-right: auto; color: {css("hint")}; }}
    .step button {{ height: 28px; padding: 0 12px; border: 1px solid {css("muted")}; border-radius: 4px; font: inherit;
        color: inherit; background: none; cursor: pointer; }}
    .step button:hover:enabled {{ background: {css("grid")}; }}
    .step button:disabled {{ opacity: 0.4; cursor: default; }}
    .step .next {{ color: {css("surface")}; background: {css("value")}; border-color: {css("value")}; }}
    .step .next:hover:enabled {{ color: {css("text")}; }}
    .step button:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: 2px; }}
"""
    ]

    def __init__(self, selection: Selection, **params: Any) -> None:
        super().__init__(**params)
        self._selection = selection
        selection.param.watch(self._on_brush, [*BRUSHES, "kept"])
        self._on_brush()

    def _on_brush(self, *_: param.parameterized.Event) -> None:
        is_brushed = any(getattr(self._selection, name) is not None for name in BRUSHES)
        self.has_room = not (is_brushed or self._selection.kept)

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if "tour" in data:
            self._send_msg({"script": module_text("vitpanel.app", "tour.js")})
