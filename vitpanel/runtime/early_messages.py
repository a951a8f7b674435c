"""What a person does in the figures of a notebook before the kernel knows of the connection."""

import threading
from collections import deque
from collections.abc import Callable, Container
from functools import partial
from typing import Any

MOST = 200
Handler = Callable[..., Any]


class EarlyMessages:
    """Keeps what comes over a connection that is not open yet, and hands it on when it is.

    JupyterLab from 4.4 on leaves what opens a connection to the thread that runs the cells, where it waits for those
    that run, and sends what comes next to a thread of its own (`CommHandler.open` in
    https://github.com/jupyterlab/jupyterlab/blob/v4.6.6/packages/services/src/kernel/comm.ts). There no such
    connection is known, and ipykernel drops it. The first that comes is the size of a figure, and Panel keeps back
    what is clicked until that is answered: who clicks in a figure that has just appeared, on a busy computer or while
    a later cell runs, has clicked for nothing. Can go when JupyterLab sends both the same way.

    Parameters
    ----------
    known
        Ids of connections that the kernel knows.
    open_comm, take_message
        How it opens one, and takes what comes over one: of a stream, an identity and a message.
    """

    def __init__(self, known: Container[str], open_comm: Handler, take_message: Handler) -> None:
        self._known, self._open, self._take = known, open_comm, take_message
        self._opening: set[str] = set()
        # Of figures from before a restart no connection is opened any more: what they send is not kept for good.
        self._kept: deque[tuple[str, Callable[[], Any]]] = deque(maxlen=MOST)
        self._lock = threading.Lock()

    def open(self, stream: Any, identity: Any, message: Any) -> None:
        """Open a connection, and hand on what has come over it already."""
        name = message["content"]["comm_id"]
        with self._lock:
            self._opening.add(name)
        try:
            self._open(stream, identity, message)
        finally:
            for take in self._come(name):
                take()

    def take(self, stream: Any, identity: Any, message: Any) -> None:
        """Hand a message on, or keep it if its connection is still to be opened in another thread."""
        name, take = message["content"]["comm_id"], partial(self._take, stream, identity, message)
        with self._lock:
            is_open = name in self._known and name not in self._opening
            if not is_open and threading.current_thread() is not threading.main_thread():
                self._kept.append((name, take))
                return
        take()

    def _come(self, name: str) -> list[Callable[[], Any]]:
        """What has come over a connection that is open now."""
        with self._lock:
            self._opening.discard(name)
            come = [take for of, take in self._kept if of == name]
            rest = [(of, take) for of, take in self._kept if of != name]
            self._kept.clear()
            self._kept.extend(rest)
        return come


def apply(kernel: Any) -> None:
    """Let a kernel keep what comes early."""
    handlers, manager = kernel.shell_handlers, kernel.comm_manager
    early = EarlyMessages(manager.comms, handlers["comm_open"], handlers["comm_msg"])
    handlers.update(comm_open=early.open, comm_msg=early.take)
