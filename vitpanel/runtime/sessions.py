"""Sessions that nobody can forge, and pages that do not tell what the browser sent."""

import hmac
import os
from multiprocessing import current_process

from bokeh.server.tornado import BokehTornado
from bokeh.settings import settings
from bokeh.util.token import check_session_id_signature

from vitpanel.runtime.patching import replace

OFF = {"no", "false", "off", "0"}


def made_key() -> bytes:
    """Key of this server, made when it was started.

    It comes from the key that Python makes for every process that is started and that its forks inherit, so all
    workers of ``--num-procs`` have the same one, whenever they ask.
    """
    return hmac.digest(bytes(current_process().authkey), b"sessions of vitpanel", "sha256")


def is_guarded(session_id: str) -> bool:
    """Whether a session was made since the guards are there."""
    key = settings.secret_key_bytes() or made_key()
    return check_session_id_signature(session_id, secret_key=key, signed=_signs())


def patch() -> None:
    """Sign sessions unless BOKEH_SIGN_SESSIONS says no, and keep headers and cookies out of the token.

    Bokeh asks a server for these at every request, so servers that are there already are guarded as well.
    """
    replace(BokehTornado, "sign_sessions", property(_sign_sessions))
    replace(BokehTornado, "secret_key", property(_secret_key))
    replace(BokehTornado, "include_headers", property(_include_headers))
    replace(BokehTornado, "include_cookies", property(_include_cookies))


def _sign_sessions(server: BokehTornado) -> bool:
    # Bokeh takes the "no" of the variable for a yes.
    return _signs() or server._sign_sessions is True  # noqa: SLF001


def _signs() -> bool:
    return os.environ.get("BOKEH_SIGN_SESSIONS", "").lower() not in OFF


def _secret_key(server: BokehTornado) -> bytes:
    return server._secret_key or made_key()  # noqa: SLF001


def _include_headers(server: BokehTornado) -> list[str]:
    return ["Host"] if server._include_headers is None else server._include_headers  # noqa: SLF001


def _include_cookies(server: BokehTornado) -> list[str]:
    return [] if server._include_cookies is None else server._include_cookies  # noqa: SLF001
