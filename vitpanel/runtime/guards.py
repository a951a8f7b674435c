"""All guards of the server together."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import panel as pn

from vitpanel.runtime import embedding, handlers, messages, sessions
from vitpanel.runtime.incidents import present
from vitpanel.runtime.patching import check_versions

_installed: list[bool] = []


def install(*, embed: Iterable[str] = ()) -> None:
    """Guard all Bokeh servers of this process, those that are there and those to come.

    Parameters
    ----------
    embed
        Origins of other sites that may show the app within their pages.

    Raises
    ------
    UnguardedError
        If a guard is not known to hold for the version of Bokeh, Panel or Tornado that is installed.
    VitpanelError
        If one of ``embed`` is no origin.
    """
    embedding.allow(embed)
    if _installed:
        return
    check_versions()
    for part in (sessions, messages, handlers):
        part.patch()
    _installed.append(True)


def are_installed() -> bool:
    """Whether the servers of this process are guarded."""
    return bool(_installed)


def present_guarded(make: Callable[[], Any], *, title: str) -> None:
    """Guard the server, and put what ``make`` returns on the page of the visitor whose session is being made.

    This is for scripts. Panel runs them at the first visit, when it has written a token for it that is not signed and
    may hold cookies. Such a page is not sent: its visitor is told to ask again.
    """
    present(partial(_ask_again_or_make, make), title=title)


def _ask_again_or_make(make: Callable[[], Any]) -> Any:
    install()
    context: Any = pn.state.curdoc and pn.state.curdoc.session_context
    # No server is there yet when `--warm` runs the script.
    if not context or context.server_context is None or sessions.is_guarded(context.id):
        return make()
    request = context.request
    query = f"?{request.query}" if request.query else ""
    # Relative, since a proxy may know the page by another address. Panel redirects to what this returns.
    pn.config.authorize_callback = lambda _user, path: f"./{path.rpartition('/')[2]}{query}"
    return pn.Spacer()
