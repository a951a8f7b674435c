"""Linked views that answer how attention works in a given vision transformer.

What stands here is the public interface; each name is imported when it is first used, so that ``import vitpanel`` is
fast and loads neither torch nor panel.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vitpanel import elements
    from vitpanel.app.live_model import live_model
    from vitpanel.app.notebook import explore
    from vitpanel.app.report.report import write_report
    from vitpanel.state import brush
    from vitpanel.state.brush import Brush
    from vitpanel.state.selection import Selection
    from vitpanel.study.reader import open_study

__all__ = [
    "Brush",
    "Selection",
    "__version__",
    "brush",
    "elements",
    "explore",
    "live_model",
    "open_study",
    "write_report",
]
__version__ = "0.1.0"

_HOMES = {
    "Brush": "vitpanel.state.brush",
    "Selection": "vitpanel.state.selection",
    "explore": "vitpanel.app.notebook",
    "live_model": "vitpanel.app.live_model",
    "open_study": "vitpanel.study.reader",
    "write_report": "vitpanel.app.report.report",
}
_MODULES = {"brush": "vitpanel.state.brush", "elements": "vitpanel.elements"}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
