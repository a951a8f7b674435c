"""The page's address: it says what is chosen, so that a reload, a link and the browser's Back restore it."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

import panel as pn
import param
from panel.custom import JSComponent

from vitpanel.state.session import Session
from vitpanel.state.url import FIELDS, apply_query, starting_values, to_query
from vitpanel.views.scripts import module_text

LONGEST = 12_000  # characters of a query that is read


class Address(JSComponent):
    """Keeps a session's selection and the address of its page the same.

    Parameters
    ----------
    session
        Starts with what the address asks for; where the study does not have that, with what it starts with anyway.
    """

    query = param.String(default="", doc="What the address asks for, with its question mark; empty at the start.")

    _esm = module_text("vitpanel.app", "address.js")

    def __init__(self, session: Session, **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, **params)
        self._session, self._start = session, starting_values(session.selection)
        asked = _asked_for()
        self._others = {name: text for name, text in asked.items() if name not in FIELDS}
        self.notices = self._apply(asked)
        """Sentences about what the address asked for and the study does not have."""
        self.query = self._query()
        session.selection.param.watch(self._on_choice, list(FIELDS))

    def say(self, **others: str) -> None:
        """Say something in the address that is no part of the selection, like a theme; an empty text takes it out."""
        self._others = {name: text for name, text in (self._others | others).items() if text}
        self.query = self._query()

    def _query(self) -> str:
        said = self._others | to_query(self._session.selection, self._start)
        return f"?{urlencode(said)}" if said else ""

    def _apply(self, asked: dict[str, str]) -> list[str]:
        return apply_query(self._session.selection, asked, study=self._session.study, start=self._start)

    def _on_choice(self, *_: param.parameterized.Event) -> None:
        self.query = self._query()

    def _handle_msg(self, data: Any) -> None:
        """Go where the browser's Back or Forward has led."""
        asked = dict(parse_qsl(str(data)[:LONGEST].removeprefix("?")))
        self._apply(asked)


def _asked_for() -> dict[str, str]:
    """Texts of the page's query, the last of each name."""
    arguments = pn.state.session_args if pn.state.curdoc is not None else {}
    return {name: texts[-1].decode(errors="replace")[:LONGEST] for name, texts in arguments.items() if texts}
