"""Work that would hold up the page, done beside its event loop."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from vitpanel.errors import VitpanelError
from vitpanel.views.bridge import Bridge

logger = logging.getLogger(__name__)
# What takes a moment never waits for what takes seconds.
_pools = {is_slow: ThreadPoolExecutor(2, thread_name_prefix="vitpanel-work") for is_slow in (False, True)}


class Background:
    """One kind of work of a session: one at a time, and of those that wait the latest only.

    In a notebook, which has no event loop of ours to hold up, work is done at once.

    Parameters
    ----------
    bridge
        The session's.
    is_slow
        Whether the work may take seconds.
    """

    def __init__(self, bridge: Bridge, *, is_slow: bool = False) -> None:
        self._bridge, self._pool = bridge, _pools[is_slow]
        self._is_busy = False
        self._next: tuple[Callable[[], Any], Callable[[Any], None], Callable[[VitpanelError], None]] | None = None

    def run(
        self,
        work: Callable[[], Any],
        deliver: Callable[[Any], None],
        *,
        refuse: Callable[[VitpanelError], None] = lambda _: None,
    ) -> None:
        """Do work, and hand its result on where Bokeh models may be written to.

        Parameters
        ----------
        work
            Runs in another thread; touches no Bokeh or Panel object.
        deliver
            Is given what ``work`` returns.
        refuse
            Is given what ``work`` raises.
        """
        self._next = (work, deliver, refuse)
        if not self._bridge.is_served:
            self._bridge.put(self, self._do_now)
        elif not self._is_busy:
            self._start()

    def _do_now(self) -> None:
        if self._next is not None:
            (work, deliver, refuse), self._next = self._next, None
            future: Future[Any] = Future()
            try:
                future.set_result(work())
            except Exception as error:  # noqa: BLE001 - handed on below, as from the other thread
                future.set_exception(error)
            _hand_on(future, deliver, refuse)

    def _start(self) -> None:
        if self._next is not None:
            (work, deliver, refuse), self._next = self._next, None
            self._is_busy = True
            future = self._pool.submit(work)
            future.add_done_callback(lambda f: self._bridge.soon(partial(self._finish, f, deliver, refuse)))

    def _finish(self, future: "Future[Any]", deliver: Callable[[Any], None], refuse: Callable[..., None]) -> None:
        self._is_busy = False
        self._start()
        _hand_on(future, deliver, refuse)


def _hand_on(future: "Future[Any]", deliver: Callable[[Any], None], refuse: Callable[[VitpanelError], None]) -> None:
    error = future.exception()
    if error is None:
        deliver(future.result())
    elif isinstance(error, VitpanelError):
        refuse(error)
    else:
        logger.error("Work in the background failed", exc_info=error)
        refuse(VitpanelError(f"This failed: {type(error).__name__}.", hint="The log has the details."))
