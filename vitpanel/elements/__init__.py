"""Charts as HoloViews elements, to be composed, linked and saved.

Each is a function ``(study, selection=None, *, table=False, **options)``. Without a selection it returns a static
object of what a page of the study starts with. With one it returns an ``hv.DynamicMap`` that follows the selection, and
what a person does in it is written there: all that share a selection are linked, in several cells, and with
`vitpanel.explore`. An option that is given stays as it is, whatever is chosen. ``table=True`` returns the DataFrame
behind the picture.

Examples
--------
>>> from vitpanel import elements  # doctest: +SKIP
>>> elements.importance_curve(study, selection) + elements.head_scatter(study, selection)  # doctest: +SKIP
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vitpanel.elements.attention import attention_heatmap, attention_histogram
    from vitpanel.elements.image_map import image_map
    from vitpanel.elements.importance import head_ranking, importance_curve
    from vitpanel.elements.links import token_lines
    from vitpanel.elements.masks import attention_masks
    from vitpanel.elements.modes import mode_bars, prediction_bars
    from vitpanel.elements.pattern_map import pattern_map
    from vitpanel.elements.saving import save
    from vitpanel.elements.strength import head_scatter, measure_distribution, strength_bars
    from vitpanel.elements.token_shares import token_shares

__all__ = [
    "attention_heatmap",
    "attention_histogram",
    "attention_masks",
    "head_ranking",
    "head_scatter",
    "image_map",
    "importance_curve",
    "measure_distribution",
    "mode_bars",
    "pattern_map",
    "prediction_bars",
    "save",
    "strength_bars",
    "token_lines",
    "token_shares",
]

# Where the functions are that are not in a module of their own name.
_HOMES = {
    "attention_heatmap": "attention",
    "attention_histogram": "attention",
    "attention_masks": "masks",
    "head_ranking": "importance",
    "head_scatter": "strength",
    "importance_curve": "importance",
    "measure_distribution": "strength",
    "mode_bars": "modes",
    "prediction_bars": "modes",
    "save": "saving",
    "strength_bars": "strength",
    "token_lines": "links",
}


class _Elements(ModuleType):
    """The package; a module that has the name of its function stands behind it."""

    def __setattr__(self, name: str, value: Any) -> None:
        # Python sets a module that it has imported as an attribute of its package.
        super().__setattr__(name, getattr(value, name, value) if isinstance(value, ModuleType) else value)


sys.modules[__name__].__class__ = _Elements


def __getattr__(name: str) -> Any:
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, name)}"), name)


def __dir__() -> list[str]:
    return __all__
