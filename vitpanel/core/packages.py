"""What installed packages add to vitpanel: the records that they name as entry points."""

import logging
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import TypeVar

logger = logging.getLogger("vitpanel")
Record = TypeVar("Record")


def records_of_packages(group: str, kind: type[Record]) -> Iterator[Record]:
    """Load the entry points of a group.

    One that cannot be loaded, or is something else, is left out and said in the log: what a package of others has wrong
    must not keep anyone from all the rest.

    Parameters
    ----------
    group
        Name of the group, as in ``vitpanel.metrics``.
    kind
        What each entry point has to be.
    """
    for point in entry_points(group=group):
        try:
            record = point.load()
        except Exception as error:  # noqa: BLE001 - code of others, which may raise anything
            refuse(group, point.name, f"{type(error).__name__}: {error}")
            continue
        if isinstance(record, kind):
            yield record
        else:
            refuse(group, point.name, f"it is no {kind.__name__}, but of type {type(record).__name__}")


def refuse(group: str, name: str, reason: str) -> None:
    """Say in the log why what a package adds is left out."""
    logger.warning("The entry point %s of the group %s is left out: %s.", name, group, reason)
