"""The page's address: it says what is chosen, so that a reload, a link and the browser's Back restore it."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

import panel as pn
import param

from vitpanel.state.saved_state import FIELDS, STUDY, starting_values
from vitpanel.state.session import Session
from vitpanel.state.url import apply_query, left_out, to_query
from vitpanel.views.component import Component

LONGEST = 12_000  # characters of a query that is read


class Address(Component):
    """Keeps a session's selection and the address of its page the same.

    Each choice in the selection's history is an entry of the browser's; they go back and forth together: Back undoes
    a choice, and an undo goes back.

    Parameters
    ----------
    session
        Starts with what the address asks for; where the study does not have that, with what it starts with anyway.
    """

    # One parameter, so that the browser hears of both at once.
    entry = param.Dict(
        default={"query": "", "choice": 0},
        doc="What the address says, with its question mark, and the number of the choice that it belongs to.",
    )

    # Panel's pages do not hear of a new title of their document.
    tab = param.String(default="", doc="What the browser's tab says from now on; empty for what it says already.")

    _module = ("vitpanel.app", "address.js")

    def __init__(self, session: Session, **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, **params)
        self._session, self._start = session, starting_values(session.selection)
        asked = _asked_for()
        self._others = {name: text for name, text in asked.items() if name not in {*FIELDS, STUDY}}
        self.has_asked = any(name in FIELDS for name in asked)
        """Whether the address has asked for anything."""
        self.notices = self._apply(asked)
        """Sentences about what the address asked for and the study does not have."""
        session.selection.history.forget()  # a page starts with what it was asked for
        self._show()
        session.selection.param.watch(self._show, list(FIELDS))

    def say(self, **others: str) -> None:
        """Say something in the address that is no part of the selection, like a theme; an empty text takes it out."""
        self._others = {name: text for name, text in (self._others | others).items() if text}
        self._show()

    @property
    def left_out(self) -> list[str]:
        """What is chosen and has no room in the address, in words."""
        return left_out(self._session.selection, study=self._session.study, start=self._start)

    def _show(self, *_: param.parameterized.Event) -> None:
        selection = self._session.selection
        said = self._others | to_query(selection, study=self._session.study, start=self._start)
        self.entry = {"query": f"?{urlencode(said)}" if said else "", "choice": selection.history.present.number}

    def _apply(self, asked: dict[str, str]) -> list[str]:
        return apply_query(self._session.selection, asked, study=self._session.study, start=self._start)

    def _handle_msg(self, data: dict[str, Any]) -> None:
        """Go where the browser's Back or Forward has led: to a choice, or to what an older entry says."""
        choice = data.get("choice")
        if not (isinstance(choice, int) and self._session.selection.history.go_to(choice)):
            self._apply(dict(parse_qsl(str(data.get("query"))[:LONGEST].removeprefix("?"))))


def _asked_for() -> dict[str, str]:
    """Texts of the page's query, the last of each name."""
    arguments = pn.state.session_args if pn.state.curdoc is not None else {}
    return {name: texts[-1].decode(errors="replace")[:LONGEST] for name, texts in arguments.items() if texts}
