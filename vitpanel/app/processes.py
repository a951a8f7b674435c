"""Processes that answer together, and end together."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from vitpanel.errors import VitpanelError

Made = TypeVar("Made")


class _EndedError(BaseException):
    """The first process is to end; not for anybody who catches errors."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def count_processes(asked: int) -> int:
    """How many processes ``--num-procs`` asks for.

    Parameters
    ----------
    asked
        0 for as many as there are cores.

    Raises
    ------
    VitpanelError
        If it is negative, or this system cannot split a process.
    """
    if asked < 0:
        message = f"--num-procs is {asked}."
        raise VitpanelError(message, hint="Give a whole number from 1, or 0 for as many as there are cores.")
    number = asked or os.cpu_count() or 1
    if number > 1 and not hasattr(os, "fork"):
        message = f"--num-procs is {asked}, and this system cannot split a process."
        raise VitpanelError(message, hint="Leave it away.")
    return number


def forked(make: Callable[[], Made]) -> Made:
    """Return what ``make`` makes in each of the processes that it forks; the first process waits for them in there.

    However the first one ends, also by SIGKILL, the others end with it: it alone holds one end of a pipe, of which they
    watch the other. SIGTERM ends it when they have ended, so that their port is free by then.

    Raises
    ------
    KeyboardInterrupt
        In the first process, at SIGINT, when the others have ended.
    """
    first, (watched, held) = os.getpid(), os.pipe()

    def end(number: int, _frame: Any) -> None:
        # A fork has this too, until it is on its own below.
        if os.getpid() == first:
            raise _EndedError(number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        made = make()
    except Exception:
        for number, handler in before.items():
            signal.signal(number, handler)
        raise
    except _EndedError as ended:
        os.close(held)
        _end_last(ended.number)
        raise KeyboardInterrupt from None
    os.close(held)
    # Ctrl+C reaches all processes of a terminal; the first one says so, and the others end with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(watched,), name="vitpanel-end", daemon=True).start()
    return made


def _end_with(watched: int) -> None:
    """Wait for the end of the first process, and end at once, as at SIGTERM: a busy model is not waited for."""
    os.read(watched, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _end_last(number: int) -> None:
    """Wait for the other processes; then end by SIGTERM if it was that. Asked once more, end without them."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_DFL)
    with suppress(ChildProcessError):
        while True:
            os.wait()
    if number == signal.SIGTERM:
        signal.raise_signal(number)
