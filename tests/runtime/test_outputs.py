"""What cells have shown is let go of when they run again; Jupyter itself is not started."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import holoviews as hv
import panel as pn
import pytest
from bokeh.document import Document
from holoviews.streams import Stream
from pyviz_comms import Comm

from vitpanel.runtime import outputs


class Shell:
    """Runs cells as IPython in a kernel does."""

    def __init__(self) -> None:
        self.events = self
        self.before: list[Callable[[Any], None]] = []
        self.parent: dict[str, Any] = {}

    def register(self, event: str, call: Callable[[Any], None]) -> None:
        assert event == "pre_run_cell"
        self.before.append(call)

    def get_parent(self) -> dict[str, Any]:
        return self.parent

    def run(self, cell: str | None, *shown: Any) -> None:
        """Run a cell that shows something; what has no id comes from a console."""
        self.parent = {"metadata": {} if cell is None else {"cellId": cell}}
        for call in self.before:
            call(SimpleNamespace(cell_id=cell))
        for each in shown:
            each.get_root(Document(), Comm())
        self.parent = {}


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Return a shell whose outputs are followed."""
    monkeypatch.setattr(pn.viewable.Viewable, "_preprocessing_hooks", [*pn.viewable.Viewable._preprocessing_hooks])
    shell = Shell()
    outputs.apply(shell)
    return shell


def n_places(shown: Any) -> int:
    """In how many places something is shown."""
    return len(shown._models)


def test_a_cell_that_runs_again_shows_nothing_of_before(shell: Shell):
    first, second = pn.Column("first"), pn.Column("second")
    shell.run("a", first)
    shell.run("b", second)
    shell.run("a")
    assert (n_places(first), n_places(second)) == (0, 1)
    shell.run("a", first)
    assert (n_places(first), n_places(second)) == (1, 1)


def test_what_another_cell_shows_too_stays_there(shell: Shell):
    shown = pn.Column("shown")
    shell.run("a", shown)
    shell.run("b", shown)
    shell.run("a")
    assert n_places(shown) == 1


def test_what_a_later_cell_changes_belongs_to_the_cell_that_shows_it(shell: Shell):
    shown = pn.Column("shown")
    shell.run("a", shown)
    shell.parent = {"metadata": {"cellId": "b"}}
    shown.append("more")
    shell.run("b")
    assert n_places(shown) == 1
    shell.run("a")
    assert n_places(shown) == 0


def test_an_element_that_is_gone_is_not_drawn_and_is_as_it_is_now_when_shown_again(shell: Shell):
    number: Any = Stream.define("Number", number=0)
    stream, drawn = number(), list[int]()

    def draw(number: int) -> hv.Points:
        drawn.append(number)
        return hv.Points([(number, 0)])

    shown = pn.pane.HoloViews(hv.DynamicMap(draw, streams=[stream]), backend="bokeh")
    shell.run("a", shown)
    stream.event(number=1)
    assert drawn[-1] == 1
    shell.run("a")
    stream.event(number=2)
    assert drawn[-1] == 1
    shell.run("b", shown)
    assert drawn[-1] == 2
    stream.event(number=3)
    assert drawn[-1] == 3


def test_what_comes_from_no_cell_stays(shell: Shell):
    shown = pn.Column("shown")
    shell.run(None, shown)
    shell.run(None)
    assert n_places(shown) == 1


def test_what_a_cell_has_served_or_saved_stays(shell: Shell):
    shown = pn.Column("shown")
    shell.run("a")
    shell.parent = {"metadata": {"cellId": "a"}}
    shown.get_root(Document())
    shell.run("a")
    assert n_places(shown) == 1
