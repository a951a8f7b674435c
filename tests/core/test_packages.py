"""What is registered, and what packages name as entry points."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Barrier, Thread

import pytest

from tests.entry_points import Point, registry_for_a_test
from vitpanel.core.packages import Registry, records_of_packages
from vitpanel.errors import VitpanelError


@dataclass(frozen=True)
class Tool:
    """Something that can be added."""

    key: str
    label: str = ""


def misfit(tool: Tool, others: Mapping[str, Tool]) -> str:
    if tool.key in others:
        return "there is one already"
    return "" if tool.key.islower() else "its key is not of small letters"


@pytest.fixture
def tools() -> Registry[Tool]:
    return Registry(
        "a.group", kind=Tool, key="key", misfit=misfit, noun="tool", see="Tool in a shop", own=(Tool("saw"),)
    )


@pytest.fixture
def packages(tools: Registry[Tool]) -> Iterator[list[Point]]:
    """Entry points of packages, to be filled before tools are asked for."""
    with registry_for_a_test(tools) as points:
        yield points


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage().removeprefix("The entry point ") for record in caplog.records]


def test_what_is_of_the_kind_is_given_and_the_rest_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    points = {"a.group": [Point("good", "text"), Point("absent", ImportError("no such module")), Point("number", 3)]}
    monkeypatch.setattr("vitpanel.core.packages.entry_points", lambda group: points.get(group, []))
    assert list(records_of_packages("a.group", str)) == [("good", "text")]
    assert [record.getMessage() for record in caplog.records] == [
        "The entry point absent of the group a.group is left out: ImportError: no such module.",
        "The entry point number of the group a.group is left out: it is no str, but of type int.",
    ]
    assert list(records_of_packages("another.group", str)) == []


def test_own_ones_come_first_then_what_is_registered_then_what_packages_bring(
    tools: Registry[Tool], packages: list[Point]
):
    packages.append(Point("a_file", Tool("file")))
    assert tools.register(Tool("axe")) == Tool("axe")
    assert list(tools.known()) == ["saw", "axe", "file"]
    tools.register(Tool("drill"))
    assert list(tools.known()) == ["saw", "axe", "drill", "file"]


@pytest.mark.parametrize(("tool", "reason"), [(Tool("saw"), "one already"), (Tool("Axe"), "not of small letters")])
def test_what_does_not_fit_is_refused_in_words(tools: Registry[Tool], tool: Tool, reason: str):
    with pytest.raises(VitpanelError, match=f"The tool '{tool.key}' cannot be registered: .*{reason}") as caught:
        tools.register(tool)
    assert "Tool in a shop" in caught.value.hint
    assert tools.known() == {"saw": Tool("saw")}


def test_what_a_package_brings_never_wins_over_what_is_registered(
    tools: Registry[Tool], packages: list[Point], caplog: pytest.LogCaptureFixture
):
    mine = tools.register(Tool("axe", "mine"))
    packages += [
        Point("theirs", Tool("axe", "theirs")),
        Point("own", Tool("saw", "theirs")),
        Point("file", Tool("file")),
    ]
    packages += [Point("file_again", Tool("file", "another"))]
    assert tools.known() == {"saw": Tool("saw"), "axe": mine, "file": Tool("file")}
    assert reasons(caplog) == [
        f"{name} of the group a.group is left out: there is one already." for name in ("theirs", "own", "file_again")
    ]


def test_what_a_package_has_brought_is_not_replaced(tools: Registry[Tool], packages: list[Point]):
    theirs = Tool("axe", "theirs")
    packages.append(Point("axe", theirs))
    assert tools.known()["axe"] is theirs
    with pytest.raises(VitpanelError, match="there is one already"):
        tools.register(Tool("axe", "mine"))
    assert tools.known()["axe"] is theirs


def test_a_package_may_register_what_it_names_and_ask_while_it_is_loaded(
    tools: Registry[Tool], packages: list[Point], caplog: pytest.LogCaptureFixture
):
    class Module(Point):
        def load(self) -> object:
            assert "saw" in tools.known()
            return tools.register(Tool("axe"))

    packages.append(Module("axe", None))
    assert list(tools.known()) == ["saw", "axe"]
    assert reasons(caplog) == []


def test_threads_that_ask_at_once_all_hear_of_all(tools: Registry[Tool], packages: list[Point]):
    packages += [Point(name, Tool(name)) for name in "abcdef"]
    start, heard = Barrier(4), list[list[str]]()

    def ask() -> None:
        start.wait()
        heard.append(list(tools.known()))

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == [["saw", *"abcdef"]] * 4
