"""Bokeh's and Panel's handlers of requests, each with its guards in front."""

import sys
from functools import cache
from types import TracebackType
from typing import Any

from bokeh.server.tornado import BokehTornado
from bokeh.server.views.autoload_js_handler import AutoloadJsHandler
from bokeh.server.views.session_handler import SessionHandler
from panel.io.server import ComponentResourceHandler
from tornado.web import Application, HTTPError, RequestHandler

from vitpanel.runtime.embedding import embedders, frame_ancestors
from vitpanel.runtime.incidents import report
from vitpanel.runtime.page_files import page_file
from vitpanel.runtime.patching import check_overrides
from vitpanel.runtime.sockets import GuardedSocket

COMPONENTS = {"panel", "vitpanel"}
NAMES_OF_SESSIONS = ("bokeh-session-id", "bokeh-token")


class GuardedAnswer(RequestHandler):
    """Sets the headers of every answer, and lets an error be told by its id alone."""

    def set_default_headers(self) -> None:
        """Let browsers neither guess types nor show the page within others', whatever the answer is."""
        super().set_default_headers()
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", frame_ancestors())
        self.set_header("Referrer-Policy", "same-origin")

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Write an error that nobody foresaw to the log with an id."""
        if isinstance(value, HTTPError):
            super().log_exception(typ, value, tb)
        else:
            self._vitpanel_sentence = report(f"{self.request.method} {self.request.path} failed.", value)

    def write_error(self, status_code: int, **_: Any) -> None:
        """Answer with the status and, where there is one, the id; Tornado's own shows tracebacks when it is told to."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}: {self._reason}\n{getattr(self, '_vitpanel_sentence', '')}")


class GuardedSession(SessionHandler):
    """Makes a session for each page, and lets none be named in an address.

    Bokeh signs a token for any session whose id a visitor names, so a link could lead into a session of its sender.
    """

    async def get_session(self) -> Any:
        """Refuse a session's name that comes with the request, unless sessions are named elsewhere."""
        is_named = "Bokeh-Session-Id" in self.request.headers or any(
            self.get_argument(name, None) is not None for name in NAMES_OF_SESSIONS
        )
        if is_named and self.application.generate_session_ids:
            raise HTTPError(403, reason="Sessions are not named by visitors")
        session: Any = super().get_session()  # `authenticated` hides what it returns
        return await session


class GuardedAutoload(AutoloadJsHandler):
    """Hands the page to other sites only if those were named when the server was started."""

    async def prepare(self) -> None:
        """Be not there without embedding; else answer the sites that may embed, and scripts, which name no site."""
        origin = self.request.headers.get("Origin")
        if not embedders():
            raise HTTPError(404)
        if origin is not None and origin.lower() not in embedders():
            raise HTTPError(403)
        await super().prepare()

    def set_default_headers(self) -> None:
        """Let no site but those read the answer."""
        super().set_default_headers()
        origin = self.request.headers.get("Origin", "").lower()
        self.clear_header("Access-Control-Allow-Origin")
        if origin in embedders():
            self.set_header("Access-Control-Allow-Origin", origin)
            self.set_header("Vary", "Origin")


class GuardedComponents(ComponentResourceHandler):
    """Serves files of components that are loaded, and those that pages share, and imports nothing.

    Panel imports the module that the address names.
    """

    async def get(self, path: str, include_body: bool = True) -> None:  # noqa: FBT001, FBT002 - Tornado's own
        """Answer with a file of pages, which browsers keep for good, or leave the answer to Panel."""
        shared = page_file(path)
        if shared is None:
            await super().get(path, include_body)
            return
        self.set_header("Content-Type", shared.kind)
        is_this = self.get_query_argument("v", "") == shared.version
        self.set_header("Cache-Control", "public, max-age=31536000, immutable" if is_this else "no-cache")
        self.set_header("Content-Length", len(shared.content))
        self.set_header("Etag", f'"{shared.version}"')
        self.finish(shared.content if include_body else None)

    def compute_etag(self) -> str | None:
        """Return what the header says that says it already."""
        return self._headers.get("Etag") or super().compute_etag()

    def parse_url_path(self, path: str) -> str:
        """Answer 404 to whatever is not a listed file of a loaded component."""
        module = path.partition("/")[0]
        if module not in sys.modules or module.partition(".")[0] not in COMPONENTS:
            raise HTTPError(404)
        try:
            return super().parse_url_path(path)
        except Exception:  # noqa: BLE001 - what the address names may be anything
            raise HTTPError(404) from None


GUARDS: tuple[type[RequestHandler], ...] = (
    GuardedSocket,
    GuardedAutoload,
    GuardedSession,
    GuardedComponents,
    GuardedAnswer,
)


def patch() -> None:
    """Put the guards in front of the handlers of every Bokeh server, at every request."""
    for guard in GUARDS:
        check_overrides(guard)

    def get_handler_delegate(server: BokehTornado, request: Any, target_class: type, *args: Any, **options: Any) -> Any:
        return Application.get_handler_delegate(server, request, guarded(target_class), *args, **options)

    # Tornado documents this method; Bokeh does not override it.
    setattr(BokehTornado, "get_handler_delegate", get_handler_delegate)  # noqa: B010 - its first argument is not `self`


@cache
def guarded(handler: type[RequestHandler]) -> type[RequestHandler]:
    """Subclass of a handler that has the guards of all its bases first."""
    guards = [guard for guard in GUARDS if issubclass(handler, guard.__bases__[0])]
    return type(handler.__name__, (*guards, handler), {})
