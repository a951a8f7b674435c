"""What goes wrong on the server: a sentence with an id for the visitor, all else for the log."""

import logging
import secrets
import weakref
from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any

import panel as pn
import panel_material_ui as pmui
from bokeh.document import Document
from panel.io.state import set_curdoc

from vitpanel.errors import UnguardedError

logger = logging.getLogger("vitpanel")


def report(what: str, error: BaseException | None = None) -> str:
    """Write what went wrong to the log, with the traceback of ``error``; return the sentence for the visitor."""
    incident = secrets.token_hex(4)
    logger.error("Incident %s: %s", incident, what, exc_info=error)
    return f"Something went wrong on the server. Its log has the details under {incident}."


def tell(document: Document, sentence: str) -> None:
    """Show a sentence on a visitor's page until it is closed there; from the thread of the session's loop."""
    document.add_next_tick_callback(partial(_notify, document, sentence))


def present(make: Callable[[], Any], *, title: str) -> None:
    """Put what ``make`` returns on the page of the visitor whose session is being made.

    If it fails, and whenever a callback of Panel fails later, the page says so with an id.
    """
    document = pn.state.curdoc
    # Panel keeps this as long as the document is there, so it must not hold the document.
    pn.config.exception_handler = partial(_callback_failed, None if document is None else weakref.ref(document))
    pn.config.notifications = True
    try:
        make().servable(title=title)
    except UnguardedError as error:
        _alert(escape(f"{error.message} {error.hint}")).servable(title=title)
    except Exception as error:  # noqa: BLE001 - Panel would show any to the visitor, with its traceback
        sentence = report("The page could not be made.", error)
        if document is not None:
            document.clear()
        _alert(sentence).servable(title=title)


def _alert(sentence: str) -> pmui.Alert:
    return pmui.Alert(object=sentence, alert_type="error", margin=16)


def _callback_failed(reference: "weakref.ref[Document] | None", error: Exception) -> None:
    sentence = report("A callback failed.", error)
    document = None if reference is None else reference()
    if document is not None:
        tell(document, sentence)


def _notify(document: Document, sentence: str) -> None:
    with set_curdoc(document):
        area = pn.state.notifications
        if area is not None:
            area.error(sentence, duration=0)
