"""The button in the page's header that saves a report of what is looked at."""

from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar

import panel as pn
import param

from vitpanel.app.lifetime import served_document
from vitpanel.app.opening import open_in_turn
from vitpanel.app.report.answers import GivenAnswers
from vitpanel.app.report.report import SUFFIX, Report
from vitpanel.runtime import incidents
from vitpanel.state.caption import study_name
from vitpanel.state.live import LiveModel
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.theme.palette import css
from vitpanel.views.background import Background
from vitpanel.views.bridge import Bridge
from vitpanel.views.component import Component


class ReportButton(Component):
    """Makes a report when it is pressed, and lets the browser save it.

    The model is asked beside the event loop; the figures are drawn on it, a little at a time and in turn with the pages
    that are being built, since HoloViews knows one thread.

    Parameters
    ----------
    session
        What is looked at.
    bridge
        The session's.
    live
        The model, None where there is none.
    """

    is_busy = param.Boolean(default=False, doc="Whether a report is being made; written by the server alone.")

    _module = ("vitpanel.app", "report_button.js")
    _stylesheets: ClassVar[list[str]] = [
        f"""
    :host {{ align-self: center; position: relative; }}
    button {{ width: 30px; height: 30px; padding: 5px; border: 0; border-radius: 4px; color: inherit; background: none;
        cursor: pointer; }}
    button svg {{ display: block; fill: currentColor; }}
    button:hover {{ background: rgba(0, 0, 0, 0.25); }}
    button:focus-visible {{ outline: 2px solid currentColor; outline-offset: -2px; }}
    button[aria-disabled="true"] {{ opacity: 0.5; cursor: progress; }}
    .words {{ position: absolute; right: 0; top: 38px; z-index: 1300; width: max-content; max-width: 280px;
        padding: 6px 10px; font: 13px/1.4 sans-serif; color: {css("text")}; background: {css("surface")};
        border: 1px solid {css("muted")}; border-radius: 4px; box-shadow: 0 4px 16px rgba(0, 0, 0, 0.25); }}
    .words:empty {{ display: none; }}
"""
    ]

    def __init__(self, session: Session, bridge: Bridge, *, live: LiveModel | None, **params: Any) -> None:
        super().__init__(**params)
        self._session, self._live = session, live
        self._background = Background(bridge, is_slow=True)

    def _handle_msg(self, data: dict[str, Any]) -> None:
        """Make a report of what is looked at now, unless one is being made."""
        if "make" not in data or self.is_busy:
            return
        self.is_busy = True
        study, live, selection = self._session.study, self._live, self._session.selection.but()
        self._background.run(
            lambda: None if live is None else GivenAnswers(live, study, selection), partial(self._draw, selection)
        )

    def _draw(self, selection: Selection, live: LiveModel | None) -> None:
        steps, document = self._steps(Report(self._session.study, selection, live=live)), served_document()
        if document is None:
            deque(steps, maxlen=0)
        else:
            pn.state.execute(partial(open_in_turn, document, steps, lambda _n_before: None))

    def _steps(self, report: Report) -> Iterator[None]:
        try:
            yield from report.steps()
            file = f"{study_name(self._session.study)}-report{SUFFIX}"
            self._send_msg({"file": file, "text": report.html()})
        except Exception as error:  # noqa: BLE001 - the page stands, and says so
            self._send_msg({"words": incidents.report("The report could not be made.", error)})
        finally:
            self.is_busy = False
