"""The words at the left of the page's header: the study's title, and why it begins with this head and this image."""

from typing import Any

import panel as pn
import param

from vitpanel.app.study_card import study_title
from vitpanel.state.first_values import first_values, why_first
from vitpanel.state.session import Session
from vitpanel.study.reader import Study
from vitpanel.views.base import escaped

# Narrower than its words where others need the room, before these are.
_PLACE = {"margin-right": "auto", "flex": "0 9 auto", "min-width": "110px", "align-self": "center"}
_STYLE = """
    :host { overflow: hidden; color: white; }
    h1, p { margin: 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
    h1 { font: 500 16px/1.15 sans-serif; }
    p { font: 11.5px/1.2 sans-serif; }
"""


class Heading(pn.pane.HTML):
    """A title, and a line below it where there is one to say.

    Parameters
    ----------
    title
        Of the page.
    line
        Smaller, below the title.
    """

    def __init__(self, title: str, *, line: str = "", **params: Any) -> None:
        super().__init__(_html(title, line), stylesheets=[_STYLE], margin=(0, 12), styles=_PLACE, **params)

    def say(self, title: str, *, line: str = "") -> None:
        """Say something else; nothing is sent where it is the same."""
        self.object = _html(title, line)


class StudyHeading(Heading):
    """The title of a study, and why its first head and image are those, as long as no others are chosen.

    Parameters
    ----------
    session
        Whose study and selection they are.
    """

    def __init__(self, session: Session, **params: Any) -> None:
        self._session, self._first = session, first_values(session.study)
        super().__init__(study_title(session.study), line=self._line(), **params)
        session.selection.param.watch(self._show, ["image", "layer", "head"])

    def renew(self, study: Study) -> None:
        """Say what the same study has now."""
        self._first = first_values(study)
        self._show()

    def _show(self, *_: param.parameterized.Event) -> None:
        self.say(study_title(self._session.study), line=self._line())

    def _line(self) -> str:
        selection, first = self._session.selection, self._first
        is_first = all(getattr(selection, name) == first.get(name) for name in ("image", "layer", "head"))
        return why_first(first) if is_first else ""


def _html(title: str, line: str) -> str:
    title, line = escaped(title), escaped(line)
    below = f'<p title="{line}">{line}</p>' if line else ""
    return f'<h1 title="{title}">{title}</h1>{below}'
