"""What goes wrong on the server: a sentence with an id for the visitor, all else for the log."""

import logging
import secrets
import weakref
from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any

import panel as pn
from bokeh.document import Document
from panel.io.state import set_curdoc

from vitpanel.errors import UnguardedError
from vitpanel.theme.notices import create_notice

_OVER_ALL = {"position": "fixed", "right": "12px", "top": "48px", "z-index": "10001"}

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

    The page is called ``title``, unless ``make`` gives its document another one. If it fails, and whenever a callback
    of Panel fails later, the page says so with an id.
    """
    document = pn.state.curdoc
    # Panel keeps this as long as the document is there, so it must not hold the document.
    pn.config.exception_handler = partial(_callback_failed, None if document is None else weakref.ref(document))
    try:
        if document is not None:
            document.title = title
        page = make()
        page.servable(title=title if document is None else document.title)
    except UnguardedError as error:
        create_notice(escape(f"{error.message} {error.hint}")).servable(title=title)
    except Exception as error:  # noqa: BLE001 - Panel would show any to the visitor, with its traceback
        sentence = report("The page could not be made.", error)
        if document is not None:
            document.clear()
        create_notice(sentence).servable(title=title)


def _callback_failed(reference: "weakref.ref[Document] | None", error: Exception) -> None:
    sentence = report("A callback failed.", error)
    document = None if reference is None else reference()
    if document is not None:
        tell(document, sentence)


def _notify(document: Document, sentence: str) -> None:
    with set_curdoc(document):
        close = pn.widgets.Button(label="Close", align="center", margin=(0, 8))
        notice = pn.Row(create_notice(escape(sentence), margin=4), close, styles=_OVER_ALL)
        # In the browser alone: the server may be at its worst.
        close.js_on_click(args={"notice": notice}, code="notice.visible = false")
        notice.server_doc(document, location=False)
