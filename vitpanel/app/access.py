"""Who may open the pages of a server, said before it starts."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from vitpanel.errors import VitpanelError


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
    """

    address: str = "localhost"
    origins: Sequence[str] = ()
    prefix: str = ""
    embed: Sequence[str] = ()
    basic_auth: str | None = None
    oauth: Mapping[str, str | None] = field(default_factory=dict)
    is_open: bool = False

    @property
    def log_in(self) -> dict[str, Any]:
        """Options of Panel's server for the log-in; empty without one."""
        options: dict[str, Any] = {name: value for name, value in self.oauth.items() if value is not None}
        if self.basic_auth is not None:
            options["basic_auth"] = self.basic_auth
        # Signs the cookies of those who are logged in; they log in anew when the server starts again.
        return options | ({"cookie_secret": secrets.token_hex(32)} if options else {})

    def check(self) -> None:
        """Check that a server which others than this computer reach says by which names, and who may come.

        Raises
        ------
        VitpanelError
            If it does not, or says two things of who may come.
        """
        given = self.log_in
        if self.is_open and given:
            message = "--no-auth and a log-in are both asked for."
            raise VitpanelError(message, hint="Leave one of them away.")
        if "oauth_provider" not in given and any(name.startswith("oauth") for name in given):
            message = "Options of OAuth are given, and no provider."
            raise VitpanelError(message, hint="Name it with --oauth-provider, for instance github or generic.")
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


def is_loopback(address: str) -> bool:
    """Whether only this computer reaches a server at an address."""
    try:
        return ip_address(address).is_loopback
    except ValueError:  # a name
        return address == "localhost"
