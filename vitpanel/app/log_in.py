"""The page on which visitors log in with a password."""

import asyncio
import hmac
import json
import logging
import re
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from functools import lru_cache
from importlib.resources import files
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote

from panel.auth import BasicAuthProvider, BasicLoginHandler, LogoutHandler
from panel.config import config
from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from vitpanel.app.users import Users
from vitpanel.errors import VitpanelError
from vitpanel.runtime.scripts import module_text
from vitpanel.theme.palette import css_of_themes

ANYBODY = "visitor"  # who has the password for all and gives no name
OUT_OF_ORDER = "Nobody can log in at the moment. The log of the server says why: tell whoever runs it."
TOO_MANY = "Too many passwords are being tried from where you are. Wait a little, then log in again."
PROOF = "proof"  # cookie beside the name
# Wrong passwords that an address may send before it waits, seconds that it waits then, and those after which its last
# wrong one is forgotten.
N_FREE, WAIT, FORGOTTEN = 5, 2.0, 600.0
# Of one address at a time; without a bound, guesses would be sent side by side.
MOST_WAITING = 10
MOST_ADDRESSES = 10_000
_TEMPLATE = Path(__file__).with_name("log_in.html")

logger = logging.getLogger(__name__)


class Patience:
    """Lets an address that has sent wrong passwords wait for each further answer.

    A right password makes none of them forgotten: who has one could guess those of others in between.

    Parameters
    ----------
    wait
        Lets some seconds pass.
    clock
        Says how many seconds have passed.
    """

    def __init__(
        self, *, wait: Callable[[float], Awaitable[Any]] = asyncio.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._wait = wait
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()  # how many, and when the last one came
        self._waiting: Counter[str] = Counter()

    async def wait(self, address: str) -> bool:
        """Wait as long as an address has to; whether it is to be answered, since too many others of it wait if not."""
        place = place_of(address)
        if self._n_failures(place) < N_FREE:
            return True
        if self._waiting[place] >= MOST_WAITING:
            return False
        self._waiting[place] += 1
        try:
            await self._wait(WAIT)
        finally:
            self._waiting[place] -= 1
            if not self._waiting[place]:
                del self._waiting[place]
        return True

    def note_failure(self, address: str) -> None:
        """Note a wrong password, and forget the address that has sent none for the longest time if there are many."""
        place = place_of(address)
        n_failures = self._n_failures(place) + 1
        self._failures[place] = n_failures, self._clock()
        self._failures.move_to_end(place)
        if len(self._failures) > MOST_ADDRESSES:
            self._failures.popitem(last=False)
        if n_failures == N_FREE:
            logger.warning("%d wrong passwords have come from %s, which waits from now on.", n_failures, place)

    def _n_failures(self, place: str) -> int:
        n_failures, last = self._failures.get(place, (0, 0.0))
        return n_failures if n_failures and self._clock() - last < FORGOTTEN else 0


class LogIn(BasicAuthProvider):
    """Panel's log-in with a password, with a page of our own.

    Parameters
    ----------
    users
        Those who are let in.
    patience
        With those who send wrong passwords.
    """

    def __init__(self, users: Users, *, patience: Patience | None = None) -> None:
        self.users = users
        self.patience = patience or Patience()
        self._key = secrets.token_bytes(32)
        super().__init__(login_template=str(_TEMPLATE))

    @property
    def get_user(self) -> Callable[..., str | None]:
        """Who sends a request: nobody, once their name or their password is not the one that they logged in with.

        Panel believes its cookie for a day, whatever the file of users says meanwhile.
        """
        named_by_cookie = super().get_user

        def get_user(request_handler: RequestHandler) -> str | None:
            return named_by_cookie(request_handler) if self._is_still_known(request_handler) else None

        return get_user

    def proof(self, name: str) -> str:
        """What a cookie says of the password that somebody has now; empty for who is not let in.

        It tells nothing of the password without the key, which ends with the server. Raises as `Users.password_of`.
        """
        password = self.users.password_of(name)
        if not password:
            return ""
        # As JSON, in which it is clear where the name ends.
        return hmac.new(self._key, json.dumps([name, password]).encode(), "sha256").hexdigest()

    def _is_still_known(self, handler: RequestHandler) -> bool:
        days = config.oauth_expiry
        name, given = (handler.get_signed_cookie(cookie, max_age_days=days) for cookie in ("user", PROOF))
        if not name or not given:
            return False
        try:
            return hmac.compare_digest(given, self.proof(name.decode()).encode())
        except VitpanelError as error:
            _log(error)
            return False

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

    async def post(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - Tornado takes both
        """Let a visitor in, or show the form again with what is wrong; who has guessed waits first."""
        asked, name = self.get_body_argument("next", ""), self.get_body_argument("username", "")
        log_in: LogIn = self.application.auth_provider
        address = self.request.remote_ip or ""
        if not await log_in.patience.wait(address):
            self._show(asked, status=429, problem=TOO_MANY)
            return
        try:
            if log_in.users.know(name, self.get_body_argument("password", "", strip=False)):
                self.set_current_user(name or ANYBODY)
                self.redirect(way_back(asked, self.application.prefix))
                return
        except VitpanelError as error:
            _log(error)
            self._show(asked, status=503, problem=OUT_OF_ORDER)
            return
        log_in.patience.note_failure(address)
        what = "The password is" if log_in.users.file is None else "The user name or the password is"
        self._show(asked, status=403, problem=f"{what} wrong.")

    def set_current_user(self, user: str) -> None:
        """Give the browser its cookies, with the proof that it was let in with the password of today."""
        proof = self.application.auth_provider.proof(user)
        super().set_current_user(user)
        days = config.oauth_expiry
        self.set_signed_cookie(PROOF, proof, expires_days=days, httponly=True, path=config.cookie_path)

    def set_cookie(self, name: str, value: str | bytes, *args: Any, **options: Any) -> None:
        """Set a cookie that other sites do not let the browser send, nor anybody over http where this came by https."""
        flags = {"secure": came_by_https(self.request), "samesite": "Lax"}
        super().set_cookie(name, value, *args, **flags | options)

    def _show(self, asked: str, *, status: int = 200, problem: str = "") -> None:
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        has_names = self.application.auth_provider.users.file is not None
        self.write(self._login_template.render(next=asked, problem=problem, has_names=has_names, **_look()))


class LogOut(LogoutHandler):
    """Ends a log-in; Panel's own leaves a cookie that is not for all paths, and its page asks others for a picture."""

    def get(self) -> None:
        """Forget who it was, and ask for a password."""
        for name in ("user", "id_token", PROOF):
            self.clear_cookie(name, path=config.cookie_path)
        self.redirect("./login")


def came_by_https(request: HTTPServerRequest) -> bool:
    """Whether the browser asked by https, also where a proxy hands its request on by http.

    A browser that says so itself only spoils its own cookies, so that every proxy is believed.
    """
    first = request.headers.get("X-Forwarded-Proto", "").partition(",")[0]  # of several proxies the browser's own
    return request.protocol == "https" or first.strip().lower() == "https"


def place_of(address: str) -> str:
    """Where an address is, as far as one visitor may have many: of IPv6, its network.

    Examples
    --------
    >>> place_of("192.0.2.7"), place_of("::ffff:192.0.2.7"), place_of("2001:db8:0:1::7")
    ('192.0.2.7', '192.0.2.7', '2001:db8:0:1::')
    """
    try:
        found = ip_address(address)
    except ValueError:  # of a unix socket
        return address
    if found.version == 4:  # noqa: PLR2004 - of the protocol
        return str(found)
    return str(found.ipv4_mapped or ip_address(int(found) >> 64 << 64))


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


def _log(error: VitpanelError) -> None:
    logger.error("%s %s", error.message, error.hint)


@lru_cache(maxsize=1)
def _look() -> dict[str, Any]:
    """What the page has of all pages: colours in both themes, the script that chooses one, and the picture."""
    picture = files("vitpanel.app").joinpath("icon.svg").read_text("utf-8").strip()
    return {
        "colours": css_of_themes(),
        "look": module_text("vitpanel.app", "look.js"),
        "picture": picture,
        "icon": f"data:image/svg+xml,{quote(picture)}",
    }
