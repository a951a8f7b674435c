"""The buttons in the page's header that undo and redo, list the last choices, and copy a link to what is chosen."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import param

from vitpanel.core.spec import short_head_name
from vitpanel.state.history import Choice
from vitpanel.state.saved_state import FIELDS
from vitpanel.state.session import Session
from vitpanel.study.reader import Study
from vitpanel.theme.palette import css
from vitpanel.views.background import Background
from vitpanel.views.bridge import Bridge
from vitpanel.views.component import Component
from vitpanel.views.figures.image_card import is_crisp, thumbnail_uri

MOST_LISTED = 12
MOST_UNDONE = 4  # of those listed, so many can be choices that were undone
_BUTTONS = """
    :host { align-self: center; }
    .buttons { display: flex; }
    .buttons > button { width: 30px; height: 30px; padding: 5px; border: 0; border-radius: 4px; color: inherit;
        background: none; cursor: pointer; }
    .buttons > button.narrow { width: 18px; padding: 5px 1px; }
    button svg { display: block; fill: currentColor; }
    .buttons > button:hover:enabled, .buttons > button[aria-expanded=true] { background: rgba(0, 0, 0, 0.25); }
    .buttons > button:focus-visible { outline: 2px solid currentColor; outline-offset: -2px; }
    .buttons > button:disabled { opacity: 0.4; cursor: default; }
"""
_LIST = f"""
    .list {{ inset: auto; margin: 0; padding: 8px; width: min(380px, 92vw); max-height: min(620px, 84vh);
        box-sizing: border-box; overflow-y: auto; font: 12.5px/1.35 sans-serif; color: {css("text")};
        background: {css("surface")}; border: 1px solid {css("muted")}; border-radius: 4px;
        box-shadow: 0 4px 16px rgba(0, 0, 0, 0.25); }}
    .list h2 {{ margin: 0 4px 4px; font-size: 14px; }}
    .list ol {{ margin: 0; padding: 0; list-style: none; }}
    .list button {{ display: grid; grid-template-columns: 40px 1fr auto; gap: 10px; align-items: center; width: 100%;
        padding: 3px 6px; border: 0; border-radius: 4px; font: inherit; color: inherit; text-align: left;
        background: none; cursor: pointer; }}
    .list button:hover {{ background: {css("grid")}; }}
    .list button:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
    .list button[aria-current] {{ box-shadow: inset 3px 0 0 {css("chosen")}; font-weight: 600; }}
    .list .undone {{ opacity: 0.6; }}
    .list :is(img, .all) {{ width: 40px; height: 40px; box-sizing: border-box; background: {css("grid")};
        border: 1px solid {css("muted")}; border-radius: 2px; }}
    .list img {{ object-fit: contain; }}
    .list img.crisp {{ image-rendering: pixelated; }}
    .list .all {{ display: grid; place-items: center; font-size: 11px; color: {css("hint")}; }}
    .list .words {{ overflow-wrap: anywhere; }}
    .list .head {{ color: {css("hint")}; font-weight: normal; white-space: nowrap; }}
    .note {{ position: fixed; inset: 48px 12px auto auto; z-index: 1300; max-width: 360px; padding: 8px 14px;
        border: 1px solid {css("muted")}; border-radius: 4px; font: 13px/1.4 sans-serif; color: {css("text")};
        background: {css("surface")}; box-shadow: 0 4px 16px rgba(0, 0, 0, 0.25); }}
    .note:empty {{ display: none; }}
"""


class HistoryButtons(Component):
    """Undoes, does again, lists the last choices with pictures, and copies the page's address.

    Parameters
    ----------
    session
        Whose choices they are.
    bridge
        The session's.
    left_out
        Says what the address has no room for.
    """

    undo_words = param.String(default="", doc="What an undo takes back; empty for nothing.")
    redo_words = param.String(default="", doc="What can be done again; empty for nothing.")

    _module = ("vitpanel.app", "history_buttons.js")
    _stylesheets: ClassVar[list[str]] = [_BUTTONS, _LIST]

    def __init__(self, session: Session, bridge: Bridge, left_out: Callable[[], list[str]], **params: Any) -> None:
        super().__init__(**params)
        self._session, self._left_out = session, left_out
        self._painter = Background(bridge)
        session.selection.param.watch(self._show, [*FIELDS, "jumps"])
        self._show()

    def _show(self, *_: param.parameterized.Event) -> None:
        history = self._session.selection.history
        undone, redone = history.present if history.before else None, history.after
        self.param.update(undo_words=undone.words if undone else "", redo_words=redone.words if redone else "")

    def _handle_msg(self, data: dict[str, Any]) -> None:
        """Do what a button asks for."""
        history = self._session.selection.history
        act, choice = data.get("act"), data.get("choice")
        if act == "undo":
            history.undo()
        elif act == "redo":
            history.redo()
        elif act == "list":
            make = partial(listed_choices, self._session.study, history.choices, history.present)
            self._painter.run(make, lambda rows: self._send_msg({"rows": rows}))
        elif act == "copied":
            self._send_msg({"note": copied_words(self._left_out())})
        elif isinstance(choice, int):
            history.go_to(choice)


def listed_choices(study: Study, choices: Sequence[Choice], present: Choice) -> list[dict[str, Any]]:
    """The last choices, newest first, each with its picture, as `history_buttons.js` has them.

    Those that were undone stand before the present; pictures are read from the disk.
    """
    at = [choice.number for choice in choices].index(present.number)
    end = min(at + 1 + MOST_UNDONE, len(choices))
    shown = range(max(0, end - MOST_LISTED), end)
    return [_row(study, choices[place], place - at) for place in reversed(shown)]


def _row(study: Study, choice: Choice, distance: int) -> dict[str, Any]:
    """One choice; ``distance`` is above 0 for one that was undone, 0 for the present."""
    image = choice.values["image"]
    return {
        "choice": choice.number,
        "words": choice.words or "where you started",
        "head": short_head_name(choice.values["layer"], choice.values["head"]),
        "image": image,
        "picture": "" if image is None else thumbnail_uri(study, image),
        "is_crisp": is_crisp(study),
        "distance": distance,
    }


def copied_words(left_out: list[str]) -> str:
    """What is said when the address has been copied."""
    if not left_out:
        return "Copied: a link to all that is chosen."
    return f"Copied. The link has no room for {' and '.join(left_out)}."
