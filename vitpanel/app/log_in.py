"""The page on which visitors log in with a password."""

import logging
import re
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from panel.auth import BasicAuthProvider, BasicLoginHandler, LogoutHandler
from panel.config import config

from vitpanel.app.users import Users
from vitpanel.errors import VitpanelError
from vitpanel.runtime.scripts import module_text
from vitpanel.theme.palette import css_variables

ANYBODY = "visitor"  # who has the password for all and gives no name
OUT_OF_ORDER = "Nobody can log in at the moment. The log of the server says why: tell whoever runs it."
_TEMPLATE = Path(__file__).with_name("log_in.html")

logger = logging.getLogger(__name__)


class LogIn(BasicAuthProvider):
    """Panel's log-in with a password, with a page of our own.

    Parameters
    ----------
    users
        Those who are let in.
    """

    def __init__(self, users: Users) -> None:
        self.users = users
        super().__init__(login_template=str(_TEMPLATE))

    @property
    def login_handler(self) -> type[BasicLoginHandler]:
        """The page; Panel gives the template to its own, of which ours has it."""
        _ = super().login_handler
        return LogInPage

    @property
    def logout_handler(self) -> type[LogoutHandler]:
        """What ends a log-in."""
        return LogOut


class LogInPage(BasicLoginHandler):
    """Asks for a password, and leads to the address that was asked for first.

    That address is kept in the form. Panel keeps it in a cookie, which it forgets after a wrong password, and which all
    tabs share (`BasicLoginHandler` in https://github.com/holoviz/panel/blob/v1.9.4/panel/auth.py).
    """

    application: Any  # Bokeh's, which has the provider and the prefix

    def get(self) -> None:
        """Show the form."""
        self._show(self.get_query_argument("next", ""))

    def post(self) -> None:
        """Let a visitor in, or show the form again with what is wrong."""
        asked, name = self.get_body_argument("next", ""), self.get_body_argument("username", "")
        users: Users = self.application.auth_provider.users
        try:
            is_known = users.know(name, self.get_body_argument("password", "", strip=False))
        except VitpanelError as error:
            logger.error("%s %s", error.message, error.hint)  # noqa: TRY400 - a traceback says nothing more
            self._show(asked, status=503, problem=OUT_OF_ORDER)
            return
        if is_known:
            self.set_current_user(name or ANYBODY)
            self.redirect(way_back(asked, self.application.prefix))
        else:
            what = "The password is" if users.file is None else "The user name or the password is"
            self._show(asked, status=403, problem=f"{what} wrong.")

    def _show(self, asked: str, *, status: int = 200, problem: str = "") -> None:
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        has_names = self.application.auth_provider.users.file is not None
        self.write(self._login_template.render(next=asked, problem=problem, has_names=has_names, **_look()))


class LogOut(LogoutHandler):
    """Ends a log-in; Panel's own leaves a cookie that is not for all paths, and its page asks others for a picture."""

    def get(self) -> None:
        """Forget who it was, and ask for a password."""
        for name in ("user", "id_token"):
            self.clear_cookie(name, path=config.cookie_path)
        self.redirect("./login")


def way_back(asked: str, prefix: str) -> str:
    """Address that was asked for, seen from the log-in page; the first page where it is none of this server.

    Relative, since a proxy may know the server by another address, and since it leads to no other server.

    Parameters
    ----------
    asked
        Path and query, as the server was asked for them.
    prefix
        What stands before all paths.

    Examples
    --------
    >>> way_back("/lab/first?image=12", "/lab")
    './first?image=12'
    >>> way_back("https://elsewhere.example/", "/lab")
    './'
    """
    found = re.fullmatch(rf"{re.escape(prefix)}/([!-\[\]-~]*)", asked)  # visible signs, without \
    return f"./{found[1]}" if found else "./"


@lru_cache(maxsize=1)
def _look() -> dict[str, Any]:
    """What the page has of all pages: colours in both themes, the script that chooses one, and the picture."""
    colours = "\n".join(
        f"{where} {{ {' '.join(f'{name}: {value};' for name, value in css_variables(dark=dark).items())} }}"
        for where, dark in ((":root", False), (":root.vp-dark", True))
    )
    picture = files("vitpanel.app").joinpath("icon.svg").read_text("utf-8").strip()
    return {
        "colours": colours,
        "look": module_text("vitpanel.app", "look.js"),
        "picture": picture,
        "icon": f"data:image/svg+xml,{quote(picture)}",
    }
