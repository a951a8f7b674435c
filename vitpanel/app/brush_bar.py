"""The bar in the page's header that says which images are brushed."""

from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from vitpanel.errors import VitpanelError, public_words
from vitpanel.state.brush import WAYS, Not, mask_of
from vitpanel.state.queries.image_set import describe_set
from vitpanel.state.session import Session
from vitpanel.theme.palette import css
from vitpanel.views.scripts import module_text


class BrushBar(JSComponent):
    """Says in a sentence which images are brushed and what they are made of; inverts the brush or clears it.

    It also says what the next brush does to this one, for who has no keys to hold. Without a brush it is empty and has
    its place in the header all the same, so that no view moves.

    Parameters
    ----------
    session
        Whose brush of images it speaks of.
    """

    name_of_brush = param.String(default="", doc="Which images are brushed; empty for none.")
    way = param.Selector(default="replace", objects=list(WAYS), doc="What the next brush does to this one.")
    made_of = param.String(default="", doc="How many they are, of which classes, and how many are predicted right.")

    _esm = module_text("vitpanel.app", "brush_bar.js")
    _stylesheets: ClassVar[list[str]] = [
        f"""
    :host {{ flex-grow: 1; min-width: 0 !important; align-self: center; }}
    .bar {{ display: flex; align-items: center; gap: 6px; height: 28px; padding: 0 4px 0 12px; border-radius: 14px;
        font: 12.5px/1.2 sans-serif; color: {css("text")}; background: {css("surface")};
        box-shadow: inset 4px 0 0 {css("brush")}; overflow: hidden; }}
    .bar[hidden] {{ display: none; }}
    .words {{ flex: 1; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }}
    button, select {{ flex: none; height: 22px; padding: 0 8px; font: inherit; color: inherit; background: none;
        border: 1px solid {css("muted")}; border-radius: 11px; cursor: pointer; }}
    button:hover {{ background: {css("grid")}; }}
    :is(button, select):focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
"""
    ]

    def __init__(self, session: Session, **params: Any) -> None:
        super().__init__(**params)
        self._session = session
        session.selection.param.watch(self._show, "images")
        self.param.watch(lambda event: session.selection.param.update(way=event.new), "way")
        session.selection.param.watch(lambda event: self.param.update(way=event.new), "way")
        self._show()

    def _show(self, *_: param.parameterized.Event) -> None:
        brush = self._session.selection.images
        if brush is None:
            self.param.update(name_of_brush="", made_of="")
            return
        try:
            made_of = " · ".join(describe_set(self._session.study, mask_of(self._session.study, brush)).parts)
        except VitpanelError as error:
            made_of = public_words(error.message)
        self.param.update(name_of_brush=brush.words, made_of=made_of)

    def _handle_msg(self, data: dict[str, Any]) -> None:
        """Do what a button asks for."""
        selection = self._session.selection
        if data.get("act") == "clear":
            selection.images = None
        elif data.get("act") == "invert" and selection.images is not None:
            brush = selection.images
            selection.images = brush.part if isinstance(brush, Not) else Not(brush)
