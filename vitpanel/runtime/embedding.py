"""Which other sites may show the app within their pages: none, unless they are named."""

import os
import re
from collections.abc import Iterable

from vitpanel.errors import VitpanelError

VARIABLE = "VITPANEL_ALLOW_EMBED"
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]+)?")
_allowed: set[str] = set()


def allow(origins: Iterable[str]) -> None:
    """Let pages of these origins show the app, and of those that the environment names.

    Raises
    ------
    VitpanelError
        If one of all these is no origin.
    """
    for origin in [*os.environ.get(VARIABLE, "").split(), *origins]:
        if not _ORIGIN.fullmatch(origin.lower()):
            message = f"{origin!r} is not the origin of a site that could show the app within its pages."
            raise VitpanelError(message, hint="Give scheme and host, and the port if any: https://lab.example:8000")
        _allowed.add(origin.lower())


def embedders() -> list[str]:
    """Origins of sites that may show the app, in lower case."""
    return sorted(_allowed)


def frame_ancestors() -> str:
    """Content-Security-Policy that says so."""
    return " ".join(["frame-ancestors 'self'", *embedders()])
