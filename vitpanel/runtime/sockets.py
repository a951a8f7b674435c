"""Websockets: who may open one, and what may come and go through it."""

import asyncio
import logging
from typing import Any
from weakref import WeakValueDictionary

from bokeh.protocol.message import Message
from bokeh.server.views.ws import WSHandler
from bokeh.util.token import get_session_id
from tornado.websocket import WebSocketClosedError

from vitpanel.runtime.embedding import embedders
from vitpanel.runtime.incidents import report, tell
from vitpanel.runtime.messages import MOST, weight

logger = logging.getLogger("vitpanel")
# Who holds a session; a browser that comes back may find its own lost connection here.
_holders: WeakValueDictionary[str, "GuardedSocket"] = WeakValueDictionary()
ANSWERS_WITHIN = 3  # seconds


class GuardedSocket(WSHandler):
    """A websocket for one browser of an allowed site, whose messages are bounded and whose errors are told by an id."""

    _vitpanel_session = ""
    _vitpanel_weight = 0
    _vitpanel_pong: asyncio.Event | None = None

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Refuse a request without Origin, which Tornado takes for that of a program and lets in."""
        if not self.request.headers.get("Origin"):
            logger.error("Refusing a websocket connection without Origin, which every browser sends.")
            self.set_status(403)
            self.finish("A websocket needs an Origin")
            return
        await super().get(*args, **kwargs)

    def check_origin(self, origin: str) -> bool:
        """Accept sites that may embed the app, besides those that Bokeh accepts."""
        return origin.lower() in embedders() or super().check_origin(origin)

    async def _async_open(self, token: str) -> None:
        session_id = get_session_id(token)
        while (holder := _holders.get(session_id)) is not None:
            if await _answers(holder):
                logger.error("Refusing a second connection to a session that is open in another window.")
                self.close(1008, "This session is open elsewhere")
                return
            if _holders.get(session_id) is holder:
                del _holders[session_id]
            holder.close()
        _holders[session_id], self._vitpanel_session = self, session_id
        await super()._async_open(token)

    def on_pong(self, data: bytes) -> None:
        """Note that the browser is there."""
        if self._vitpanel_pong is not None:
            self._vitpanel_pong.set()
        super().on_pong(data)

    def on_close(self) -> None:
        """Give the session up."""
        if _holders.get(self._vitpanel_session) is self:
            del _holders[self._vitpanel_session]
        super().on_close()

    async def _receive(self, fragment: str | bytes) -> Message[Any] | None:
        self._vitpanel_weight += weight(fragment)
        if self._vitpanel_weight > MOST:
            self._protocol_error(f"a message of more than {MOST // 2**20} MB")
            return None
        message = await super()._receive(fragment)
        if message is not None:
            self._vitpanel_weight = 0
        return message

    async def send_message(self, message: Message[Any]) -> None:
        """Send a message; of an error its id alone, which is also shown on the page."""
        if message.msgtype == "ERROR":
            sentence = report(f"A message could not be handled: {message.content['traceback']}")
            message.content = {"text": sentence, "traceback": None}
            if self.connection is not None:
                tell(self.connection.session.document, sentence)
        await super().send_message(message)

    def _internal_error(self, message: str) -> None:
        super()._internal_error(report(f"A websocket is closed: {message}"))

    def _protocol_error(self, message: str) -> None:
        super()._protocol_error(report(f"A websocket is closed: {message}"))


async def _answers(socket: GuardedSocket) -> bool:
    """Whether the browser at the other end answers a ping soon."""
    pong = socket._vitpanel_pong = asyncio.Event()  # noqa: SLF001
    try:
        socket.ping(b"0")
        await asyncio.wait_for(pong.wait(), ANSWERS_WITHIN)
    except (WebSocketClosedError, TimeoutError):
        return False
    return True
