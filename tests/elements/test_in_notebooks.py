"""What happens in a notebook, without one."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from pyviz_comms import Comm

from vitpanel.elements import in_notebooks


class Loop:
    """Keeps what is to be done."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], Any]] = []

    def add_callback(self, call: Callable[..., Any], *args: Any) -> None:
        self.waiting.append(lambda: call(*args))


def in_another_thread(call: Callable[[], Any]) -> None:
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def test_what_another_thread_hears_is_handled_by_that_of_the_cells(monkeypatch: pytest.MonkeyPatch):
    loop, heard = Loop(), []
    monkeypatch.setattr(in_notebooks, "kernel_loop", lambda: loop)
    comm = Comm(on_msg=lambda message: heard.append((message["n"], threading.current_thread())))
    for n in range(2):
        in_another_thread(lambda n=n: comm._handle_msg({"n": n}))
    assert not heard
    for call in loop.waiting:
        call()
    comm._handle_msg({"n": 2})
    assert heard == [(n, threading.main_thread()) for n in range(3)]


def test_without_a_kernel_it_is_handled_at_once():
    heard = []
    in_another_thread(lambda: Comm(on_msg=heard.append)._handle_msg({"n": 0}))
    assert heard == [{"n": 0}]
