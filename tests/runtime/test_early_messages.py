"""What comes over connections of a notebook before the thread of the cells has opened them."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from vitpanel.runtime import early_messages
from vitpanel.runtime.early_messages import MOST


class Kernel:
    """Takes messages as ipykernel does: what belongs to no open connection is dropped."""

    def __init__(self) -> None:
        self.comm_manager = self
        self.comms: dict[str, bool] = {}
        self.heard: list[tuple[int, threading.Thread]] = []
        self.while_opening: Callable[[], None] = lambda: None
        self.shell_handlers: dict[str, Callable[..., Any]] = {"comm_open": self._open, "comm_msg": self._take}
        early_messages.apply(self)

    def _open(self, _stream: Any, _identity: Any, message: Any) -> None:
        name = message["content"]["comm_id"]
        self.comms[name] = False  # known, but nobody listens yet
        self.while_opening()
        if name == "broken":
            raise ValueError(name)
        self.comms[name] = True

    def _take(self, _stream: Any, _identity: Any, message: Any) -> None:
        content = message["content"]
        if self.comms.get(content["comm_id"]):
            self.heard.append((content["data"], threading.current_thread()))

    def open(self, name: str = "a") -> None:
        self.shell_handlers["comm_open"](None, [], {"content": {"comm_id": name}})

    def take(self, data: int, name: str = "a") -> None:
        self.shell_handlers["comm_msg"](None, [], {"content": {"comm_id": name, "data": data}})

    def take_beside(self, data: int, name: str = "a") -> None:
        """Take a message in another thread, as JupyterLab sends it."""
        thread = threading.Thread(target=self.take, args=(data, name))
        thread.start()
        thread.join()

    @property
    def numbers(self) -> list[int]:
        return [data for data, _ in self.heard]


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def test_what_comes_before_its_connection_is_heard_in_order_when_that_is_open(kernel: Kernel):
    kernel.take_beside(1)
    kernel.take_beside(2)
    kernel.take_beside(3, "b")
    assert not kernel.heard
    kernel.open()
    assert kernel.heard == [(1, threading.main_thread()), (2, threading.main_thread())]
    kernel.open("b")
    kernel.take_beside(4)
    assert kernel.numbers == [1, 2, 3, 4]


def test_what_comes_while_its_connection_is_being_opened_is_heard(kernel: Kernel):
    kernel.while_opening = lambda: kernel.take_beside(1)
    kernel.open()
    assert kernel.numbers == [1]


def test_what_the_thread_of_the_cells_does_not_know_is_left_to_the_kernel(kernel: Kernel):
    kernel.take(1)
    kernel.open()
    assert not kernel.heard


def test_a_connection_that_cannot_be_opened_fails_as_before(kernel: Kernel):
    kernel.take_beside(1, "broken")
    with pytest.raises(ValueError, match="broken"):
        kernel.open("broken")
    assert not kernel.heard


def test_what_is_never_opened_is_not_kept_for_good(kernel: Kernel):
    kernel.take_beside(0)
    for number in range(MOST):
        kernel.take_beside(number + 1, "from before a restart")
    kernel.open()
    assert not kernel.heard
