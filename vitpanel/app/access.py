"""Who may open the pages of a server, said before it starts."""

import os
import secrets
import socket
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from vitpanel.app.users import Users
from vitpanel.errors import VitpanelError

LAST_PORT = 65535


@dataclass(frozen=True)
class Access:
    """By which addresses a server is reached, and how its visitors log in.

    Parameters
    ----------
    address
        To listen on.
    origins
        Hosts by which browsers may reach the server besides its own, as HOST or HOST:PORT.
    prefix
        What stands before all paths, as a proxy hands them on; empty for nothing.
    embed
        Origins of other sites that may show the app within their pages.
    basic_auth
        A password for all, or a JSON file of users and passwords; None for no log-in of this kind.
    oauth
        Options of Panel's OAuth by their names, such as ``oauth_provider``; None values are left out. See
        https://panel.holoviz.org/how_to/authentication/providers.html
    is_open
        Whether everybody may come who reaches the server: to be said for one that others than this computer reach.
    unix_socket
        File to listen on instead of an address, in a folder that its owner alone can enter; None for an address.
    """

    address: str = "localhost"
    origins: Sequence[str] = ()
    prefix: str = ""
    embed: Sequence[str] = ()
    basic_auth: str | None = None
    oauth: Mapping[str, str | None] = field(default_factory=dict)
    is_open: bool = False
    unix_socket: Path | None = None

    @property
    def users(self) -> Users | None:
        """Who is let in with a password, None without a log-in of this kind; raises as `Users.named_by` does."""
        return None if self.basic_auth is None else Users.named_by(self.basic_auth)

    @property
    def log_in(self) -> dict[str, Any]:
        """Options of Panel's server for the log-in, besides our own page for `users`; empty without one."""
        options: dict[str, Any] = {name: value for name, value in self.oauth.items() if value is not None}
        # Signs the cookies of those who are logged in; they log in anew when the server starts again.
        is_asked_for = options or self.basic_auth is not None
        return options | ({"cookie_secret": secrets.token_hex(32)} if is_asked_for else {})

    def check(self) -> None:
        """Check that a server which others than this computer reach says by which names, and who may come.

        Raises
        ------
        VitpanelError
            If it does not, says two things of who may come, or names a log-in that would let everybody or nobody in.
        """
        given = self.log_in
        self._check_log_in(given)
        if self.unix_socket is not None:
            check_socket(self.unix_socket)
            return
        if is_loopback(self.address):
            return
        if not self.origins:
            message = f"Others than this computer reach {self.address}, and it is not said by which name."
            hint = "Give it with --allow-websocket-origin, for instance lab.example:5006; or leave --address away."
            raise VitpanelError(message, hint=hint)
        if not given and not self.is_open:
            message = f"Others than this computer reach {self.address}, and nobody would have to log in."
            hint = "Give --basic-auth PASSWORD or --oauth-provider, or say --no-auth if a proxy asks who comes."
            raise VitpanelError(message, hint=hint)

    def _check_log_in(self, given: Mapping[str, Any]) -> None:
        if self.is_open and given:
            message = "--no-auth and a log-in are both asked for."
            raise VitpanelError(message, hint="Leave one of them away.")
        # Panel takes what is empty for what is not given, and serves everybody.
        for name in (name for name, value in self.oauth.items() if value is not None and not value.strip()):
            message = f"--{name.replace('_', '-')} is empty."
            raise VitpanelError(
                message, hint="Is the variable set that it is taken from? Give a value, or leave it away."
            )
        if "oauth_provider" not in given and any(name.startswith("oauth") for name in given):
            message = "Options of OAuth are given, and no provider."
            raise VitpanelError(message, hint="Name it with --oauth-provider, for instance github or generic.")
        if "oauth_provider" in given:
            _check_provider(given["oauth_provider"])
        if self.users is not None and "oauth_provider" in given:
            message = "--basic-auth and --oauth-provider are both given."
            raise VitpanelError(message, hint="Leave one of them away.")


def _check_provider(name: str) -> None:
    # Here, since it is slow to import and seldom needed.
    from panel.auth import AUTH_PROVIDERS

    if name not in AUTH_PROVIDERS:
        message = f"--oauth-provider is {name}, which Panel does not have."
        raise VitpanelError(message, hint=f"Give one of {', '.join(sorted(AUTH_PROVIDERS))}.")


def check_port(port: int) -> None:
    """Refuse a port that there cannot be."""
    if not 0 <= port <= LAST_PORT:
        message = f"--port is {port}."
        raise VitpanelError(message, hint=f"Give a whole number from 1 to {LAST_PORT}, or 0 for a free port.")


def check_socket(path: Path) -> None:
    """Check that a unix socket can be made at a path where nobody but its owner reaches or replaces it.

    Raises
    ------
    VitpanelError
        If there are none here, its folder is not there or not closed to other users, or something is in its place.
    """
    if not hasattr(socket, "AF_UNIX"):
        message = "This system has no unix sockets."
        raise VitpanelError(message, hint="Leave --unix-socket away.")
    folder = path.absolute().parent
    hint = f"mkdir -p -m 700 {folder}"
    try:
        found = folder.stat()
    except OSError as error:
        message = f"The folder {folder} of the unix socket cannot be used: {error.strerror}."
        raise VitpanelError(message, hint=hint) from error
    if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid != os.getuid():
        message = f"{folder}, the folder of the unix socket, is not closed to others than you."
        raise VitpanelError(message, hint=f"Take a folder that only you can enter: {hint}/NAME")
    if path.exists() and (not path.is_socket() or _answers(path)):
        message = f"{path} is there already, and it is not the socket of a server that has ended."
        raise VitpanelError(message, hint="Name another file with --unix-socket, or end the server that uses it.")


def _answers(path: Path) -> bool:
    """Whether a server listens at a unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def is_loopback(address: str) -> bool:
    """Whether only this computer reaches a server at an address."""
    try:
        return ip_address(address).is_loopback
    except ValueError:  # a name
        return address == "localhost"
