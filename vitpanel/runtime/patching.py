"""Patches of other people's code, made only where it is as it was when they were written."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from packaging.specifiers import SpecifierSet

from vitpanel.errors import UnguardedError

# The versions whose inside was read; tests/runtime says for each guard whether upstream still needs it.
KNOWN: Mapping[str, str] = {"bokeh": ">=3.9.2,<3.10", "panel": ">=1.9.4,<1.10", "tornado": ">=6.6,<6.7"}


def check_versions() -> None:
    """Refuse versions of the packages for which no guard is known to hold.

    Raises
    ------
    UnguardedError
        With the version that is there; the hint has those that are known.
    """
    for package, known in KNOWN.items():
        found = version(package)
        if not SpecifierSet(known).contains(found, prereleases=True):
            message = f"{package} is {found}, and it is not known whether the guards of the server hold for it."
            raise UnguardedError(message, hint=f"pip install '{package}{known}'")


def replace(owner: type, name: str, new: Any) -> None:
    """Put something in the place of a class's own attribute, which must be there."""
    if name not in vars(owner):
        raise _changed(owner, name)
    setattr(owner, name, new)


def check_overrides(guard: type) -> None:
    """Refuse a subclass that overrides what its base does not have any more: it would guard nothing."""
    for name, value in vars(guard).items():
        if callable(value) and not hasattr(guard.__base__, name):
            raise _changed(guard.__base__, name)


def _changed(owner: Any, name: str) -> UnguardedError:
    package = owner.__module__.partition(".")[0]
    message = f"{owner.__qualname__} of {package} {version(package)} has no {name}, which a guard replaces."
    return UnguardedError(message, hint=f"pip install '{package}{KNOWN[package]}'")
