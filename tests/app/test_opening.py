"""Pages are built one after the other, part by part, and nobody else waits for a whole page."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from bokeh.document import Document

from tests import serving
from vitpanel.app.opening import open_in_turn


class Visitor:
    """A document whose ticks are those of the loop, and what happens to its page."""

    def __init__(self, name: str, log: list[str], *, fails_at: int | None = None) -> None:
        self.document, self.name, self.log, self.fails_at = Document(), name, log, fails_at
        self.places: list[int] = []
        self.document.add_next_tick_callback = lambda call: asyncio.get_running_loop().call_soon(call)  # type: ignore[method-assign]

    def parts(self) -> Iterator[None]:
        """Build three parts."""
        for part in range(3):
            if part == self.fails_at:
                raise ValueError(self.name)
            self.log.append(f"{self.name}{part}")
            yield

    def open(self) -> "asyncio.Task[None]":
        """Begin to open the page."""
        return asyncio.ensure_future(open_in_turn(self.document, self.parts(), self.places.append))

    def leave(self) -> None:
        """End the session, as Bokeh does."""
        for call in list(self.document.callbacks.session_destroyed_callbacks):
            call(None)  # pyright: ignore[reportArgumentType] - nobody looks at the context


async def opened(*visitors: Visitor, after: Any = None) -> list[Any]:
    tasks = [visitor.open() for visitor in visitors]
    if after is not None:
        await asyncio.sleep(0)
        after()
    return await asyncio.gather(*tasks, return_exceptions=True)


def test_pages_are_built_in_the_order_in_which_visitors_came():
    log: list[str] = []
    serving.run(_in_order(log))


async def _in_order(log: list[str]) -> None:
    first, second, third = (Visitor(name, log) for name in "abc")
    await opened(first, second, third)
    assert log == [f"{name}{part}" for name in "abc" for part in range(3)]
    assert (first.places, second.places, third.places) == ([0], [1, 0], [2, 1, 0])


def test_the_loop_turns_between_two_parts():
    log: list[str] = []

    async def ping() -> None:
        for _ in range(10**6):
            if log[-1:] == ["a2"]:
                return
            log.append("ping")
            await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(opened(Visitor("a", log)), ping())

    serving.run(both())
    places = [log.index(f"a{part}") for part in range(3)]
    assert "ping" in log[places[0] : places[1]]
    assert "ping" in log[places[1] : places[2]]


@pytest.mark.parametrize("leaver", [0, 1])
def test_who_leaves_lets_the_others_move_up(leaver: int):
    log: list[str] = []

    async def run() -> None:
        visitors = [Visitor(name, log) for name in "abc"]
        await opened(*visitors, after=visitors[leaver].leave)
        left = visitors[leaver].name
        assert [line for line in log if line[0] != left] == [
            f"{visitor.name}{part}" for visitor in visitors if visitor.name != left for part in range(3)
        ]
        assert visitors[2].places[-1] == 0

    serving.run(run())


def test_a_page_that_fails_keeps_nobody_waiting():
    log: list[str] = []

    async def run() -> None:
        outcome = await opened(Visitor("a", log, fails_at=1), Visitor("b", log))
        assert isinstance(outcome[0], ValueError)
        assert log == ["a0", "b0", "b1", "b2"]

    serving.run(run())
