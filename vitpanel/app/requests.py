"""Requests that one worker thread answers one after the other: equal ones together, unwanted ones not to their end."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from vitpanel.errors import InferenceError

MAX_WAITING = 64
Key = tuple[Any, ...]  # the kind of request first


@dataclass(eq=False)
class Request:
    """What somebody waits for.

    Parameters
    ----------
    askers
        Who want it; it is not wanted any more when the last has left.
    """

    askers: set[object]
    future: "Future[Any]" = field(init=False)

    def is_unwanted(self) -> bool:
        """Whether all askers have left."""
        return not self.askers


class Requests:
    """A queue before one worker thread.

    Parameters
    ----------
    pool
        Has the one thread.
    answer
        Called in the worker thread with the key and the request; looks at `Request.is_unwanted` between its steps, and
        raises `concurrent.futures.CancelledError` when it gives up for that.
    """

    def __init__(self, pool: ThreadPoolExecutor, answer: Callable[[Key, Request], Any]) -> None:
        self._pool = pool
        self._answer = answer
        self._lock = RLock()
        self._waiting: dict[Key, Request] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def ask(self, key: Key, asker: object) -> "Future[Any]":
        """Have ``key`` answered for ``asker``, together with everybody else who asks the same.

        Raises
        ------
        InferenceError
            If too many wait.
        """
        with self._lock:
            if key in self._waiting:
                self._waiting[key].askers.add(asker)
                return self._waiting[key].future
            if len(self._waiting) >= MAX_WAITING:
                message = f"{len(self._waiting)} requests wait for the model."
                raise InferenceError(message, hint="Choose the head again in a moment.")
            request = self._waiting[key] = Request({asker})
            request.future = self._pool.submit(self._answer, key, request)
        request.future.add_done_callback(lambda _: self._forget(key, request))
        return request.future

    def leave(self, asker: object, key: Key | None = None) -> None:
        """Let somebody want a request no more, or without a key none at all.

        One that nobody wants is dropped, or stopped at its next step if it has begun.
        """
        with self._lock:
            left = [(k, request) for k, request in self._waiting.items() if key in {None, k}]
            for waiting, request in left:
                request.askers.discard(asker)
                if not request.askers:
                    # Whoever asks the same from now on gets a new one: this one may have seen that it is unwanted.
                    del self._waiting[waiting]
                    request.future.cancel()

    def _forget(self, key: Key, request: Request) -> None:
        with self._lock:
            if self._waiting.get(key) is request:
                del self._waiting[key]
