"""Linked views that answer how attention works in a given vision transformer.

What stands here is the public interface; each name is imported when it is first used, so that ``import vitpanel`` is
fast and loads neither torch nor panel.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vitpanel.app.notebook import explore
    from vitpanel.study.reader import open_study

__all__ = ["__version__", "explore", "open_study"]
__version__ = "0.1.0"

_HOMES = {"explore": "vitpanel.app.notebook", "open_study": "vitpanel.study.reader"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
