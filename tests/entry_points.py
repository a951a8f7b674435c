"""Entry points of packages that are not installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from vitpanel.core.packages import Registry


class Point:
    """One of them, as `importlib.metadata` gives it.

    Parameters
    ----------
    record
        What it leads to, or the error of the import.
    """

    def __init__(self, name: str, record: object) -> None:
        self.name, self.record = name, record

    def load(self) -> object:
        """Import what it leads to."""
        if isinstance(self.record, Exception):
            raise self.record
        return self.record


@contextmanager
def registry_for_a_test(registry: Registry[Any], *registered: Any) -> Iterator[list[Point]]:
    """Let a registry know nothing but what comes with vitpanel and what is given here, and forget afterwards the rest.

    Gives the entry points of its group, to be filled before the registry is asked.
    """
    points: list[Point] = []

    def entry_points(group: str) -> list[Point]:
        return points if group == registry.group else []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vitpanel.core.packages.entry_points", entry_points)
        patch.setattr(registry, "_registered", dict(registry._registered))
        patch.setattr(registry, "_brought", None)
        for thing in registered:
            registry.register(thing)
        yield points
