"""Stopping a computation that nobody wants any more, between two of its steps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_is_unwanted: ContextVar[Callable[[], bool] | None] = ContextVar("is_unwanted", default=None)


class Stopped(Exception):  # noqa: N818 - it is no error
    """What was computed is not wanted any more."""


@contextmanager
def stoppable(is_unwanted: Callable[[], bool]) -> Iterator[None]:
    """Ask ``is_unwanted()`` before every step of what is computed inside, in this thread, and stop where it says so.

    Raises
    ------
    Stopped
        From inside of the computation; hooks and locks are let go on the way.
    """
    token = _is_unwanted.set(is_unwanted)
    try:
        yield
    finally:
        _is_unwanted.reset(token)


def step() -> None:
    """Mark the beginning of a step: the place where a computation can be stopped."""
    is_unwanted = _is_unwanted.get()
    if is_unwanted is not None and is_unwanted():
        raise Stopped
