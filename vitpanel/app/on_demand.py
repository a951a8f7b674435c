"""A button in the page's header that opens a view over the lower row of the page."""

from collections.abc import Callable
from typing import Any, ClassVar

import panel as pn
import param
from panel.custom import Child

from vitpanel.app.page import HEADER_HEIGHT, OPENER
from vitpanel.theme.palette import css
from vitpanel.views.component import Component
from vitpanel.views.view import View


class OnDemand(Component):
    """Opens one view, which is built when it is opened for the first time; the button, ×, Esc and another one close it.

    Parameters
    ----------
    kind
        Class of the view.
    build
        Makes it, or words on why there is none.
    """

    title = param.String(default="", doc="What is on the button.")
    is_open = param.Boolean(default=False, doc="Whether the view is in sight; told by the browser.")
    content = Child(default=None, doc="The view; None until it is opened for the first time.")

    _module = ("vitpanel.app", "on_demand.js")
    # As high as the lower row, and below a view that fills the page (1250).
    _stylesheets: ClassVar[list[str]] = [
        OPENER,
        f"""
    :host {{ align-self: center; }}
    .over {{ position: fixed; inset: auto 0 0 0; height: calc(0.57 * (100vh - {HEADER_HEIGHT}px));
        min-height: 340px; z-index: 1200; display: flex; box-sizing: border-box;
        padding: 0 30px 0 0; color: {css("text")}; background: {css("surface")};
        border-top: 1px solid {css("muted")}; box-shadow: 0 -4px 16px rgba(0, 0, 0, 0.3); }}
    .over[hidden] {{ display: none; }}
    .over:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
    .over .opening {{ margin: auto; font: 13px sans-serif; }}
    .close {{ position: absolute; top: 12px; right: 4px; width: 28px; height: 28px; padding: 0; border: 0;
        border-radius: 4px; font: 24px/24px sans-serif; color: inherit; background: none; cursor: pointer; }}
    .close:hover {{ background: {css("grid")}; }}
    .close:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
""",
    ]

    def __init__(self, kind: type[View], build: Callable[[], pn.viewable.Viewable], **params: Any) -> None:
        super().__init__(title=kind.title, **params)
        self._build = build
        self.param.watch(self._on_open, "is_open")

    def _on_open(self, *_: param.parameterized.Event) -> None:
        if self.content is None:
            self.content = self._build()
