"""What can be added to vitpanel: what is registered, and what installed packages name as entry points."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import entry_points
from threading import RLock
from typing import Any, Generic, TypeVar

from vitpanel.errors import VitpanelError

logger = logging.getLogger("vitpanel")
Thing = TypeVar("Thing")


class Registry(Generic[Thing]):
    """The things of one kind that there are, by their keys.

    The first of a key stays: what a package brings never takes the place of what is registered, and what is registered
    later never that of what a package has brought, since a study may have been opened with it.

    Parameters
    ----------
    group
        Name of the entry points' group, as in ``vitpanel.metrics``.
    kind
        What each thing has to be an instance of.
    key
        Name of the attribute that is a thing's key.
    misfit
        Says what is wrong with a thing beside those that are there, as half a sentence; empty if nothing is.
    noun, see
        What a thing is called in messages, and where it is written what it must have.
    own
        Those that come with vitpanel, which are not checked.
    """

    def __init__(
        self,
        group: str,
        *,
        kind: type[Any],
        key: str,
        misfit: Callable[[Thing, Mapping[str, Thing]], str],
        noun: str,
        see: str,
        own: Iterable[Thing] = (),
    ) -> None:
        self.group = group
        self._kind, self._key, self._misfit = kind, key, misfit
        self._noun, self._see = noun, see
        self._registered: dict[str, Thing] = {getattr(thing, key): thing for thing in own}
        self._brought: dict[str, Thing] | None = None
        # Of one thread it can be taken twice: a package may register something while it is loaded.
        self._lock = RLock()

    def register(self, thing: Thing) -> Thing:
        """Add a thing in this process, before it is needed, and return it; a class may have this as a decorator.

        Raises
        ------
        VitpanelError
            If it cannot be told from one that is there, or contradicts itself.
        """
        with self._lock:
            reason = self._misfit(thing, self._registered | (self._brought or {}))
            if reason:
                message = f"The {self._noun} {getattr(thing, self._key, thing)!r} cannot be registered: {reason}."
                raise VitpanelError(message, hint=f"See {self._see} for what it must have.")
            self._registered[getattr(thing, self._key)] = thing
        return thing

    def known(self) -> dict[str, Thing]:
        """All things by their keys: those that come with vitpanel, then what is registered, then what packages bring.

        Packages are looked through when this is first called; what cannot stand beside the others is left out, and
        said in the log.
        """
        with self._lock:
            if self._brought is None:
                self._brought = {}
                for name, thing in records_of_packages(self.group, self._kind):
                    self._bring(name, thing, self._brought)
            return self._registered | self._brought

    def _bring(self, name: str, thing: Thing, brought: dict[str, Thing]) -> None:
        key = getattr(thing, self._key, "")
        if self._registered.get(key) is thing:
            return  # its package has registered it too
        reason = self._misfit(thing, self._registered | brought)
        if reason:
            refuse(self.group, name, reason)
        else:
            brought[key] = thing


def records_of_packages(group: str, kind: type[Thing]) -> Iterator[tuple[str, Thing]]:
    """Load the entry points of a group, each with its name.

    One that cannot be loaded, or is something else, is left out and said in the log: what a package of others has wrong
    must not keep anyone from all the rest.

    Parameters
    ----------
    group
        Name of the group, as in ``vitpanel.metrics``.
    kind
        What each entry point has to be an instance of.
    """
    for point in entry_points(group=group):
        try:
            record = point.load()
        except Exception as error:  # noqa: BLE001 - code of others, which may raise anything
            refuse(group, point.name, f"{type(error).__name__}: {error}")
            continue
        if isinstance(record, kind):
            yield point.name, record
        else:
            refuse(group, point.name, f"it is no {kind.__name__}, but of type {type(record).__name__}")


def refuse(group: str, name: str, reason: str) -> None:
    """Say in the log why what a package adds is left out."""
    logger.warning("The entry point %s of the group %s is left out: %s.", name, group, reason)
